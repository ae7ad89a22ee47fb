import { streamKey, type World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import { netRows } from '../netns/net-row.js'
import {
  NatRange,
  NfConn,
  NfConnBucket,
  NfConnStat,
  NfConnTable,
  NfNatBucket,
  SkbConn,
} from './conntrack-components.js'
import type { NetfilterPlan } from './plan-netfilter.js'
import { NfConnSeen, NfConnTcp } from './tcp-window-components.js'

/** Rows beyond nf_conntrack_max: eviction makes room in the table, not at once among the rows. */
const SPARE_ROWS = 1
const GC_FIRST_SEC = 60
const PURPOSE = 0x63746e61

/** Declares the table of connections: rows and chains of every host that tracks them. */
export function declareConntrack(world: World, layout: Layout, plan: NetfilterPlan, skbRows: number): void {
  const hosts = plan.hosts.filter(({ tracks }) => tracks).map(({ host }) => host.plan.sysctl)
  const rows = hosts.reduce((sum, sysctl) => sum + sysctl['net.netfilter.nf_conntrack_max'] + SPARE_ROWS, 0)
  const buckets = hosts.reduce((sum, sysctl) => sum + sysctl['net.netfilter.nf_conntrack_buckets'], 0)
  world.pool(NfConn, rows, 'live')
  world.pool(NfConnSeen, 2 * rows + 1)
  world.pool(NfConnTcp, rows)
  world.pool(NfConnBucket, buckets)
  const translates = plan.hosts.some(({ nats }) => nats.some((chains) => chains.length > 0))
  world.pool(NfNatBucket, translates ? buckets : 0)
  world.pool(NfConnTable, layout.nets.length)
  world.pool(NfConnStat, netRows(layout))
  world.pool(SkbConn, hosts.length > 0 ? skbRows : 0)
  world.pool(NatRange, plan.ranges)
}

/** Puts every row on the free list of its host and keys the random streams. */
export function fillConntrack(world: World, layout: Layout, plan: NetfilterPlan): void {
  const { nextOriginal } = world.columns(NfConn)
  const table = world.columns(NfConnTable)
  const stat = world.columns(NfConnStat)
  let conn = 1
  let bucket = 1
  for (const { host, tracks } of plan.hosts) {
    if (!tracks) continue
    const t = 1 + host.index
    const { sysctl, hz } = host.plan
    const rows = sysctl['net.netfilter.nf_conntrack_max'] + SPARE_ROWS
    table.firstBucket[t] = bucket
    table.buckets[t] = sysctl['net.netfilter.nf_conntrack_buckets']
    table.max[t] = sysctl['net.netfilter.nf_conntrack_max']
    table.firstFree[t] = conn
    table.firstConn[t] = conn
    table.conns[t] = rows
    table.gcJiffies[t] = GC_FIRST_SEC * hz
    for (let i = 0; i < rows; i++, conn++) nextOriginal[conn] = i + 1 < rows ? conn + 1 : 0
    bucket += table.buckets[t]
  }
  layout.cpus.forEach((cpu, index) => {
    const [low, high] = streamKey(layout.plan.seed, 1 + index, PURPOSE)
    stat.keyLow[cpu] = low
    stat.keyHigh[cpu] = high
  })
}
