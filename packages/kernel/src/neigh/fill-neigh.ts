import { mix32, streamKey, type World } from '@softnet/ecs'
import { macHi, macLo, parseMac } from '@softnet/wire'
import type { HostLayout, Layout } from '../build/layout.js'
import { NEIGH_ROWS, NEIGH_SLOTS, Neighbour, NeighParms, NeighSlot, NeighTable, NUD } from './components.js'
import { neighSlot } from './neigh-slot.js'

const PURPOSE = 0x6e656967
/** Most drivers need few: a host none of whose devices asks keeps room for those who ask it. */
const QUIET_ROWS = 64

function rowsOf(host: HostLayout): number {
  return host.devices.some(({ plan }) => plan.driver.program === 'tap' || plan.arp === true) ? NEIGH_ROWS : QUIET_ROWS
}

/** Declares the neighbour tables: one per CPU. */
export function declareNeighbours(world: World, layout: Layout): void {
  let rows = 0
  let cpus = 0
  for (const host of layout.hosts) {
    rows += rowsOf(host) * host.plan.cpus.length
    cpus += host.plan.cpus.length
  }
  world.pool(Neighbour, rows, 'used')
  world.pool(NeighTable, layout.cpuRows)
  world.pool(NeighSlot, cpus * NEIGH_SLOTS)
  world.pool(NeighParms, layout.firstDevice + layout.deviceCount)
}

/** Fills settings, free lists and permanent neighbours. */
export function fillNeighbours(world: World, layout: Layout): void {
  const table = world.columns(NeighTable)
  const { chain } = world.columns(Neighbour)
  let row = 1
  let slot = 1
  for (const host of layout.hosts) {
    fillParms(world, layout, host)
    for (const cpu of host.cpus) {
      const rows = rowsOf(host)
      table.firstRow[cpu] = row
      table.rows[cpu] = rows
      table.firstSlot[cpu] = slot
      for (let i = rows - 1; i >= 0; i--) {
        chain[row + i] = table.freeHead[cpu]
        table.freeHead[cpu] = row + i
      }
      row += rows
      slot += NEIGH_SLOTS
      for (const net of layout.nets) {
        if (net.hostIndex !== host.index) continue
        for (const neighbour of net.plan.neighbours) addPermanent(world, net, cpu, neighbour)
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
  const dev = host.devices.find((each) => each.plan.name === plan.dev)?.device
  const row = table.freeHead[cpu]
  if (dev === undefined || row === 0) throw new Error(`host ${host.plan.name}: a neighbour has no device or no room`)
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
