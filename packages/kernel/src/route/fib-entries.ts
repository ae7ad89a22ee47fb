import {
  effectiveConf,
  type KernelVersion,
  type NexthopPlan,
  parsePrefix,
  type RoutePlan,
} from '@softnet/scenario/plan'
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
  readonly mtuLocked: number
  readonly hoplimit: number
  readonly weight: number
  /** The other next hops; they share what a route has. */
  readonly paths: readonly RouteEntry[]
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
    mtuLocked: 0,
    hoplimit: 0,
    weight: 1,
    paths: [],
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

/** Table a route is in. Kernel: iproute2, iproute_modify */
function tableOf({ table, type }: RoutePlan): number {
  return table ?? (type === 'local' || type === 'broadcast' ? TABLE.local : TABLE.main)
}

/** A route that somebody added. Kernel: net/ipv4/fib_semantics.c, fib_create_info, fib_check_nh */
function plannedRoute(host: HostLayout, addresses: readonly AddressEntry[], plan: RoutePlan): RouteEntry {
  const { prefix, lengthBits, metric, mtu, tos, nexthops, hoplimit = 0 } = plan
  const mtuLocked = plan.mtuLocked === true ? 1 : 0
  const shared = { prefix, lengthBits, type: RTN[plan.type], metric, mtu, mtuLocked, hoplimit, tos }
  const base = { ...shared, prefsrc: plan.source, table: tableOf(plan), added: 1 }
  if (plan.type === 'unreachable' || plan.type === 'prohibit' || plan.type === 'blackhole' || plan.type === 'throw')
    return entry({ ...base, dev: 0 })
  const deviceOf = (name: string | null, gateway: number): number => {
    const named = name === 'lo' ? host.loopback : interfaceNamed(host, name ?? '')
    const dev = name === null ? gatewayDevice(addresses, gateway) : named
    if (dev === 0) throw new Error(`host ${host.plan.name}: a route has no device`)
    return dev
  }
  const hop = ({ gateway, dev }: Pick<NexthopPlan, 'gateway' | 'dev'>) => ({
    gateway,
    dev: deviceOf(dev, gateway),
    nhScope: gateway === 0 ? SCOPE.host : SCOPE.link,
  })
  if (nexthops !== undefined) {
    const [first, ...paths] = nexthops.map((each) => entry({ ...base, ...hop(each), weight: each.weight }))
    return { ...(first as RouteEntry), paths }
  }
  if (plan.type === 'local') return entry({ ...base, ...hop(plan), scope: SCOPE.host, nhScope: SCOPE.nowhere })
  if (plan.type === 'broadcast') return entry({ ...base, ...hop(plan), scope: SCOPE.link })
  return entry({ ...base, ...hop(plan), scope: plan.gateway === 0 ? SCOPE.link : SCOPE.universe })
}

/** Routes by index; each is made when it is asked for, since a million of them would be most of what a run needs. */
export interface RouteSource {
  readonly length: number
  at(index: number): RouteEntry | undefined
}

/** Routing tables of a host that have routes, by number. */
export function hostTables(host: HostLayout, kernel: KernelVersion): ReadonlyMap<number, RouteSource> {
  const addresses = hostAddresses(host)
  const own = addresses.flatMap((each) => addressRoutes(host, each, zeronetShift(kernel)))
  const { routes, rules = [] } = host.plan
  const isMerged = rules.length === 0
  const placeOf = (table: number) => (isMerged && table === TABLE.local ? TABLE.main : table)
  const byTable = new Map<number, { own: RouteEntry[]; planned: RoutePlan[] }>()
  const at = (table: number) => {
    const found = byTable.get(placeOf(table)) ?? { own: [], planned: [] }
    byTable.set(placeOf(table), found)
    return found
  }
  for (const each of own) at(each.table).own.push(each)
  for (const each of routes) at(tableOf(each)).planned.push(each)
  return new Map(
    [...byTable].map(([table, list]) => [
      table,
      {
        length: list.own.length + list.planned.length,
        at(index) {
          const plan = list.planned[index - list.own.length]
          return plan === undefined ? list.own[index] : plannedRoute(host, addresses, plan)
        },
      },
    ]),
  )
}

/** Routes that packets can find whatever the rules say, for questions about all of them. */
export function hostRoutes(host: HostLayout, kernel: KernelVersion): RouteSource {
  const tables = [...hostTables(host, kernel).values()]
  const length = tables.reduce((sum, each) => sum + each.length, 0)
  return {
    length,
    at(index) {
      let left = index
      for (const table of tables) {
        if (left < table.length) return table.at(left)
        left -= table.length
      }
      return undefined
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
