import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groPolicy } from './gro-policy.js'
import { inetGroFlush } from './inet-gro-flush.js'
import { skbGroReceive } from './skb-gro-receive.js'
import { UDP_GRO_SOCKET, UDP_SOCKET } from './udp-gro-socket.js'

/** UDP header, bytes. */
const UDP_HEADER_BYTES = 8
/** Kernel: net/ipv4/udp_offload.c, UDP_GRO_CNT_MAX */
const COUNT_MAX = 64

/** UDP's part of GRO. */
export interface UdpGroReceive {
  /** How datagrams like this one group: 0 not at all, 1 as segments, 2 as a chain of whole packets. */
  mode(cpu: number, row: number): 0 | 1 | 2
  /** Joins a datagram to the held one of its flow, or 0; returns `OUTCOME` bits. */
  receive(held: number, row: number, flush: boolean, list: boolean): number
}

/**
 * UDP datagrams of one flow: equal lengths join, a shorter one is the last, a longer one starts anew, 64 at most.
 * Joined datagrams stay linked behind the held one, because each keeps its serial number and arrival time.
 */
export const udpGroReceive = defineSystem<UdpGroReceive>(
  'udp_gro_receive',
  'gro',
  'net/ipv4/udp_offload.c, udp_gro_receive, udp_gro_receive_segment',
  (context) => {
    const { FEATURE, IP_HEADER_BYTES, OUTCOME, SKB } = NUMBERS

    const { udpLen, len, frames, flags, dev } = context.read(Skb)
    const { next, fragHead, fragTail } = context.write(Skb)
    const { features } = context.read(NetDev)
    const networkFlush = context.system(inetGroFlush)
    const join = context.system(skbGroReceive)
    const socketOf = context.resource(UDP_GRO_SOCKET)
    const policy = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)
    const { udp, udpNetworkFlush, udpList, udpForwarding } = policy

    function chain(held: number, row: number): void {
      next[row] = 0
      if (fragHead[held] === 0) fragHead[held] = row
      else next[fragTail[held]] = row
      fragTail[held] = row
    }

    return {
      mode(cpu, row) {
        if (!udp) return 0
        const socket = socketOf(cpu, row)
        const offered = features[dev[row]]
        if (udpList && (offered & FEATURE.groList) !== 0 && socket !== UDP_SOCKET.gro) return 2
        if (socket === UDP_SOCKET.gro) return 1
        return udpForwarding && socket === UDP_SOCKET.none && (offered & FEATURE.udpGroForwarding) !== 0 ? 1 : 0
      },
      receive(held, row, flush, list) {
        const own = list ? OUTCOME.list : 0
        const refuse = flush ? own | OUTCOME.flush : own
        if (held === 0) return refuse
        if (list !== ((flags[held] & SKB.fragList) !== 0)) return own | OUTCOME.flush | OUTCOME.complete
        const bytes = len[row] - IP_HEADER_BYTES - UDP_HEADER_BYTES
        if (udpLen[row] > udpLen[held] || (udpNetworkFlush && networkFlush(held, row))) return refuse | OUTCOME.complete
        const joined = list ? join.list(held, row, bytes) : join.segment(held, row, bytes, flush, false)
        if (joined === 0) return refuse | OUTCOME.complete
        chain(held, row)
        const full = udpLen[row] !== udpLen[held] || frames[held] >= COUNT_MAX
        return own | joined | (full ? OUTCOME.complete : 0)
      },
    }
  },
)
