import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { Skb } from '../skb/components.js'
import { CONN, CTINFO, IPS, NfConn } from './conntrack-components.js'
import { conntrackTable } from './conntrack-table.js'
import { conntrackTimeouts } from './conntrack-timeouts.js'
import { TCP_CT, TCP_KIND, tcpTransition } from './tcp-states.js'

/** What a tracker says of a packet. */
export const TRACK = { accept: 1, invalid: 0, repeat: -1 } as const

/** A tracker: moves the state of a connection on and gives one of `TRACK`. */
export type ConntrackPacket = (cpu: number, row: number, conn: number, info: number) => number

const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16, urg: 32 } as const
const CHECKED_FLAGS = FLAG.fin | FLAG.syn | FLAG.rst | FLAG.ack | FLAG.urg
const KIND_MASK = 7
const DIRECTION = 8
const CLOSING = 16

/** Combinations of flags that a sound segment can have. Kernel: nf_conntrack_proto_tcp.c, tcp_valid_flags */
const VALID_FLAGS: ReadonlySet<number> = new Set([
  FLAG.syn,
  FLAG.syn | FLAG.urg,
  FLAG.syn | FLAG.ack,
  FLAG.rst,
  FLAG.rst | FLAG.ack,
  FLAG.fin | FLAG.ack,
  FLAG.fin | FLAG.ack | FLAG.urg,
  FLAG.ack,
  FLAG.ack | FLAG.urg,
])

const isValid = Uint8Array.from({ length: 64 }, (_, flags) => (VALID_FLAGS.has(flags) ? 1 : 0))

/** Kind of a segment. Kernel: nf_conntrack_proto_tcp.c, get_conntrack_index */
export function tcpKind(flags: number): number {
  if ((flags & FLAG.rst) !== 0) return TCP_KIND.rst
  if ((flags & FLAG.syn) !== 0) return (flags & FLAG.ack) !== 0 ? TCP_KIND.synack : TCP_KIND.syn
  if ((flags & FLAG.fin) !== 0) return TCP_KIND.fin
  return (flags & FLAG.ack) !== 0 ? TCP_KIND.ack : TCP_KIND.none
}

/** TCP by its table of states; every segment counts as inside of the window. */
export const conntrackTcp = defineSystem<ConntrackPacket>(
  'nf_conntrack_tcp_packet',
  'netfilter',
  'net/netfilter/nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet',
  (context) => {
    const { tcpWord } = context.read(Skb)
    const { live, status, tcpState, tcpLast, timeoutJiffies } = context.write(NfConn)
    const { net } = context.read(Cpu)
    const table = context.system(conntrackTable)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const timeouts = nets.map((each) => conntrackTimeouts(each.sysctl, each.hz))
    const loose = Uint8Array.from(nets, (each) => each.sysctl['net.netfilter.nf_conntrack_tcp_loose'])

    function refresh(cpu: number, conn: number, jiffies: number): void {
      timeoutJiffies[conn] = jiffies + (live[conn] === CONN.confirmed ? table.jiffies(cpu) : 0)
    }

    /** A new SYN for a connection that was closed or reset in this direction begins a new one. */
    function reopens(conn: number, direction: number): boolean {
      const last = tcpLast[conn]
      if ((last & CLOSING) !== 0) return true
      return (last & DIRECTION) === direction && (last & KIND_MASK) === TCP_KIND.rst
    }

    function timeoutOf(conn: number, kind: number, state: number, at: number): number {
      const { tcp, tcpClose, tcpUnack } = timeouts[at] as (typeof timeouts)[number]
      const jiffies = kind === TCP_KIND.rst ? tcpClose : (tcp[state] as number)
      const replied = (status[conn] & IPS.seenReply) !== 0
      return !replied && state === TCP_CT.established && jiffies > tcpUnack ? tcpUnack : jiffies
    }

    function remember(conn: number, kind: number, direction: number, closing: number): void {
      tcpLast[conn] = kind | direction | (tcpLast[conn] & CLOSING) | closing
    }

    return (cpu, row, conn, info) => {
      const flags = tcpWord[row] & CHECKED_FLAGS
      if (isValid[flags] === 0) return TRACK.invalid
      const kind = tcpKind(flags)
      const reply = info === CTINFO.establishedReply || info === CTINFO.relatedReply ? 1 : 0
      const direction = reply * DIRECTION
      const before = tcpState[conn]
      if (live[conn] !== CONN.confirmed) {
        const opened = tcpTransition(0, kind, TCP_CT.none)
        if (opened >= TCP_CT.invalid || (opened !== TCP_CT.synSent && loose[net[cpu]] === 0)) return TRACK.invalid
        tcpLast[conn] = TCP_KIND.none
      }
      const after = tcpTransition(reply, kind, before)
      if (after === TCP_CT.invalid) return TRACK.invalid
      if (after === TCP_CT.synSent && before >= TCP_CT.timeWait && reopens(conn, direction)) {
        table.kill(cpu, conn)
        return TRACK.repeat
      }
      if (after === TCP_CT.ignore || (after === TCP_CT.synSent && before >= TCP_CT.timeWait)) {
        remember(conn, kind, direction, 0)
        return TRACK.accept
      }
      remember(conn, kind, direction, before !== after && after === TCP_CT.finWait ? CLOSING : 0)
      tcpState[conn] = after
      if ((status[conn] & IPS.seenReply) === 0) {
        if (kind === TCP_KIND.rst && live[conn] === CONN.confirmed) {
          // Nothing but a reset came back: as if there had been no connection, once the packet is through.
          timeoutJiffies[conn] = table.jiffies(cpu)
          return TRACK.accept
        }
        if (kind === TCP_KIND.syn && before === TCP_CT.synSent) return TRACK.accept
      } else if (after === TCP_CT.established && (before === TCP_CT.synRecv || before === TCP_CT.established)) {
        status[conn] |= IPS.assured
      }
      refresh(cpu, conn, timeoutOf(conn, kind, after, net[cpu]))
      return TRACK.accept
    }
  },
)
