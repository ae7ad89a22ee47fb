import { mix32, streamKey, type World } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { macHi, macLo, parseMac } from '@softnet/wire'
import { homeCpu } from '../build/fill-cpus.js'
import { interfaceNamed } from '../build/host-interfaces.js'
import type { HostLayout, Layout } from '../build/layout.js'
import type { Partitions } from '../build/partitions.js'
import { neighbourRows } from '../build/shared-tables.js'
import { NEIGH_SLOTS, Neighbour, NeighParms, NeighSlot, NeighStat, NeighTable, NUD } from './components.js'
import { neighSlot } from './neigh-slot.js'

/** Kernel: net/core/neighbour.c, neigh_periodic_work */
const PERIOD_SEC = 15
const LONG_AGO = -1e9
const PURPOSE = 0x6e656967
/** Most drivers need few: a host none of whose devices asks keeps room for those who ask it. */
const QUIET_ROWS = 64

function rowsOf(host: HostLayout, plan: Plan): number {
  const { neighbours, netns = [] } = host.plan
  const permanent = netns.reduce((sum, net) => sum + net.neighbours.length, neighbours.length)
  return Math.max(QUIET_ROWS, neighbourRows(host, plan)) + permanent
}

/** CPUs that lead those who share a table. */
function homes(host: HostLayout, partitions: Partitions): number[] {
  return host.cpus.filter((cpu) => homeCpu(host, partitions, cpu) === cpu)
}

/** Declares the neighbour tables: one for the CPUs of a host that share a partition. */
export function declareNeighbours(world: World, layout: Layout, partitions: Partitions): void {
  let rows = 0
  let tables = 0
  for (const host of layout.hosts) {
    const own = homes(host, partitions).length
    rows += rowsOf(host, layout.plan) * own
    tables += own
  }
  world.pool(Neighbour, rows, 'used')
  world.pool(NeighTable, layout.cpuRows)
  world.pool(NeighStat, layout.cpuRows)
  world.pool(NeighSlot, tables * NEIGH_SLOTS)
  world.pool(NeighParms, layout.firstDevice + layout.deviceCount)
}

/** Fills settings, free lists and permanent neighbours. */
export function fillNeighbours(world: World, layout: Layout, partitions: Partitions): void {
  const table = world.columns(NeighTable)
  const { chain } = world.columns(Neighbour)
  let row = 1
  let slot = 1
  for (const host of layout.hosts) {
    fillParms(world, layout, host)
    const { hz, sysctl } = host.plan
    for (const home of homes(host, partitions)) {
      const rows = rowsOf(host, layout.plan)
      table.firstRow[home] = row
      table.rows[home] = rows
      table.firstSlot[home] = slot
      table.thresh1[home] = sysctl['net.ipv4.neigh.default.gc_thresh1']
      table.thresh2[home] = sysctl['net.ipv4.neigh.default.gc_thresh2']
      table.thresh3[home] = sysctl['net.ipv4.neigh.default.gc_thresh3']
      // The host has been up for long.
      table.lastFlush[home] = LONG_AGO
      table.periodicJiffy[home] = PERIOD_SEC * hz
      for (let i = rows - 1; i >= 0; i--) {
        chain[row + i] = table.freeHead[home]
        table.freeHead[home] = row + i
      }
      row += rows
      slot += NEIGH_SLOTS
      for (const net of layout.nets) {
        if (net.hostIndex !== host.index) continue
        for (const neighbour of net.plan.neighbours) addPermanent(world, net, home, neighbour)
      }
    }
  }
}

function fillParms(world: World, layout: Layout, host: HostLayout): void {
  const parms = world.columns(NeighParms)
  const { hz } = host.plan
  const jiffies = (ms: number) => Math.floor((ms * hz) / 1000)
  for (const { device, plan } of host.devices) {
    const { neigh } = plan
    const [low, high] = streamKey(layout.plan.seed, device, PURPOSE)
    for (let id = device; id <= device + plan.vlans.length; id++) {
      const base = jiffies(neigh.base_reachable_time_ms)
      parms.baseReachable[id] = base
      parms.reachable[id] = Math.floor((mix32(low, high) * base) / 4294967296) + Math.floor(base / 2)
      parms.delayProbe[id] = neigh.delay_first_probe_time * hz
      parms.retrans[id] = jiffies(neigh.retrans_time_ms)
      parms.ucastProbes[id] = neigh.ucast_solicit
      parms.mcastProbes[id] = neigh.mcast_solicit
      parms.mcastReprobes[id] = neigh.mcast_resolicit
      parms.queueBytes[id] = neigh.unres_qlen_bytes
      parms.locktime[id] = jiffies(neigh.locktime * 10)
      parms.proxyDelay[id] = jiffies(neigh.proxy_delay * 10)
      parms.proxyQlen[id] = neigh.proxy_qlen
      parms.gcStaletime[id] = neigh.gc_stale_time * hz
    }
  }
}

function addPermanent(
  world: World,
  host: HostLayout,
  cpu: number,
  plan: HostLayout['plan']['neighbours'][number],
): void {
  const table = world.columns(NeighTable)
  const neigh = world.columns(Neighbour)
  const { head } = world.columns(NeighSlot)
  const dev = interfaceNamed(host, plan.dev)
  const row = table.freeHead[cpu]
  if (dev === 0 || row === 0) throw new Error(`host ${host.plan.name}: a neighbour has no device or no room`)
  table.freeHead[cpu] = neigh.chain[row]
  table.entries[cpu]++
  const mac = parseMac(plan.mac)
  neigh.used[row] = 1
  neigh.address[row] = plan.address
  neigh.dev[row] = dev
  neigh.state[row] = NUD.permanent
  neigh.macHigh[row] = macHi(mac)
  neigh.macLow[row] = macLo(mac)
  const slot = table.firstSlot[cpu] + neighSlot(plan.address | 0, dev)
  neigh.chain[row] = head[slot]
  head[slot] = row
}
