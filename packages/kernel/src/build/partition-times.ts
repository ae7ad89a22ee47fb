/** Columns a runner shares with the partitions, one entry per partition unless said. Doubles in columns are not boxed. */
export interface PartitionTimes {
  /** Written by the partition: its next step, ps. */
  readonly next: Float64Array
  /** Written by bounded partitions: earliest effect elsewhere of anything not yet sent, ps. */
  readonly bound: Float64Array
  /** Written by the runner: how far the partition may go, ps. */
  readonly horizon: Float64Array
  /** Written while publishing: not 0 (see REACHED) for partitions that have something to take in until they have, and the list of those newly set. */
  readonly reached: Uint8Array
  readonly reachedList: Int32Array
  /** One entry: how many of `reachedList` count. */
  readonly reachedCount: Int32Array
}

/** What a partition has to take in; the greater one counts. */
export const REACHED = { mail: 1, frames: 2 } as const

/** Notes, while somebody publishes, that something of a kind (see REACHED) takes effect in partition `to` at `atPs[row]`. */
export type Reach = (to: number, by: number, atPs: Float64Array, row: number) => void

/** Binds `Reach` to the times of a run. */
export function bindReach({ next, reached, reachedList, reachedCount }: PartitionTimes): Reach {
  return (to, by, atPs, row) => {
    if (atPs[row] < next[to]) next[to] = atPs[row]
    const before = reached[to]
    if (by > before) reached[to] = by
    if (before === 0) reachedList[reachedCount[0]++] = to
  }
}

/** Which owners (CPUs and wires) each partition has, and the partition of each owner. */
export interface PartitionMap {
  /** Lowest owner of each partition. */
  readonly leader: Int32Array
  /** Owners of partition p, ascending: entries [memberBase[p], memberBase[p + 1]) of `member`. */
  readonly memberBase: Int32Array
  readonly member: Int32Array
  /** Partition by owner. */
  readonly partitionOf: Int32Array
  /** Owners from here on are wires. */
  readonly firstWire: number
}
