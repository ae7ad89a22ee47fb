/**
 * Which partition goes on and how far, where that is not the runner's own choice. Every answer must end in the same
 * state: tests draw them, as worker threads would give them.
 */
export interface StepOrder {
  /**
   * Position, in `ready`, of the partition that goes on: any of the first `count`, which have something to do before the
   * end and were not found waiting since somebody went on last. `nextPs` is the next step of each partition, ps.
   */
  choose(ready: Int32Array, count: number, nextPs: Float64Array): number
  /** How far it goes: a time after `fromPs`, its next step, and not after `horizonPs`, ps. */
  reach(fromPs: number, horizonPs: number): number
}
