/** Columns a runner shares with its partitions, one entry per partition unless said. Doubles in columns are not boxed. */
export interface PartitionTimes {
  /** Written by the partition: time of the next thing it does if nothing new reaches it, ps; Infinity if there is nothing. */
  readonly next: Float64Array
  /**
   * Written by bounded partitions: earliest effect elsewhere of anything not yet sent, if nothing new reaches it, ps;
   * Infinity if `next` is.
   */
  readonly bound: Float64Array
  /** Written by the runner: the partition does everything strictly before it, ps. */
  readonly horizon: Float64Array
  /**
   * Written by `reach` while a partition publishes: not 0 for those that have something to take in, until they have; what
   * other value than 1 it is, is between the partitions.
   */
  readonly reached: Uint8Array
  /** Positions of the partitions whose `reached` was set since the runner last looked. */
  readonly reachedList: Int32Array
  /** One entry: how many of `reachedList` count. */
  readonly reachedCount: Int32Array
}

/** Notes, while a partition publishes, that something takes effect in partition `to` at `atPs` or later. */
export function reach(times: PartitionTimes, to: number, atPs: number): void {
  if (atPs < (times.next[to] as number)) times.next[to] = atPs
  if (times.reached[to] !== 0) return
  times.reached[to] = 1
  const count = times.reachedCount[0] as number
  times.reachedList[count] = to
  times.reachedCount[0] = count + 1
}

/**
 * A part of a simulation that is advanced on its own. All its state is in shared columns: between two calls any thread
 * may go on with it, and each thread has objects of its own for the same partitions.
 */
export interface Partition {
  readonly id: number
  readonly name: string
  /** Partitions that can send to this one, by position, and the least time from their sending to its effect, ps. */
  readonly inputs: readonly { readonly from: number; readonly latencyPs: number }[]
  /** True: it writes `bound`; false: what it sends takes effect after `next` plus the edge's latency. */
  readonly bounded: boolean
  /** Hands the runner's columns over, before anything else is called. */
  attach(times: PartitionTimes): void
  /** Takes in what others have published for it and writes its times. */
  drain(): void
  /** Does everything strictly before its horizon and writes its times; false if it could do nothing. */
  run(): boolean
  /**
   * Makes what it has sent, and the room it has made, known to the others, and calls `reach` for each that something was
   * sent to. Nobody runs meanwhile.
   */
  publish(): void
  /**
   * Free running, while others run: takes in what they have shown, and writes its times. Partitions without `take` and
   * `show` go in rounds.
   */
  take?(): void
  /** Free running, while others run: shows what it has sent and the room it has made. */
  show?(): void
  /** Free running: false if too little has come, or there is too little room, for a turn to be worth while; a guess. */
  hasEnough?(): boolean
}
