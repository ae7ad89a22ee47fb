import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { NfConn } from './conntrack-components.js'
import { tcpSegment } from './tcp-segment.js'
import { NfConnSeen, NfConnTcp } from './tcp-window-components.js'

/** Which numbers a connection may have: looks at the segment that `tcpSegment` has read. */
export interface TcpWindow {
  /** A connection begins with this segment. Kernel: nf_conntrack_proto_tcp.c, tcp_new */
  begin(row: number, conn: number, isSyn: boolean): void
  /** One of `WINDOW`. Kernel: nf_conntrack_proto_tcp.c, tcp_in_window */
  check(cpu: number, row: number, conn: number, direction: number, kind: number): number
  /** Forgets one side. Kernel: nf_ct_tcp_state_reset */
  reset(conn: number, direction: number): void
}

const FLAG = { syn: 2, rst: 4, ack: 16 } as const
const MAX_ACK_WINDOW = 66_000
/** In `NfConn.tcpLast`: the last segment came in answer. */
const LAST_REPLY = 8

/** a < b, as sequence numbers. */
function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0
}

/** Windows of both sides, selective acknowledgments, and retransmissions. Kernel: net/netfilter/nf_conntrack_proto_tcp.c, tcp_in_window */
export const tcpInWindow = defineSystem<TcpWindow>(
  'tcp_in_window',
  'netfilter',
  'net/netfilter/nf_conntrack_proto_tcp.c, tcp_in_window',
  (context) => {
    const { SEEN, TCP_CT, TCP_KIND, WINDOW } = NUMBERS

    const { end, maxEnd, maxWindow, maxAck, scale, flags } = context.write(NfConnSeen)
    const t = context.write(NfConnTcp)
    const { tcpState, tcpLast } = context.read(NfConn)
    const { net } = context.read(Cpu)
    const segment = context.system(tcpSegment)
    const { nets } = context.resource(PLAN_CONSTANTS)
    const liberal = Uint8Array.from(nets, (each) => each.sysctl['net.netfilter.nf_conntrack_tcp_be_liberal'])

    function reset(conn: number, direction: number): void {
      const row = conn * 2 + direction
      end[row] = 0
      maxEnd[row] = 0
      maxWindow[row] = 0
      maxAck[row] = 0
      scale[row] = 0
      flags[row] &= SEEN.liberal
    }

    /** Kernel: tcp_init_sender */
    function initSender(row: number, sender: number, receiver: number, direction: number): void {
      end[sender] = segment.end
      maxEnd[sender] = segment.end
      maxWindow[sender] = segment.window || 1
      if (segment.readOptions(row)) {
        scale[sender] = segment.scale
        flags[sender] = (flags[sender] & SEEN.liberal) | segment.options
      }
      if (direction === 1 && (flags[sender] & flags[receiver] & SEEN.windowScale) === 0) {
        scale[sender] = 0
        scale[receiver] = 0
      }
    }

    function pickUp(sender: number, receiver: number, sack: number): void {
      const window = segment.window * 2 ** scale[sender]
      end[sender] = segment.end
      maxWindow[sender] = window || 1
      maxEnd[sender] = segment.end + maxWindow[sender]
      if (maxWindow[receiver] === 0) {
        end[receiver] = sack
        maxEnd[receiver] = sack
      } else if (sack === (end[receiver] + 1) >>> 0) end[receiver]++
    }

    /** Refused, unless windows are not looked at. Kernel: nf_tcp_log_invalid */
    function refused(cpu: number, sender: number, answer: number): number {
      return (flags[sender] & SEEN.liberal) !== 0 || liberal[net[cpu]] !== 0 ? WINDOW.accept : answer
    }

    function ackWindow(sender: number): number {
      return Math.max(maxWindow[sender], MAX_ACK_WINDOW)
    }

    /** Beyond the receiver's window. */
    function overUpper(cpu: number, sender: number, receiver: number, sack: number, ends: number): number {
      const overshot = (ends - maxEnd[sender] + 1) >>> 0
      const inWindow = maxWindow[receiver] !== 0 && before(end[sender] - maxWindow[receiver] - 1, ends)
      const ackOk = before(end[receiver] - ackWindow(sender) - 1, sack)
      if (inWindow && ackOk && overshot <= maxWindow[receiver] && before(sack, end[receiver] + 1)) {
        end[sender] = ends
        flags[sender] |= SEEN.dataUnacknowledged
        return refused(cpu, sender, WINDOW.ignore)
      }
      return refused(cpu, sender, WINDOW.invalid)
    }

    /** Takes over what the segment says of both sides. */
    function update(sender: number, receiver: number, word: number, ack: number, sack: number, ends: number): void {
      const window = (word & FLAG.syn) !== 0 ? segment.window : segment.window * 2 ** scale[sender]
      const offered = (window + ((sack - ack) >>> 0)) >>> 0
      if (maxWindow[sender] < offered) maxWindow[sender] = offered
      if (before(end[sender], ends)) {
        end[sender] = ends
        flags[sender] |= SEEN.dataUnacknowledged
      }
      if ((word & FLAG.ack) !== 0) {
        const isFirst = (flags[sender] & SEEN.maxAckSet) === 0
        if (isFirst || before(maxAck[sender], ack)) maxAck[sender] = ack
        flags[sender] |= SEEN.maxAckSet
      }
      if (maxWindow[receiver] !== 0 && before(maxEnd[sender], ends)) maxWindow[receiver] += ends - maxEnd[sender]
      if (before(maxEnd[receiver] - 1, sack + window)) {
        maxEnd[receiver] = sack + window
        if (window === 0) maxEnd[receiver]++
      }
      if (ack === end[receiver]) flags[receiver] &= ~SEEN.dataUnacknowledged
    }

    function countRetrans(conn: number, direction: number, seq: number, ack: number, ends: number): void {
      const isSame =
        ((tcpLast[conn] & LAST_REPLY) !== 0) === (direction === 1) &&
        t.lastSeq[conn] === seq &&
        t.lastAck[conn] === ack &&
        t.lastEnd[conn] === ends &&
        t.lastWindow[conn] === segment.window
      if (isSame) {
        t.retrans[conn]++
        return
      }
      t.lastSeq[conn] = seq
      t.lastAck[conn] = ack
      t.lastEnd[conn] = ends
      t.lastWindow[conn] = segment.window
      t.retrans[conn] = 0
    }

    return {
      reset,
      begin(row, conn, isSyn) {
        for (const direction of [0, 1]) {
          flags[conn * 2 + direction] = 0
          reset(conn, direction)
        }
        t.lastSeq[conn] = 0
        t.lastAck[conn] = 0
        t.lastEnd[conn] = 0
        t.lastWindow[conn] = 0
        t.lastScale[conn] = 0
        t.lastFlags[conn] = 0
        t.retrans[conn] = 0
        const own = conn * 2
        end[own] = segment.end
        maxWindow[own] = segment.window || 1
        maxEnd[own] = segment.end
        if (isSyn) {
          segment.readOptions(row)
          scale[own] = segment.scale
          flags[own] = segment.options
          return
        }
        maxEnd[own] = segment.end + maxWindow[own]
        flags[own] = SEEN.sackPermitted | SEEN.liberal
        flags[own + 1] = SEEN.sackPermitted | SEEN.liberal
      },
      check(cpu, row, conn, direction, kind) {
        const sender = conn * 2 + direction
        const receiver = conn * 2 + 1 - direction
        const word = segment.word
        const isSyn = (word & FLAG.syn) !== 0
        const hasAck = (word & FLAG.ack) !== 0
        const isRst = (word & FLAG.rst) !== 0
        let { seq, ack, end: ends } = segment
        let sack = (flags[receiver] & SEEN.sackPermitted) !== 0 ? segment.sack(row, ack) : ack
        const state = tcpState[conn]
        if (maxWindow[sender] === 0) {
          if (isSyn) {
            initSender(row, sender, receiver, direction)
            if (!hasAck) return WINDOW.accept
          } else pickUp(sender, receiver, sack)
        } else if (isSyn && before(end[sender], ends) && (state === TCP_CT.synSent || state === TCP_CT.synRecv)) {
          initSender(row, sender, receiver, direction)
          if (direction === 1 && !hasAck) return WINDOW.accept
        }
        if (!hasAck || (isRst && ack === 0)) {
          ack = end[receiver]
          sack = ack
        }
        if (isRst && seq === 0 && state === TCP_CT.synSent) {
          seq = end[sender]
          ends = seq
        }
        if (!before(seq, maxEnd[sender] + 1)) {
          return overUpper(cpu, sender, receiver, sack, ends)
        }
        if (!before(sack, end[receiver] + 1)) return refused(cpu, sender, WINDOW.invalid)
        const inWindow = maxWindow[receiver] === 0 || before(end[sender] - maxWindow[receiver] - 1, ends)
        if (!inWindow) return refused(cpu, sender, WINDOW.ignore)
        if (!before(end[receiver] - ackWindow(sender) - 1, sack)) return refused(cpu, sender, WINDOW.ignore)
        update(sender, receiver, word, ack, sack, ends)
        if (kind === TCP_KIND.ack) countRetrans(conn, direction, seq, ack, ends)
        return WINDOW.accept
      },
    }
  },
)
