import { defineComponent, f64, i32, u8, u16, u32, type World } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { interfaceNamed } from '../build/host-interfaces.js'
import type { Layout } from '../build/layout.js'

/** Groups that sockets of a host have joined, by device; a device's newest first. Constant in a run. Kernel: include/linux/igmp.h, struct ip_mc_list */
export const IgmpGroup = defineComponent('igmp_group', {
  dev: i32,
  address: u32,
  host: i32,
})

/** A group as those who share `Cpu.home` answer for it: row `home * groups + group`. Kernel: struct ip_mc_list */
export const IgmpMember = defineComponent('igmp_member', {
  /** Timer of a report: whether it runs, its jiffy, and the arming it belongs to. */
  running: u8,
  expiresJiffy: f64,
  sequence: i32,
  /** Reports still to be sent unasked, by hosts that speak version 1 or 2. */
  unsolicited: u8,
  /** Reports of the change still to be sent. */
  changes: u8,
})

/** IGMP on a device: row `home * devices + device index`. Kernel: include/linux/inetdevice.h, struct in_device */
export const IgmpDev = defineComponent('igmp_dev', {
  /** Reports of changes still to be sent, and the arming of their timer. */
  changeCount: u8,
  changeSequence: i32,
  /** Timer of the answer to a general query. */
  queryRunning: u8,
  queryExpiresJiffy: f64,
  querySequence: i32,
  /** Jiffies up to which a querier of version 1 or 2 counts as present. */
  v1UntilJiffy: f64,
  v2UntilJiffy: f64,
  /** Robustness; 0: the default. Intervals of queries and their answers, jiffies. */
  robustness: u8,
  queryIntervalJiffies: f64,
  responseIntervalJiffies: f64,
  /** Random delays drawn. */
  drawn: u16,
})

/** Whether a socket of a plan joins a group: without one no table is declared. */
export function hasGroups(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) =>
    apps.some(({ sockets }) => sockets.some((each) => (each.groups ?? []).length > 0)),
  )
}

/** 224.0.0.1. */
const ALL_HOSTS = 0xe0000001

interface PlacedGroup {
  readonly host: number
  readonly dev: number
  readonly address: number
}

/** Groups of all hosts, each once per device, the one joined last first. */
export function placedGroups(layout: Layout): PlacedGroup[] {
  return layout.nets.flatMap((host) => {
    const found = new Map<string, PlacedGroup>()
    for (const { group, device } of host.plan.apps.flatMap(({ sockets }) =>
      sockets.flatMap((each) => each.groups ?? []),
    )) {
      // Every device has it anyway, and nobody is told.
      if (group === ALL_HOSTS) continue
      const dev = interfaceNamed(host, device)
      const key = `${dev} ${group}`
      if (!found.has(key)) found.set(key, { host: host.index, dev, address: group })
    }
    return [...found.values()].reverse()
  })
}

/** Declares the tables of IGMP, if any socket joins a group. */
export function declareIgmp(world: World, layout: Layout): void {
  if (!hasGroups(layout.plan)) return
  const groups = placedGroups(layout).length
  world.pool(IgmpGroup, groups)
  world.pool(IgmpMember, layout.cpuRows * groups)
  world.pool(IgmpDev, layout.cpuRows * layout.deviceCount)
}
