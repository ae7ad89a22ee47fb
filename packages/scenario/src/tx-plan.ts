/** The part of the plan that the way out of a device is made from: disciplines, transmit queues, their rings. */

import type { KernelVersion } from './plan.js'

/** Queueing disciplines a transmit queue can have. Kernel: net/sched */
export const QDISC_KINDS = ['noqueue', 'pfifo_fast', 'pfifo', 'bfifo', 'fq_codel', 'fq', 'tbf'] as const

/** Name of a queueing discipline. */
export type QdiscKind = (typeof QDISC_KINDS)[number]

/** A discipline with its parameters; those of other disciplines are 0. */
export interface QdiscPlan {
  readonly kind: QdiscKind
  /** Packets it holds (pfifo, fq_codel, fq; pfifo_fast: per band); bytes of bfifo and tbf. */
  readonly limit: number
  /** fq_codel: flows it tells apart. */
  readonly flows: number
  /** fq_codel, fq: bytes a flow may send in its turn. */
  readonly quantumBytes: number
  /** fq: bytes a new flow may send at first. */
  readonly initialQuantumBytes: number
  /** fq: packets of one flow. */
  readonly flowLimit: number
  /** fq_codel: time in the queue that is accepted, and how long it may be exceeded, ps. */
  readonly targetPs: number
  readonly intervalPs: number
  /** fq_codel: memory of all packets, bytes. */
  readonly memoryBytes: number
  /** fq_codel: what would be dropped is marked where it can be. */
  readonly ecn: boolean
  /** fq_codel: time in the queue from which on what can be marked is marked, ps; 0: never. */
  readonly ceThresholdPs?: number
  /** fq_codel: packets dropped together when it is full. */
  readonly dropBatch: number
  /** tbf: bits per second, and bytes that may go at once. */
  readonly rateBitsPerSec: number
  readonly burstBytes: number
}

/** What a card of a driver family does for what is sent. */
export interface TxOffloads {
  readonly checksum: boolean
  readonly scatterGather: boolean
  /** It cuts UDP datagrams since this version; null: never. */
  readonly udpSegmentationSince: KernelVersion | null
}

/** The way out of a device. */
export interface TxPlan {
  /** Discipline of each transmit queue; with several queues they hang under `mq`. */
  readonly qdisc: QdiscPlan
  /** `txqueuelen`, packets. */
  readonly txqueuelen: number
  /** Descriptors of a transmit ring (`ethtool -G tx`). */
  readonly ring: number
  /** Free descriptors below which the driver stops its queue, and from which it wakes it. */
  readonly stopBelow: number
  readonly wakeAt: number
  /** Byte queue limits are kept. */
  readonly bql: boolean
  /** Time from a completion to its interrupt, ps; -1: as for received frames. */
  readonly usecsPs: number
  /** Completions one poll handles. */
  readonly workLimit: number
  /** What the card does for what is sent (`ethtool -K`): checksums, gathering fragments, cutting UDP datagrams. */
  readonly checksum: boolean
  readonly scatterGather: boolean
  readonly udpSegmentation: boolean
  /** `xps_cpus` of each transmit queue. */
  readonly xpsCpus: readonly (readonly number[])[]
  /** `xps_cpus` is written again later in the run. */
  readonly changesXps?: boolean
}
