/** The part of the plan that programs which send are made from: what they send, when, and by which socket options. */

import type { Distribution } from './plan.js'

/** Names of IP_MTU_DISCOVER in the order of Linux's numbers. Kernel: include/uapi/linux/in.h, IP_PMTUDISC_* */
export const PMTUDISC_NAMES = ['dont', 'want', 'do', 'probe', 'interface', 'omit'] as const

/** What a path MTU means to a socket. */
export type Pmtudisc = (typeof PMTUDISC_NAMES)[number]

/** Options of a socket that matter to what it sends; left out where Linux's default holds. */
export interface SendOptionsPlan {
  /** IP_TTL; left out: ip_default_ttl. */
  readonly ttl?: number
  /** IP_TOS. */
  readonly tos?: number
  /** IP_MTU_DISCOVER; left out: by ip_no_pmtu_disc. */
  readonly pmtudisc?: Pmtudisc
  /** UDP_SEGMENT: payload of each segment that a message is cut into, bytes; left out or 0: off. */
  readonly segmentBytes?: number
  /** SO_MAX_PACING_RATE, bytes per second; left out: not paced. */
  readonly pacingRate?: number
  /** SO_NO_CHECK: no UDP checksum. */
  readonly noCheck?: boolean
  /** IP_MULTICAST_TTL; left out: 1. */
  readonly multicastTtl?: number
  /** IP_MULTICAST_LOOP; left out: on. */
  readonly multicastLoop?: boolean
  /** IP_MULTICAST_IF: device, and source where it was named by its address. */
  readonly multicastDevice?: string
  readonly multicastAddress?: number
  /** SO_DONTROUTE. */
  readonly dontRoute?: boolean
  /** A harness will cork the socket, or send messages that are cut. */
  readonly corks?: boolean
  readonly segments?: boolean
}

/** Ancillary data of messages. */
export interface CmsgPlan {
  /** UDP_SEGMENT, bytes; 0: not cut, whatever the socket option says. */
  readonly segmentBytes?: number
  /** IP_TTL, IP_TOS. */
  readonly ttl?: number
  readonly tos?: number
  /** IP_PKTINFO: device to leave by, and source. */
  readonly pktinfo?: { readonly device?: string | undefined; readonly source?: number | undefined }
}

/** When a program sends its messages. */
export type SendArrival =
  /** As fast as it can. */
  | { readonly kind: 'flood' }
  | { readonly kind: 'constant' | 'poisson'; readonly packetsPerSec: number }
  /** `count` messages at once every `everyPs`. */
  | { readonly kind: 'burst'; readonly count: number; readonly everyPs: number }

/** What a `udp_sender` or `udp_client` does. */
export interface SendPlan {
  /** First receiver; null: sockets are connected. */
  readonly to: { readonly address: number; readonly port: number } | null
  /** Message i goes to address + i % addressCount, port + i % portCount. */
  readonly addressCount: number
  readonly portCount: number
  /** UDP payload of a message, bytes. */
  readonly payload: Distribution
  readonly arrival: SendArrival
  /** Messages per `sendmmsg`; 0: `sendto`, a call each. */
  readonly batch: number
  /** Calls that a message is written in; left out: one. All but the last say that more will come: by MSG_MORE, or UDP_CORK. */
  readonly pieces?: number
  readonly cork?: 'MSG_MORE' | 'UDP_CORK'
  /** Ancillary data of its messages. */
  readonly cmsg?: CmsgPlan
  /** MSG_DONTROUTE. */
  readonly dontRoute?: boolean
  /** Time of the first message and end of sending, ps. */
  readonly startPs: number
  readonly stopPs: number
  /** Messages of each task; 0: no such limit. */
  readonly messages: number
  /** PR_SET_TIMERSLACK: a sleep may last this much longer, and does, ps. */
  readonly timerSlackPs: number
  /** Clients: mean time from a reply to the next request, and how long a reply is waited for, ps. */
  readonly thinkPs: number
  readonly thinkRandom: boolean
  readonly timeoutPs: number
}
