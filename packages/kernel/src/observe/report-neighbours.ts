import type { ArpCacheStat } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import type { HostLayout } from '../build/layout.js'
import { Cpu } from '../cpu/components.js'
import { NeighStat, NeighTable } from '../neigh/components.js'

/** Chains that a new table of neighbours has; it doubles when it holds more entries. Kernel: net/core/neighbour.c, neigh_table_init */
const FIRST_CHAINS = 8

function growths(entries: number): number {
  let grown = 0
  for (let chains = FIRST_CHAINS; entries > chains; chains *= 2) grown++
  return grown
}

/** Statistics of the neighbours of a host; nothing where none was made, looked up or refused. Kernel: net/core/neighbour.c, neigh_stat_seq_show */
export function reportNeighbours(model: Model, host: HostLayout): { arp_cache?: readonly ArpCacheStat[] } {
  const s = model.world.columns(NeighStat)
  const table = model.world.columns(NeighTable)
  const { home } = model.world.columns(Cpu)
  if (!host.cpus.some((cpu) => s.allocs[cpu] + s.lookups[cpu] + s.tableFulls[cpu] > 0)) return {}
  const entries = [...new Set(host.cpus.map((cpu) => home[cpu]))].reduce((sum, at) => sum + table.entries[at], 0)
  const most = host.cpus.reduce((sum, cpu) => sum + s.allocs[cpu], 0)
  return {
    arp_cache: host.cpus.map((cpu, index) => ({
      entries,
      allocs: s.allocs[cpu],
      destroys: s.destroys[cpu],
      // Tables only grow; who had it done is not kept.
      hash_grows: index === 0 ? growths(Math.min(most, table.thresh3[home[cpu]])) : 0,
      lookups: s.lookups[cpu],
      hits: s.hits[cpu],
      res_failed: s.resFailed[cpu],
      periodic_gc_runs: s.periodicGcRuns[cpu],
      forced_gc_runs: s.forcedGcRuns[cpu],
      unresolved_discards: s.unresDiscards[cpu],
      table_fulls: s.tableFulls[cpu],
    })),
  }
}
