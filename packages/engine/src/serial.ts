/** A part of a simulation that is advanced on its own. See `createSerialRunner` for what it promises. */
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
  steps(): number
}

const NEVER = Number.POSITIVE_INFINITY

/**
 * Conservative discrete-event execution on one thread: always the partition that is furthest behind goes on, up to the
 * earliest time anything could still reach it. A partition that can do nothing (a lane or a mailbox is full) waits
 * until another one has gone on. `takeReceiver` gives the position of a partition that something was sent to, −1 when
 * there is none left.
 */
export function createSerialRunner(partitions: readonly Partition[], takeReceiver: () => number): SerialRunner {
  const n = partitions.length
  const next = new Float64Array(n)
  const blocked = new Uint8Array(n)
  // Inputs of a partition: those that say themselves how far they are bound, and the rest by their least latency.
  const bounded: number[][] = partitions.map(() => [])
  const boundedLatency: number[][] = partitions.map(() => [])
  const plainLatency = new Float64Array(n).fill(NEVER)
  const leastIn = new Float64Array(n).fill(NEVER)
  const hasBound = Uint8Array.from(partitions, (partition) => (partition.sendBoundPs === null ? 0 : 1))
  partitions.forEach((partition, p) => {
    for (const { from, latencyPs } of partition.inputs) {
      if (!(latencyPs > 0)) throw new Error(`${partition.name} has an input without latency: ${partitions[from]?.name}`)
      leastIn[p] = Math.min(leastIn[p] as number, latencyPs)
      if (hasBound[from] === 1) {
        bounded[p]?.push(from)
        boundedLatency[p]?.push(latencyPs)
      } else plainLatency[p] = Math.min(plainLatency[p] as number, latencyPs)
    }
  })
  let leastAnyIn = NEVER
  for (let p = 0; p < n; p++) if ((leastIn[p] as number) < leastAnyIn) leastAnyIn = leastIn[p] as number
  let steps = 0

  /**
   * Earliest time anything new can take effect in p. `least` is the least next time of all, `others` the least of the
   * plain partitions but p.
   */
  function horizon(p: number, least: number, others: number): number {
    const plain = plainLatency[p] as number
    let bound = others + plain
    const woken = least + leastAnyIn + plain
    if (woken < bound) bound = woken
    const from = bounded[p] as number[]
    const latency = boundedLatency[p] as number[]
    for (let i = 0; i < from.length; i++) {
      const q = from[i] as number
      const own = (partitions[q] as Partition).sendBoundPs?.() ?? NEVER
      const answer = least + (leastIn[q] as number) + (latency[i] as number)
      const at = own < answer ? own : answer
      if (at < bound) bound = at
    }
    return bound
  }

  function takeReceivers(): void {
    for (let p = takeReceiver(); p >= 0; p = takeReceiver()) {
      const partition = partitions[p] as Partition
      partition.drain()
      next[p] = partition.nextPs()
    }
  }

  return {
    runUntil(untilPs) {
      partitions.forEach((partition, p) => {
        partition.drain()
        next[p] = partition.nextPs()
      })
      blocked.fill(0)
      let waiting = 0
      for (;;) {
        takeReceivers()
        let p = -1
        let least = NEVER
        let plainLeast = NEVER
        let plainSecond = NEVER
        let plainFirst = -1
        for (let q = 0; q < n; q++) {
          const at = next[q] as number
          if (hasBound[q] === 0) {
            if (at < plainLeast) {
              plainSecond = plainLeast
              plainLeast = at
              plainFirst = q
            } else if (at < plainSecond) plainSecond = at
          }
          if (at < least && blocked[q] === 0) {
            least = at
            p = q
          }
        }
        if (least >= untilPs) {
          if (waiting === 0) return
          for (let q = 0; q < n; q++) if (blocked[q] === 1 && (next[q] as number) < untilPs) throw new Error(stuck(untilPs))
          return
        }
        const everyLeast = plainLeast < least ? plainLeast : least
        const limit = horizon(p, everyLeast, p === plainFirst ? plainSecond : plainLeast)
        const partition = partitions[p] as Partition
        const progress = partition.run(limit < untilPs ? limit : untilPs)
        next[p] = partition.nextPs()
        steps++
        if (!progress) {
          blocked[p] = 1
          waiting++
        } else if (waiting > 0) {
          blocked.fill(0)
          waiting = 0
        }
      }
    },
    steps: () => steps,
  }

  function stuck(untilPs: number): string {
    const lines = partitions
      .map((partition, p) => ({ text: `${partition.name} at ${next[p]} ps`, at: next[p] as number }))
      .filter((line) => line.at < untilPs)
    return `no partition can go on before ${untilPs} ps: ${lines
      .slice(0, 8)
      .map((line) => line.text)
      .join(', ')}`
  }
}
