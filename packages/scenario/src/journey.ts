/** The ways of single packets through a run, as `softnet trace` tells them. */

/** Which packets are asked for. */
export type JourneyQuery =
  | { readonly packet: number }
  | { readonly flow: FlowFilter; readonly count: number }
  /** `reason` null: of each place and reason. */
  | { readonly dropped: { readonly reason: string | null }; readonly count: number }

/** Parts of a flow's addresses; null: any. Addresses are u32, ports 0 to 65535. */
export interface FlowFilter {
  readonly saddr: number | null
  readonly sport: number | null
  readonly daddr: number | null
  readonly dport: number | null
}

/** How a packet's way ends; `merged`: in another packet whose end is not known. */
export type JourneyFate = 'delivered' | 'dropped' | 'consumed' | 'sent' | 'merged' | 'in_flight'

/** One line of a packet's way. */
export interface JourneyStep {
  /**
   * `call`: a function was run for the packet; `wait`: it waited; `enter`, `leave`: what the next steps happened in begins
   * or ends; `note`: something that happened to it or for it.
   */
  readonly kind: 'call' | 'wait' | 'enter' | 'leave' | 'note'
  /** Simulated time of its beginning; null where it is not known when. */
  readonly at_ns: number | null
  /** null: a moment, or an unknown time. */
  readonly took_ns: number | null
  /** null: no CPU did it. */
  readonly cpu: number | null
  readonly context: 'hardirq' | 'softirq' | 'ksoftirqd' | 'task' | null
  readonly depth: number
  /** Kernel function, queue, or words. */
  readonly name: string
  /** For how many packets a call was, of which this is one. */
  readonly packets: number
  readonly note: string | null
}

/** Where packets wait: on their way in, and on their way out. `wire`: while its bits leave; `link`: between two hosts. */
export type JourneyQueue =
  | 'DMA'
  | 'rx ring'
  | 'gro'
  | 'cache line'
  | 'backlog'
  | 'reassembly'
  | 'socket'
  | 'neighbour'
  | 'qdisc'
  | 'tx ring'
  | 'wire'
  | 'link'

/** A queue the packet was in. */
export interface JourneyWait {
  readonly queue: JourneyQueue
  readonly place: string
  readonly from_ns: number
  readonly for_ns: number
  /** Packets that left the queue while it waited: they were before it. null: not a queue of that kind. */
  readonly behind: number | null
}

/** The way of one packet. */
export interface Journey {
  /** Number of its wire frame, from 1; below 0: the host made it. */
  readonly packet: number
  readonly what: string
  /** Device it came in on; of a packet that a host made, the one it goes out by. */
  readonly device: string
  readonly bytes: number
  /** Last bit at the host's port; of a packet that a host made, the beginning of the call that made it. */
  readonly arrival_ns: number
  readonly end: {
    readonly fate: JourneyFate
    readonly at_ns: number
    readonly cpu: number | null
    /** Host of the CPU, where there are several. */
    readonly host: string | null
    /** Reason and place of a drop. */
    readonly reason: string | null
    readonly where: string | null
    /** The packet it had become part of. */
    readonly merged_into: number | null
  }
  /** CPUs that handled it, in order. */
  readonly cpus: readonly number[]
  readonly waits: readonly JourneyWait[]
  readonly steps: readonly JourneyStep[]
}

/** What `softnet trace` finds. */
export interface JourneyDocument {
  readonly schema: 'softnet.journey/1'
  readonly status: 'done' | 'interrupted'
  readonly scenario: string
  readonly kernel: string
  readonly profile: string
  readonly seed: number
  /** How far the run went: it ends when everything asked for is known. */
  readonly simulated_ns: number
  /** Wire frames offered until then. */
  readonly offered: number
  readonly journeys: readonly Journey[]
  /** Packets lost by place, where losses were asked for and the run has gone to its end. */
  readonly drops: readonly { readonly where: string; readonly reason: string; readonly count: number }[]
}
