import { defineSystem, mix32 } from '@softnet/ecs'
import { IPPROTO_IPIP, jhash2words, siphash24Words } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { isIcmpError, NR_ICMP_TYPES } from '../icmp/icmp-types.js'
import { Neighbour } from '../neigh/components.js'
import { neighLookup } from '../neigh/neigh-lookup.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { FibRoute } from './components.js'
import { fibLookup } from './fib-lookup.js'
import type { Flow } from './flow.js'
import { FlowPorts, flowDissect } from './flow-dissect.js'
import { ifAddrs } from './ifaddr.js'

/**
 * Chooses one of the next hops of a route for a flow towards `daddr` (signed): by the headers of `flow.packet`, else by the
 * flow. `saddr` (0: any) is the source address that the next hop should go with. Answers the row of the next hop.
 */
export type FibSelectMultipath = (cpu: number, route: number, daddr: number, saddr: number, flow: Flow) => number

/** Policies. Kernel: Documentation/networking/ip-sysctl.rst, fib_multipath_hash_policy */
const POLICY = { addresses: 0, ports: 1, inner: 2, fields: 3 } as const
/** Kernel: include/net/ip_fib.h, FIB_MULTIPATH_HASH_FIELD_* */
const FIELD = { saddr: 1, daddr: 2, protocol: 4, sport: 16, dport: 32 } as const
const INNER = { saddr: 64, daddr: 128, protocol: 256, sport: 1024, dport: 2048 } as const
const OUTER_MASK = 63
const INNER_MASK = 0xfc0
const PURPOSE = 0x6d706174
const HALF = 2 ** 31

/** Weighted choice by a hash that is the same both ways. Kernel: net/ipv4/fib_semantics.c, fib_select_multipath; net/ipv4/route.c, fib_multipath_hash */
export const fibSelectMultipath = defineSystem<FibSelectMultipath>(
  'fib_select_multipath',
  'route',
  'net/ipv4/fib_semantics.c, fib_select_multipath',
  (context) => {
    const { IPPROTO_ICMP, NUD, SCOPE, SKB } = NUMBERS
    const { saddr: skbSaddr, daddr: skbDaddr, ipWord, idFrag, flags, hash: skbHash, tcpWord } = context.read(Skb)
    const { firstPath, nextPath, weight, dev, gateway, scope, nhScope } = context.read(FibRoute)
    const { state } = context.read(Neighbour)
    const { arp } = context.read(NetDev)
    const { net } = context.read(Cpu)
    const { nets, plan } = context.resource(PLAN_CONSTANTS)
    const policy = Uint8Array.from(nets, ({ ipv4 }) => ipv4.fib_multipath_hash_policy)
    const fields = Uint16Array.from(nets, ({ ipv4 }) => ipv4.fib_multipath_hash_fields)
    const usesNeigh = Uint8Array.from(nets, ({ ipv4 }) => ipv4.fib_multipath_use_neigh)
    const seed = Uint32Array.from(nets, ({ ipv4 }) => ipv4.fib_multipath_hash_seed || mix32(plan.seed, PURPOSE))
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)
    const lookup = context.system(neighLookup)
    const bytes = context.system(skbBytes)
    const dissect = context.system(flowDissect)
    const outer = new FlowPorts()
    const inner = new FlowPorts()
    /** `struct flow_keys` from its protocol on: 48 bytes, of which most are none of IPv4's. */
    const words = new Int32Array(12)

    function swapBytes(word: number): number {
      return ((word & 0xff) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
    }

    function swapPort(port: number): number {
      return ((port & 0xff) << 8) | (port >>> 8)
    }

    /** Hash of a flow in either direction. Kernel: net/core/flow_dissector.c, flow_hash_from_keys_seed */
    function hashOf(at: number, from: number, to: number, protocol: number, sport: number, dport: number): number {
      // Addresses and ports are ordered as little-endian words.
      const [a, b, p, q] = [swapBytes(from), swapBytes(to), swapPort(sport), swapPort(dport)]
      const isSwapped = b >>> 0 < a >>> 0
      words.fill(0)
      words[0] = protocol << 16
      words[7] = q < p ? q | (p << 16) : p | (q << 16)
      words[9] = isSwapped ? b : a
      words[10] = isSwapped ? a : b
      // 0 stands for no hash.
      return siphash24Words(words, seed[at], seed[at]) || 1
    }

    /** Errors follow the flow of what they quote. Kernel: net/ipv4/route.c, ip_multipath_l3_keys */
    function byAddresses(at: number, row: number): number {
      const header = ((ipWord[row] >>> 24) & 15) * 4
      const isPiece = (idFrag[row] & 0x1fff) !== 0
      const isIcmp = (ipWord[row] & 255) === IPPROTO_ICMP && !isPiece
      const type = isIcmp ? tcpWord[row] & 255 : 0
      const quote = header + 8
      if (isIcmp && type <= NR_ICMP_TYPES && isIcmpError(type) && bytes.has(row) && bytes.length(row) >= quote + 20)
        return hashOf(at, bytes.u32(row, quote + 12), bytes.u32(row, quote + 16), 0, 0, 0)
      return hashOf(at, skbSaddr[row], skbDaddr[row], 0, 0, 0)
    }

    function byPorts(at: number, row: number): number {
      if ((flags[row] & SKB.l4Hash) !== 0) return skbHash[row]
      dissect(row, outer)
      return hashOf(at, skbSaddr[row], skbDaddr[row], outer.protocol, outer.sport, outer.dport)
    }

    /** Addresses of the packet inside of an IP tunnel, where there is one. */
    function byInner(at: number, row: number): number {
      const header = innerAt(row)
      if (header < 0) return hashOf(at, skbSaddr[row], skbDaddr[row], 0, 0, 0)
      return hashOf(at, bytes.u32(row, header + 12), bytes.u32(row, header + 16), 0, 0, 0)
    }

    /** Where the header inside of an IP tunnel begins, −1 for none. */
    function innerAt(row: number): number {
      const header = ((ipWord[row] >>> 24) & 15) * 4
      const isWhole = (idFrag[row] & 0x3fff) === 0
      if (!isWhole || (ipWord[row] & 255) !== IPPROTO_IPIP || !bytes.has(row)) return -1
      return bytes.length(row) >= header + 20 ? header : -1
    }

    function chosen(at: number, from: number, to: number, ports: FlowPorts, isInner: boolean): number {
      const bit = isInner ? INNER : FIELD
      const wanted = fields[at]
      return hashOf(
        at,
        (wanted & bit.saddr) !== 0 ? from : 0,
        (wanted & bit.daddr) !== 0 ? to : 0,
        (wanted & bit.protocol) !== 0 ? ports.protocol : 0,
        (wanted & bit.sport) !== 0 ? ports.sport : 0,
        (wanted & bit.dport) !== 0 ? ports.dport : 0,
      )
    }

    /** Kernel: net/ipv4/route.c, fib_multipath_custom_hash_skb */
    function byFields(at: number, row: number): number {
      dissect(row, outer)
      const header = innerAt(row)
      const first = (fields[at] & OUTER_MASK) === 0 ? 0 : chosen(at, skbSaddr[row], skbDaddr[row], outer, false)
      let second = 0
      if (header >= 0 && (fields[at] & INNER_MASK) !== 0) {
        dissect.at(row, header, inner)
        second = chosen(at, bytes.u32(row, header + 12), bytes.u32(row, header + 16), inner, true)
      }
      return jhash2words(first, second, 0)
    }

    function ofPacket(at: number, row: number): number {
      switch (policy[at]) {
        case POLICY.ports:
          return byPorts(at, row)
        case POLICY.inner:
          return byInner(at, row)
        case POLICY.fields:
          return byFields(at, row)
        default:
          return byAddresses(at, row)
      }
    }

    function ofFlow(at: number, daddr: number, saddr: number, flow: Flow): number {
      const { protocol, sport, dport } = flow
      if (policy[at] === POLICY.ports) return hashOf(at, saddr, daddr, protocol, sport, dport)
      if (policy[at] !== POLICY.fields) return hashOf(at, saddr, daddr, 0, 0, 0)
      if ((fields[at] & OUTER_MASK) === 0) return 0
      outer.protocol = protocol
      outer.sport = sport
      outer.dport = dport
      return chosen(at, saddr, daddr, outer, false)
    }

    /** Whether a router is not known to be gone. Kernel: net/ipv4/fib_semantics.c, fib_good_nh */
    function isGood(cpu: number, path: number): boolean {
      if (nhScope[path] !== SCOPE.link || arp[dev[path]] === 0) return true
      const found = lookup.find(cpu, gateway[path] | 0, dev[path])
      return found === 0 || (state[found] & ~(NUD.incomplete | NUD.failed)) !== 0
    }

    function goesWith(at: number, path: number, saddr: number): boolean {
      return saddr !== 0 && addresses.select(at, dev[path], gateway[path] | 0, scope[path]) === saddr
    }

    return (cpu, route, daddr, saddr, flow) => {
      const at = net[cpu]
      const first = firstPath[route]
      const word = flow.packet !== 0 ? ofPacket(at, flow.packet) : ofFlow(at, daddr, saddr, flow)
      const hash = word >>> 1
      let total = 0
      for (let path = first; path !== 0; path = nextPath[path]) if (!fib.isGone(path)) total += weight[path]
      let sum = 0
      let picked = route
      let most = -1
      for (let path = first; path !== 0; path = nextPath[path]) {
        if (fib.isGone(path)) continue
        sum += weight[path]
        if (usesNeigh[at] !== 0 && !isGood(cpu, path)) continue
        // Upper bounds are shares of 2^31, rounded. Kernel: net/ipv4/fib_semantics.c, fib_rebalance
        const isWithin = hash <= Math.floor((sum * HALF + Math.floor(total / 2)) / total) - 1
        const score = (goesWith(at, path, saddr) ? 2 : 0) + (isWithin ? 1 : 0)
        if (score <= most) continue
        picked = path
        most = score
        if (score === (saddr === 0 ? 1 : 3)) break
      }
      return picked
    }
  },
)
