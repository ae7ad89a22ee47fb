import { defineSystem, mix32 } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { inetEhash } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { ReuseportSlot, Sock, SockGroup, SockHash, SockHash4, UdpList } from '../sock/components.js'
import { fourTupleSlot, LIST_STEP, portAddressSlot, portListSlot } from './socket-slot.js'

const PURPOSE_EHASH = 0x75647073

/** Secret of the reuseport hash of a host (`udp_ehash_secret + net_hash_mix`), unsigned 32 bits, from the run's seed. */
export function udpEhashSecret(seed: number, hostIndex: number): number {
  return mix32(mix32(seed >>> 0, PURPOSE_EHASH), hostIndex)
}

/** From so many slots on sockets leave the inner caches, and a batch asks for its entries, and for its sockets, together. */
const PREFETCH_SLOTS = 8192
/** Most datagrams that are asked for ahead: a poll's. */
const SLOTS = 64

/** Socket lookups for the packet in a row; 0: none. */
export interface UdpLookup {
  /** Brings table entries and sockets for a batch of datagrams into the cache together; has no other effect. */
  prefetch(cpu: number, ids: Int32Array, count: number): void
  /** Socket a unicast datagram is for. Kernel: net/ipv4/udp.c, __udp4_lib_lookup */
  find(cpu: number, row: number): number
  /** Connected socket that matches exactly and is the first of its list. Kernel: __udp4_lib_demux_lookup */
  demux(cpu: number, row: number): number
  /** First socket of the list for `address` (signed; 0: ANY) and the datagram's port, whatever else hashes there. */
  first(cpu: number, row: number, address: number): number
  /** Next one of that list behind `sock`. */
  next(sock: number): number
  /** Whether a broadcast or group datagram goes to a socket. Kernel: net/ipv4/udp.c, __udp_is_mcast_sock */
  takesMulticast(sock: number, row: number): boolean
}

/**
 * UDP socket lookup with Linux's scores: four-tuple table, list of (address, port), list of (ANY, port), reuseport
 * groups. Its cost depends on the sockets that share an address and port, not on how many there are.
 */
export const udpLookup = defineSystem<UdpLookup>(
  'udp_lookup',
  'udp',
  'net/ipv4/udp.c, __udp4_lib_lookup',
  (context) => {
    const { LIST } = NUMBERS

    const { saddr, daddr, ports, dev } = context.read(Skb)
    const { net, number: cpuNumber } = context.read(Cpu)
    const sockets = context.read(Sock)
    const { host: sockHost, address, port, peerAddress, peerPort, connected, boundDev, incomingCpu } = sockets
    const { groupBase, groupCount, groupIncoming, groupConns, chainNext, chain4Next, listFirst, portHost } = sockets
    const { multicastAll, firstMembership, membershipCount } = sockets
    const joined = context.read(SockGroup)
    const { head } = context.read(SockHash)
    const { head: head4 } = context.read(SockHash4)
    const { entry: list } = context.read(UdpList)
    const { sock: member } = context.read(ReuseportSlot)
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const policy = KERNEL_VERSIONS[plan.kernel]
    const { reuseportIncomingCpu, udpHash4, udpScoreBoundAddress } = policy
    const secrets = Uint32Array.from(nets, (_, index) => udpEhashSecret(plan.seed, index))
    const fourTuples = Uint8Array.from(nets, ({ apps }) =>
      udpHash4 && apps.some((app) => app.sockets.some((each) => each.peer !== null)) ? 1 : 0,
    )
    const mask = head.length - 1
    const listMask = list.length - 1
    // Hosts with sockets that are bound to one address only; the others need but one look.
    const bindsAddress = new Uint8Array(nets.length)
    for (let slot = 0; slot < list.length; slot++) {
      const first = list[slot] & LIST.first
      if (address[first] !== 0) bindsAddress[sockHost[first]] = 1
    }

    function sameKey(sk: number, at: number, local: number, hnum: number): boolean {
      return (address[sk] | 0) === local && port[sk] === hnum && sockHost[sk] === at
    }

    /** Score of a socket whose address and port match, −1 if it is not for this datagram. Kernel: compute_score */
    function score(sk: number, row: number, number: number): number {
      let points = 2
      if (udpScoreBoundAddress && address[sk] !== 0) points += 4
      if (peerAddress[sk] !== 0) {
        if (peerAddress[sk] !== saddr[row]) return -1
        points += 4
      }
      if (peerPort[sk] !== 0) {
        if (peerPort[sk] !== ports[row] >>> 16) return -1
        points += 4
      }
      if (boundDev[sk] !== 0) {
        if (boundDev[sk] !== dev[row]) return -1
        points += 4
      }
      return incomingCpu[sk] === number ? points + 1 : points
    }

    /** Member of a socket's group for a datagram to `local`, 0 without a group. Kernel: reuseport_select_sock_by_hash */
    function selectMember(sk: number, row: number, local: number, at: number, number: number): number {
      const base = groupBase[sk]
      if (base === 0) return 0
      const size = groupCount[sk]
      const hash = inetEhash(local, ports[row] & 0xffff, saddr[row] | 0, ports[row] >>> 16, secrets[at])
      const start = Math.floor((hash * size) / 4294967296)
      // The first kernels with groups look at nothing but the hash.
      if (udpScoreBoundAddress) return member[base + start]
      const byCpu = reuseportIncomingCpu && groupIncoming[sk] !== 0
      let firstValid = 0
      for (let step = 0; step < size; step++) {
        const index = start + step < size ? start + step : start + step - size
        const candidate = member[base + index]
        if (connected[candidate] !== 0) continue
        if (!byCpu || incomingCpu[candidate] === number) return candidate
        if (firstValid === 0) firstValid = candidate
      }
      return firstValid
    }

    /** Entry of a list in `UdpList`; 0: there is none. */
    function listEntry(local: number, at: number, hnum: number): number {
      const key = hnum | (at << 16)
      let slot = portListSlot(at, local, hnum, listMask)
      for (let step = LIST_STEP; ; step += LIST_STEP) {
        const entry = list[slot]
        const first = entry & LIST.first
        if (first === 0) return 0
        if ((address[first] | 0) === local && portHost[first] === key) return entry
        slot = (slot + step) & listMask
      }
    }

    /** Kernel: net/ipv4/udp.c, udp4_lib_lookup2 */
    function bestOfList(row: number, local: number, at: number, number: number): number {
      const hnum = ports[row] & 0xffff
      const entry = listEntry(local, at, hnum)
      if (entry <= 0) return entry & LIST.first
      return bestFrom(entry, row, local, at, number, hnum)
    }

    function bestFrom(first: number, row: number, local: number, at: number, number: number, hnum: number): number {
      let result = 0
      let badness = 0
      for (let sk = first; sk !== 0; sk = chainNext[sk]) {
        if (!sameKey(sk, at, local, hnum)) continue
        const points = score(sk, row, number)
        if (points <= badness) continue
        badness = points
        result = sk
        if (connected[sk] !== 0) continue
        const selected = selectMember(sk, row, local, at, number)
        if (selected === 0) continue
        result = selected
        if (groupConns[sk] === 0) return selected
        const again = score(selected, row, number)
        if (again > badness) badness = again
      }
      return result
    }

    /** Walks both lists as one, bound last first, as kernels with a single list per port do. Kernel: v4.14 __udp4_lib_lookup */
    function bestOfPort(row: number, local: number, at: number, number: number): number {
      const hnum = ports[row] & 0xffff
      let bound = head[portAddressSlot(at, local, hnum, mask)]
      let any = head[portAddressSlot(at, 0, hnum, mask)]
      let result = 0
      let badness = 0
      for (;;) {
        while (bound !== 0 && !sameKey(bound, at, local, hnum)) bound = chainNext[bound]
        while (any !== 0 && !sameKey(any, at, 0, hnum)) any = chainNext[any]
        if (bound === 0 && any === 0) return result
        const sk = Math.max(bound, any)
        if (sk === bound) bound = chainNext[bound]
        if (sk === any) any = chainNext[any]
        const points = score(sk, row, number)
        if (points <= badness) continue
        badness = points
        result = sk
        const selected = selectMember(sk, row, local, at, number)
        if (selected !== 0) return selected
      }
    }

    /** First connected socket of the whole four-tuple. Kernel: net/ipv4/udp.c, udp4_lib_lookup4 */
    function exact(row: number, at: number, onlyFirst: boolean): number {
      const pair = ports[row] | 0
      const local = daddr[row] | 0
      const peer = saddr[row] | 0
      for (let sk = head4[fourTupleSlot(at, local, peer, pair, mask)]; sk !== 0; sk = chain4Next[sk]) {
        if (!sameKey(sk, at, local, pair & 0xffff) || (peerAddress[sk] | 0) !== peer || peerPort[sk] !== pair >>> 16) {
          continue
        }
        if (boundDev[sk] !== 0 && boundDev[sk] !== dev[row]) continue
        if (!onlyFirst || listFirst[sk] !== 0) return sk
      }
      return 0
    }

    /** Slots of the batch that is read ahead. */
    const slots = new Int32Array(SLOTS)
    /** Whether a socket without IP_MULTICAST_ALL takes a datagram. Kernel: net/ipv4/igmp.c, ip_mc_sf_allow */
    function isAllowed(sock: number, row: number): boolean {
      if (daddr[row] >>> 28 !== 14) return true
      const end = firstMembership[sock] + membershipCount[sock]
      for (let each = firstMembership[sock]; each < end; each++)
        if (joined.group[each] === daddr[row] && joined.dev[each] === dev[row]) return true
      return false
    }

    /** Sum of what was read ahead last: what nobody uses, the compiler would not read. */
    let _touched = 0

    return {
      prefetch(cpu, ids, count) {
        if (listMask + 1 < PREFETCH_SLOTS) return
        const at = net[cpu]
        const some = count < SLOTS ? count : SLOTS
        let sum = 0
        for (let i = 0; i < some; i++) {
          const row = ids[i]
          const slot = portListSlot(at, bindsAddress[at] === 0 ? 0 : daddr[row] | 0, ports[row] & 0xffff, listMask)
          slots[i] = slot
          sum = (sum + list[slot]) | 0
        }
        for (let i = 0; i < some; i++) {
          const first = list[slots[i]] & LIST.first
          sum = (sum + portHost[first] + address[first]) | 0
        }
        _touched = sum
      },
      find(cpu, row) {
        const at = net[cpu]
        const local = daddr[row] | 0
        const number = cpuNumber[cpu]
        if (udpScoreBoundAddress) return bestOfPort(row, local, at, number)
        if (fourTuples[at] !== 0) {
          const found = exact(row, at, false)
          if (found !== 0) return found
        }
        const result = bindsAddress[at] === 0 ? 0 : bestOfList(row, local, at, number)
        return result !== 0 ? result : bestOfList(row, 0, at, number)
      },
      demux: (cpu, row) => exact(row, net[cpu], true),
      first(cpu, row, local) {
        const at = net[cpu]
        const hnum = ports[row] & 0xffff
        return listEntry(local, at, hnum) & LIST.first
      },
      next(sock) {
        let sk = chainNext[sock]
        while (sk !== 0 && !sameKey(sk, sockHost[sock], address[sock] | 0, port[sock])) sk = chainNext[sk]
        return sk
      },
      takesMulticast(sock, row) {
        if (peerAddress[sock] !== 0 && peerAddress[sock] !== saddr[row]) return false
        if (peerPort[sock] !== 0 && peerPort[sock] !== ports[row] >>> 16) return false
        if (boundDev[sock] !== 0 && boundDev[sock] !== dev[row]) return false
        return multicastAll[sock] !== 0 || isAllowed(sock, row)
      },
    }
  },
)

/**
 * Socket a datagram would reach while GRO holds it: 0 none, 1 one without UDP_GRO, 2 one with it. Linux looks up only
 * while some socket of the machine has UDP_GRO set, so a host without one answers 0 throughout.
 * Kernel: net/ipv4/udp_offload.c, udp4_gro_receive, udp4_gro_lookup_skb
 */
export const udpSocketForGro = defineSystem<(cpu: number, row: number) => 0 | 1 | 2>(
  'udp4_gro_lookup_skb',
  'udp',
  'net/ipv4/udp_offload.c, udp4_gro_lookup_skb',
  (context) => {
    const lookup = context.system(udpLookup)
    const { udpGro } = context.read(Sock)
    const { net } = context.read(Cpu)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const takesMerged = Uint8Array.from(nets, (each) =>
      each.apps.some((app) => app.sockets.some((socket) => socket.udpGro)) ? 1 : 0,
    )
    return (cpu, row) => {
      if (takesMerged[net[cpu]] === 0) return 0
      const sock = lookup.find(cpu, row)
      if (sock === 0) return 0
      return udpGro[sock] !== 0 ? 2 : 1
    }
  },
)
