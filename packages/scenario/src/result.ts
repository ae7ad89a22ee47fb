/** Result document `softnet.result/1`: what one run found, with Linux's names and Linux's meaning. */

import type { PathPlace } from './path-place.js'
import type { CaptureRow, PingRow } from './program-result.js'

import type { QdiscKind } from './tx-plan.js'

/** Latency of delivered packets, ns: last bit at the delivering host's port until recvmsg returns. */
export interface LatencySummary {
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

export interface DropRow {
  readonly host: string
  /** Kernel function (or the place in the NIC) that lost the packet. */
  readonly where: string
  /** Name of `enum skb_drop_reason` without its prefix, or NIC_WIRE_ERROR NIC_RX_MISSED NIC_RX_NO_BUFFER XDP_NATIVE_DROP LINK_LOSS SWITCH_FULL. */
  readonly reason: string
  /** Wire frames. */
  readonly count: number
}

export interface CpuRow {
  readonly cpu: number
  /** Adds up to `simulated_ns` (to the picosecond, before rounding). */
  readonly time_ns: { hardirq: number; softirq: number; ksoftirqd: number; task: number; idle: number }
  /** Time per stage, only stages that ran. */
  readonly stages_ns: Readonly<Record<string, number>>
  readonly timeline_ns: CpuTimeline
  readonly softnet_stat: {
    processed: number
    dropped: number
    time_squeeze: number
    received_rps: number
    flow_limit_count: number
    /** softnet's split of time_squeeze: the packet budget ended the run, or the jiffies did. */
    squeeze_budget: number
    squeeze_time: number
    input_qlen: number
    process_qlen: number
    /** Greatest input_pkt_queue seen. */
    input_qlen_max: number
  }
}

export interface QueueRow {
  readonly dev: string
  readonly queue: number
  readonly irq: number
  readonly cpu: number
  readonly frames: number
  readonly bytes: number
  readonly dropped: number
  readonly irqs: number
  readonly polls: number
  /** Polls that did not use their whole weight (the ring was emptied). */
  readonly polls_done: number
  /** Mean packets of a poll that found any. */
  readonly packets_per_poll: number
  /** Greatest number of filled descriptors seen by a poll or a drop. */
  readonly ring_max: number
  readonly ring_size: number
}

export interface SocketRow {
  readonly proto: 'udp' | 'icmp' | 'raw' | 'packet'
  readonly local: string
  readonly peer: string
  readonly app: string
  readonly received: number
  readonly drops: number
  readonly rcvbuf: number
  readonly rmem_max_used: number
  /** Of hosts whose programs send: datagrams, SO_SNDBUF as it holds, and the most of it that was in use. */
  readonly sent?: number
  readonly sndbuf?: number
  readonly wmem_max_used?: number
}

export interface TaskRow {
  readonly name: string
  readonly cpu: number
  readonly time_ns: number
  readonly switches: number
  readonly wakeups: number
  readonly messages: number
  readonly syscalls: number
}

/** A program that sends by itself: all its tasks together. */
export interface ProgramRow {
  readonly app: string
  readonly kind: 'udp_sender' | 'udp_client' | 'ping'
  readonly tasks: number
  /** Calls that send, datagrams the kernel took, and their payload, bytes. */
  readonly calls: number
  readonly datagrams: number
  readonly bytes: number
  /** Calls that failed, by the name of their errno; of a client also replies waited for in vain (EAGAIN). */
  readonly errors: Readonly<Record<string, number>>
  /** Of clients: replies, requests without one in time, replies that came too late; and round trips, ns, null if none. */
  readonly replies?: number
  readonly timeouts?: number
  readonly late?: number
  readonly round_trip_ns?: LatencySummary | null
  /** Of `ping`: what it says at its end. */
  readonly ping?: PingRow
}

/** A rule of nf_tables and what came of it. */
export interface NftRuleRow {
  readonly handle: number
  /** Line of the ruleset's text. */
  readonly line: number
  /** The rule as `nft list ruleset` writes it, its counters included. */
  readonly text: string
  /** Packets for which all of it held. */
  readonly packets: number
  /** Wire frames lost by its verdict. */
  readonly dropped: number
}

export interface NftChainRow {
  readonly name: string
  /** `type filter hook input priority filter; policy accept;`, or null for a chain that is jumped to. */
  readonly base: string | null
  readonly rules: readonly NftRuleRow[]
  /** What reached the end of a base chain; null for others. */
  readonly policy: { readonly packets: number; readonly dropped: number } | null
}

export interface NftTableRow {
  readonly family: string
  readonly name: string
  /** Sets by name, each as the lines of its block. */
  readonly sets: readonly { readonly name: string; readonly lines: readonly string[] }[]
  readonly chains: readonly NftChainRow[]
}

/** Counters of connection tracking, by the names of /proc/net/stat/nf_conntrack. */
export interface ConntrackStat {
  readonly entries: number
  readonly clashres: number
  readonly found: number
  readonly invalid: number
  readonly chainlength: number
  readonly insert_failed: number
  readonly drop: number
  readonly early_drop: number
  readonly icmp_error: number
}

/** Connections of a host at the end of a run. */
export interface ConntrackResult {
  readonly count: number
  readonly max: number
  readonly buckets: number
  /** By CPU; `entries` is that of the host. */
  readonly stat: readonly ConntrackStat[]
  /** The first of them as /proc/net/nf_conntrack prints them. */
  readonly entries: readonly string[]
}

/** What netfilter did on a host with rules. */
export interface NetfilterResult {
  readonly tables: readonly NftTableRow[]
  /** Packets that went through a hook, and rules that were looked at, over all CPUs. */
  readonly hook_packets: number
  readonly rules_evaluated: number
  /** Only where connections are tracked. */
  readonly conntrack?: ConntrackResult
}

/** `/proc/net/stat/arp_cache` of one CPU; `entries` is that of the host's tables. */
export interface ArpCacheStat {
  readonly entries: number
  readonly allocs: number
  readonly destroys: number
  readonly hash_grows: number
  readonly lookups: number
  readonly hits: number
  readonly res_failed: number
  readonly periodic_gc_runs: number
  readonly forced_gc_runs: number
  readonly unresolved_discards: number
  readonly table_fulls: number
}

export interface NetnsResult {
  readonly snmp: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly netstat: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly sockets: readonly SocketRow[]
  /** Of /proc/net/sockstat: reassembly queues and their memory, bytes; `memory_max` is the most there ever was. */
  readonly sockstat: { readonly FRAG: { readonly inuse: number; readonly memory: number; readonly memory_max: number } }
  /** Only of hosts with rules. */
  readonly netfilter?: NetfilterResult
  /** By CPU; only of hosts that asked for a neighbour or heard ARP. */
  readonly arp_cache?: readonly ArpCacheStat[]
}

export interface DeviceRow {
  readonly name: string
  readonly rx_packets: number
  readonly rx_bytes: number
  readonly rx_errors: number
  readonly rx_dropped: number
  readonly rx_missed_errors: number
  readonly rx_crc_errors: number
  readonly rx_nohandler: number
  readonly rx_otherhost_dropped: number
  readonly multicast: number
  readonly tx_packets: number
  readonly tx_bytes: number
  readonly link_bits_per_sec: number
  readonly mtu: number
  readonly driver: string
  /** Of ends of veth pairs, and of hosts to which events happen: what noop has dropped, and the state of the link as /sys/class/net/DEV has it. */
  readonly tx_dropped?: number
  readonly operstate?: 'up' | 'down' | 'lowerlayerdown'
  readonly carrier_changes?: number
  readonly carrier_up_count?: number
  readonly carrier_down_count?: number
}

/** Something that became of a device: a kernel function that did it, or a notifier event. */
export interface LinkLogRow {
  readonly t_ns: number
  /** Empty where it is about the host. */
  readonly dev: string
  readonly what: string
  /** What a command was given. */
  readonly detail?: string
}

/** A transmit queue of a device that the host's load leaves by. */
export interface TxQueueRow {
  readonly dev: string
  readonly queue: number
  /** CPU that its completions interrupt. */
  readonly cpu: number
  readonly packets: number
  readonly bytes: number
  /** Times the driver stopped it for want of descriptors, and times it was woken. */
  readonly stops: number
  readonly restarts: number
  /** Times the watchdog had it reset; only where it was. */
  readonly tx_timeout?: number
  /** Packets that other CPUs have sent on it. */
  readonly remote_packets?: number
  readonly ring_max: number
  readonly ring_size: number
  /** Byte queue limit at the end. */
  readonly bql_limit: number
}

/** A queueing discipline with the counters of `tc -s qdisc`. */
export interface QdiscRow {
  readonly dev: string
  readonly queue: number
  /** `root`, or its place below `mq`. */
  readonly parent: string
  readonly kind: QdiscKind | 'mq'
  readonly bytes: number
  readonly packets: number
  readonly dropped: number
  readonly overlimits: number
  readonly requeues: number
  readonly backlog_bytes: number
  readonly backlog_packets: number
  /** Greatest number of packets that waited. */
  readonly qlen_max: number
  /** Counters of the kind, under tc's names. */
  readonly details: Readonly<Record<string, number>>
}

export interface HostResult {
  readonly cpus: readonly CpuRow[]
  readonly queues: readonly QueueRow[]
  readonly devices: readonly DeviceRow[]
  /** Of devices that the host's load leaves by. */
  readonly tx_queues?: readonly TxQueueRow[]
  readonly qdiscs?: readonly QdiscRow[]
  /** Of hosts to which events happen: what became of their devices, in order; the first 256. */
  readonly link_log?: readonly LinkLogRow[]
  readonly tasks: readonly TaskRow[]
  /** Only of hosts with programs that send by themselves. */
  readonly programs?: readonly ProgramRow[]
  /** Programs that capture packets. */
  readonly captures?: readonly CaptureRow[]
  /** GRO results by name, and skbs handed up. */
  readonly gro: Readonly<Record<string, number>>
  readonly xdp: Readonly<Record<string, number>>
  readonly ethtool: Readonly<Record<string, Readonly<Record<string, number>>>>
  /** Per IRQ number (or CAL, LOC, RES), per CPU. */
  readonly interrupts: Readonly<Record<string, readonly number[]>>
  /** Action names of the numbered interrupts, `eth0-rx-0`. */
  readonly interrupt_names: Readonly<Record<string, string>>
  readonly softirqs: Readonly<Record<string, readonly number[]>>
  readonly netns: Readonly<Record<string, NetnsResult>>
}

/** Counts per interval of simulated time. */
export interface TimelineRow {
  /** Start of the interval; it ends where the next one starts, the last one at `simulated_ns`. */
  readonly t_ns: number
  readonly offered: number
  readonly delivered: number
  readonly dropped: number
  /** What was dropped by place of the path, only places where something was; left out where nothing was. */
  readonly dropped_at?: Readonly<Partial<Record<PathPlace, number>>>
}

/** Contexts of a CPU that its timeline tells; the rest of each interval is idle. */
export const TIMELINE_CONTEXTS = ['hardirq', 'softirq', 'ksoftirqd', 'task'] as const

/** Time of a CPU by interval of the result's timeline and context, whole ns. */
export type CpuTimeline = Readonly<Record<(typeof TIMELINE_CONTEXTS)[number], readonly number[]>>

/** How a run was shared among worker threads, and why. */
export interface ParallelAccount {
  readonly asked: number | 'auto'
  /** Work of one round in units of what handing it to another thread costs; null if it was not measured. */
  readonly lambda: number | null
  /** From this λ on more threads are tried. */
  readonly threshold: number
  /** Partitions that had work in a round, on average; null if it was not measured. */
  readonly partitions_per_round: number | null
  readonly reason: string
}

/** Frames in flight when the run ended, by place; they add up to `packets.in_flight`. */
export interface WaitingFrames {
  /** Put on the link, last bit not yet at the port. */
  readonly wire: number
  /** In the card: packet buffer, bus, DMA. */
  readonly nic: number
  readonly ring: number
  /** With a CPU: in a poll, in GRO, or on the way to another CPU. */
  readonly softirq: number
  readonly backlog: number
  readonly socket: number
  /** Waiting for the address of a neighbour, in a queueing discipline, a transmit ring or the card, on their way out. */
  readonly out?: number
}

/** Summary of a histogram of a plugin. */
export interface HistogramSummary {
  readonly unit: string
  readonly count: number
  readonly min: number
  readonly mean: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  /** Upper edges and counts of the buckets that hold something. */
  readonly buckets: readonly (readonly [number, number])[]
}

/** What a plugin counted, measured and holds at the end of a run. */
export interface PluginResult {
  /** Name it gives itself. */
  readonly plugin: string
  /** Digest of its probes, which are not part of the run's own; null if it has none. */
  readonly probe_digest: string | null
  /** Counters by component and name: the sum, and the part of each row that is not zero. */
  readonly counters: Readonly<
    Record<string, Readonly<Record<string, { readonly total: number; readonly by: Readonly<Record<string, number>> }>>>
  >
  readonly histograms: Readonly<Record<string, HistogramSummary | null>>
  /** Rows of its other components that are not all zero, at most 1000 each. */
  readonly state: Readonly<Record<string, readonly Readonly<Record<string, number | string>>[]>>
  /** What the plugin says itself; null if it says nothing. */
  readonly report: unknown
}

/** What a trace of the run holds; only where one was asked for. */
export interface TraceSummary {
  readonly kind: 'perfetto' | 'ftrace'
  readonly events: number
  /** Size of its text, before compression. */
  readonly bytes: number
  readonly from_ns: number
  readonly to_ns: number
  /** One packet of this many is followed. */
  readonly sample: number
  /** True where it ends early because it had reached its limit. */
  readonly cut: boolean
}

export interface ResultDocument {
  readonly schema: 'softnet.result/1'
  readonly status: 'done' | 'interrupted'
  readonly scenario: string
  readonly kernel: string
  readonly profile: string
  readonly seed: number
  /** Worker threads at the end of the run. Like `parallel` and `wall_ms` it says nothing about the simulated host. */
  readonly workers: number
  /** Why the run used as many threads as it did. */
  readonly parallel: ParallelAccount
  readonly digest: string
  readonly simulated_ns: number
  readonly wall_ms: number
  readonly packets: {
    readonly offered: number
    readonly created: number
    readonly delivered: number
    readonly consumed: number
    readonly sent: number
    readonly dropped: number
    readonly in_flight: number
  }
  readonly waiting: WaitingFrames
  readonly drops: readonly DropRow[]
  readonly latency_ns: LatencySummary | null
  /** Bucket upper edges (ns) and counts of the latency histogram, non-empty buckets only. */
  readonly latency_histogram: readonly (readonly [number, number])[]
  readonly timeline: readonly TimelineRow[]
  readonly hosts: Readonly<Record<string, HostResult>>
  /** Links and switches by name; only of scenarios with any. */
  readonly links?: Readonly<Record<string, LinkResult>>
  /** By the names the scenario gives them; only of scenarios with plugins. */
  readonly plugins?: Readonly<Record<string, PluginResult>>
  readonly verdict: Verdict
  /** What was simulated; left out by what runs a plan and does not know its scenario. */
  readonly input?: ResultInput
  readonly trace?: TraceSummary
}

/** What came to one port of a link or switch; wire frames. */
export interface LinkPortRow {
  /** `host/device` at the end of the way. */
  readonly to: string
  /** Frames that reached the port, their bytes without FCS, and the part of the link's time they took on it, 0 to 1. */
  readonly frames: number
  readonly bytes: number
  readonly load: number
  /** Frames to it that were lost on the way, arrived twice, or took longer than others. */
  readonly lost: number
  readonly duplicated: number
  readonly reordered: number
  /** Switch: frames for which the port's buffer had no room, and frames sent to every port. */
  readonly overflow: number
  readonly flooded: number
  /** Frames to other cards, which this one does not take. */
  readonly foreign: number
}

/** A link or a switch. */
export interface LinkResult {
  readonly kind: 'link' | 'switch'
  readonly ports: readonly LinkPortRow[]
  /** Addresses a switch had learnt at the end. */
  readonly learnt?: number
}

/** Enough to simulate the same again. */
export interface ResultInput {
  /** The scenario with every change made to it, as plain data. */
  readonly scenario: unknown
  /** Directory that relative file names in it start from. */
  readonly directory: string
}

/** Two or three sentences: the bottleneck, the evidence, and what to try. */
export interface Verdict {
  /** Kind of bottleneck, `none` when nothing was lost. */
  readonly bottleneck: string
  readonly sentences: readonly string[]
  /** Settings to try, as `--set` arguments for this scenario where one exists. */
  readonly remedies: readonly { readonly set: string; readonly why: string }[]
}
