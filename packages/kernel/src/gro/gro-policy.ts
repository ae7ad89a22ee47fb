import { KERNEL_VERSIONS, type KernelVersion } from '@softnet/scenario/plan'
import { TCP_CWR, TCP_FIN, TCP_PSH } from '@softnet/wire'

/** How one kernel version groups packets. */
export interface GroPolicy {
  /** Hash mask that picks the bucket; 0 where a NAPI has one list. */
  readonly bucketMask: number
  /** Packets one bucket can hold. Kernel: net/core/gro.c, MAX_GRO_SKBS */
  readonly perBucket: number
  /** False where every finished packet goes up by itself (before 5.4). */
  readonly batches: boolean
  /** Bits of `Skb.tcpWord` in which merged segments may differ. Kernel: net/ipv4/tcp_offload.c, tcp_gro_receive */
  readonly tcpFreeBits: number
  /** A constant IP id without DF is a flow too (6.18). Kernel: include/net/gro.h, inet_gro_flush */
  readonly fixedIdWithoutDf: boolean
  /** UDP sockets can ask for segments (5.0). */
  readonly udp: boolean
  /** UDP compares ttl, tos, DF and IP id as TCP does (6.10). */
  readonly udpNetworkFlush: boolean
  /** NETIF_F_GRO_FRAGLIST chains UDP packets (5.6). */
  readonly udpList: boolean
  /** NETIF_F_GRO_FRAGLIST chains TCP segments (6.10). */
  readonly tcpList: boolean
  /** NETIF_F_GRO_UDP_FWD (5.12). */
  readonly udpForwarding: boolean
  /** gro_max_size of a device counts for IPv4 (6.3); a fixed 65536 before. */
  readonly maxSizeSettable: boolean
  /** Copybreak heads are page fragments that can be stolen (before 5.10; kmalloc since). Kernel: __napi_alloc_skb */
  readonly copiedHeadIsPage: boolean
}

type OfferedPolicy = Omit<GroPolicy, 'bucketMask' | 'perBucket' | 'batches' | 'fixedIdWithoutDf' | 'udp'>

const V414: OfferedPolicy = {
  tcpFreeBits: TCP_FIN | TCP_PSH | TCP_CWR,
  udpNetworkFlush: false,
  udpList: false,
  tcpList: false,
  udpForwarding: false,
  maxSizeSettable: false,
  copiedHeadIsPage: true,
}

const V65: OfferedPolicy = {
  ...V414,
  udpList: true,
  udpForwarding: true,
  maxSizeSettable: true,
  copiedHeadIsPage: false,
}

const V618: OfferedPolicy = {
  ...V65,
  tcpFreeBits: TCP_FIN | TCP_PSH,
  udpNetworkFlush: true,
  tcpList: true,
}

const OFFERED: Readonly<Record<KernelVersion, OfferedPolicy>> = {
  '4.14': V414,
  '4.18': V414,
  '5.1': V414,
  '6.5': V65,
  '6.18': V618,
}

/** GRO rules of a kernel version. */
export function groPolicy(kernel: KernelVersion): GroPolicy {
  const version = KERNEL_VERSIONS[kernel]
  return {
    ...OFFERED[kernel],
    bucketMask: version.groBuckets - 1,
    perBucket: version.groPerBucket,
    batches: version.groNormalBatch > 1,
    fixedIdWithoutDf: version.groFixedIdWithoutDf,
    udp: version.udpGro,
  }
}
