/** Timeouts of connections by state. Kernel: nf_conntrack_proto_{tcp,udp,icmp,generic}.c */
import type { SysctlPlan } from '@softnet/scenario/plan'
import { TCP_CT } from './tcp-states.js'

const SYN_SENT2_SEC = 120
const STATES = 10

type TcpTimeout =
  | 'syn_sent'
  | 'syn_recv'
  | 'established'
  | 'fin_wait'
  | 'close_wait'
  | 'last_ack'
  | 'time_wait'
  | 'close'
  | 'max_retrans'
  | 'unacknowledged'

/** Timeouts of one host, jiffies. */
export interface ConntrackTimeouts {
  readonly udp: number
  readonly udpStream: number
  readonly icmp: number
  readonly generic: number
  /** By state. */
  readonly tcp: Float64Array
  /** Established without a reply, or with data that nobody has acknowledged. */
  readonly tcpUnack: number
  /** After too many equal segments. */
  readonly tcpRetrans: number
  readonly tcpClose: number
}

/** Timeouts by the sysctls of a host. */
export function conntrackTimeouts(sysctl: SysctlPlan, hz: number): ConntrackTimeouts {
  const tcp = new Float64Array(STATES)
  const of = (name: TcpTimeout): number => sysctl[`net.netfilter.nf_conntrack_tcp_timeout_${name}`]
  const seconds: readonly (readonly [state: number, sec: number])[] = [
    [TCP_CT.synSent, of('syn_sent')],
    [TCP_CT.synRecv, of('syn_recv')],
    [TCP_CT.established, of('established')],
    [TCP_CT.finWait, of('fin_wait')],
    [TCP_CT.closeWait, of('close_wait')],
    [TCP_CT.lastAck, of('last_ack')],
    [TCP_CT.timeWait, of('time_wait')],
    [TCP_CT.close, of('close')],
    // No sysctl sets it. Kernel: net/netfilter/nf_conntrack_standalone.c
    [TCP_CT.synSent2, SYN_SENT2_SEC],
  ]
  for (const [state, sec] of seconds) tcp[state] = sec * hz
  return {
    udp: sysctl['net.netfilter.nf_conntrack_udp_timeout'] * hz,
    udpStream: sysctl['net.netfilter.nf_conntrack_udp_timeout_stream'] * hz,
    icmp: sysctl['net.netfilter.nf_conntrack_icmp_timeout'] * hz,
    generic: sysctl['net.netfilter.nf_conntrack_generic_timeout'] * hz,
    tcp,
    tcpUnack: of('unacknowledged') * hz,
    tcpRetrans: of('max_retrans') * hz,
    tcpClose: of('close') * hz,
  }
}
