import { inputColumns } from './input-columns.js'
import type { Partition } from './partition.js'
import type { RunnerColumns } from './runner-columns.js'

/**
 * Writes `horizon[p]`: the earliest time anything not yet published can take effect in p, or the end of the stretch. It
 * may be sent by the others, whose least next step is `otherPlainPs`, by a bounded partition, or come in answer to what is
 * sent now; `leastPs` is the least next step of all.
 */
export type SetHorizon = (p: number, leastPs: number, otherPlainPs: number) => void

/** Binds the rule to the inputs of the partitions. */
export function createHorizon(partitions: readonly Partition[], columns: RunnerColumns): SetHorizon {
  const { next, bound, horizon, until } = columns
  const { plainLatency, leastIn, leastAnyIn, boundedBase, boundedFrom, boundedLatency } = inputColumns(partitions)
  return (p, leastPs, otherPlainPs) => {
    const plain = plainLatency[p] as number
    let limit = otherPlainPs + plain
    const answered = (next[p] as number) + leastAnyIn + plain
    if (answered < limit) limit = answered
    const end = boundedBase[p + 1] as number
    for (let i = boundedBase[p] as number; i < end; i++) {
      const q = boundedFrom[i] as number
      const sent = bound[q] as number
      const answer = leastPs + (leastIn[q] as number) + (boundedLatency[i] as number)
      const at = sent < answer ? sent : answer
      if (at < limit) limit = at
    }
    horizon[p] = limit < (until[0] as number) ? limit : (until[0] as number)
  }
}
