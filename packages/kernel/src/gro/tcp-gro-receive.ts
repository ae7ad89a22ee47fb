import { defineSystem } from '@softnet/ecs'
import { TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, TCP_URG } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groPolicy } from './gro-policy.js'
import { inetGroFlush } from './inet-gro-flush.js'
import { skbGroReceive } from './skb-gro-receive.js'

const FIN_PSH = TCP_FIN | TCP_PSH
const ENDS_PACKET = TCP_URG | TCP_PSH | TCP_RST | TCP_SYN | TCP_FIN
/** Segments in one fraglist packet. */
const LIST_MAX = 64

/**
 * TCP's part of GRO: `held` is the packet of the same flow or 0, `flush` what IP found against holding the segment.
 * Returns `OUTCOME` bits. A segment joins if it continues the held one with the same flags, window, ack and options and
 * is no longer than the first; a shorter one, or one with PSH or FIN, is the last.
 */
export const tcpGroReceive = defineSystem<(held: number, row: number, flush: boolean) => number>(
  'tcp_gro_receive',
  'gro',
  'net/ipv4/tcp_offload.c, tcp_gro_receive',
  (context) => {
    const { FEATURE, IP_HEADER_BYTES, OUTCOME, SKB, TCP_CWR } = NUMBERS

    const { tcpSeq, tcpAck, tcpOptions, gsoSize, len, frames, flags, dev } = context.read(Skb)
    const { tcpWord } = context.write(Skb)
    const { features } = context.read(NetDev)
    const networkFlush = context.system(inetGroFlush)
    const join = context.system(skbGroReceive)
    const { tcpFreeBits, tcpList } = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)

    function segmentBytes(row: number): number {
      return len[row] - IP_HEADER_BYTES - ((tcpWord[row] >>> 12) & 15) * 4
    }

    function differs(held: number, row: number, bytes: number): boolean {
      const word = tcpWord[row]
      if ((word & TCP_CWR) !== 0 || ((word ^ tcpWord[held]) & ~tcpFreeBits) !== 0) return true
      if (tcpAck[row] !== tcpAck[held] || tcpOptions[row] !== tcpOptions[held]) return true
      if (networkFlush(held, row)) return true
      const mss = gsoSize[held]
      if ((flags[row] & SKB.gso) !== 0 ? gsoSize[row] !== mss : bytes === 0 || bytes > mss) return true
      return (tcpSeq[held] + segmentBytes(held)) >>> 0 !== tcpSeq[row]
    }

    function merge(held: number, row: number, bytes: number, flush: boolean, list: boolean): number {
      if (differs(held, row, bytes)) return 0
      if (!list) {
        const joined = join.segment(held, row, bytes, flush, true)
        if (joined !== 0) tcpWord[held] |= tcpWord[row] & FIN_PSH
        return joined
      }
      if (tcpWord[row] !== tcpWord[held] || frames[held] >= LIST_MAX) return 0
      return join.list(held, row, bytes)
    }

    return (held, row, flush) => {
      const bytes = segmentBytes(row)
      // Without a TCP stack above no segment meets an established socket, which is what Linux asks before it chains.
      const list =
        held !== 0 ? (flags[held] & SKB.fragList) !== 0 : tcpList && (features[dev[row]] & FEATURE.groList) !== 0
      const mss = held === 0 ? 1 : gsoSize[held]
      const joined = held === 0 ? 0 : merge(held, row, bytes, flush, list)
      const short =
        (flags[row] & SKB.gso) !== 0 ? bytes !== frames[row] * gsoSize[row] : bytes < (joined === 0 ? 1 : mss)
      const last = short || (tcpWord[row] & ENDS_PACKET) !== 0
      let outcome = joined
      if (list) outcome |= OUTCOME.list
      if (held !== 0 && (joined === 0 || last)) outcome |= OUTCOME.complete
      if (flush || last) outcome |= OUTCOME.flush
      return outcome
    }
  },
)
