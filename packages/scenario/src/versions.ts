/** What differs between kernel versions, as data. Kernel: the release notes of each row are in its field's comment. */
import type { KernelVersion } from './plan.js'

/** Policies of one kernel version that change what a run counts. */
export interface VersionPolicy {
  readonly version: KernelVersion
  /** Whether a softirq runs at interrupt exit although ksoftirqd is runnable (6.5 and later). Kernel: kernel/softirq.c, irq_exit. */
  readonly softirqInlineWhileKsoftirqd: boolean
  /** Whether NET_RX is left unraised while net_rx_action runs (6.4). Kernel: net/core/dev.c, ____napi_schedule. */
  readonly inNetRxAction: boolean
  /** Whether net_rx_action starts over when its own polls scheduled more, with the budget left. */
  readonly netRxRestart: boolean
  /** Hash buckets of held GRO packets: 8 since 4.19, one list before. Kernel: net/core/gro.c, GRO_HASH_BUCKETS. */
  readonly groBuckets: number
  /** Packets held per bucket. Kernel: net/core/gro.c, MAX_GRO_SKBS. */
  readonly groPerBucket: number
  /** Packets held per NAPI in all. */
  readonly groTotal: number
  /** Segments handed up together (5.4). Kernel: net/core/hotdata.c, gro_normal_batch. */
  readonly groNormalBatch: number
  /** Segments a message may be cut into by UDP_SEGMENT (4.18), 0: it does not exist. Kernel: include/linux/udp.h, UDP_MAX_SEGMENTS. */
  readonly udpSegmentsMax: number
  /** Whether UDP segments can merge (5.0). Kernel: net/ipv4/udp_offload.c, udp_gro_receive. */
  readonly udpGro: boolean
  /** Whether segments with a fixed IP id merge without DF (6.18). */
  readonly groFixedIdWithoutDf: boolean
  /** Test of a full UDP socket. `overshoot`: one packet beyond the limit fits; `exact`: none does. Kernel: net/ipv4/udp.c, __udp_enqueue_schedule_skb. */
  readonly udpRcvbufRule: 'overshoot' | 'exact'
  /** Whether a datagram passes a list of producers before the receive queue (6.18): one that finds no memory there moves no SNMP counter. Kernel: net/ipv4/udp.c, __udp_enqueue_schedule_skb. */
  readonly udpProducerQueue: boolean
  /** Whether a datagram without memory counts in MemErrors (5.11), before 6.18. */
  readonly udpMemErrors: boolean
  /** Whether a UDP socket asks only for the bytes it lacks (6.2), or for the whole datagram. Kernel: net/ipv4/udp.c, udp_rmem_schedule. */
  readonly udpMemNeedOnly: boolean
  /** Whether each CPU keeps up to a megabyte to itself before it moves the total (6.0). Kernel: include/net/proto_memory.h, sk_memory_allocated_add. */
  readonly udpMemPerCpu: boolean
  /** Whether the backlog's head counter moves per packet, or once per poll call (6.18). Kernel: net/core/dev.c, process_backlog. */
  readonly backlogHeadPerPacket: boolean
  /** Slot of a flow in the RFS table. Kernel: net/core/dev.c, rfs_slot. */
  readonly rfsSlot: 'mask' | 'hash_32'
  /** Slot of a flow in the flow-limit table. Kernel: net/core/dev.c, skb_flow_limit. */
  readonly flowLimitSlot: 'mask' | 'hash_32'
  /** Columns of /proc/net/softnet_stat. Kernel: net/core/net-procfs.c, softnet_seq_show. */
  readonly softnetColumns: number
  /** Whether drops carry a reason that tools can read. */
  readonly dropReasons: boolean
  /** Whether generic XDP runs before RPS. Kernel: net/core/dev.c, do_xdp_generic. */
  readonly genericXdpBeforeRps: boolean
  /** Whether napi_defer_hard_irqs exists (5.8). */
  readonly napiDeferHardIrqs: boolean
  /** Whether threaded NAPI exists (5.12). */
  readonly threadedNapi: boolean
  /** Whether SO_PREFER_BUSY_POLL and SO_BUSY_POLL_BUDGET exist (5.11). */
  readonly preferBusyPoll: boolean
  /** Whether an epoll instance has busy-poll parameters of its own (6.9). Kernel: fs/eventpoll.c, EPIOCSPARAMS. */
  readonly epollParams: boolean
  /** Whether irq-suspend-timeout exists (6.13). */
  readonly irqSuspend: boolean
  /** Whether connected UDP sockets have a four-tuple table of their own (6.13). Kernel: net/ipv4/udp.c, udp4_lib_lookup4. */
  readonly udpHash4: boolean
  /** Whether a bound address adds to the score of a UDP socket (4.14). */
  readonly udpScoreBoundAddress: boolean
  /** Whether SO_INCOMING_CPU decides within a reuseport group (6.2). */
  readonly reuseportIncomingCpu: boolean
  /** Whether a UDP reader sends read sk_buffs home to the CPU that allocated them (6.18). Kernel: net/ipv4/udp.c, skb_consume_udp. */
  readonly udpDeferFree: boolean
  /** Whether DIM measures afresh after each decision. From 4.16 to 4.20 it kept its first, empty sample. Kernel: 4.18 include/linux/net_dim.h, net_dim. */
  readonly dimNewSample: boolean
  /** Whether all of 0.0.0.0/8 is no address, instead of 0.0.0.0 alone (before 5.3). Kernel: include/linux/in.h, ipv4_is_zeronet. */
  readonly zeronetSlash8: boolean
  readonly scheduler: 'cfs' | 'eevdf'
  /** Head cache of small sk_buffs, bytes; 0 before 6.3. Kernel: net/core/skbuff.c, SKB_SMALL_HEAD_CACHE_SIZE. */
  readonly smallHeadBytes: number
  /** Smallest kmalloc bucket an skb head can come from, bytes. */
  readonly smallestHeadBucketBytes: number
  /** net.core.rmem_max. */
  readonly rmemMax: number
  /** net.core.skb_defer_max; 0 where skbs are always freed by their reader (before 5.19). */
  readonly skbDeferMax: number
  /** Channels of a NIC by default: one per CPU up to this many. */
  readonly defaultQueuesMax: number
}

const v618: VersionPolicy = {
  version: '6.18',
  softirqInlineWhileKsoftirqd: true,
  inNetRxAction: true,
  netRxRestart: true,
  groBuckets: 8,
  groPerBucket: 8,
  groTotal: 64,
  groNormalBatch: 8,
  udpSegmentsMax: 128,
  udpGro: true,
  groFixedIdWithoutDf: true,
  udpRcvbufRule: 'exact',
  udpProducerQueue: true,
  udpMemErrors: false,
  udpMemNeedOnly: true,
  udpMemPerCpu: true,
  backlogHeadPerPacket: false,
  rfsSlot: 'hash_32',
  flowLimitSlot: 'hash_32',
  softnetColumns: 15,
  dropReasons: true,
  genericXdpBeforeRps: false,
  napiDeferHardIrqs: true,
  threadedNapi: true,
  preferBusyPoll: true,
  epollParams: true,
  irqSuspend: true,
  udpHash4: true,
  udpScoreBoundAddress: false,
  reuseportIncomingCpu: true,
  udpDeferFree: true,
  dimNewSample: true,
  zeronetSlash8: false,
  scheduler: 'eevdf',
  smallHeadBytes: 576,
  smallestHeadBucketBytes: 1024,
  rmemMax: 4_194_304,
  skbDeferMax: 64,
  defaultQueuesMax: Number.MAX_SAFE_INTEGER,
}

const v65: VersionPolicy = {
  ...v618,
  version: '6.5',
  udpSegmentsMax: 64,
  groFixedIdWithoutDf: false,
  udpRcvbufRule: 'overshoot',
  udpProducerQueue: false,
  udpMemErrors: true,
  backlogHeadPerPacket: true,
  rfsSlot: 'mask',
  flowLimitSlot: 'mask',
  epollParams: false,
  irqSuspend: false,
  udpHash4: false,
  udpDeferFree: false,
  scheduler: 'cfs',
  smallHeadBytes: 640,
  rmemMax: 212_992,
}

const v51: VersionPolicy = {
  ...v65,
  version: '5.1',
  zeronetSlash8: true,
  softirqInlineWhileKsoftirqd: false,
  inNetRxAction: false,
  netRxRestart: false,
  udpMemErrors: false,
  udpMemNeedOnly: false,
  udpMemPerCpu: false,
  groNormalBatch: 1,
  softnetColumns: 11,
  dropReasons: false,
  genericXdpBeforeRps: true,
  napiDeferHardIrqs: false,
  threadedNapi: false,
  preferBusyPoll: false,
  reuseportIncomingCpu: false,
  smallHeadBytes: 0,
  smallestHeadBucketBytes: 512,
  skbDeferMax: 0,
  defaultQueuesMax: 8,
}

const v414: VersionPolicy = {
  ...v51,
  version: '4.14',
  groBuckets: 1,
  groTotal: 8,
  udpGro: false,
  udpSegmentsMax: 0,
  udpScoreBoundAddress: true,
}

const v418: VersionPolicy = { ...v414, version: '4.18', udpSegmentsMax: 64, dimNewSample: false }

/** Policies by version, oldest first. */
export const KERNEL_VERSIONS: Readonly<Record<KernelVersion, VersionPolicy>> = {
  '4.14': v414,
  '4.18': v418,
  '5.1': v51,
  '6.5': v65,
  '6.18': v618,
}

/** Names of the known versions, oldest first. */
export const KERNEL_VERSION_NAMES: readonly KernelVersion[] = ['4.14', '4.18', '5.1', '6.5', '6.18']
