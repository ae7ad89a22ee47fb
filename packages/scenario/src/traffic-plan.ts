/** The part of the plan that sources of traffic are made from. Times are integer picoseconds. */

export type Distribution =
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'imix' }
  /** Weights need not add up to one. */
  | { readonly kind: 'weighted'; readonly values: readonly { readonly bytes: number; readonly weight: number }[] }

export type Arrival =
  | { readonly kind: 'constant'; readonly packetsPerSec: number }
  | { readonly kind: 'poisson'; readonly packetsPerSec: number }
  /** Back-to-back at `packetsPerSec` while on. */
  | {
      readonly kind: 'onoff'
      readonly packetsPerSec: number
      readonly onPs: number
      readonly offPs: number
      readonly random: boolean
    }
  | { readonly kind: 'ramp'; readonly fromPacketsPerSec: number; readonly toPacketsPerSec: number }
  /** `count` frames at once every `everyPs`. */
  | { readonly kind: 'burst'; readonly count: number; readonly everyPs: number }

export interface FlowSetPlan {
  readonly count: number
  /** How packets choose their flow. `churn`: flows arrive and leave. */
  readonly pick: 'roundrobin' | 'uniform' | 'zipf' | 'churn'
  /** Exponent of Zipf, in (0, 4]. */
  readonly zipfExponent: number
  /** `churn`: mean packets per flow before it leaves and a new one comes. */
  readonly packetsPerFlow: number
  readonly saddr: number
  /** Addresses used: flow i has saddr + i % saddrCount. */
  readonly saddrCount: number
  readonly daddr: number
  readonly daddrCount: number
  readonly sport: number
  readonly sportCount: number
  readonly dport: number
  readonly dportCount: number
}

/** Faults put into a share of synthetic packets, each in [0,1]. */
export interface MalformPlan {
  readonly ipChecksum: number
  readonly udpChecksum: number
  readonly truncated: number
  readonly badVersion: number
  readonly otherHost: number
}

/** Datagrams that a source sends as IPv4 fragments, back to back. */
export interface FragmentsPlan {
  /** UDP payload, bytes. */
  readonly datagramBytes: number
  /** Fragments sent of each datagram, lost ones included. */
  readonly frames: number
  /** MTU they are cut for, bytes. */
  readonly mtu: number
  /** First fragment first, or last first. */
  readonly order: 'forward' | 'reverse'
  /** Which fragments are sent: all, only the first, or all but the first. */
  readonly send: 'all' | 'first' | 'rest'
  /** Share of fragments that are lost on their way, [0,0.99]. */
  readonly lose: number
}

export type TrafficPlan =
  | {
      readonly kind: 'open'
      readonly name: string
      readonly host: string
      readonly dev: string
      readonly protocol: 'udp' | 'tcp' | 'icmp' | 'arp'
      /** Kind of message; left out with other protocols. */
      readonly arp?: 'request' | 'reply' | 'gratuitous'
      readonly arrival: Arrival
      /** Frame length without FCS, bytes (60 for a minimum frame; 64 on the wire); the mean of fragments. */
      readonly frame: Distribution
      readonly flows: FlowSetPlan
      readonly startPs: number
      readonly stopPs: number
      /** Stop after this many packets; Infinity is written as 0. */
      readonly packets: number
      readonly vlan: number
      readonly zeroChecksum: boolean
      readonly malform: MalformPlan
      /** Datagrams longer than the MTU; null: every packet is one frame. */
      readonly fragments: FragmentsPlan | null
      /** TCP: segments of a flow come in trains of this many before another flow's turn. */
      readonly trainSegments: number
    }
  | {
      readonly kind: 'closed'
      readonly name: string
      readonly host: string
      readonly dev: string
      readonly clients: number
      /** Requests one client may have outstanding. */
      readonly depth: number
      /** Mean think time after a reply. */
      readonly thinkPs: number
      readonly thinkRandom: boolean
      readonly frame: Distribution
      readonly flows: FlowSetPlan
      /** A request without reply is sent again after this time. */
      readonly timeoutPs: number
      readonly startPs: number
    }
  | {
      readonly kind: 'replay'
      readonly name: string
      readonly host: string
      readonly dev: string
      /** Bytes of the capture, already read. */
      readonly capture: Uint8Array
      readonly path: string
      /** Gaps between frames are divided by this. */
      readonly speed: number
      readonly repeat: number
      readonly startPs: number
      /** Rewrites, null where the capture's value stays. */
      readonly rewrite: {
        readonly daddr: number | null
        readonly saddr: number | null
        readonly dmac: string | null
        readonly dport: number | null
      }
    }
