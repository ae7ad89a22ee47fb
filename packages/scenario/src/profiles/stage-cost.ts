import type { CostProfile, StageCost, StageName } from '../stages.js'

/** Stage costs of a whole profile. */
export type StageCosts = CostProfile['stages']

/** A cost published in nanoseconds on a core of `ghz`, as cycles (unrounded, so published sums stay exact). */
export function nsCost(ns: number, ghz: number, source: string): StageCost {
  return { cycles: ns * ghz, source: `${ns} ns at ${ghz} GHz: ${source}` }
}

/** The cost of `name` in another profile, times `factor`, with that profile's source kept behind `reason`. */
export function scaledCost(costs: StageCosts, name: StageName, factor: number, reason: string): StageCost {
  const from = costs[name]
  return { cycles: from.cycles * factor, source: `${reason}; there: ${from.source}` }
}
