import { effectiveConf, type KernelVersion, parsePrefix, type RoutePlan } from '@softnet/scenario/plan'
import { type HostInterface, hostInterfaces, interfaceNamed } from '../build/host-interfaces.js'
import type { HostLayout, Layout } from '../build/layout.js'
import { RTN, SCOPE, TABLE } from './components.js'
import { zeronetShift } from './zeronet.js'

/** One address of a device. */
export interface AddressEntry {
  readonly host: number
  readonly dev: number
  readonly address: number
  readonly lengthBits: number
  readonly scope: number
  readonly secondary: boolean
}

/** One route as it goes into the trie. */
export interface RouteEntry {
  readonly prefix: number
  readonly lengthBits: number
  readonly type: number
  readonly table: number
  readonly tos: number
  readonly scope: number
  readonly nhScope: number
  readonly metric: number
  readonly dev: number
  readonly gateway: number
  readonly prefsrc: number
  readonly mtu: number
  /** 1: somebody has added it, no address brings it. */
  readonly added: number
}

/** Mask of a prefix length, unsigned. */
export function prefixMask(lengthBits: number): number {
  return lengthBits === 0 ? 0 : (-1 << (32 - lengthBits)) >>> 0
}

const LOOPBACK_ADDRESS = 0x7f000001

/** Addresses of a host in order of addition, the loopback device's first. Kernel: net/ipv4/devinet.c, __inet_insert_ifa */
export function hostAddresses(host: HostLayout): AddressEntry[] {
  const entries: AddressEntry[] = [
    {
      host: host.index,
      dev: host.loopback,
      address: LOOPBACK_ADDRESS,
      lengthBits: 8,
      scope: SCOPE.host,
      secondary: false,
    },
  ]
  for (const { id: device, name, addresses } of hostInterfaces(host)) {
    for (const text of addresses) {
      const parsed = parsePrefix(text)
      if (parsed === null) throw new Error(`device ${name}: ${text} is no IPv4 address with prefix length`)
      const mask = prefixMask(parsed.length)
      const same = (each: AddressEntry) => each.dev === device && each.lengthBits === parsed.length
      const secondary = entries.some((each) => same(each) && ((each.address ^ parsed.address) & mask) === 0)
      entries.push({
        host: host.index,
        dev: device,
        address: parsed.address,
        lengthBits: parsed.length,
        scope: SCOPE.universe,
        secondary,
      })
    }
  }
  return entries
}

function entry(given: Partial<RouteEntry> & Pick<RouteEntry, 'prefix' | 'lengthBits' | 'type' | 'dev'>): RouteEntry {
  return {
    table: TABLE.main,
    tos: 0,
    scope: SCOPE.universe,
    nhScope: SCOPE.host,
    metric: 0,
    gateway: 0,
    prefsrc: 0,
    mtu: 0,
    added: 0,
    ...given,
  }
}

/** Routes that an address brings. Kernel: net/ipv4/fib_frontend.c, fib_add_ifaddr */
function addressRoutes(host: HostLayout, added: AddressEntry, zeronet: number): RouteEntry[] {
  const { address, lengthBits, dev, secondary } = added
  const local = { table: TABLE.local, scope: SCOPE.host, nhScope: SCOPE.nowhere, prefsrc: address, dev }
  const routes = [entry({ ...local, prefix: address, lengthBits: 32, type: RTN.local })]
  const prefix = (address & prefixMask(lengthBits)) >>> 0
  if (prefix >>> zeronet === 0 || secondary || (prefix === address && lengthBits === 32)) return routes
  if (dev === host.loopback) routes.push(entry({ ...local, prefix, lengthBits, type: RTN.local }))
  else routes.push(entry({ prefix, lengthBits, type: RTN.unicast, dev, scope: SCOPE.link, prefsrc: address }))
  if (lengthBits >= 31) return routes
  const broadcast = (prefix | ~prefixMask(lengthBits)) >>> 0
  const link = { table: TABLE.local, scope: SCOPE.link, prefsrc: address, dev }
  routes.push(entry({ ...link, prefix: broadcast, lengthBits: 32, type: RTN.broadcast }))
  return routes
}

/** Device of the connected subnet that holds a gateway, 0 if there is none. */
function gatewayDevice(addresses: readonly AddressEntry[], gateway: number): number {
  let best: AddressEntry | null = null
  for (const each of addresses) {
    if (((each.address ^ gateway) & prefixMask(each.lengthBits)) !== 0 || each.lengthBits === 32) continue
    if (best === null || each.lengthBits > best.lengthBits) best = each
  }
  return best?.dev ?? 0
}

/** A route that somebody added. Kernel: net/ipv4/fib_semantics.c, fib_create_info, fib_check_nh */
function plannedRoute(host: HostLayout, addresses: readonly AddressEntry[], plan: RoutePlan): RouteEntry {
  const { prefix, lengthBits, gateway, metric, mtu, tos } = plan
  const type = RTN[plan.type]
  const base = { prefix, lengthBits, type, metric, mtu, tos, gateway, prefsrc: plan.source, added: 1 }
  if (plan.type === 'unreachable' || plan.type === 'prohibit' || plan.type === 'blackhole' || plan.type === 'throw')
    return entry({ ...base, dev: 0 })
  const named = plan.dev === 'lo' ? host.loopback : interfaceNamed(host, plan.dev ?? '')
  const dev = plan.dev === null ? gatewayDevice(addresses, gateway) : named
  if (dev === 0) throw new Error(`host ${host.plan.name}: a route has no device`)
  if (plan.type === 'local')
    return entry({ ...base, dev, table: TABLE.local, scope: SCOPE.host, nhScope: SCOPE.nowhere })
  if (plan.type === 'broadcast') return entry({ ...base, dev, table: TABLE.local, scope: SCOPE.link })
  return gateway === 0 ? entry({ ...base, dev, scope: SCOPE.link }) : entry({ ...base, dev, nhScope: SCOPE.link })
}

/** Routes by index; each is made when it is asked for, since a million of them would be most of what a run needs. */
export interface RouteSource {
  readonly length: number
  at(index: number): RouteEntry | undefined
}

/** All routes of a host. */
export function hostRoutes(host: HostLayout, kernel: KernelVersion): RouteSource {
  const addresses = hostAddresses(host)
  const own = addresses.flatMap((each) => addressRoutes(host, each, zeronetShift(kernel)))
  const { routes } = host.plan
  return {
    length: own.length + routes.length,
    at(index) {
      const plan = routes[index - own.length]
      return plan === undefined ? own[index] : plannedRoute(host, addresses, plan)
    },
  }
}

/** All addresses of a layout, host by host. */
export function layoutAddresses(layout: Layout): AddressEntry[] {
  return layout.nets.flatMap(hostAddresses)
}

/** Effective settings of a device of a host, or of a VLAN device on it. */
export function deviceConf(host: HostLayout, { device, vlan }: HostInterface) {
  return effectiveConf(host.plan.confAll, vlan?.conf ?? device.conf)
}
