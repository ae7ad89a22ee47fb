import type { NetfilterCosts } from './netfilter-costs.js'

/**
 * The stages a CPU is charged for. A cost profile gives each its cycles; results list them per CPU.
 *
 * Order is the order of the path and of `stages_ns` in results. Names are kernel functions where one function is the
 * stage, otherwise the plain word for it.
 */
export const STAGES = [
  // hard interrupt
  'cstate_exit', // waking the idle core, ps from the C-state table
  'hardirq', // entry, handler, exit of a device vector
  'ipi', // RPS or deferred-free inter-processor interrupt, at the receiver
  'hrtimer', // NAPI watchdog and moderation timers
  'tick', // scheduler tick
  'nonnapi_rx', // old driver: one frame out of the ring inside the interrupt
  // softirq
  'softirq', // one pass of handle_softirqs: entry and exit
  'net_rx_action', // fixed cost of one run
  'napi_poll', // fixed cost of one poll call of a driver
  'clean_rx', // descriptor, DMA sync, build_skb, per packet
  'clean_rx_byte', // copybreak copy, per byte
  'cold_packet', // first touch of packet data away from where DMA put it, per packet
  'refill', // per buffer given back to the ring
  'xdp', // program run, per packet
  'gro_receive', // napi_gro_receive, per packet
  'gro_merge', // joining a segment to a held packet
  'gro_flush', // completing one held packet
  'napi_complete', // napi_complete_done and unmasking
  'netif_receive_skb', // core, per skb
  'net_timestamp', // reading the clock for a received skb, while some socket wants stamps
  'tap', // clone for one ptype_all tap
  'vlan', // untag and device change
  'get_rps_cpu', // hash and map or flow tables
  'enqueue_to_backlog', // per packet
  'send_ipi', // raising the remote softirq, per IPI
  'process_backlog', // per packet taken from the backlog
  'ip_rcv', // header checks, per skb
  'tcp_early_demux', // look-up of an established connection before routing, per skb
  'ip_route_input', // routing decision, per skb
  'ip_local_deliver', // per skb
  'ip_defrag', // look-up, limits and insertion, per fragment
  'inet_frag_create', // queue made, timer set, and both undone, per queue
  'ip_frag_reasm', // per datagram put together
  'ip_expire', // per queue timed out
  'raw_deliver', // clone to one raw socket
  'icmp_rcv', // ICMP input
  'udp_rcv', // lookup, per datagram
  'tcp_rcv', // TCP segments without a TCP stack behind: checks and drop
  'no_socket', // unreachable port: ICMP generation or its rate limit
  'udp_enqueue', // accounting and queueing into the socket
  'udp_drop', // full socket
  'wakeup', // sock_def_readable with a sleeper: try_to_wake_up
  'ep_poll_callback', // marking an epoll item ready
  'kfree_skb', // freeing in softirq context
  // tasks
  'schedule', // context switch
  'syscall', // entry and exit
  'recvmsg', // per message
  'recv_timestamp', // control message of SO_TIMESTAMP, per message
  'copy_to_user', // per byte
  'consume_skb', // freeing the skb after reading
  'remote_skb', // cache lines of a packet another CPU handled, per packet
  'epoll_wait', // per call
  'epoll_event', // per event returned
  'poll_fd', // per descriptor looked at by poll or select
  'busy_poll', // one turn of napi_busy_loop without its packets
  'dim_work', // one work item of adaptive moderation: kworker, command, its completion
  'app', // user code
  'sendmsg', // per message, down to ip_output
  'spin', // a task that only computes
  // netfilter; last, so that a host without rules is what it was
  'nf_hook_slow', // going through the entries of a hook, per packet
  'nf_conntrack_in', // finding a packet's connection, per packet
  'nf_nat_inet_fn', // address translation, per packet of a tracked connection and hook
  'nft_do_chain', // entering a base chain, per packet; its rules are charged by the expression
  // the way out
  'ip_forward', // passing on, per packet
  'ip_output', // from the route to the device: MTU, neighbour, hardware header, per packet
  'dev_queue_xmit', // choice of the queue, discipline passed by, per packet
  'qdisc', // putting a packet into a discipline and taking it out
  'ndo_start_xmit', // driver: mapping, descriptor, per packet
  'net_tx_action', // fixed cost of one run
  'clean_tx', // descriptor done: unmapping, freeing, per packet
  'copy_from_user', // payload of a message sent, per byte
  'csum_and_copy', // what summing it up on the way adds, where the card does not, per byte
  'skb_segment', // cutting a merged packet in software, per segment
  'csum_partial', // checksum of what is not copied anyway, per byte
  'skb_linearize', // a packet in fragments for a card that gathers nothing, per byte
  // packet sockets
  'skb_clone', // copy of a packet that is sent for the taps, with its end where nobody keeps it, per packet
  'tpacket_rcv', // a slot of a ring and its header, per packet
  'tpacket_copy', // copy into the ring, per byte
] as const

/** Name of a stage. */
export type StageName = (typeof STAGES)[number]

/** One number of a cost profile and where it comes from. */
export interface StageCost {
  /** Cycles for one unit of the stage (packet, byte, call: as its name says). */
  readonly cycles: number
  readonly source: string
}

/** What a machine charges for the path. */
export interface CostProfile {
  readonly name: string
  readonly description: string
  /** Frequency the cycles were taken at, and default of hosts that name none. */
  readonly frequencyHz: number
  readonly stages: Readonly<Record<StageName, StageCost>>
  /** Rules by the expression. */
  readonly netfilter: NetfilterCosts
  /** Times that do not scale with frequency, ps. */
  readonly latency: {
    /** Interrupt raised → handler starts on a running CPU. */
    readonly irqDeliveryPs: number
    /** IPI sent → handler starts on the target. */
    readonly ipiPs: number
    /** Cache line from another CPU, by relation. */
    /** Command given to the NIC → carried out. */
    readonly nicCommandPs: number
    readonly lineSmtPs: number
    readonly lineLlcPs: number
    readonly lineNodePs: number
    readonly lineRemotePs: number
    readonly source: string
  }
  /** Extra cycles on `clean_rx` when the packet is not in this CPU's last-level cache, by place of the NIC. */
  readonly coldPacket: { readonly sameNodeCycles: number; readonly otherNodeCycles: number; readonly source: string }
  /** Each of two busy SMT siblings runs this many times slower than alone, ≥ 1. */
  readonly smtSlowdown: { readonly factor: number; readonly source: string }
  /** How the per-packet stages get dearer when a poll handles few packets (cold instruction cache): cycles added to each poll that is the first after the CPU did something else. */
  readonly coldPoll: { readonly cycles: number; readonly source: string }
  /** C-states of the machine, shallowest first. */
  readonly cstates: readonly {
    readonly name: string
    readonly exitLatencyNs: number
    readonly targetResidencyNs: number
    readonly source: string
  }[]
  /** Rows the numbers were fitted on, and rows only predicted. */
  readonly calibratedOn: readonly string[]
}
