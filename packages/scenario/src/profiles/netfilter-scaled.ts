import { NETFILTER_COSTS, type NetfilterCosts } from '../netfilter-costs.js'
import type { StageCost } from '../stages.js'

/** Costs of netfilter in another profile, times `factor`, with that profile's source kept behind `reason`. */
export function scaledNetfilter(from: NetfilterCosts, factor: number, reason: string): NetfilterCosts {
  const all: Record<string, StageCost> = {}
  for (const name of NETFILTER_COSTS) {
    const { cycles, source } = from[name]
    all[name] = { cycles: cycles * factor, source: `${reason}; there: ${source}` }
  }
  return all as NetfilterCosts
}
