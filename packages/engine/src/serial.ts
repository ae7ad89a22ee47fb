/** A part of a simulation that is advanced on its own. See `runSerial` for what its members promise. */
export interface Partition {
  readonly id: number
  readonly name: string
  /** Partitions that can send to this one, by position, and the least time from their sending to its effect, ps. */
  readonly inputs: readonly { readonly from: number; readonly latencyPs: number }[]
  /** Time of the next thing it does if nothing new reaches it, ps; Infinity if there is nothing. */
  nextPs(): number
  /** Earliest effect elsewhere of anything it has not sent yet, ps, if nothing new reaches it; null: `nextPs` plus latency. */
  readonly sendBoundPs: (() => number) | null
  /** Takes in what other partitions sent. */
  drain(): void
  /** Does everything strictly before the horizon; false if it could do nothing. */
  run(horizonPs: number): boolean
}

/** Runs partitions on this thread. */
export interface SerialRunner {
  /** Advances every partition to `untilPs`; results do not depend on how a run is cut into such calls. */
  runUntil(untilPs: number): void
  /** Times a partition was advanced, for the account of a run. */
  readonly steps: () => number
}

/**
 * Conservative discrete-event execution on one thread: always the partition that is furthest behind goes on, up to the
 * earliest time anything could still reach it.
 */
export function createSerialRunner(partitions: readonly Partition[]): SerialRunner {
  const n = partitions.length
  const next = new Float64Array(n)
  const inBase = new Int32Array(n + 1)
  const inFrom: number[] = []
  const inLatency: number[] = []
  const leastIn = new Float64Array(n).fill(Number.POSITIVE_INFINITY)
  partitions.forEach((partition, p) => {
    for (const { from, latencyPs } of partition.inputs) {
      if (latencyPs <= 0) throw new Error(`${partition.name} has an input without latency from ${partitions[from]?.name}`)
      inFrom.push(from)
      inLatency.push(latencyPs)
      if (latencyPs < (leastIn[p] as number)) leastIn[p] = latencyPs
    }
    inBase[p + 1] = inFrom.length
  })
  const fromColumn = Int32Array.from(inFrom)
  const latencyColumn = Float64Array.from(inLatency)
  let steps = 0

  /** Earliest time anything new can take effect in p, when the least of all next times is `least`. */
  function horizon(p: number, least: number): number {
    let bound = Number.POSITIVE_INFINITY
    const end = inBase[p + 1] as number
    for (let i = inBase[p] as number; i < end; i++) {
      const q = fromColumn[i] as number
      const latency = latencyColumn[i] as number
      const partition = partitions[q] as Partition
      const woken = least + (leastIn[q] as number) + latency
      const own = partition.sendBoundPs === null ? (next[q] as number) + latency : partition.sendBoundPs()
      const at = own < woken ? own : woken
      if (at < bound) bound = at
    }
    return bound
  }

  /** Lets p run; true if it did anything. */
  function advance(p: number, least: number, untilPs: number): boolean {
    const partition = partitions[p] as Partition
    partition.drain()
    const limit = horizon(p, least)
    const progress = partition.run(limit < untilPs ? limit : untilPs)
    next[p] = partition.nextPs()
    steps++
    return progress
  }

  function refresh(): number {
    let least = Number.POSITIVE_INFINITY
    for (let p = 0; p < n; p++) {
      const partition = partitions[p] as Partition
      partition.drain()
      const at = partition.nextPs()
      next[p] = at
      if (at < least) least = at
    }
    return least
  }

  return {
    runUntil(untilPs) {
      for (;;) {
        const least = refresh()
        if (least >= untilPs) return
        let progress = false
        for (let p = 0; p < n; p++) {
          if ((next[p] as number) < untilPs && advance(p, least, untilPs)) progress = true
        }
        if (!progress) throw new Error(stuck(partitions, next, untilPs))
      }
    },
    steps: () => steps,
  }
}

function stuck(partitions: readonly Partition[], next: Float64Array, untilPs: number): string {
  const lines = partitions
    .map((partition, p) => `${partition.name} at ${next[p]} ps`)
    .filter((_, p) => (next[p] as number) < untilPs)
  return `no partition can go on before ${untilPs} ps: ${lines.slice(0, 8).join(', ')}`
}
