/** The part of the plan that programs with packet sockets are made from. */

/** Ways to choose the socket of a fan-out group. Kernel: include/uapi/linux/if_packet.h, PACKET_FANOUT_* */
export const FANOUT_MODES = ['hash', 'lb', 'cpu', 'rollover', 'qm'] as const

/** A way to choose the socket of a fan-out group. */
export type FanoutMode = (typeof FANOUT_MODES)[number]

/** A packet socket. */
export interface PacketSocketPlan {
  /** Device it is bound to; null: all of its namespace. */
  readonly device: string | null
  /** Protocol it is bound to; 3 is ETH_P_ALL. */
  readonly protocol: number
  /** SOCK_DGRAM: without the link header. */
  readonly dgram: boolean
  /** Bytes of a packet that it keeps at most. */
  readonly snapBytes: number
  /** PACKET_IGNORE_OUTGOING. */
  readonly ignoreOutgoing: boolean
  /** PACKET_RX_RING; null: the socket's queue. */
  readonly ring: RingPlan | null
}

/** A ring that is mapped by its reader. */
export interface RingPlan {
  readonly version: 2 | 3
  /** Version 2: bytes of a frame slot; version 3: of a block. */
  readonly slotBytes: number
  readonly slots: number
  /** Version 3: a block that has waited so long is given to the reader, ps. */
  readonly retirePs: number
}

/** What a `packet_capture` does. */
export interface CapturePlan {
  /** Its sockets are one group; null: each gets every packet. */
  readonly fanout: FanoutMode | null
  /** Packets of a task after which it ends; 0: no such limit. */
  readonly maxPackets: number
}
