/** What `/proc/net/stat` shows of the table of neighbours. */
import type { ArpCacheStat } from '@softnet/scenario/plan'

const HEADER =
  'entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n'

/** `/proc/net/stat/arp_cache`: a line per CPU. Kernel: net/core/neighbour.c, neigh_stat_seq_show */
export function arpCacheText(rows: readonly ArpCacheStat[]): string {
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')
  const lines = rows.map((row) => {
    const first = [row.entries, row.allocs, row.destroys, row.hash_grows].map(hex).join(' ')
    const second = [row.lookups, row.hits, row.res_failed].map(hex).join(' ')
    // IPv6 alone counts the requests it receives.
    const third = [0, 0, row.periodic_gc_runs].map(hex).join('         ')
    const last = [hex(row.forced_gc_runs), hex(row.unresolved_discards), hex(row.table_fulls)]
    return `${first}   ${second}   ${third}         ${last[0]}       ${last[1]}            ${last[2]}\n`
  })
  return HEADER + lines.join('')
}
