import type { PartitionTimes } from './partition.js'

/** Words between two that different threads write. */
const LINE_WORDS = 16

/** Words of `control`, one cache line apart. */
export const WORD = {
  /** One of STATE. */
  state: 0,
  /** Tickets of this round, or partitions of this free stretch, that are not finished. */
  left: 48,
  /** Changes with everything a waiting worker has to know. */
  signal: 64,
  /** Workers asleep on `signal`. */
  sleepers: 80,
  /** Workers that take part. */
  workers: 96,
  /** 1 + worker that is between rounds and decides what comes next; 0: nobody. */
  planner: 112,
} as const

/** What the workers of a run are about to do. */
export const STATE = {
  /** The lead has not called for anything, or is between two calls. */
  paused: 0,
  running: 1,
  /** The run is over. */
  ended: 2,
  /** A worker has failed. */
  failed: 3,
  /** Partitions run freely, without rounds. */
  free: 4,
} as const

const CONTROL_WORDS = 128

/** Words of each worker in `tickets`, which are LINE_WORDS apart: its next ticket, and the first that is not given out. */
export const TICKET = { claim: 0, limit: LINE_WORDS, words: 2 * LINE_WORDS } as const
/** Most workers of a run. */
export const MAX_WORKERS = 64

/** Everything the workers of one run share about its partitions. Bookkeeping: no part of the model's state. */
export interface RunnerColumns extends PartitionTimes {
  readonly control: Int32Array
  /** One entry: end of the stretch under way, ps. */
  readonly until: Float64Array
  /** Partitions with anything to do, and where each is in that list (−1: it is not). */
  readonly active: Int32Array
  readonly activeAt: Int32Array
  /** See COUNT: how many are active and in `round`; 1 if the last round got anything done; rounds so far and their size. */
  readonly counts: Float64Array
  /** Partitions of this round: those at home with worker w are entries [homeBase[w], homeBase[w + 1]). */
  readonly round: Int32Array
  readonly homeBase: Int32Array
  /** Worker that ran each partition last, and has it in its caches. */
  readonly home: Int32Array
  /** Per worker: a ticket is the right to run one partition that is at home with it (see TICKET). */
  readonly tickets: Int32Array
  /** 1: it could do nothing when it was last run. */
  readonly blocked: Uint8Array
  /** What became of it in this round, see OUTCOME. */
  readonly outcome: Uint8Array
  /** Free running: the bound each partition has shown, and a count that is odd while it is written. */
  readonly shown: Float64Array
  readonly shownTurn: Int32Array
  /** Free running: 1 while a worker has the partition, and 1 once it is done with the stretch. */
  readonly busy: Int32Array
  readonly finished: Int32Array
  /** Per worker: 1 + the partition it runs; 0: none. */
  readonly doing: Int32Array
  /** Per worker: partitions run, for the account. */
  readonly steps: Float64Array
}

/** Buffers of `RunnerColumns`, to be posted to other threads. */
export type RunnerBuffers = Readonly<Record<keyof RunnerColumns, SharedArrayBuffer>>

/** Makes the shared buffers for a number of partitions. */
export function createRunnerBuffers(partitions: number): RunnerBuffers {
  const doubles = (n: number) => new SharedArrayBuffer(8 * Math.max(1, n))
  const words = (n: number) => new SharedArrayBuffer(4 * Math.max(1, n))
  const bytes = (n: number) => new SharedArrayBuffer(Math.max(1, n))
  return {
    next: doubles(partitions),
    bound: doubles(partitions),
    horizon: doubles(partitions),
    reached: bytes(partitions),
    reachedList: words(partitions),
    reachedCount: words(1),
    control: words(CONTROL_WORDS),
    until: doubles(1),
    active: words(partitions),
    activeAt: words(partitions),
    counts: doubles(5),
    round: words(partitions),
    homeBase: words(MAX_WORKERS + 1),
    home: words(partitions),
    tickets: words(MAX_WORKERS * TICKET.words),
    blocked: bytes(partitions),
    outcome: bytes(partitions),
    shown: doubles(partitions),
    shownTurn: words(partitions),
    busy: words(partitions),
    finished: words(partitions),
    doing: words(MAX_WORKERS),
    steps: doubles(MAX_WORKERS * 8),
  }
}

/** Views on the buffers. */
export function attachRunnerColumns(buffers: RunnerBuffers): RunnerColumns {
  return {
    next: new Float64Array(buffers.next),
    bound: new Float64Array(buffers.bound),
    horizon: new Float64Array(buffers.horizon),
    reached: new Uint8Array(buffers.reached),
    reachedList: new Int32Array(buffers.reachedList),
    reachedCount: new Int32Array(buffers.reachedCount),
    control: new Int32Array(buffers.control),
    until: new Float64Array(buffers.until),
    active: new Int32Array(buffers.active),
    activeAt: new Int32Array(buffers.activeAt),
    counts: new Float64Array(buffers.counts),
    round: new Int32Array(buffers.round),
    homeBase: new Int32Array(buffers.homeBase),
    home: new Int32Array(buffers.home),
    tickets: new Int32Array(buffers.tickets),
    blocked: new Uint8Array(buffers.blocked),
    outcome: new Uint8Array(buffers.outcome),
    shown: new Float64Array(buffers.shown),
    shownTurn: new Int32Array(buffers.shownTurn),
    busy: new Int32Array(buffers.busy),
    finished: new Int32Array(buffers.finished),
    doing: new Int32Array(buffers.doing),
    steps: new Float64Array(buffers.steps),
  }
}
