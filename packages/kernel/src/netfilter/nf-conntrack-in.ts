import { defineSystem } from '@softnet/ecs'
import { costProfile } from '@softnet/scenario/plan'
import { FAULT_UDP_LENGTH_LONG, FAULT_UDP_LENGTH_SHORT } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { bindNetRow } from '../netns/net-row.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { chargeCycles } from './charge-cycles.js'
import { NfConn, NfConnStat, SkbConn } from './conntrack-components.js'
import { conntrackTable } from './conntrack-table.js'
import { conntrackTimeouts } from './conntrack-timeouts.js'
import { conntrackTcp } from './nf-conntrack-tcp.js'
import { quotedTuple } from './quoted-tuple.js'

/** Finds or makes the connection of a packet; false if it must be dropped. `atReceive`: hook PRE_ROUTING. */
export type ConntrackIn = (cpu: number, row: number, atReceive: boolean) => boolean

const ICMP = { echoReply: 0, lastKnown: 18 } as const
/** Answer of each query and query of each answer; −1 for other types. Kernel: invmap */
const ICMP_INVERSE = Int16Array.from({ length: 256 }, (_, type) => {
  const pairs = [0, 8, 13, 14, 15, 16, 17, 18]
  const partners = [8, 0, 14, 13, 16, 15, 18, 17]
  const at = pairs.indexOf(type)
  return at < 0 ? -1 : (partners[at] as number)
})
/** Queries that begin a connection. Kernel: valid_new */
const ICMP_QUERIES: readonly number[] = [8, 13, 15, 17]
const ICMP_ERRORS: readonly number[] = [3, 4, 5, 11, 12]
const isQuery = Uint8Array.from({ length: 256 }, (_, type) => (ICMP_QUERIES.includes(type) ? 1 : 0))
const isError = Uint8Array.from({ length: 256 }, (_, type) => (ICMP_ERRORS.includes(type) ? 1 : 0))
const UDP_BAD = FAULT_UDP_LENGTH_LONG | FAULT_UDP_LENGTH_SHORT
const STREAM_SEC = 2

/**
 * Gives each packet its connection and moves that connection on. What belongs to none is let pass without: rules see it
 * as invalid. Kernel: net/netfilter/nf_conntrack_core.c, nf_conntrack_in
 */
export const nfConntrackIn = defineSystem<ConntrackIn>(
  'nf_conntrack_in',
  'netfilter',
  'net/netfilter/nf_conntrack_core.c, nf_conntrack_in',
  (context) => {
    const { CONN, CTINFO, FAULT_L4_SHORT, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPS, IP_OFFSET, SKB, STAGE, TRACK } =
      NUMBERS

    const { saddr, daddr, ports, ipWord, idFrag, faults, tcpWord, len } = context.read(Skb)
    const { flags } = context.write(Skb)
    const { conn: connOf, info } = context.write(SkbConn)
    const c = context.write(NfConn)
    const stat = context.write(NfConnStat)
    const statRow = bindNetRow(context)
    const { net } = context.read(Cpu)
    const table = context.system(conntrackTable)
    const tcp = context.system(conntrackTcp)
    const quoted = context.system(quotedTuple)
    const spend = context.system(charge)
    const price = context.system(chargeCycles)
    const { plan, hz, nets } = context.resource(PLAN_CONSTANTS)
    const timeouts = nets.map((each) => conntrackTimeouts(each.sysctl, each.hz))
    const newCycles = costProfile(plan.profile).netfilter.conntrack_new.cycles
    const verifies = Uint8Array.from(nets, (each) => each.sysctl['net.netfilter.nf_conntrack_checksum'])

    function checksumIsBad(cpu: number, row: number, atReceive: boolean): boolean {
      const state = flags[row] & (SKB.csumBad | SKB.csumUnnecessary)
      if (!atReceive || verifies[net[cpu]] === 0 || state !== SKB.csumBad) return false
      flags[row] |= SKB.csumCompleteBad
      return true
    }

    /** Ports of the packet's tuple, signed. ICMP: id and type with code; protocols without ports: 0. */
    function tuplePorts(row: number, protocol: number): number {
      if (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP) return ports[row] | 0
      if (protocol !== IPPROTO_ICMP) return 0
      const word = tcpWord[row]
      return (quoted.icmpId(row) << 16) | ((word & 255) << 8) | ((word >>> 8) & 255)
    }

    /** Whether anything answers a tuple. */
    function isAnswered(tuple: number, protocol: number): boolean {
      return protocol !== IPPROTO_ICMP || ICMP_INVERSE[(tuple >>> 8) & 255] >= 0
    }

    /** Ports of the tuple that answers, signed. Kernel: nf_ct_invert_tuple */
    function invertedPorts(tuple: number, protocol: number): number {
      if (protocol !== IPPROTO_ICMP) return (tuple << 16) | (tuple >>> 16)
      return (tuple & 0xffff00ff) | (ICMP_INVERSE[(tuple >>> 8) & 255] << 8)
    }

    function refresh(cpu: number, conn: number, jiffies: number): void {
      c.timeoutJiffies[conn] = jiffies + (c.live[conn] === CONN.confirmed ? table.jiffies(cpu) : 0)
    }

    /** Kernel: nf_conntrack_proto_udp.c, nf_conntrack_udp_packet */
    function udp(cpu: number, row: number, conn: number, atReceive: boolean): number {
      if ((faults[row] & UDP_BAD) !== 0) return TRACK.invalid
      if ((flags[row] & SKB.csumZero) === 0 && checksumIsBad(cpu, row, atReceive)) return TRACK.invalid
      const { udp: unreplied, udpStream } = timeouts[net[cpu]] as (typeof timeouts)[number]
      const now = table.jiffies(cpu)
      if (c.live[conn] !== CONN.confirmed) c.streamJiffies[conn] = STREAM_SEC * hz[cpu] + now
      const isStream = (c.status[conn] & IPS.seenReply) !== 0 && now > c.streamJiffies[conn]
      refresh(cpu, conn, isStream ? udpStream : unreplied)
      if (isStream) c.status[conn] |= IPS.assured
      return TRACK.accept
    }

    function icmp(cpu: number, conn: number): number {
      if (isQuery[(c.ports[conn] >>> 8) & 255] === 0) return TRACK.invalid
      refresh(cpu, conn, (timeouts[net[cpu]] as (typeof timeouts)[number]).icmp)
      return TRACK.accept
    }

    function track(cpu: number, row: number, conn: number, protocol: number, atReceive: boolean): number {
      if (protocol === IPPROTO_UDP) return udp(cpu, row, conn, atReceive)
      if (protocol === IPPROTO_TCP) {
        return checksumIsBad(cpu, row, atReceive) ? TRACK.invalid : tcp(cpu, row, conn, info[row])
      }
      if (protocol === IPPROTO_ICMP) return icmp(cpu, conn)
      refresh(cpu, conn, (timeouts[net[cpu]] as (typeof timeouts)[number]).generic)
      return TRACK.accept
    }

    /** True if the packet is an error or broken, and so done with. Kernel: nf_conntrack_icmpv4_error */
    function icmpError(cpu: number, row: number, atReceive: boolean): boolean {
      const type = tcpWord[row] & 255
      const short = (faults[row] & FAULT_L4_SHORT) !== 0
      if (!short && !checksumIsBad(cpu, row, atReceive) && type <= ICMP.lastKnown) {
        if (isError[type] === 0) return false
        if (related(cpu, row)) return true
      }
      stat.error[statRow(cpu)]++
      return true
    }

    /** An error about a packet of a known connection belongs to it. */
    function related(cpu: number, row: number): boolean {
      if (!quoted.read(row)) return false
      if (!isAnswered(quoted.ports, quoted.protocol)) return false
      const inverse = invertedPorts(quoted.ports, quoted.protocol)
      const link = table.find(cpu, quoted.daddr | 0, quoted.saddr | 0, inverse, quoted.protocol)
      if (link === 0) return false
      const conn = link >> 1
      // An error whose receiver is none of the connection's ends is nobody's.
      const end = (link & 1) === 0 ? c.daddr[conn] : c.replyDaddr[conn]
      if (end !== daddr[row]) return false
      connOf[row] = conn
      info[row] = (link & 1) === 0 ? CTINFO.related : CTINFO.relatedReply
      return true
    }

    /** Finds or makes the connection; 1 done, 0 no connection, −1 table full. Kernel: resolve_normal_ct */
    function resolve(cpu: number, row: number, protocol: number): number {
      const tuple = tuplePorts(row, protocol)
      const link = table.find(cpu, saddr[row] | 0, daddr[row] | 0, tuple, protocol)
      if (link !== 0) {
        const conn = link >> 1
        connOf[row] = conn
        if ((link & 1) === 1) info[row] = CTINFO.establishedReply
        else info[row] = (c.status[conn] & IPS.seenReply) !== 0 ? CTINFO.established : CTINFO.new
        return 1
      }
      if (!isAnswered(tuple, protocol)) return 0
      const conn = table.alloc(cpu, saddr[row] | 0, daddr[row] | 0, tuple, protocol)
      if (conn === 0) return -1
      price.cycles[0] = newCycles
      price.charge(cpu, STAGE.nf_conntrack_in)
      c.replySaddr[conn] = daddr[row]
      c.replyDaddr[conn] = saddr[row]
      c.replyPorts[conn] = invertedPorts(tuple, protocol)
      connOf[row] = conn
      info[row] = CTINFO.new
      return 1
    }

    function invalid(cpu: number): boolean {
      stat.invalid[statRow(cpu)]++
      return true
    }

    return (cpu, row, atReceive) => {
      // Seen before: sent by the host to itself, or an answer to a packet of the connection.
      if (info[row] === CTINFO.untracked || connOf[row] !== 0) return true
      spend(cpu, STAGE.nf_conntrack_in, 1)
      const protocol = ipWord[row] & 255
      if ((idFrag[row] & IP_OFFSET) !== 0 || len[row] < 20) return invalid(cpu)
      if (protocol === IPPROTO_ICMP && icmpError(cpu, row, atReceive)) return true
      if ((faults[row] & FAULT_L4_SHORT) !== 0) return invalid(cpu)
      for (;;) {
        const found = resolve(cpu, row, protocol)
        if (found < 0) {
          stat.drop[statRow(cpu)]++
          return false
        }
        if (found === 0) return invalid(cpu)
        const conn = connOf[row]
        const answer = track(cpu, row, conn, protocol, atReceive)
        if (answer === TRACK.accept) break
        connOf[row] = 0
        info[row] = CTINFO.established
        if (answer === TRACK.repeat) continue
        if (c.live[conn] === CONN.unconfirmed) table.free(cpu, conn)
        return invalid(cpu)
      }
      if (info[row] === CTINFO.establishedReply) c.status[connOf[row]] |= IPS.seenReply
      return true
    }
  },
)
