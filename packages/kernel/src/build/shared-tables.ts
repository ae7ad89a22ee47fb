/** What Linux keeps once per network namespace: which CPUs of a host have to share it, and so step in order of time. */
import { type FlowSetPlan, type Plan, sendsReject, type TrafficPlan } from '@softnet/scenario/plan'
import { ETH_P_ARP, IPPROTO_IGMP } from '@softnet/wire'
import { hasPairs } from '../link/has-pairs.js'
import { RTN } from '../route/components.js'
import { hostRoutes, prefixMask, type RouteEntry } from '../route/fib-entries.js'
import { usesFlows } from '../route/skb-flow.js'
import { captureHas } from '../traffic/capture-has.js'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'
import { sendingCpus, softirqCpus } from './reach.js'

/** Flows looked at one by one; of more it is taken that some are refused. */
const FLOWS_LOOKED_AT = 131_072
/** Routes gone through for each flow; of more it is taken that some refuse. */
const ROUTES_LOOKED_AT = 4096
/** Replies that a mask may limit: echo and timestamp. */
const LIMITED_REPLIES = (1 << 0) | (1 << 14)

/** Traffic of a device. */
function trafficTo(host: HostLayout, device: DeviceLayout, plan: Plan): TrafficPlan[] {
  return plan.traffic.filter((each) => each.host === host.plan.name && each.dev === device.plan.name)
}

/** Whether a host is on a link to others: alone it hears nobody but its sources. */
function isLinked({ plan: { name } }: HostLayout, { links }: Plan): boolean {
  return (links ?? []).some(({ ports }) => ports.some(({ host }) => host === name))
}

/** Whether ARP messages reach a host. */
export function hearsArp(host: HostLayout, plan: Plan): boolean {
  const asks = plan.hosts.some(({ devices }) => devices.some((each) => each.arp === true))
  if (isLinked(host, plan) && asks) return true
  return host.devices.some((device) =>
    trafficTo(host, device, plan).some((traffic) =>
      traffic.kind === 'replay'
        ? captureHas(traffic, device.plan.mac, ({ etherType }) => etherType === ETH_P_ARP)
        : traffic.kind === 'open' && traffic.protocol === 'arp',
    ),
  )
}

/** Neighbours that a host may know: as many as gc_thresh3 allows; none where it neither asks nor hears anybody. */
export function neighbourRows(host: HostLayout, plan: Plan): number {
  const asks = host.devices.some(
    ({ plan: { driver, arp, peer } }) => driver.program === 'tap' || arp === true || peer !== undefined,
  )
  return asks || hearsArp(host, plan) ? host.plan.sysctl['net.ipv4.neigh.default.gc_thresh3'] : 0
}

function hearsIgmp(host: HostLayout, plan: Plan): boolean {
  const joins = host.plan.apps.some(({ sockets }) => sockets.some((each) => (each.groups ?? []).length > 0))
  if (!joins) return false
  if (usesFlows(plan) || isLinked(host, plan) || hasPairs([host.plan])) return true
  return host.devices.some((device) =>
    trafficTo(host, device, plan).some(
      (traffic) =>
        traffic.kind === 'replay' && captureHas(traffic, device.plan.mac, ({ protocol }) => protocol === IPPROTO_IGMP),
    ),
  )
}

/** Where a host's datagrams end, for the question who gets an ICMP error. */
class Destinations {
  readonly #own = new Set<number>()
  readonly #bound = new Set<number>()
  readonly #routes: readonly RouteEntry[]

  constructor(host: HostLayout, plan: Plan) {
    const routes = hostRoutes(host, plan.kernel)
    const all = Array.from({ length: routes.length }, (_, i) => routes.at(i) as RouteEntry)
    this.#routes = all.sort((a, b) => b.lengthBits - a.lengthBits || a.metric - b.metric)
    for (const { type, prefix } of this.#routes) if (type === RTN.local) this.#own.add(prefix)
    for (const { sockets } of host.plan.apps) {
      for (const { address, port, peer, device } of sockets) {
        if (peer === null && device === null) this.#bound.add(address * 65_536 + port)
      }
    }
  }

  /** Whether a packet that comes in on a device may be answered with an error, or with a redirect. */
  refuses(device: DeviceLayout, daddr: number, dport: number, isUdp: boolean): boolean {
    if (this.#own.has(daddr)) return isUdp && !this.#bound.has(daddr * 65_536 + dport) && !this.#bound.has(dport)
    if (device.plan.conf.forwarding === 0 || daddr >>> 28 === 14) return false
    const route = this.#routes.find(({ prefix, lengthBits }) => ((daddr ^ prefix) & prefixMask(lengthBits)) === 0)
    return (
      route === undefined || (route.type !== RTN.broadcast && route.type !== RTN.unicast) || route.dev === device.device
    )
  }
}

function mayRefuseFlows(flows: FlowSetPlan, isUdp: boolean, device: DeviceLayout, to: Destinations): boolean {
  const { pick, daddr, daddrCount, dport, dportCount } = flows
  const mostFlows = daddrCount * dportCount
  const count = pick === 'churn' ? mostFlows : Math.min(flows.count, mostFlows)
  if (count > FLOWS_LOOKED_AT) return true
  for (let i = 0; i < count; i++) {
    const address = (daddr + (i % daddrCount)) >>> 0
    if (to.refuses(device, address, dport + (i % dportCount), isUdp)) return true
  }
  return false
}

/** Whether a host may send ICMP messages that are limited; an over-estimate. */
function mayRefuse(host: HostLayout, plan: Plan): boolean {
  const { nftables, ipv4 } = host.plan
  if (isLinked(host, plan) || host.plan.netns !== undefined || (nftables !== null && sendsReject(nftables))) return true
  if ((ipv4.icmp_ratemask & LIMITED_REPLIES) !== 0 || host.devices.some(({ fragments }) => fragments)) return true
  let to: Destinations | null = null
  for (const device of host.devices) {
    for (const traffic of trafficTo(host, device, plan)) {
      if (traffic.kind === 'replay') return true
      const protocol = traffic.kind === 'closed' ? 'udp' : traffic.protocol
      if (protocol === 'arp') continue
      if (host.plan.routes.length > ROUTES_LOOKED_AT) return true
      to ??= new Destinations(host, plan)
      if (mayRefuseFlows(traffic.flows, protocol === 'udp', device, to)) return true
    }
  }
  return false
}

/** CPUs of a host that share one of its tables, with the reason. */
export function* netnsSharing(host: HostLayout, layout: Layout): Generator<{ owners: number[]; why: string }> {
  if (host.cpus.length < 2) return
  const { plan } = layout
  if (neighbourRows(host, plan) > 0) {
    yield { owners: [...sendingCpus(host)], why: 'they share the table of neighbours' }
  }
  // What somebody sends into a veth pair is received on his CPU.
  const softirq = hasPairs([host.plan]) ? sendingCpus(host) : softirqCpus(host)
  if (softirq.size > 1 && mayRefuse(host, plan)) {
    yield { owners: [...softirq], why: 'their ICMP errors share limits' }
  }
  if (hearsIgmp(host, plan)) {
    yield { owners: [host.cpus[0], ...softirq], why: 'they answer for groups together' }
  }
}
