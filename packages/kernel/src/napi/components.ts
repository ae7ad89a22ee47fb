import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Bits of `Napi.state`. Kernel: include/linux/netdevice.h, enum { NAPI_STATE_SCHED, … } */
export const NAPIF = {
  sched: 1,
  missed: 2,
  disable: 4,
  npsvc: 8,
  listed: 16,
  inBusyPoll: 64,
  preferBusyPoll: 128,
  threaded: 256,
  schedThreaded: 512,
} as const

/** What `Napi.poll` calls. */
export const POLL_KIND = { device: 0, backlog: 1, veth: 2, tun: 3 } as const

/** A NAPI instance. Written by the CPU that owns it while SCHED is set. */
export const Napi = defineComponent(
  'napi',
  {
    state: u16,
    pollKind: u8,
    weight: i32,
    dev: i32,
    vector: i32,
    firstQueue: i32,
    queueCount: u16,
    /** Queues between two of the instance that belong to others: queue q uses vector q modulo their number. */
    queueSkip: u16,
    /** Transmit queues it cleans: first row of TxQueue, distance of rows, how many; and the poll under way: position, work, bytes. */
    firstTx: i32,
    txSkip: u16,
    txCount: u16,
    txCursor: u16,
    txWork: u16,
    txBytes: u32,
    txDone: u8,
    /** CPU it is scheduled on. */
    cpu: i32,
    /** Next of the list it is on (poll_list, list, repoll); −1 when on none, 0 at the end. */
    next: i32,
    deferCount: i32,
    /** Counts the events that were put on a list for the hrtimer; only the last of them means anything. */
    timerSequence: i32,
    timerArmed: u8,
    /** When the armed hrtimer expires, ps. */
    timerDuePs: f64,
    /** CPU whose list holds the last event, 0 if none, and when that event comes, ps; never after `timerDuePs`. */
    timerCpu: i32,
    timerEventPs: f64,
    thread: i32,
    /** Poll under way: packets done, budget, phase, queue being cleaned. */
    work: i32,
    budget: i32,
    phase: u8,
    cursor: i32,
    cursorWork: i32,
    lastRx: i32,
    /** GRO batch (rx_list): packets waiting and their segments. */
    listCount: i32,
    segCount: i32,
    listHead: i32,
    listTail: i32,
    /** Non-empty GRO buckets, bit mask. */
    groBitmap: u8,
    /** Veth: 1 from scheduling to completion, while senders do not schedule (`rx_notify_masked`). */
    notifyMasked: u8,
    /** Veth: packets in the ptr_ring. Tun: in the write queue. */
    ringHead: i32,
    ringTail: i32,
    ringCount: u32,
    polls: f64,
    busyPolls: f64,
    completes: f64,
  },
  { references: ['listHead', 'listTail', 'ringHead', 'ringTail'] },
)

/** GRO buckets: row `napi * 8 + bucket`; a list with the newest packet first. */
export const GroBucket = defineComponent('gro_bucket', { head: i32, count: u8 }, { references: ['head'] })
