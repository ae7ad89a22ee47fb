import type { Columns, World } from '@softnet/ecs'
import { type EventAction, type EventPlan, LIVE_SYSCTLS, type Plan } from '@softnet/scenario/plan'
import { hostInterfaces, interfaceNamed } from '../build/host-interfaces.js'
import type { DeviceLayout, HostLayout, Layout } from '../build/layout.js'
import { FEATURE, NetDev } from '../nic/components.js'
import {
  ACTION,
  CableChange,
  DevClose,
  DevView,
  DevWatchdog,
  HostEvent,
  IF_OPER,
  LinkDev,
  LinkLog,
  LinkWatch,
  LOG_ROWS,
  WireCable,
} from './components.js'

/** Index of the first device behind the loopback device. */
const FIRST_IFINDEX = 2

/** Whether anything happens to hosts during a run: without it no table is declared and nothing is asked. */
export function hasEvents(plan: Plan): boolean {
  return (plan.events ?? []).length > 0
}

/** Whether a card hangs during a run: its watchdog then has to be wound up. */
export function hasStalls(plan: Plan): boolean {
  return (plan.events ?? []).some(({ action }) => action.kind === 'stall')
}

/** An event with the entities it is about. */
export interface PlacedEvent {
  readonly plan: EventPlan
  readonly host: HostLayout
  /** Null where it is about the host. */
  readonly device: DeviceLayout | null
  /** Entity of the device or of a VLAN device on it. */
  readonly dev: number
}

/** Events of a layout in the order of the plan; row of `HostEvent` = position + 1. */
export function placedEvents(layout: Layout): PlacedEvent[] {
  return (layout.plan.events ?? []).map((plan) => {
    const host = layout.hosts.find((each) => each.plan.name === plan.host)
    const dev = host === undefined || plan.action.dev === null ? 0 : interfaceNamed(host, plan.action.dev)
    const isOfHost = plan.action.dev === null
    const device = isOfHost
      ? null
      : host?.devices.find((each) => dev >= each.device && dev <= each.device + each.plan.vlans.length)
    if (host === undefined || device === undefined) throw new Error(`an event names a device that is not there`)
    return { plan, host, device, dev }
  })
}

/** Times at which a device's cable changes its state, the first a pull. */
function cableChanges(events: readonly PlacedEvent[], device: DeviceLayout): number[] {
  const times: number[] = []
  for (const each of events) {
    const { action } = each.plan
    if (each.device !== device || action.kind !== 'cable') continue
    if (action.up === (times.length % 2 === 1)) times.push(each.plan.atPs)
  }
  return times
}

/** Declares what events need. */
export function declareLink(world: World, layout: Layout): void {
  if (!hasEvents(layout.plan)) return
  const devices = layout.firstDevice + layout.deviceCount
  const events = placedEvents(layout)
  world.pool(LinkDev, devices)
  world.pool(LinkWatch, layout.hosts.length)
  world.pool(LinkLog, layout.hosts.length * LOG_ROWS)
  world.pool(DevView, layout.deviceCount * layout.cpuRows)
  world.pool(DevWatchdog, layout.deviceCount * layout.cpuRows)
  world.pool(DevClose, layout.deviceCount * layout.cpuRows)
  world.pool(CableChange, events.length)
  world.pool(WireCable, layout.ownerRows)
  world.pool(HostEvent, events.length)
}

/** Fills them: every device is up and has its carrier. */
export function fillLink(world: World, layout: Layout): void {
  if (!hasEvents(layout.plan)) return
  const watch = world.columns(LinkWatch)
  for (const host of layout.hosts) {
    watch.cpu[host.index + 1] = host.cpus[0]
    watch.nextEventJiffy[host.index + 1] = -host.plan.hz
    for (const device of host.devices) fillDevice(world, device)
    fillLinkIndexes(world, layout, host)
  }
  fillEvents(world, layout)
}

function fillDevice(world: World, { device, plan }: DeviceLayout): void {
  const link = world.columns(LinkDev)
  link.uppers[device] = plan.vlans.length
  for (let id = device; id <= device + plan.vlans.length; id++) {
    link.operstate[id] = IF_OPER.up
    if (id > device) link.lower[id] = device
  }
}

/**
 * Indexes of devices in their namespaces: the loopback device has 1, the others follow as they are written, then VLAN devices. A
 * device of another namespace is known by its index alone, and another one may have that here. Kernel: net/core/dev.c, dev_index_reserve
 */
function fillLinkIndexes(world: World, layout: Layout, host: HostLayout): void {
  const { iflink } = world.columns(LinkDev)
  const { peer } = world.columns(NetDev)
  const index = new Map<number, number>()
  const inside = new Map<number, ReadonlyMap<number, number>>()
  for (const net of layout.nets.filter(({ hostIndex }) => hostIndex === host.index)) {
    const all = hostInterfaces(net)
    const ids = [...all.filter(({ position }) => position === 0), ...all.filter(({ position }) => position > 0)].map(
      ({ id }) => id,
    )
    const known = new Map(ids.map((id, i) => [i + FIRST_IFINDEX, id]))
    ids.forEach((id, i) => {
      index.set(id, i + FIRST_IFINDEX)
      inside.set(id, known)
    })
  }
  for (const { device, plan } of host.devices) {
    const other = peer[device] === 0 ? device : peer[device]
    iflink[device] = inside.get(device)?.get(index.get(other) ?? 0) ?? 0
    plan.vlans.forEach((_, i) => {
      iflink[device + 1 + i] = device
    })
  }
}

function fillAction(rows: Columns<typeof HostEvent.schema>, row: number, action: EventAction): void {
  switch (action.kind) {
    case 'stall':
      rows.queue[row] = action.queue
      return
    case 'cable':
    case 'link':
      rows.up[row] = action.up ? 1 : 0
      return
    case 'coalesce':
      rows.rxUsecsPs[row] = action.rxUsecs === null ? -1 : action.rxUsecs * 1e6
      rows.rxFrames[row] = action.rxFrames ?? -1
      rows.txUsecsPs[row] = action.txUsecs === null ? -1 : action.txUsecs * 1e6
      return
    case 'features':
      for (const name of ['gro', 'groList', 'udpGroForwarding'] as const) {
        if (action[name] === true) rows.on[row] |= FEATURE[name]
        if (action[name] === false) rows.off[row] |= FEATURE[name]
      }
      return
    case 'rings':
      rows.value[row] = action.rx
      return
    case 'sysctl':
      rows.setting[row] = LIVE_SYSCTLS.indexOf(action.name)
      rows.value[row] = action.value
  }
}

function fillEvents(world: World, layout: Layout): void {
  const rows = world.columns(HostEvent)
  const cable = world.columns(WireCable)
  const { atPs } = world.columns(CableChange)
  const events = placedEvents(layout)
  events.forEach(({ plan: { atPs: time, action }, host, dev }, i) => {
    const row = i + 1
    rows.atPs[row] = time
    rows.host[row] = host.index
    rows.dev[row] = dev
    rows.action[row] = ACTION[action.kind]
    fillAction(rows, row, action)
  })
  let next = 1
  for (const device of layout.hosts.flatMap((host) => host.devices)) {
    if (device.wire === 0) continue
    const times = cableChanges(events, device)
    cable.first[device.wire] = next
    cable.count[device.wire] = times.length
    for (const time of times) atPs[next++] = time
  }
}
