/**
 * The plan: a scenario after every default is filled in and every fault refused.
 *
 * The schema (`schema/`) turns what a user wrote into these types; the kernel builds its world from nothing else.
 * Everything here is plain data: it can be posted to a worker, hashed and printed. Times are integer picoseconds in
 * a float64 unless the name says otherwise.
 */

import type { BpfProgram } from './bpf.js'
import type { EventPlan } from './event-plan.js'
import type { ConfAllName, InterfaceConf, Ipv4Plan, NeighbourPlan, NeighPlan, RoutePlan, RulePlan } from './ip-plan.js'
import type { LinkPlan } from './link-plan.js'
import type { NetnsPlan } from './netns-plan.js'
import type { NftRuleset } from './nft/ruleset.js'
import type { CapturePlan, PacketSocketPlan } from './packet-plan.js'
import type { PingPlan, SocketFamily } from './ping-plan.js'
import type { PluginPlan } from './plugin/plugin-plan.js'
import type { SendOptionsPlan, SendPlan } from './send-plan.js'
import type { TrafficPlan } from './traffic-plan.js'
import type { QdiscKind, TxOffloads, TxPlan } from './tx-plan.js'
import type { VlanPlan } from './vlan-plan.js'

export type * from './traffic-plan.js'

/** Linux versions whose policies are known as data (`versions.ts`). */
export type KernelVersion = '4.14' | '4.18' | '5.1' | '6.5' | '6.18'

/** A whole run: hosts, the traffic offered to them, and how long it lasts. */
export interface Plan {
  readonly name: string
  readonly description: string
  readonly kernel: KernelVersion
  /** Name of the cost profile, see `profiles/`. */
  readonly profile: string
  /** Seed of every random stream, integer in [0, 2^32). */
  readonly seed: number
  readonly durationPs: number
  /** Simulated time at the start whose packets are left out of the latency histogram. */
  readonly warmupPs: number
  readonly hosts: readonly HostPlan[]
  readonly traffic: readonly TrafficPlan[]
  /** What happens to hosts during the run, in order of time; left out where nothing does. */
  readonly events?: readonly EventPlan[]
  /** What joins the devices of hosts; left out: nothing does, and what leaves a host has left the simulation. */
  readonly links?: readonly LinkPlan[]
  readonly plugins: readonly PluginPlan[]
  /** Upper bounds the user raised or lowered; every one has a default in `limits.ts`. */
  readonly limits: Readonly<Record<string, number>>
}

export interface HostPlan {
  readonly name: string
  readonly cpus: readonly CpuPlan[]
  /** Jiffies per second: 100, 250, 300 or 1000. */
  readonly hz: number
  readonly sysctl: SysctlPlan
  readonly devices: readonly DevicePlan[]
  readonly apps: readonly AppPlan[]
  /** Idle states, shallowest first; empty means an idle CPU polls and wakes at no cost. */
  readonly cstates: readonly CStatePlan[]
  /** `sizeof` of the small head cache (`skb_small_head`), bytes: 576 on 6.18 as recorded, 640 or 704 on others, 0 before 6.3. */
  readonly smallHeadBytes: number
  /** sk_buffs that can exist on the host before allocation fails; the last `pfmemallocReserve` only for PF_MEMALLOC users. */
  readonly skbLimit: number
  readonly pfmemallocReserve: number
  /** Packet taps (`ptype_all`) on this host, each costing every received packet a clone. */
  readonly taps: readonly { readonly dev: string | null; readonly name: string }[]
  /** Raw sockets: IP protocol numbers that get a clone before the protocol handler. */
  readonly rawProtocols: readonly number[]
  /** Rules of nf_tables; null: no hook has any. */
  readonly nftables: NftRuleset | null
  /** Settings of IP and ICMP for the whole host. */
  readonly ipv4: Ipv4Plan
  /** `net.ipv4.conf.all`: joined with each device's own values as Linux does, see `effectiveConf`. */
  readonly confAll: InterfaceConf
  /** Routes besides those that addresses bring. */
  readonly routes: readonly RoutePlan[]
  /** Policy rules besides those of tables local, main and default; left out: none. */
  readonly rules?: readonly RulePlan[]
  /** Permanent neighbours. */
  readonly neighbours: readonly NeighbourPlan[]
  /** Network namespaces besides the one the host starts in, whose settings are above. */
  readonly netns?: readonly NetnsPlan[]
}

export interface CpuPlan {
  readonly frequencyHz: number
  /** CPUs with the same core share it (SMT). */
  readonly coreId: number
  /** CPUs with the same value share a last-level cache. */
  readonly llcId: number
  readonly nodeId: number
}

export interface CStatePlan {
  readonly name: string
  readonly exitLatencyPs: number
  readonly targetResidencyPs: number
}

/** `net.core.*` and `net.ipv4.*` values, under their own names with the dots kept. */
export interface SysctlPlan extends Readonly<Record<ConfAllName, number>> {
  readonly 'net.core.netdev_budget': number
  readonly 'net.core.netdev_budget_usecs': number
  readonly 'net.core.dev_weight': number
  readonly 'net.core.dev_weight_rx_bias': number
  readonly 'net.core.netdev_max_backlog': number
  readonly 'net.core.rmem_default': number
  readonly 'net.core.rmem_max': number
  readonly 'net.core.default_qdisc': QdiscKind
  readonly 'net.core.wmem_default': number
  readonly 'net.core.wmem_max': number
  readonly 'net.core.rps_sock_flow_entries': number
  readonly 'net.core.flow_limit_cpu_bitmap': readonly number[]
  readonly 'net.core.flow_limit_table_len': number
  readonly 'net.core.busy_read': number
  readonly 'net.core.busy_poll': number
  readonly 'net.core.gro_normal_batch': number
  readonly 'net.core.skb_defer_max': number
  readonly 'net.core.netdev_tstamp_prequeue': number
  readonly 'net.ipv4.ip_early_demux': number
  readonly 'net.ipv4.udp_early_demux': number
  readonly 'net.ipv4.tcp_early_demux': number
  readonly 'net.ipv4.udp_rmem_min': number
  /** min, pressure, max in pages. */
  readonly 'net.ipv4.udp_mem': readonly [number, number, number]
  /** Bytes. */
  readonly 'net.ipv4.ipfrag_high_thresh': number
  readonly 'net.ipv4.ipfrag_low_thresh': number
  /** Seconds. */
  readonly 'net.ipv4.ipfrag_time': number
  /** Entries of the table of neighbours below which nothing is swept, from which a sweep is tried, and at most. */
  readonly 'net.ipv4.neigh.default.gc_thresh1': number
  readonly 'net.ipv4.neigh.default.gc_thresh2': number
  readonly 'net.ipv4.neigh.default.gc_thresh3': number
  readonly 'net.ipv4.ipfrag_max_dist': number
  /** Seconds that a redirect is followed, and that a path MTU holds. */
  readonly 'net.ipv4.route.gc_timeout': number
  readonly 'net.ipv4.route.mtu_expires': number
  /** Bytes. */
  readonly 'net.ipv4.route.min_pmtu': number
  readonly 'net.ipv4.route.redirect_number': number
  /** Jiffies. */
  readonly 'net.ipv4.route.redirect_load': number
  readonly 'net.ipv4.route.redirect_silence': number
  readonly 'net.ipv4.route.error_cost': number
  readonly 'net.ipv4.route.error_burst': number
  /** Connections that are tracked at once; only with rules that need it. */
  readonly 'net.netfilter.nf_conntrack_max': number
  readonly 'net.netfilter.nf_conntrack_buckets': number
  readonly 'net.netfilter.nf_conntrack_checksum': number
  readonly 'net.netfilter.nf_conntrack_tcp_loose': number
  /** Timeouts in seconds. */
  readonly 'net.netfilter.nf_conntrack_udp_timeout': number
  readonly 'net.netfilter.nf_conntrack_udp_timeout_stream': number
  readonly 'net.netfilter.nf_conntrack_icmp_timeout': number
  readonly 'net.netfilter.nf_conntrack_generic_timeout': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_established': number
  readonly 'net.netfilter.nf_conntrack_tcp_be_liberal': number
  readonly 'net.netfilter.nf_conntrack_tcp_ignore_invalid_rst': number
  readonly 'net.netfilter.nf_conntrack_tcp_max_retrans': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_close_wait': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_last_ack': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_time_wait': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_close': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': number
  readonly 'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': number
}

export type RxMode = 'napi' | 'non-napi'

/** What a driver family does, as data (`drivers.ts`). Kernel: drivers/net/ethernet/… */
export interface DriverProfile {
  readonly name: string
  readonly description: string
  /** Frames reach the stack by NAPI poll, or by `netif_rx` from the interrupt handler. */
  readonly rxMode: RxMode
  /** Frames the old handler takes per interrupt (`max_interrupt_work`); 0 with NAPI. */
  readonly interruptQuota: number
  readonly rxRingDefault: number
  readonly rxRingMin: number
  readonly rxRingMax: number
  readonly maxQueues: number
  /** Descriptors gathered before a refill writes the tail. */
  readonly refillBatch: number
  /** `batch`: Intel style, refill when `refillBatch` are clean; `half`: virtio, when free > min(budget, ring)/2; `each`: after each poll. */
  readonly refillRule: 'batch' | 'half' | 'each'
  /** Frames at most this long are copied into a fresh small skb and the buffer is reused at once; 0: never. */
  readonly copybreakBytes: number
  /** Truesize of a received frame that is not copied. */
  readonly rxBuffer: 'page-half' | 'netdev-alloc' | 'page-frag' | 'mergeable' | 'stride'
  /** Where a frame waits that finds no descriptor. `hold`: in the packet buffer (then rx_missed); `drop`: lost at once (rx_no_buffer / out of buffer). */
  readonly noDescriptor: 'hold' | 'drop'
  readonly packetBufferBytes: number
  readonly rxUsecsDefault: number
  readonly rxFramesDefault: number
  /** `delay`: rx-usecs after the first unsignalled frame; `gap`: Intel ITR, minimum gap between interrupts; `eqe`/`cqe`: mlx5 timer from the event or restarted at each completion. */
  readonly moderation: 'delay' | 'gap' | 'eqe' | 'cqe' | 'none'
  readonly rxFramesSupported: boolean
  readonly adaptiveDefault: boolean
  readonly adaptiveRule: 'dim' | 'ixgbe-itr' | 'none'
  readonly rssTableSize: number
  /** Hash fields per flow type: `sd` addresses, `sdfn` addresses and ports. */
  readonly hashFields: { readonly tcp4: 'sd' | 'sdfn'; readonly udp4: 'sd' | 'sdfn' }
  /** Queues share one vector (and one NAPI) when there are more queues than vectors. */
  readonly defaultVectors: 'per-queue' | 'single'
  readonly nativeXdp: boolean
  /** Hardware verifies L4 checksums (CHECKSUM_UNNECESSARY). */
  readonly rxChecksum: boolean
  readonly txOffloads: TxOffloads
  /** The card puts VLAN tags in (NETIF_F_HW_VLAN_CTAG_TX). */
  readonly vlanTx: boolean
  /** Virtual device without a wire: frames arrive by `netif_rx` of a peer. */
  readonly virtual: boolean
  /** `tun`: a program reads and writes IP packets; `tap`: Ethernet frames; left out: a device with hardware or a peer. */
  readonly program?: 'tun' | 'tap'
  readonly source: string
}

export interface DevicePlan {
  /** Name, unique on the host: `NAMESPACE/NAME` for devices of a namespace. */
  readonly name: string
  /** Namespace, and the name the device has there; both left out for the initial one. */
  readonly netns?: string
  readonly ifname?: string
  /** Other end of a veth pair, by its name on the host. */
  readonly peer?: string
  readonly driver: DriverProfile
  readonly mac: string
  readonly mtu: number
  /** `net.ipv4.conf.DEV`. */
  readonly conf: InterfaceConf
  /** `net.ipv4.neigh.DEV`. */
  readonly neigh: NeighPlan
  /** Hardware addresses of next hops are asked for. */
  readonly arp?: boolean
  /** Name of the link or switch it is on; left out: traffic sources are at the other end. */
  readonly link?: string
  /** The way out; left out where nothing takes time. */
  readonly tx?: TxPlan
  /** IPv4 addresses with prefix length, `192.0.2.1/24`. */
  readonly addresses: readonly string[]
  readonly linkBitsPerSec: number
  /** One-way propagation and switch delay to the port, ps. */
  readonly linkDelayPs: number
  /** Preamble, start delimiter and inter-frame gap on the wire per frame, bytes (20 on Ethernet; the FCS of 4 comes on top). */
  readonly frameOverheadBytes: number
  /** Probability in [0,1] that a frame is lost to a bad FCS, from the wire's own stream. */
  readonly wireErrorRate: number
  /** Time from the last bit at the port to the descriptor written back, ps. */
  readonly dmaLatencyPs: number
  /** PCIe payload rate cap, bits per second; 0: no cap. */
  readonly pcieBitsPerSec: number
  /** PCIe overhead per frame, bytes (TLP headers, descriptor write-back). */
  readonly pcieOverheadBytes: number
  readonly packetBufferBytes: number
  readonly nodeId: number
  readonly rxRing: number
  readonly rxUsecs: number
  readonly rxFrames: number
  readonly adaptiveRx: boolean
  readonly hashFields: { readonly tcp4: 'sd' | 'sdfn'; readonly udp4: 'sd' | 'sdfn' }
  /** 40 bytes, hex with or without colons. */
  readonly rssKey: string
  /** Queue per entry; length is the table size. */
  readonly indirection: readonly number[]
  readonly ntuple: readonly NtuplePlan[]
  readonly arfs: boolean
  /** One entry per RX queue. */
  readonly queues: readonly QueuePlan[]
  readonly vectors: readonly VectorPlan[]
  readonly napiDeferHardIrqs: number
  readonly groFlushTimeoutNs: number
  readonly irqSuspendTimeoutNs: number
  readonly threaded: boolean
  /** CPUs the `napi/…` threads may run on, per vector; empty: the CPU of the vector. */
  readonly threadedCpus: readonly (readonly number[])[]
  readonly napiWeight: number
  readonly gro: boolean
  /** `rx-gro-list` (fraglist) and `rx-udp-gro-forwarding`. */
  readonly groList: boolean
  readonly udpGroForwarding: boolean
  readonly groMaxSizeBytes: number
  readonly xdp: XdpPlan | null
  /** VLAN ids with a VLAN device on top. */
  readonly vlans: readonly number[]
  /** What those devices have of their own, in the order of `vlans`; left out where they are only received on. */
  readonly vlanDevices?: readonly VlanPlan[]
  /** `none`, or a built-in rx_handler: `count` passes each packet on after counting it (a bond's or bridge's seat). */
  readonly rxHandler: 'none' | 'pass' | 'consume'
}

export interface QueuePlan {
  /** Index into `vectors`. */
  readonly vectorIndex: number
  /** CPUs of `rps_cpus`, ascending; empty: off. */
  readonly rpsCpus: readonly number[]
  /** All CPUs that masks written later in the run name besides; left out where none is written. */
  readonly laterRpsCpus?: readonly number[]
  readonly rpsFlowCnt: number
}

export interface VectorPlan {
  readonly irq: number
  /** CPUs of `smp_affinity`; the interrupt goes to the first. */
  readonly affinity: readonly number[]
}

export interface NtuplePlan {
  readonly proto: number
  readonly saddr: number | null
  readonly daddr: number | null
  readonly sport: number | null
  readonly dport: number | null
  /** Queue index, or -1 to drop. */
  readonly action: number
}

export interface XdpPlan {
  readonly mode: 'native' | 'generic'
  /** First rule that matches decides; none: pass. */
  readonly rules: readonly (Omit<NtuplePlan, 'action'> & {
    readonly verdict: 'pass' | 'drop' | 'aborted' | 'tx' | 'redirect'
  })[]
}

export type AppKind = 'udp_sink' | 'udp_echo' | 'udp_sender' | 'udp_client' | 'ping' | 'packet_capture' | 'spin'
export type WaitCall = 'recvfrom' | 'recvmmsg' | 'epoll_wait' | 'select' | 'poll'

/** Threads of one program and the sockets they read. */
export interface AppPlan {
  readonly name: string
  /** Namespace it runs in; left out: the initial one. */
  readonly netns?: string
  readonly kind: AppKind
  /** One task per entry: the CPUs it may run on. */
  readonly tasks: readonly (readonly number[])[]
  readonly nice: number
  readonly wait: WaitCall
  /** Messages per `recvmmsg` call, or receives per ready socket after epoll/select/poll. */
  readonly batch: number
  /** Events per `epoll_wait`. */
  readonly maxEvents: number
  readonly epoll: {
    readonly trigger: 'level' | 'edge'
    readonly exclusive: boolean
    /** One epoll instance shared by all tasks, or one each. */
    readonly shared: boolean
    readonly busyPollUsecs: number
    readonly preferBusyPoll: boolean
    readonly busyPollBudget: number
  }
  /** Wait without blocking: the task spins on the call. */
  readonly nonblocking: boolean
  /** User code per message. */
  readonly workPs: number
  /** User code per byte of a message. */
  readonly workPerBytePs: number
  /** Sockets, in creation (bind) order. */
  readonly sockets: readonly SocketPlan[]
  /** `udp_echo`: bytes of the reply payload; 0: as long as the request. */
  readonly replyBytes: number
  /** Messages at most this long are read whole; longer ones are truncated. */
  readonly bufferBytes: number
  /** What a sender or client sends. */
  readonly send?: SendPlan
  /** What a `ping` does beside that. */
  readonly ping?: PingPlan
  /** What a `packet_capture` does. */
  readonly capture?: CapturePlan
}

export interface SocketPlan {
  /** What it is if it is no UDP socket. */
  readonly family?: SocketFamily
  /** Raw sockets: protocol, and ICMP_FILTER with a bit per message type that is kept away. */
  readonly raw?: { readonly protocol: number; readonly icmpFilter: number }
  readonly packet?: PacketSocketPlan
  /** Index of the task that reads it (all tasks for -1: shared). */
  readonly taskIndex: number
  /** Local IPv4 address as unsigned 32-bit number; 0: any. */
  readonly address: number
  readonly port: number
  /** Connected peer, or null. */
  readonly peer: { readonly address: number; readonly port: number } | null
  readonly reuseport: boolean
  readonly reuseaddr: boolean
  /** Value given to SO_RCVBUF, bytes; 0: not set (rmem_default is used). */
  readonly soRcvbuf: number
  readonly soRcvbufForce: boolean
  readonly soBusyPollUsecs: number
  readonly soPreferBusyPoll: boolean
  readonly soBusyPollBudget: number
  readonly soIncomingCpu: number
  /** SO_TIMESTAMP: each message comes with the time it was stamped. */
  readonly soTimestamp: boolean
  readonly udpGro: boolean
  /** Programs that SO_ATTACH_FILTER may give it, and which is attached from the start (position + 1, 0: none). */
  readonly filters?: readonly BpfProgram[]
  readonly attachedFilter?: number
  /** Groups it has joined, each on a device of the host. */
  readonly groups?: readonly { readonly group: number; readonly device: string }[]
  /** Value given to SO_SNDBUF, bytes; left out or 0: not set (wmem_default is used). */
  readonly soSndbuf?: number
  /** SO_PRIORITY; left out: 0. */
  readonly soPriority?: number
  /** SO_BROADCAST; left out: off. */
  readonly broadcast?: boolean
  /** IP_MULTICAST_ALL; left out: on. */
  readonly multicastAll?: boolean
  readonly send?: SendOptionsPlan
  /** Name of the device of SO_BINDTODEVICE, or null. */
  readonly device: string | null
}
