/** The part of the plan that `ping` and the sockets of ICMP are made from. */

/** Sockets that are not UDP's: SOCK_DGRAM of IPPROTO_ICMP, SOCK_RAW, and AF_PACKET. */
export type SocketFamily = 'ping' | 'raw' | 'packet'

/** What `ping` does; receiver, payload, count and times are in its `SendPlan`. */
export interface PingPlan {
  /** Time from one request to the next, ps; 0: as fast as replies come, and at least every 10 ms (`ping -f`). */
  readonly intervalPs: number
}
