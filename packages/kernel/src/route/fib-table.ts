import type { World } from '@softnet/ecs'
import { hostInterfaces } from '../build/host-interfaces.js'
import type { Layout } from '../build/layout.js'
import { NetDev } from '../nic/components.js'
import { FibChild, FibNode, FibPrefix, FibRoot, FibRoute, HostDev, IfAddr, IfAddrHash, InDev } from './components.js'
import { deviceConf, hostRoutes, layoutAddresses, type RouteEntry } from './fib-entries.js'
import { type BuiltTrie, buildTrie } from './fib-trie.js'
import { ifAddrSlot } from './ifaddr.js'

/** Tries of the hosts of a layout, built once for counting and once more never. */
const built = new WeakMap<Layout, readonly BuiltTrie[]>()

function tries(layout: Layout): readonly BuiltTrie[] {
  let list = built.get(layout)
  if (list === undefined) {
    list = layout.nets.map((host) => buildTrie(hostRoutes(host, layout.plan.kernel)))
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
  const all = tries(layout)
  const addresses = layoutAddresses(layout).length
  world.pool(FibRoot, layout.nets.length)
  world.pool(
    FibNode,
    sum(all, (trie) => trie.nodes.length),
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
    sum(all, ({ prefixes }) => prefixes.first[prefixes.count]),
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
  tries(layout).forEach((trie, host) => {
    fillTrie(world, trie, host, next)
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

function fillTrie(
  world: World,
  trie: BuiltTrie,
  host: number,
  next: { node: number; child: number; prefix: number; route: number },
): void {
  const node = world.columns(FibNode)
  const { node: child } = world.columns(FibChild)
  const prefix = world.columns(FibPrefix)
  const route = world.columns(FibRoute)
  const firstPrefix = next.prefix
  const childRow = (value: number) => (value > 0 ? value + next.node : value < 0 ? value - firstPrefix : 0)
  const prefixRow = (value: number) => (value === 0 ? 0 : value + firstPrefix)
  world.columns(FibRoot).node[host + 1] = childRow(trie.root)
  trie.nodes.forEach((each, i) => {
    const row = next.node + i + 1
    node.key[row] = each.key
    node.pos[row] = each.pos
    node.bits[row] = each.bits
    node.best[row] = prefixRow(each.best)
    node.child[row] = each.child + next.child
  })
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
      route.next[at] = position + 1 < first[i + 1] ? at + 1 : 0
      for (const name of ROUTE_FIELDS) route[name][at] = given[name]
    }
  }
  next.node += trie.nodes.length
  next.child += trie.children.length
}

const ROUTE_FIELDS = [
  'type',
  'table',
  'tos',
  'scope',
  'nhScope',
  'metric',
  'dev',
  'gateway',
  'prefsrc',
  'mtu',
  'added',
] as const
