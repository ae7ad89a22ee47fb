import type { World } from '@softnet/ecs'
import { hostInterfaces } from '../build/host-interfaces.js'
import type { Layout } from '../build/layout.js'
import { NetDev } from '../nic/components.js'
import {
  FibChild,
  FibNode,
  FibPrefix,
  FibRoot,
  FibRoute,
  HostDev,
  IfAddr,
  IfAddrHash,
  InDev,
  TABLE,
} from './components.js'
import { deviceConf, hostTables, layoutAddresses, type RouteEntry } from './fib-entries.js'
import { type BuiltTrie, buildTrie } from './fib-trie.js'
import { declareRules, fillRules } from './fill-rules.js'
import { ifAddrSlot } from './ifaddr.js'

/** Tries of each namespace by the number of their table, built once for counting and once more never. */
const built = new WeakMap<Layout, readonly ReadonlyMap<number, BuiltTrie>[]>()

function tries(layout: Layout): readonly ReadonlyMap<number, BuiltTrie>[] {
  let list = built.get(layout)
  if (list === undefined) {
    list = layout.nets.map(
      (host) => new Map([...hostTables(host, layout.plan.kernel)].map(([id, routes]) => [id, buildTrie(routes)])),
    )
    built.set(layout, list)
  }
  return list
}

function sum<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((total, each) => total + of(each), 0)
}

function hashSize(addresses: number): number {
  let size = 8
  while (size < addresses * 2) size *= 2
  return size
}

/** Declares the tables of addresses and routes. */
export function declareRoutes(world: World, layout: Layout): void {
  const all = tries(layout).flatMap((tables) => [...tables.values()])
  const addresses = layoutAddresses(layout).length
  world.pool(FibRoot, layout.nets.length)
  declareRules(world, layout)
  world.pool(
    FibNode,
    sum(all, (trie) => trie.nodes.count),
  )
  world.pool(
    FibChild,
    sum(all, (trie) => trie.children.length),
  )
  world.pool(
    FibPrefix,
    sum(all, (trie) => trie.prefixes.count),
  )
  world.pool(
    FibRoute,
    sum(all, ({ prefixes }) => prefixes.first[prefixes.count] + prefixes.morePaths),
  )
  world.pool(IfAddr, addresses)
  world.pool(IfAddrHash, hashSize(addresses) - 1)
  world.pool(InDev, layout.firstDevice + layout.deviceCount)
  world.pool(HostDev, layout.nets.length)
}

/** Enters the addresses and routes of all hosts. */
export function fillRoutes(world: World, layout: Layout): void {
  fillAddresses(world, layout)
  fillInDevs(world, layout)
  const next = { node: 0, child: 0, prefix: 0, route: 0 }
  const root = world.columns(FibRoot)
  tries(layout).forEach((tables, net) => {
    const roots = new Map([...tables].map(([id, trie]) => [id, fillTrie(world, trie, next)]))
    const rootOf = (table: number) => roots.get(table) ?? 0
    root.node[net + 1] = rootOf(TABLE.main)
    root.fallback[net + 1] = rootOf(TABLE.fallback)
    root.local[net + 1] = roots.get(TABLE.local) ?? rootOf(TABLE.main)
    root.customLocal[net + 1] = layout.nets[net].plan.routes.some(({ type }) => type === 'local') ? 1 : 0
    fillRules(world, layout.nets[net], rootOf)
  })
  built.delete(layout)
}

function fillAddresses(world: World, layout: Layout): void {
  const ifaddr = world.columns(IfAddr)
  const { head } = world.columns(IfAddrHash)
  const inDev = world.columns(InDev)
  const last = new Map<number, number>()
  layoutAddresses(layout).forEach((each, i) => {
    const row = i + 1
    ifaddr.address[row] = each.address
    ifaddr.lengthBits[row] = each.lengthBits
    ifaddr.scope[row] = each.scope
    ifaddr.host[row] = each.host
    ifaddr.dev[row] = each.dev
    ifaddr.secondary[row] = each.secondary ? 1 : 0
    const before = last.get(each.dev)
    if (before === undefined) inDev.firstAddress[each.dev] = row
    else ifaddr.next[before] = row
    last.set(each.dev, row)
    // The one added last is found first. Kernel: net/ipv4/devinet.c, inet_hash_insert
    const slot = ifAddrSlot(each.address | 0, each.host, head.length - 1)
    ifaddr.chain[row] = head[slot]
    head[slot] = row
  })
}

function fillInDevs(world: World, layout: Layout): void {
  const inDev = world.columns(InDev)
  const { mtu } = world.columns(NetDev)
  const hostDev = world.columns(HostDev)
  layout.nets.forEach((host, index) => {
    hostDev.loopback[index + 1] = host.loopback
    hostDev.firstDevice[index + 1] = host.devices[0]?.device ?? host.loopback
    inDev.mtu[host.loopback] = mtu[host.loopback]
    for (const each of hostInterfaces(host)) {
      const { id } = each
      const conf = deviceConf(host, each)
      hostDev.deviceCount[index + 1] = id + 1 - hostDev.firstDevice[index + 1]
      inDev.acceptLocal[id] = conf.accept_local
      inDev.acceptSourceRoute[id] = conf.accept_source_route
      inDev.dropUnicastInL2Multicast[id] = conf.drop_unicast_in_l2_multicast
      inDev.forwarding[id] = conf.forwarding
      inDev.routeLocalnet[id] = conf.route_localnet
      inDev.rpFilter[id] = conf.rp_filter
      inDev.sendRedirects[id] = conf.send_redirects
      inDev.sharedMedia[id] = conf.shared_media
      inDev.acceptRedirects[id] = conf.accept_redirects
      inDev.secureRedirects[id] = conf.secure_redirects
      inDev.arpAccept[id] = conf.arp_accept
      inDev.arpAnnounce[id] = conf.arp_announce
      inDev.arpEvictNocarrier[id] = conf.arp_evict_nocarrier
      inDev.arpNotify[id] = conf.arp_notify
      inDev.ignoreRoutesWithLinkdown[id] = conf.ignore_routes_with_linkdown
      inDev.arpFilter[id] = conf.arp_filter
      inDev.arpIgnore[id] = conf.arp_ignore
      inDev.dropGratuitousArp[id] = conf.drop_gratuitous_arp
      inDev.proxyArp[id] = conf.proxy_arp
      inDev.proxyArpPvlan[id] = conf.proxy_arp_pvlan
      inDev.mtu[id] = each.vlan?.mtu ?? each.device.mtu
    }
  })
}

/** Enters a trie and returns its root. */
function fillTrie(
  world: World,
  trie: BuiltTrie,
  next: { node: number; child: number; prefix: number; route: number },
): number {
  const node = world.columns(FibNode)
  const { node: child } = world.columns(FibChild)
  const prefix = world.columns(FibPrefix)
  const route = routeColumns(world)
  const firstPrefix = next.prefix
  const childRow = (value: number) => (value > 0 ? value + next.node : value < 0 ? value - firstPrefix : 0)
  const prefixRow = (value: number) => (value === 0 ? 0 : value + firstPrefix)
  const root = childRow(trie.root)
  const { nodes } = trie
  for (let i = 0; i < nodes.count; i++) {
    const row = next.node + i + 1
    node.key[row] = nodes.key[i]
    node.pos[row] = nodes.pos[i]
    node.bits[row] = nodes.bits[i]
    node.best[row] = prefixRow(nodes.best[i])
    node.child[row] = nodes.child[i] + next.child
  }
  trie.children.forEach((each, i) => {
    child[next.child + i + 1] = childRow(each)
  })
  const { count, first, order, ...columns } = trie.prefixes
  for (let i = 0; i < count; i++) {
    const row = ++next.prefix
    prefix.prefix[row] = columns.prefix[i]
    prefix.lengthBits[row] = columns.lengthBits[i]
    prefix.covering[row] = prefixRow(columns.covering[i])
    prefix.route[row] = next.route + 1
    for (let position = first[i]; position < first[i + 1]; position++) {
      const at = ++next.route
      const given = trie.routes.at(order[position]) as RouteEntry
      for (const name of ROUTE_FIELDS) route[name][at] = given[name]
      next.route += fillPaths(route, at, given.paths)
      route.next[at] = position + 1 < first[i + 1] ? next.route + 1 : 0
    }
  }
  next.node += nodes.count
  next.child += trie.children.length
  return root
}

type RouteColumns = ReturnType<typeof routeColumns>

function routeColumns(world: World) {
  return world.columns(FibRoute)
}

/** Enters the other next hops of a route behind it; returns how many. */
function fillPaths(route: RouteColumns, first: number, paths: readonly RouteEntry[]): number {
  paths.forEach((path, i) => {
    const at = first + i + 1
    for (const name of ROUTE_FIELDS) route[name][at] = path[name]
    route.firstPath[at] = first
    route.nextPath[at - 1] = at
  })
  if (paths.length > 0) route.firstPath[first] = first
  return paths.length
}

const ROUTE_FIELDS = [
  'type',
  'tos',
  'scope',
  'nhScope',
  'metric',
  'dev',
  'gateway',
  'prefsrc',
  'mtu',
  'mtuLocked',
  'hoplimit',
  'weight',
  'added',
] as const
