import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Frames on the lane of a masked vector are looked at in blocks of this many at the latest: half of a lane. */
export const LOOK_FRAMES = 64

/** Bits of `NetDev.features`. */
export const FEATURE = {
  gro: 1,
  groList: 2,
  udpGroForwarding: 4,
  ntuple: 8,
  xdpNative: 16,
  xdpGeneric: 32,
  rxChecksum: 64,
  /** What it does for what is sent: sums up checksums, gathers, cuts UDP datagrams. */
  txChecksum: 128,
  scatterGather: 256,
  udpSegmentation: 512,
  /** The card puts the VLAN tag in (NETIF_F_HW_VLAN_CTAG_TX); else the kernel does, before the driver. */
  vlanTx: 1024,
} as const

/** Bits of `NetDev.iff`. Kernel: include/uapi/linux/if.h, IFF_* */
export const IFF = { up: 1, loopback: 8, pointopoint: 16, noarp: 128 } as const

/** A network device. Constant in a run except counters. */
export const NetDev = defineComponent('net_dev', {
  index: u16,
  host: i32,
  /** Network namespace. */
  net: i32,
  /** Other end of a veth pair, 0 for none. */
  peer: i32,
  mtu: u32,
  macHigh: u16,
  macLow: u32,
  features: u32,
  node: i32,
  running: u8,
  /** First queue entity and number of queues. */
  firstQueue: i32,
  queueCount: u16,
  wire: i32,
  /** 1: flows that RFS moves are steered by the NIC too. */
  arfs: u8,
  /** Driver's rule for received buffers, position in RX_BUFFERS. */
  rxBuffer: u8,
  copybreakBytes: u32,
  /** 1: received pages come from a page_pool. */
  pagePool: u8,
  refillBatch: u16,
  refillRule: u8,
  holdWithoutDescriptor: u8,
  groMaxSizeBytes: u32,
  /** rx_handler: 0 none, 1 pass, 2 consume, 3 another round, 4 harness. */
  rxHandler: u8,
  virtualDevice: u8,
  /** NAPI of a virtual device with NAPI, or 0. */
  napi: i32,
  deferHardIrqs: i32,
  groFlushTimeoutPs: f64,
  irqSuspendTimeoutPs: f64,
  /** Bits of `IFF`. */
  iff: u16,
  /** Who takes what is sent on it, one of `XMIT`. */
  xmit: u8,
  /** 1: hardware addresses of next hops are asked for; 0: everybody on the link is known, as on a wire with traffic sources. */
  arp: u8,
  /** 1: the host's own load leaves by it, so that the way out takes time; else what it sends now and then is gone at once. */
  transmits: u8,
  /** Transmit queues: first row of TxQueue, distance of rows, and how many. */
  firstTx: i32,
  txStep: u16,
  txCount: u16,
})

/** What `ndo_start_xmit` of a device does: hands to a wire, to a program (tun, tap), back to the host, to the other end of a veth pair, to the device a VLAN is on, or to nobody. */
export const XMIT = { none: 0, wire: 1, program: 2, loopback: 3, veth: 4, vlan: 5 } as const

/**
 * Both positions of a lane as they were last shown, where both ends run freely, rows as `RxQueue`; only by atomic operations. In a
 * table of its own: workers that wait look at it again and again.
 */
export const LaneShown = defineComponent('lane_shown', { head: i32, tail: i32 }, { role: 'observer' })

/**
 * The wire's end of a lane, rows as `RxQueue`: in a table of its own, so that what the wire writes shares no cache line with what
 * the CPU does.
 */
export const LaneWriter = defineComponent(
  'lane_writer',
  {
    /** As `RxQueue.laneBase` and `laneMask`. */
    base: i32,
    mask: u32,
    tail: u32,
    /** Position of the CPU as it was last published. */
    headSeen: u32,
    /** Position at which the wire ends its turn, so that the CPU can read what was written. */
    stop: u32,
  },
  { role: 'observer' },
)

/** A receive queue: descriptor ring and the lane its frames arrive on. Owned by the CPU its interrupt targets. */
export const RxQueue = defineComponent(
  'rx_queue',
  {
    dev: i32,
    index: u16,
    vector: i32,
    napi: i32,
    /** CPU that takes its interrupts. */
    cpu: i32,
    /**
     * The lane: a ring of rows of `Skb` between the wire (writes rows, moves `LaneWriter.tail`) and the queue's CPU (reads, moves
     * laneHead). Row of position p is laneBase + (p & laneMask); positions are free-running. Due times never decrease.
     * Each side sees the other's position as it was last published, when neither of them ran, or, where both run
     * freely, as the other has shown it (`LaneShown`).
     */
    laneBase: i32,
    laneMask: u32,
    laneHead: u32,
    laneTailSeen: u32,
    /** Ring slots: first row of `RingSlot`, mask, positions. */
    ringBase: i32,
    ringMask: u32,
    ringHead: u32,
    ringTail: u32,
    /** Descriptors of the ring (ethtool -G rx). */
    ringSize: u32,
    /** Descriptors that hold a free buffer now. */
    descriptors: i32,
    /** 1: the device is closed, and the card takes no frame. */
    closed: u8,
    /** Cleaned but not refilled (cleaned_count). */
    cleaned: i32,
    /** Frames waiting in the packet buffer without a descriptor (hold), a list of packets. */
    heldHead: i32,
    heldTail: i32,
    heldFrames: u32,
    heldBytes: f64,
    packetBufferBytes: f64,
    /** Greatest number of frames in the ring. */
    ringMax: u32,
    frames: f64,
    bytes: f64,
    noBuffer: f64,
    /** Times a frame found no descriptor (rx_no_buffer_count), lost or not. */
    noBufferCount: f64,
    missed: f64,
    polls: f64,
    pollsDone: f64,
    pollsNonEmpty: f64,
    polledPackets: f64,
    /** Bytes of the poll under way. */
    polledBytes: f64,
    allocFailed: f64,
    /** RPS map: first row of `RpsMapSlot`, length. */
    rpsBase: i32,
    rpsLength: u16,
    /** rps_dev_flow_table: first row of `RpsFlow`, log2 size + 1 (0: none). */
    flowBase: i32,
    flowLog: u8,
    xdpDrop: f64,
  },
  {
    references: ['heldHead', 'heldTail'],
    undigested: ['laneHead', 'laneTailSeen', 'ringHead', 'ringTail'],
  },
)

/** Slots of all descriptor rings: packet row in each filled one. */
export const RingSlot = defineComponent('ring_slot', { row: u32 }, { role: 'observer' })

/** An interrupt vector. */
export const IrqVector = defineComponent('irq_vector', {
  irq: u16,
  dev: i32,
  cpu: i32,
  napi: i32,
  /** First queue of the vector, how many, and the queues of other vectors between two of them. */
  firstQueue: i32,
  queueCount: u16,
  queueSkip: u16,
  /** Transmit queues that interrupt by it: first row of TxQueue, distance of rows, and how many. */
  firstTx: i32,
  txSkip: u16,
  txCount: u16,
  /** 1: the device may not raise it (auto-masked until NAPI completes). */
  masked: u8,
  /** 1: raised and waiting for its CPU. */
  raised: u8,
  /** Time the raised interrupt reaches the CPU. */
  raisedPs: f64,
  /** 1: a moderation timer is running. */
  timerArmed: u8,
  /** Time the timer's event is due; and the end of the period, at or after it: frames move it when it starts at a completion. */
  timerPs: f64,
  deadlinePs: f64,
  /** Counts armings, so that a stale timer event is told from the running one. */
  armSequence: i32,
  /** Frames seen since the last interrupt (rx-frames). */
  unsignalled: u32,
  lastIrqPs: f64,
  lastEventPs: f64,
  moderation: u8,
  usecsPs: f64,
  frames: u32,
  adaptive: u8,
  count: f64,
  nonNapi: u8,
  quota: u16,
  /** Task that runs DIM's work item, 0 without DIM. */
  worker: i32,
})

/**
 * Adaptive moderation state (DIM or ITR), one row per vector. All zero is a fresh instance.
 * Kernel: include/linux/dim.h, struct dim; drivers/net/ethernet/intel/ixgbe/ixgbe.h, struct ixgbe_ring_container
 */
export const DimState = defineComponent('dim_state', {
  /** See `DIM_STATE`. */
  state: u8,
  /** Position in the profile table, 0 … 4 (`profile_ix`). */
  profile: u8,
  /** See `DIM_TUNE`. */
  tune: u8,
  stepsLeft: u8,
  stepsRight: u8,
  tired: u8,
  /** Interrupts so far; wraps like the kernel's u16. */
  events: u16,
  /** Sample the measurement started with; packets and bytes wrap at 2^32. */
  startNs: f64,
  startEvents: u16,
  startPackets: u32,
  startBytes: u32,
  /** Rates per ms of the stretch before. */
  previousBpms: i32,
  previousPpms: i32,
  previousEpms: i32,
  /** Interval of the vector, µs (`q_vector->itr >> 2`), 0 … 126. */
  itrUsecs: u8,
  /** What each ring last asked for, with the latency flag 128. */
  rxItr: u8,
  txItr: u8,
  /** First jiffy in which the last update counts as stale (`next_update` + 1). */
  itrStaleJiffy: f64,
  /** Packets and bytes of the vector at the last update. */
  itrPackets: f64,
  itrBytes: f64,
})

/** Queue of a device whose interrupt targets a CPU: row `device index * cpuRows + cpu`, 0 if there is none. */
export const CpuQueue = defineComponent('cpu_queue', { queue: i32 })
