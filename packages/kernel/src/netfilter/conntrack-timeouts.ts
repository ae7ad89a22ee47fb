/** Timeouts of connections by state. Kernel: nf_conntrack_proto_{tcp,udp,icmp,generic}.c */
import type { SysctlPlan } from '@softnet/scenario/plan'
import { TCP_CT } from './tcp-states.js'

const SYN_SENT_SEC = 120
const SYN_RECV_SEC = 60
const FIN_WAIT_SEC = 120
const CLOSE_WAIT_SEC = 60
const LAST_ACK_SEC = 30
const TIME_WAIT_SEC = 120
const CLOSE_SEC = 10
const UNACK_SEC = 300
const STATES = 10

/** Timeouts of one host, jiffies. */
export interface ConntrackTimeouts {
  readonly udp: number
  readonly udpStream: number
  readonly icmp: number
  readonly generic: number
  /** By state. */
  readonly tcp: Float64Array
  /** Established without a reply. */
  readonly tcpUnack: number
  readonly tcpClose: number
}

/** Timeouts by the sysctls of a host. */
export function conntrackTimeouts(sysctl: SysctlPlan, hz: number): ConntrackTimeouts {
  const tcp = new Float64Array(STATES)
  const seconds: readonly (readonly [state: number, sec: number])[] = [
    [TCP_CT.synSent, SYN_SENT_SEC],
    [TCP_CT.synRecv, SYN_RECV_SEC],
    [TCP_CT.established, sysctl['net.netfilter.nf_conntrack_tcp_timeout_established']],
    [TCP_CT.finWait, FIN_WAIT_SEC],
    [TCP_CT.closeWait, CLOSE_WAIT_SEC],
    [TCP_CT.lastAck, LAST_ACK_SEC],
    [TCP_CT.timeWait, TIME_WAIT_SEC],
    [TCP_CT.close, CLOSE_SEC],
    [TCP_CT.synSent2, SYN_SENT_SEC],
  ]
  for (const [state, sec] of seconds) tcp[state] = sec * hz
  return {
    udp: sysctl['net.netfilter.nf_conntrack_udp_timeout'] * hz,
    udpStream: sysctl['net.netfilter.nf_conntrack_udp_timeout_stream'] * hz,
    icmp: sysctl['net.netfilter.nf_conntrack_icmp_timeout'] * hz,
    generic: sysctl['net.netfilter.nf_conntrack_generic_timeout'] * hz,
    tcp,
    tcpUnack: UNACK_SEC * hz,
    tcpClose: CLOSE_SEC * hz,
  }
}
