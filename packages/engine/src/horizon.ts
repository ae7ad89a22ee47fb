import { inputColumns } from './input-columns.js'
import type { Partition } from './partition.js'
import type { RunnerColumns } from './runner-columns.js'

/** How far a partition may go. What it has to be told lies in columns, so that no time is boxed. */
export interface Horizon {
  /** One entry: least next step of all, ps. */
  readonly leastPs: Float64Array
  /** One entry: least next step of the others that are not bounded, ps. */
  readonly otherPlainPs: Float64Array
  /** One entry: the earliest moment at which a bounded one wakes anybody, ps. */
  readonly wokenPs: Float64Array
  /**
   * Writes `horizon[p]`: the earliest time anything not yet published can take effect in p, or the end of the stretch. It may
   * be sent by the others, by a bounded partition, come in answer to what is sent now, or be sent on by somebody who is idle
   * until a bounded partition reaches it.
   */
  set(p: number): void
}

/** Binds the rule to the inputs of the partitions. Only those that send to p are looked at, however many there are. */
export function createHorizon(partitions: readonly Partition[], columns: RunnerColumns): Horizon {
  const { next, bound, horizon, reached, until } = columns
  const { plainLatency, leastIn, leastAnyIn, boundedBase, boundedFrom, boundedLatency } = inputColumns(partitions)
  const leastPs = new Float64Array(1)
  const otherPlainPs = new Float64Array(1)
  const wokenPs = new Float64Array(1)

  function set(p: number): void {
    const plain = plainLatency[p] as number
    // Who acts first of those that can send to p: who has something to do, who gets an answer, or who is woken.
    let acts = otherPlainPs[0] as number
    const answered = (next[p] as number) + leastAnyIn
    if (answered < acts) acts = answered
    if ((wokenPs[0] as number) < acts) acts = wokenPs[0] as number
    const least = leastPs[0] as number
    let limit = acts + plain
    const end = boundedBase[p + 1] as number
    for (let i = boundedBase[p] as number; i < end; i++) {
      const q = boundedFrom[i] as number
      let sent = bound[q] as number
      // What was published for it and not yet taken in is not in its bound.
      if (reached[q] !== 0) sent = Math.min(sent, (next[q] as number) + (boundedLatency[i] as number))
      const answer = least + (leastIn[q] as number) + (boundedLatency[i] as number)
      const at = sent < answer ? sent : answer
      if (at < limit) limit = at
    }
    horizon[p] = limit < (until[0] as number) ? limit : (until[0] as number)
  }

  return { leastPs, otherPlainPs, wokenPs, set }
}
