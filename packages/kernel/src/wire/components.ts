import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Shortest frame on Ethernet, without FCS. */
export const MIN_FRAME_BYTES = 60

/** A link and the receive half of the card behind it, one row per wire entity. Constant in a run. */
export const Wire = defineComponent('wire', {
  /** Device entity, and its number among the devices. */
  dev: i32,
  deviceIndex: i32,
  /** Link: picoseconds per byte as whole + rest / denominator. */
  linkWhole: f64,
  linkRest: f64,
  linkDenominator: f64,
  /** Bytes a frame takes on the link besides its own: FCS, preamble, gap. */
  overheadBytes: u32,
  /** Propagation and switch, ps. */
  delayPs: f64,
  /** Last bit (or end of the PCIe transfer) to descriptor written back, ps. */
  dmaLatencyPs: f64,
  /** Chance of a bad FCS × 2^32. */
  errorThreshold: f64,
  /** Random stream of the wire. */
  stream: i32,
  /** PCIe: 1 if there is a cap, and its picoseconds per byte. */
  pcie: u8,
  pcieWhole: f64,
  pcieRest: f64,
  pcieDenominator: f64,
  pcieOverheadBytes: u32,
  /** Bytes that may wait for PCIe. */
  packetBufferBytes: f64,
  /** First row and mask of the ring of `BufferSlot`. */
  bufferBase: i32,
  bufferMask: u32,
  /** Rows of `Source`: firstSource … firstSource + sourceCount − 1. */
  firstSource: i32,
  sourceCount: i32,
  /** 1 if a source of the wire waits for replies. */
  closed: u8,
  firstQueue: i32,
  queueCount: u16,
  /** Rows of `NtupleRule`. */
  ruleBase: i32,
  ruleCount: i32,
  /** Rows of `IndirectionSlot`. */
  indirectionBase: i32,
  indirectionCount: u32,
  /** First row of this wire's key in `ToeplitzWord`. */
  toeplitzBase: i32,
  /** Ports enter the hash: 1 TCP, 2 UDP. */
  hashPorts: u8,
  /** 1: L4 checksums are verified by the card. */
  rxChecksum: u8,
  /** 1: accelerated RFS; rows of `ArfsFilter`. */
  arfs: u8,
  arfsBase: i32,
  arfsMask: u32,
  macHigh: u16,
  macLow: u32,
  /** Serial number of the wire's first frame, and the step to the next: no two wires give the same. */
  serialFirst: f64,
  serialStep: f64,
  /** Transmit queues of the card: first row of TxQueue, distance of rows, and how many. */
  firstTx: i32,
  txStep: u16,
  txCount: u16,
})

/** What a wire has done so far. Written by the wire's partition. */
export const WireState = defineComponent('wire_state', {
  /** End of the last frame on the link, ps, and the part of a picosecond it is late by (× denominator). */
  linkFreePs: f64,
  linkRest: f64,
  /** Last bit of the last frame at the port, ps. */
  portPs: f64,
  /** End of the last PCIe transfer, ps, and its part of a picosecond. */
  pcieFreePs: f64,
  pcieRest: f64,
  /** Due time of the last frame given to a lane, ps; later frames are never due earlier. */
  lastDuePs: f64,
  /** Frames that wait for PCIe: positions in the ring and their bytes. */
  bufferHead: u32,
  bufferTail: u32,
  bufferBytes: f64,
  /** Frames put on the link. */
  frames: f64,
  /** Bytes of those frames without FCS. */
  bytes: f64,
  /** Frames lost to a bad FCS (rx_crc_errors). */
  errors: f64,
  /** Frames lost because the packet buffer was full (rx_missed_errors). */
  missed: f64,
  /** Frames dropped by a rule with action −1. */
  filtered: f64,
  /** Multicast frames that crossed to memory, as the card counts them. */
  multicast: f64,
  /** Frames steered by accelerated RFS. */
  arfsHits: f64,
  /** Sending: end of the last frame on the link, ps, its part of a picosecond, frames and their bytes. */
  txFreePs: f64,
  txRest: f64,
  txFrames: f64,
  txBytes: f64,
  /** Interval of the timeline under way: its row and its end, ps. */
  intervalRow: i32,
  intervalEndPs: f64,
})

/** Times that a wire and the runner tell each other; of a link in the row of the wire that leads it. Doubles in columns are not boxed. */
export const WireTurn = defineComponent(
  'wire_turn',
  {
    /** Next thing that happens, ps; Infinity if nothing is known. */
    nextPs: f64,
    /** Nothing that has not happened yet has an effect on a CPU before this time, ps. */
    boundPs: f64,
    /** How far it may go, ps. Written by the runner. */
    horizonPs: f64,
    /** Sending half: queue with the next frame (0: none), and when its doorbell reaches the card, ps. */
    txQueue: i32,
    txPs: f64,
    /** Links: when the frame in hand reaches the port, ps. */
    arrivePs: f64,
  },
  { role: 'observer' },
)

/** The frame a wire is about to send: decided, but perhaps waiting for room in its lane. One row per wire. */
export const Draft = defineComponent('wire_draft', {
  /** 1: decided and not yet sent. */
  pending: u8,
  source: i32,
  /** When the source wanted to send it, ps. */
  wantPs: f64,
  /** Row of `Flow`, 0 for a replayed frame. */
  flow: i32,
  /** Row of `ReplayFrame`, 0 for a synthetic frame. */
  frame: i32,
  /** Bytes before padding to the Ethernet minimum, without FCS. */
  bytes: u32,
  /** Bits of `MALFORM`. */
  malform: u8,
  /** 1: arrives with a bad FCS. */
  error: u8,
  /** 1: last segment of its train. */
  push: u8,
  /** Request of a closed-loop client, 0 for none. */
  request: f64,
  /** Row of `RequestSlot`, 0 for none. */
  slot: i32,
  /** Queue entity, 0: dropped by a rule. */
  queue: i32,
})

/** Steering of the flow or frame looked at last, one row per wire. */
export const SteerResult = defineComponent('wire_steer', {
  hash: u32,
  /** Queue entity, 0: dropped by a rule. */
  queue: i32,
  /** Bits of `STEER`. */
  bits: u8,
  /** What a filter of accelerated RFS is found by, see `arfsKey`. */
  key: u32,
})

/** Bits of `SteerResult.bits`, `Flow.steer` and `ReplayFrame.steer`. */
export const STEER = {
  /** The hash covers the ports. */
  l4Hash: 1,
  /** A rule decided: RSS and accelerated RFS have no say. */
  rule: 2,
  /** TCP or UDP that accelerated RFS may steer. */
  steerable: 4,
} as const

/** Frames waiting for PCIe, a ring per wire: when their transfer starts, and their bytes. */
export const BufferSlot = defineComponent('wire_buffer', { startPs: f64, bytes: u32 })

/** Rules of `ethtool -N`, in order, all wires. */
export const NtupleRule = defineComponent('ntuple_rule', {
  protocol: u8,
  /** Fields that count: 1 source address, 2 destination address, 4 source port, 8 destination port. */
  fields: u8,
  saddr: u32,
  daddr: u32,
  sport: u16,
  dport: u16,
  /** Queue entity, 0: drop. */
  queue: i32,
})

/** RSS indirection tables of all wires: queue entities. */
export const IndirectionSlot = defineComponent('rss_indirection', { queue: i32 })

/** Words per wire of `ToeplitzWord`. */
export const TOEPLITZ_WORDS = 12 * 256
/** Toeplitz look-up tables of all wires, made from their keys. */
export const ToeplitzWord = defineComponent('toeplitz', { value: i32 }, { role: 'observer' })

/** Filters per device that accelerated RFS can hold. */
export const ARFS_FILTERS = 4096
/** Filters of accelerated RFS: row `arfsBase + (key & arfsMask)`; a newer filter takes the place of an older one. */
export const ArfsFilter = defineComponent('arfs_filter', {
  /** Key of the flow, see `arfsKey`. */
  key: u32,
  /** Queue entity; 0: empty. */
  queue: i32,
})
