import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { NfConn } from './conntrack-components.js'
import { conntrackTable } from './conntrack-table.js'
import { conntrackTimeouts } from './conntrack-timeouts.js'
import { tcpInWindow } from './tcp-in-window.js'
import { tcpSegment } from './tcp-segment.js'
import { TCP_CT, TCP_KIND, tcpTransition } from './tcp-states.js'
import { NfConnSeen, NfConnTcp } from './tcp-window-components.js'

/** A tracker: moves the state of a connection on and gives one of `TRACK`. */
export type ConntrackPacket = (cpu: number, row: number, conn: number, info: number) => number

const FLAG = { fin: 1, syn: 2, rst: 4, ack: 16, urg: 32 } as const
const CHECKED_FLAGS = FLAG.fin | FLAG.syn | FLAG.rst | FLAG.ack | FLAG.urg
const KIND_MASK = 7
const DIRECTION = 8
/** Answers of `decide` beside those of `TRACK`: go on, with or without a look at the window. */
const CHECK_WINDOW = 2
const NO_WINDOW = 3
/** What lasts for less is not shortened. */
const LONG_SEC = 120

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

/** States in which a connection may go early for others, as it is closing anyway. Kernel: tcp_can_early_drop */
function isClosing(state: number): boolean {
  return state >= TCP_CT.finWait && state <= TCP_CT.close
}

/** TCP by its table of states, its windows, and the rules for resets and SYNs out of step. */
export const conntrackTcp = defineSystem<ConntrackPacket>(
  'nf_conntrack_tcp_packet',
  'netfilter',
  'net/netfilter/nf_conntrack_proto_tcp.c, nf_conntrack_tcp_packet',
  (context) => {
    const { CONN, CTINFO, IPS, SEEN, TCP_CT, TCP_KIND, TRACK, WINDOW } = NUMBERS

    const { live, status, tcpState, tcpLast, timeoutJiffies } = context.write(NfConn)
    const seen = context.write(NfConnSeen)
    const t = context.write(NfConnTcp)
    const { net } = context.read(Cpu)
    const table = context.system(conntrackTable)
    const segment = context.system(tcpSegment)
    const window = context.system(tcpInWindow)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const timeouts = nets.map((each) => conntrackTimeouts(each.sysctl, each.hz))
    const loose = Uint8Array.from(nets, (each) => each.sysctl['net.netfilter.nf_conntrack_tcp_loose'])
    const ignoresReset = Uint8Array.from(
      nets,
      (each) => each.sysctl['net.netfilter.nf_conntrack_tcp_ignore_invalid_rst'],
    )
    const maxRetrans = Uint8Array.from(nets, (each) => each.sysctl['net.netfilter.nf_conntrack_tcp_max_retrans'])
    /** What `decide` finds: the states before and after. */
    const states = new Uint8Array(2)

    function remember(conn: number, kind: number, direction: number): void {
      tcpLast[conn] = kind | (direction * DIRECTION)
    }

    function lastKind(conn: number): number {
      return tcpLast[conn] & KIND_MASK
    }

    function lastDirection(conn: number): number {
      return (tcpLast[conn] & DIRECTION) === 0 ? 0 : 1
    }

    /** A new SYN for a connection that was closed or reset in this direction begins a new one. */
    function reopens(conn: number, direction: number): boolean {
      if (((seen.flags[conn * 2] | seen.flags[conn * 2 + 1]) & SEEN.closeInit) !== 0) return true
      return lastDirection(conn) === direction && lastKind(conn) === TCP_KIND.rst
    }

    /** A segment that says nothing certain, since this side may be out of step: what it says is kept. */
    function ignore(row: number, conn: number, direction: number, kind: number): number {
      remember(conn, kind, direction)
      t.lastSeq[conn] = segment.seq
      t.lastEnd[conn] = segment.end
      t.lastWindow[conn] = segment.window
      if (kind === TCP_KIND.syn && direction === 0) {
        segment.readOptions(row)
        t.lastFlags[conn] = segment.options & (SEEN.windowScale | SEEN.sackPermitted)
        t.lastScale[conn] = segment.scale
        if (states[0] === TCP_CT.lastAck) t.lastFlags[conn] |= SEEN.challengeAck
      }
      if (states[0] === TCP_CT.synSent && kind === TCP_KIND.ack && direction === 1) t.lastAck[conn] = segment.ack
      return TRACK.accept
    }

    /** True if a SYN/ACK answers a SYN that was ignored: the connection gets in step by what was kept of that. */
    function getsInStep(conn: number, direction: number, kind: number): boolean {
      if (kind !== TCP_KIND.synack || lastKind(conn) !== TCP_KIND.syn || lastDirection(conn) === direction) return false
      if (segment.ack !== t.lastEnd[conn]) return false
      const other = conn * 2 + lastDirection(conn)
      states[0] = TCP_CT.synSent
      states[1] = TCP_CT.synRecv
      seen.end[other] = t.lastEnd[conn]
      seen.maxEnd[other] = t.lastEnd[conn]
      seen.maxWindow[other] = t.lastWindow[conn] || 1
      seen.scale[other] = t.lastScale[conn]
      t.lastFlags[conn] &= ~SEEN.challengeAck
      seen.flags[other] = t.lastFlags[conn]
      window.reset(conn, direction)
      return true
    }

    /** Whether the window counts for a reset: 0 yes, 1 no, −1 it is invalid. May leave the state as it was. */
    function judgeReset(cpu: number, conn: number, direction: number): number {
      if (isClosing(states[0])) return 1
      const other = conn * 2 + 1 - direction
      const isEstablished = states[0] === TCP_CT.established && (status[conn] & IPS.assured) !== 0
      if ((seen.flags[other] & SEEN.maxAckSet) !== 0 && lastKind(conn) !== TCP_KIND.syn) {
        const { seq } = segment
        if (seq === 0 && !isEstablished) return 0
        if (((seq - seen.maxAck[other]) | 0) < 0 && ignoresReset[net[cpu]] === 0) return -1
        if (!isEstablished || seq === seen.maxAck[other]) return 0
        const isTrain = lastKind(conn) === TCP_KIND.ack && lastDirection(conn) === direction
        if (isTrain && seq === t.lastEnd[conn]) return 0
        // A challenge may follow: the connection stays.
        states[1] = states[0]
      }
      const answersSyn = (status[conn] & IPS.seenReply) !== 0 && lastKind(conn) === TCP_KIND.syn
      const answersAck = (status[conn] & IPS.assured) === 0 && lastKind(conn) === TCP_KIND.ack
      if ((answersSyn || answersAck) && segment.ack === t.lastEnd[conn]) return 1
      const answersChallenge =
        states[0] === TCP_CT.synSent && lastKind(conn) === TCP_KIND.ack && lastDirection(conn) === 1
      return answersChallenge && segment.seq === t.lastAck[conn] ? 1 : 0
    }

    /** A FIN or RST outside of the window that answers another one: the connection may not last for days. Kernel: nf_tcp_handle_invalid */
    function handleInvalid(cpu: number, conn: number, direction: number, kind: number): void {
      if ((status[conn] & IPS.assured) === 0 || (kind !== TCP_KIND.rst && kind !== TCP_KIND.fin)) return
      const last = lastKind(conn)
      if (lastDirection(conn) === direction || (last !== TCP_KIND.fin && last !== TCP_KIND.rst)) {
        remember(conn, kind, direction)
        return
      }
      const own = timeouts[net[cpu]] as (typeof timeouts)[number]
      const now = table.jiffies(cpu)
      const left = timeoutJiffies[conn] - now
      if (left >= LONG_SEC * (nets[net[cpu]] as (typeof nets)[number]).hz && left > own.tcpUnack)
        timeoutJiffies[conn] = now + own.tcpUnack
    }

    function timeoutOf(cpu: number, conn: number, kind: number, state: number): number {
      const { tcp, tcpClose, tcpUnack, tcpRetrans } = timeouts[net[cpu]] as (typeof timeouts)[number]
      const usual = tcp[state] as number
      const isUnacked = ((seen.flags[conn * 2] | seen.flags[conn * 2 + 1]) & SEEN.dataUnacknowledged) !== 0
      if (t.retrans[conn] >= maxRetrans[net[cpu]] && usual > tcpRetrans) return tcpRetrans
      if (kind === TCP_KIND.rst) return tcpClose
      if (isUnacked && usual > tcpUnack) return tcpUnack
      return t.lastWindow[conn] === 0 && usual > tcpRetrans ? tcpRetrans : usual
    }

    /** What the table says of a segment before its numbers are looked at: one of `TRACK`, or `GO_ON` and whether the window counts. */
    function decide(cpu: number, row: number, conn: number, direction: number, kind: number): number {
      const [before, after] = [states[0], states[1]]
      if (after === TCP_CT.invalid) return TRACK.invalid
      if (after === TCP_CT.synSent && before >= TCP_CT.timeWait && reopens(conn, direction)) {
        table.kill(cpu, conn)
        return TRACK.repeat
      }
      if (after === TCP_CT.ignore || (after === TCP_CT.synSent && before >= TCP_CT.timeWait)) {
        return getsInStep(conn, direction, kind) ? CHECK_WINDOW : ignore(row, conn, direction, kind)
      }
      if (after === TCP_CT.timeWait) {
        const isChallenged = before === TCP_CT.lastAck && kind === TCP_KIND.ack && lastKind(conn) === TCP_KIND.syn
        if (isChallenged && lastDirection(conn) !== direction && (t.lastFlags[conn] & SEEN.challengeAck) !== 0) {
          t.lastFlags[conn] &= ~SEEN.challengeAck
          return TRACK.accept
        }
      } else if (after === TCP_CT.synSent2) t.lastFlags[conn] |= SEEN.simultaneousOpen
      else if (after === TCP_CT.synRecv) {
        const isOpen = direction === 1 && kind === TCP_KIND.ack && (t.lastFlags[conn] & SEEN.simultaneousOpen) !== 0
        if (isOpen) states[1] = TCP_CT.established
      } else if (after === TCP_CT.close && kind === TCP_KIND.rst) {
        const judged = judgeReset(cpu, conn, direction)
        return judged < 0 ? TRACK.invalid : judged === 0 ? CHECK_WINDOW : NO_WINDOW
      }
      return CHECK_WINDOW
    }

    /** The segment is sound: the connection goes on. */
    function advance(cpu: number, conn: number, direction: number, kind: number): number {
      const before = states[0]
      const after = states[1]
      remember(conn, kind, direction)
      tcpState[conn] = after
      if (before !== after && after === TCP_CT.finWait) seen.flags[conn * 2 + direction] |= SEEN.closeInit
      let jiffies = timeoutOf(cpu, conn, kind, after)
      if ((status[conn] & IPS.seenReply) === 0) {
        if (kind === TCP_KIND.rst && live[conn] === CONN.confirmed) {
          // Nothing but a reset came back: as if there had been no connection, once the packet is through.
          timeoutJiffies[conn] = table.jiffies(cpu)
          return TRACK.accept
        }
        if (kind === TCP_KIND.syn && before === TCP_CT.synSent) return TRACK.accept
        const { tcpUnack } = timeouts[net[cpu]] as (typeof timeouts)[number]
        if (after === TCP_CT.established && jiffies > tcpUnack) jiffies = tcpUnack
      } else if (after === TCP_CT.established && (before === TCP_CT.synRecv || before === TCP_CT.established)) {
        status[conn] |= IPS.assured
      }
      timeoutJiffies[conn] = jiffies + (live[conn] === CONN.confirmed ? table.jiffies(cpu) : 0)
      return TRACK.accept
    }

    return (cpu, row, conn, info) => {
      if (!segment.read(row)) return TRACK.invalid
      const flags = segment.word & CHECKED_FLAGS
      if (isValid[flags] === 0) return TRACK.invalid
      const kind = tcpKind(flags)
      const direction = info === CTINFO.establishedReply || info === CTINFO.relatedReply ? 1 : 0
      if (live[conn] !== CONN.confirmed) {
        const opened = tcpTransition(0, kind, TCP_CT.none)
        const isSyn = opened === TCP_CT.synSent
        if (opened >= TCP_CT.invalid || (!isSyn && loose[net[cpu]] === 0)) return TRACK.invalid
        window.begin(row, conn, isSyn)
        tcpState[conn] = TCP_CT.none
        tcpLast[conn] = TCP_KIND.none
      }
      states[0] = tcpState[conn]
      states[1] = tcpTransition(direction, kind, states[0])
      const next = decide(cpu, row, conn, direction, kind)
      if (next !== CHECK_WINDOW && next !== NO_WINDOW) return next
      if (next === CHECK_WINDOW) {
        const found = window.check(cpu, row, conn, direction, kind)
        if (found === WINDOW.ignore) return TRACK.accept
        if (found === WINDOW.invalid) {
          handleInvalid(cpu, conn, direction, kind)
          return TRACK.invalid
        }
      }
      return advance(cpu, conn, direction, kind)
    }
  },
)
