import type { DevicePlan, HostPlan, NetnsPlan } from '@softnet/scenario/plan'
import type { HostLayout, NetLayout } from '../build/layout.js'

/** Name that results give the namespace in which a host starts. Kernel: net/core/net_namespace.c, init_net */
export const INIT_NET = 'init'

/** How many namespaces hosts have together, the initial ones among them. */
export function netCount(hosts: readonly HostPlan[]): number {
  return hosts.reduce((sum, host) => sum + 1 + (host.netns ?? []).length, 0)
}

/** A device as its own namespace knows it. */
function asSeenInside(device: DevicePlan): DevicePlan {
  return device.ifname === undefined ? device : { ...device, name: device.ifname }
}

/** What a namespace sees of a host: its own devices, programs and settings. */
export function netPlan(host: HostPlan, netns: NetnsPlan | null): HostPlan {
  if (host.netns === undefined || host.netns.length === 0) return host
  const devices = host.devices.filter((device) => device.netns === netns?.name).map(asSeenInside)
  const apps = host.apps.filter((app) => app.netns === netns?.name)
  return { ...host, ...netns, name: host.name, devices, apps }
}

function netLayout(host: HostLayout, netns: NetnsPlan | null, index: number, loopback: number): NetLayout {
  const own = { hostIndex: host.index, netns: netns?.name ?? INIT_NET }
  if (host.plan.netns === undefined || host.plan.netns.length === 0) return { ...host, ...own }
  const apps = host.plan.apps.flatMap((app, i) => (app.netns === netns?.name ? [i] : []))
  const of = <T>(list: readonly T[]) => apps.map((i) => list[i] as T)
  return {
    ...own,
    plan: netPlan(host.plan, netns),
    index,
    cpus: host.cpus,
    devices: host.devices
      .filter(({ plan }) => plan.netns === netns?.name)
      .map((device) => ({ ...device, plan: asSeenInside(device.plan) })),
    loopback,
    ksoftirqds: host.ksoftirqds,
    appTasks: of(host.appTasks),
    appSockets: of(host.appSockets),
    appEpolls: of(host.appEpolls),
  }
}

/**
 * All namespaces of the hosts: the initial ones first, so that the number of a host is that of its initial namespace; then
 * the others, host by host. `firstLoopback` is the entity of the first loopback device.
 */
export function netLayouts(hosts: readonly HostLayout[], firstLoopback: number): NetLayout[] {
  const nets = hosts.map((host) => netLayout(host, null, host.index, host.loopback))
  for (const host of hosts) {
    for (const netns of host.plan.netns ?? []) {
      nets.push(netLayout(host, netns, nets.length, firstLoopback + nets.length))
    }
  }
  return nets
}
