import type { Columns, World } from '@softnet/ecs'
import { KERNEL_VERSIONS, parsePrefix, type SocketPlan } from '@softnet/scenario/plan'
import { hostInterfaces, interfaceNamed } from '../build/host-interfaces.js'
import type { HostLayout, Layout } from '../build/layout.js'
import { ReuseportSlot, Sock, SockGroup, SockHash, SockHash4, UdpList } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { fillLists } from './port-lists.js'
import { ReuseportBinding, type ReuseportGroup } from './reuseport-groups.js'
import { fourTupleSlot, portAddressSlot } from './socket-slot.js'

function socketCount(layout: Layout): number {
  let count = 0
  for (const host of layout.nets) for (const app of host.plan.apps) count += app.sockets.length
  return count
}

/** Groups joined, each socket for itself. */
function memberships(layout: Layout): number {
  let count = 0
  for (const { plan } of layout.nets)
    for (const { sockets } of plan.apps) for (const { groups } of sockets) count += groups?.length ?? 0
  return count
}

/** Mask of the socket hash tables: twice as many slots as sockets, a power of two. */
export function socketHashMask(layout: Layout): number {
  let size = 16
  while (size < socketCount(layout) * 2) size *= 2
  return size - 1
}

/** Declares the tables of the UDP lookup; the sockets themselves are declared with theirs. */
export function declareUdp(world: World, layout: Layout): void {
  const mask = socketHashMask(layout)
  world.pool(SockHash, mask)
  world.pool(SockHash4, mask)
  world.pool(ReuseportSlot, socketCount(layout))
  world.pool(SockGroup, memberships(layout))
  world.pool(UdpList, mask)
}

/** Local addresses and connected routes of one host while its sockets are bound. */
class SourceAddresses {
  readonly #local = new Set<number>()
  readonly #byPrefix = new Map<string, number>()
  readonly #lengths: number[] = []
  #first = 0

  constructor(host: HostLayout) {
    for (const { addresses } of hostInterfaces(host)) {
      for (const text of addresses) {
        const parsed = parsePrefix(text)
        if (parsed === null) continue
        if (this.#local.size === 0) this.#first = parsed.address
        this.#local.add(parsed.address)
        const prefix = prefixName(parsed.address, parsed.length)
        if (!this.#byPrefix.has(prefix)) this.#byPrefix.set(prefix, parsed.address)
        if (!this.#lengths.includes(parsed.length)) this.#lengths.push(parsed.length)
      }
    }
    this.#lengths.sort((a, b) => b - a)
  }

  /** Source of packets to a peer: the address on its connected route, or the host's first. Kernel: ip_route_connect */
  towards(peer: number): number {
    for (const length of this.#lengths) {
      const source = this.#byPrefix.get(prefixName(peer, length))
      if (source !== undefined) return source
    }
    return this.#first
  }

  isUnicast(address: number): boolean {
    return address >>> 24 === 127 || this.#local.has(address)
  }
}

function prefixName(address: number, length: number): string {
  return `${length === 0 ? 0 : (address & (-1 << (32 - length))) >>> 0}/${length}`
}

/** Device entity of a name on a host; 0 for none. */
export function deviceEntity(host: HostLayout, name: string | null): number {
  if (name === null) return 0
  const device = interfaceNamed(host, name)
  if (device === 0) throw new Error(`host ${host.plan.name} has no device ${name} to bind a socket to`)
  return device
}

/** Visits all sockets in bind order with their rows. */
function eachSocket(layout: Layout, visit: (host: HostLayout, plan: SocketPlan, row: number) => void): void {
  for (const host of layout.nets) {
    host.plan.apps.forEach((app, index) => {
      app.sockets.forEach((socket, i) => {
        if (socket.family === undefined) visit(host, socket, host.appSockets[index][i])
      })
    })
  }
}

/**
 * Binds and connects all sockets of the plan in order: fills the lookup columns of `Sock`, the hash chains (bound last
 * comes first) and the reuseport groups (members in bind order).
 * Kernel: net/ipv4/udp.c, udp_lib_get_port, udp_lib_hash4; net/ipv4/datagram.c, __ip4_datagram_connect
 */
export function fillUdp(world: World, layout: Layout): void {
  const sock = world.columns(Sock)
  const { anySource } = world.columns(SockSend)
  const { head } = world.columns(SockHash)
  const { head: head4 } = world.columns(SockHash4)
  const policy = KERNEL_VERSIONS[layout.plan.kernel]
  const binding = new ReuseportBinding()
  const firsts = new Map<string, number>()
  const sources = layout.nets.map((host) => new SourceAddresses(host))
  const mask = head.length - 1
  eachSocket(layout, (host, plan, row) => {
    const source = sources[host.index] as SourceAddresses
    fillSocket(sock, host, plan, row, source)
    anySource[row] = plan.address !== 0 && !source.isUnicast(plan.address) ? 1 : 0
    const key = { host: host.index, address: plan.address, port: plan.port, boundDev: sock.boundDev[row] }
    if (plan.reuseport) binding.bind(row, key)
    const address = sock.address[row]
    if (plan.peer !== null && plan.reuseport) binding.connect(row, key, address, policy.udpHash4)
    // A list keeps its first socket marked: the one bound last under an address and port.
    const list = `${host.index} ${address} ${plan.port}`
    const before = firsts.get(list)
    if (before !== undefined) sock.listFirst[before] = 0
    sock.listFirst[row] = 1
    firsts.set(list, row)
    if (plan.peer !== null) {
      const ports = (plan.peer.port << 16) | plan.port
      const slot4 = fourTupleSlot(host.index, address | 0, plan.peer.address | 0, ports, mask)
      sock.chain4Next[row] = head4[slot4]
      head4[slot4] = row
      // Where the four-tuple table is asked first, no unicast lookup can find a connected socket behind it.
      if (policy.udpHash4 && source.isUnicast(address)) return
    }
    const slot = portAddressSlot(host.index, address | 0, plan.port, mask)
    sock.chainNext[row] = head[slot]
    head[slot] = row
  })
  fillGroups(world, layout, binding)
  fillMemberships(world, layout)
  fillLists(world)
}

function fillSocket(
  sock: Columns<typeof Sock.schema>,
  host: HostLayout,
  plan: SocketPlan,
  row: number,
  source: SourceAddresses,
): void {
  sock.host[row] = host.index
  sock.address[row] = plan.address === 0 && plan.peer !== null ? source.towards(plan.peer.address) : plan.address
  sock.port[row] = plan.port
  sock.portHost[row] = plan.port | (host.index << 16)
  sock.connected[row] = plan.peer === null ? 0 : 1
  sock.peerAddress[row] = plan.peer?.address ?? 0
  sock.peerPort[row] = plan.peer?.port ?? 0
  sock.boundDev[row] = deviceEntity(host, plan.device)
  sock.incomingCpu[row] = plan.soIncomingCpu
  sock.reuseport[row] = plan.reuseport ? 1 : 0
  sock.broadcast[row] = plan.broadcast === true ? 1 : 0
  sock.multicastAll[row] = plan.multicastAll === false ? 0 : 1
}

/** Kernel: net/ipv4/igmp.c, ip_mc_join_group */
function fillMemberships(world: World, layout: Layout): void {
  const sock = world.columns(Sock)
  const member = world.columns(SockGroup)
  let next = 1
  eachSocket(layout, (host, { groups = [] }, row) => {
    sock.firstMembership[row] = next
    sock.membershipCount[row] = groups.length
    for (const { group, device } of groups) {
      member.dev[next] = deviceEntity(host, device)
      member.group[next++] = group
    }
  })
}

/** Writes each group's members to consecutive rows and tells every member where they are. */
function fillGroups(world: World, layout: Layout, binding: ReuseportBinding): void {
  const sock = world.columns(Sock)
  const { sock: slots } = world.columns(ReuseportSlot)
  const bases = new Map<object, number>()
  const incoming = new Set<ReuseportGroup>()
  let next = 1
  eachSocket(layout, (_host, _plan, row) => {
    const group = binding.group(row)
    if (group === undefined) return
    let base = bases.get(group)
    if (base === undefined) {
      base = next
      bases.set(group, base)
      for (const member of group.members) slots[next++] = member
      // Once per group: groups can have every socket of a host.
      if (group.members.some((member) => sock.incomingCpu[member] >= 0)) incoming.add(group)
    }
    sock.groupBase[row] = base
    sock.groupCount[row] = group.members.length
    sock.groupIncoming[row] = incoming.has(group) ? 1 : 0
    sock.groupConns[row] = group.hasConns ? 1 : 0
  })
}
