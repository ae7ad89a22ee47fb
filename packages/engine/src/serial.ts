import { FirstOf } from './first-of.js'

/** Times a runner shares with its partitions, one entry per partition, ps. Doubles in columns are not boxed. */
export interface PartitionTimes {
  /** Written by the partition: time of the next thing it does if nothing new reaches it; Infinity if there is nothing. */
  readonly next: Float64Array
  /** Written by bounded partitions: earliest effect elsewhere of anything not yet sent, if nothing new reaches it. */
  readonly bound: Float64Array
  /** Written by the runner: the partition does everything strictly before it. */
  readonly horizon: Float64Array
}

/** A part of a simulation that is advanced on its own. */
export interface Partition {
  readonly id: number
  readonly name: string
  /** Partitions that can send to this one, by position, and the least time from their sending to its effect, ps. */
  readonly inputs: readonly { readonly from: number; readonly latencyPs: number }[]
  /** True: it writes `bound`; false: what it sends takes effect after `next` plus the edge's latency. */
  readonly bounded: boolean
  /** Hands the runner's times over, before anything else is called. */
  attach(times: PartitionTimes): void
  /** Takes in what other partitions sent and writes its times. */
  drain(): void
  /** Does everything strictly before its horizon and writes its times; false if it could do nothing. */
  run(): boolean
}

/** Runs partitions on this thread. */
export interface SerialRunner {
  /** Advances every partition to `untilPs`; results do not depend on how a run is cut into such calls. */
  runUntil(untilPs: number): void
  /** Times a partition was advanced, for the account of a run. */
  steps(): number
}

const NEVER = Number.POSITIVE_INFINITY

/** Inputs of each partition in columns: bounded ones one by one, the others by their least latency. */
interface Inputs {
  readonly plainLatency: Float64Array
  readonly leastIn: Float64Array
  readonly leastAnyIn: number
  /** Bounded inputs of p are entries [boundedBase[p], boundedBase[p + 1]). */
  readonly boundedBase: Int32Array
  readonly boundedFrom: Int32Array
  readonly boundedLatency: Float64Array
}

function inputColumns(partitions: readonly Partition[]): Inputs {
  const n = partitions.length
  const plainLatency = new Float64Array(n).fill(NEVER)
  const leastIn = new Float64Array(n).fill(NEVER)
  const boundedBase = new Int32Array(n + 1)
  const from: number[] = []
  const latency: number[] = []
  partitions.forEach((partition, p) => {
    for (const input of partition.inputs) {
      const source = partitions[input.from]
      if (!(input.latencyPs > 0)) throw new Error(`${partition.name} has an input without latency: ${source?.name}`)
      leastIn[p] = Math.min(leastIn[p] as number, input.latencyPs)
      if (source?.bounded) {
        from.push(input.from)
        latency.push(input.latencyPs)
      } else plainLatency[p] = Math.min(plainLatency[p] as number, input.latencyPs)
    }
    boundedBase[p + 1] = from.length
  })
  return {
    plainLatency,
    leastIn,
    leastAnyIn: leastIn.reduce((a, b) => Math.min(a, b), NEVER),
    boundedBase,
    boundedFrom: Int32Array.from(from),
    boundedLatency: Float64Array.from(latency),
  }
}

/**
 * Conservative discrete-event execution on one thread: always the partition that is furthest behind goes on, up to the
 * earliest time anything could still reach it. A partition that can do nothing (a lane or a mailbox is full) waits
 * until another one has gone on. `takeReceiver` gives the position of a partition that something was sent to, −1 when
 * there is none left.
 */
export function createSerialRunner(partitions: readonly Partition[], takeReceiver: () => number): SerialRunner {
  const n = partitions.length
  const next = new Float64Array(n)
  const bound = new Float64Array(n).fill(NEVER)
  const horizon = new Float64Array(n)
  const blocked = new Uint8Array(n)
  const isBounded = Uint8Array.from(partitions, (partition) => (partition.bounded ? 1 : 0))
  const { plainLatency, leastIn, leastAnyIn, boundedBase, boundedFrom, boundedLatency } = inputColumns(partitions)
  const first = new FirstOf(next)
  const firstPlain = new FirstOf(next, (p) => isBounded[p] === 0)
  let steps = 0
  for (const partition of partitions) partition.attach({ next, bound, horizon })

  function changed(p: number): void {
    first.update(p)
    if (isBounded[p] === 0) firstPlain.update(p)
  }

  /** Partitions that could do nothing are not asked again until something reaches them or nobody else can go on. */
  let waitingLeast = NEVER

  function block(p: number): void {
    blocked[p] = 1
    if ((next[p] as number) < waitingLeast) waitingLeast = next[p] as number
    first.include(p, false)
  }

  function unblockAll(): void {
    for (let p = 0; p < n; p++) if (blocked[p] === 1) first.include(p, true)
    blocked.fill(0)
    waitingLeast = NEVER
  }

  /** Earliest time anything new can take effect in p: sent by the others, or in answer to what is sent now. */
  function setHorizon(p: number, untilPs: number): void {
    const own = next[p] as number
    const everyLeast = own < waitingLeast ? own : waitingLeast
    const other = firstPlain.firstBut(p)
    const plain = plainLatency[p] as number
    let limit = other < 0 ? NEVER : (next[other] as number) + plain
    const answered = everyLeast + leastAnyIn + plain
    if (answered < limit) limit = answered
    const end = boundedBase[p + 1] as number
    for (let i = boundedBase[p] as number; i < end; i++) {
      const q = boundedFrom[i] as number
      const sent = bound[q] as number
      const answer = everyLeast + (leastIn[q] as number) + (boundedLatency[i] as number)
      const at = sent < answer ? sent : answer
      if (at < limit) limit = at
    }
    horizon[p] = limit < untilPs ? limit : untilPs
  }

  function takeReceivers(): void {
    for (let r = takeReceiver(); r >= 0; r = takeReceiver()) {
      ;(partitions[r] as Partition).drain()
      changed(r)
      if (blocked[r] === 1) unblockAll()
    }
  }

  /** Advances the partition that is furthest behind; false if none has anything to do before the end. */
  function step(untilPs: number): boolean {
    takeReceivers()
    const p = first.first()
    if (p < 0 || (next[p] as number) >= untilPs) return false
    setHorizon(p, untilPs)
    steps++
    const progress = (partitions[p] as Partition).run()
    changed(p)
    if (progress) progressed = true
    else block(p)
    return true
  }

  let progressed = true

  /** Work due before the end may be left where a clock is beyond it, or where there was no room; true if any was done. */
  function lastTurns(untilPs: number): boolean {
    let progress = false
    for (let p = 0; p < n; p++) {
      horizon[p] = untilPs
      if ((partitions[p] as Partition).run()) progress = true
      changed(p)
    }
    return progress
  }

  return {
    runUntil(untilPs) {
      for (const partition of partitions) partition.drain()
      unblockAll()
      first.rebuild()
      firstPlain.rebuild()
      progressed = true
      for (;;) {
        while (step(untilPs));
        if (waitingLeast >= untilPs) {
          if (!lastTurns(untilPs)) return
          continue
        }
        if (!progressed) throw new Error(stuck(partitions, next, untilPs))
        progressed = false
        unblockAll()
      }
    },
    steps: () => steps,
  }
}

function stuck(partitions: readonly Partition[], next: Float64Array, untilPs: number): string {
  const behind = partitions.filter((_, p) => (next[p] as number) < untilPs)
  const lines = behind.slice(0, 8).map((partition) => `${partition.name} at ${next[partition.id]} ps`)
  return `no partition can go on before ${untilPs} ps: ${lines.join(', ')}`
}
