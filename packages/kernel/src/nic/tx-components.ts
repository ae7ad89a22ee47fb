import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Why a transmit queue takes nothing: bits of `TxQueue.stopped`. Kernel: include/linux/netdevice.h, enum netdev_queue_state_t */
export const XOFF = { driver: 1, stack: 2 } as const

/**
 * A transmit queue and the ring behind it. It belongs to the CPU its completions interrupt: that one fills the ring, and
 * takes what the card has sent out of it. Positions are free-running; each side sees the other's as it was last published.
 *
 * ```
 *        clean          done          rung          tail
 *   free  |  sent, not   |  with the   |  no doorbell |  free
 *         |  cleaned     |  card       |  yet         |
 * ```
 */
export const TxQueue = defineComponent(
  'tx_queue',
  {
    dev: i32,
    /** Number among the device's queues. */
    index: u16,
    /** CPU that owns it. */
    cpu: i32,
    wire: i32,
    vector: i32,
    /** Doorbell until the card has the frame, and end of the frame until the completion is written back, ps. */
    fetchPs: f64,
    doneDelayPs: f64,
    /** 1: other hosts are behind the wire, and the packet itself goes along. */
    linked: u8,
    /** First row of `TxSlot` and mask; first row of Skb that takes packets along. */
    slotBase: i32,
    slotMask: u32,
    skbBase: i32,
    ringSize: u32,
    stopBelow: u16,
    wakeAt: u16,
    workLimit: u16,
    /** Time from a completion to its interrupt, ps; −1: by the vector's moderation. */
    usecsPs: f64,
    /** Written by the CPU. */
    tail: u32,
    rung: u32,
    clean: u32,
    /** Completions that the vector has been told of. */
    noticed: u32,
    /** Position of `rung` as the wire knows it; written when it is published. */
    rungSeen: u32,
    /** Written by the wire; and as the CPU knows it. */
    done: u32,
    doneSeen: u32,
    /** Bits of `XOFF`. */
    stopped: u8,
    /** 1: the card fetches nothing; and resets after that (/sys/class/net/DEV/queues/tx-N/tx_timeout). */
    stalled: u8,
    timeouts: f64,
    /** When it was stopped last, or switched on, ps. Kernel: struct netdev_queue, trans_start */
    transStartPs: f64,
    packets: f64,
    bytes: f64,
    /** Times the driver stopped and woke it. */
    stops: f64,
    restarts: f64,
    /** Packets that other CPUs than the queue's own have sent on it. */
    remote: f64,
    /** Greatest number of descriptors in use. */
    ringMax: u32,
  },
  { undigested: ['tail', 'rung', 'clean', 'noticed', 'rungSeen', 'done', 'doneSeen'] },
)

/** Descriptors of all transmit rings. Written by the CPU, but for `donePs`, which the wire writes. */
export const TxSlot = defineComponent(
  'tx_slot',
  {
    /** When the card has it, ps. */
    postPs: f64,
    /** When its completion is in memory, ps. */
    donePs: f64,
    /** Bytes of all its frames, without FCS. */
    bytes: u32,
    /** Bytes of VLAN tags that the card puts in, of all its frames. */
    tagBytes: u32,
    frames: u32,
    /** Request of a client it answers, 0 for none. */
    request: f64,
    /** Socket that is charged for it, 0 for none, and how much. */
    sock: i32,
    truesize: u32,
    /** CPU that made the packet, 0 if it is not known. */
    madeOn: i32,
  },
  { role: 'observer' },
)

/**
 * Byte queue limits of a transmit queue, rows as `TxQueue`. Counters are free-running in 2^32 as `unsigned int` is.
 * Kernel: include/linux/dynamic_queue_limits.h, struct dql
 */
export const Dql = defineComponent('dql', {
  /** 1: limits are kept. */
  on: u8,
  limit: u32,
  numQueued: u32,
  numCompleted: u32,
  adjLimit: u32,
  lastObjCnt: u32,
  prevNumQueued: u32,
  prevOvlimit: u32,
  prevLastObjCnt: u32,
  lowestSlack: u32,
  slackStartPs: f64,
})

/** Transmit queue of a CPU by XPS: row `device index * cpuRows + cpu`; first row of `XpsSlot` and how many. */
export const XpsMap = defineComponent('xps_map', { base: i32, count: u16 })
/** Queues of all XPS maps: rows of TxQueue. */
export const XpsSlot = defineComponent('xps_slot', { queue: i32 })
