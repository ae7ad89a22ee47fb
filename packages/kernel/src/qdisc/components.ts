import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Numbers of the disciplines: `Qdisc.kind`. */
export const QDISC = { noqueue: 0, pfifo_fast: 1, pfifo: 2, bfifo: 3, fq_codel: 4, fq: 5, tbf: 6, noop: 7 } as const

/** Bands of pfifo_fast. */
export const BANDS = 3

/** Answers of a discipline. Kernel: include/linux/netdevice.h, NET_XMIT_* */
export const NET_XMIT = { success: 0, drop: 1, cn: 2 } as const

/** Queueing discipline of a transmit queue, rows as `TxQueue`. Kernel: include/net/sch_generic.h, struct Qdisc */
export const Qdisc = defineComponent(
  'qdisc',
  {
    kind: u8,
    /** Its kind while noop stands in its place. Kernel: struct netdev_queue, qdisc_sleeping */
    sleeping: u8,
    /** Packets, or bytes of bfifo and tbf. */
    limit: f64,
    /** Packets and bytes that wait, those put back included. */
    qlen: u32,
    backlog: f64,
    /** Packets a driver refused, at the head of everything (gso_skb). */
    requeueHead: i32,
    requeueTail: i32,
    /** 1: being run. */
    running: u8,
    /** 1: waits on the output queue of its CPU, and the next there. Kernel: __QDISC_STATE_SCHED */
    scheduled: u8,
    nextOutput: i32,
    /** Packets left of dev_tx_weight, and bytes left of the bulk under way. */
    quota: i32,
    bulkBytes: f64,
    /** What a sender and the card see as now, ps: of two that meet the later one. */
    nowPs: f64,
    /** Watchdog: when it runs out (Infinity: it does not run), and which arming is the last. */
    timerPs: f64,
    timerSequence: i32,
    sentPackets: f64,
    sentBytes: f64,
    drops: f64,
    overlimits: f64,
    requeues: f64,
    /** Greatest backlog, packets. */
    qlenMax: u32,
    /** fq_codel and fq: rows of `QdiscFlow`, lists of new and old flows. */
    flowBase: i32,
    flowCount: u32,
    newHead: i32,
    newTail: i32,
    oldHead: i32,
    oldTail: i32,
    /** fq: flows that wait for their time, first one first, linked by `QdiscFlow.next`; times one was held back. */
    delayedHead: i32,
    throttled: f64,
    quantumBytes: f64,
    initialQuantumBytes: f64,
    flowLimit: u32,
    targetPs: f64,
    intervalPs: f64,
    mtuBytes: u32,
    memoryLimit: f64,
    memoryBytes: f64,
    dropBatch: u16,
    /** fq_codel: 1: packets that can be marked are marked instead of dropped, and how many were. */
    ecn: u8,
    ecnMarks: f64,
    /** fq_codel: packets that have waited longer are marked, ps (Infinity: none), and how many were. */
    ceThresholdPs: f64,
    ceMarks: f64,
    newFlows: f64,
    dropOverlimit: f64,
    dropOvermemory: f64,
    maxPacketBytes: u32,
    flowDrops: f64,
    /** tbf: picoseconds per byte, time the bucket holds, time in it, and when it was looked at last. */
    byteTimePs: f64,
    burstPs: f64,
    maxSizeBytes: f64,
    tokensPs: f64,
    tokensAtPs: f64,
  },
  { references: ['requeueHead', 'requeueTail'] },
)

/** Bands of the fifo disciplines: row `queue * BANDS + band`; lists by Skb.next. */
export const QdiscBand = defineComponent(
  'qdisc_band',
  { head: i32, tail: i32, count: u32 },
  { references: ['head', 'tail'] },
)

/** Flows of fq_codel and fq. Kernel: net/sched/sch_fq_codel.c, struct fq_codel_flow; include/net/codel.h, struct codel_vars */
export const QdiscFlow = defineComponent(
  'qdisc_flow',
  {
    head: i32,
    tail: i32,
    packets: u32,
    bytes: f64,
    deficit: f64,
    /** 0: on no list; 2 (fq): waits for its time. */
    listed: u8,
    /** fq: when its next packet may go, ps; 0: at once. */
    nextPs: f64,
    next: i32,
    /** CoDel. */
    count: u32,
    lastCount: u32,
    dropping: u8,
    firstAbovePs: f64,
    dropNextPs: f64,
  },
  { references: ['head', 'tail'] },
)

/** Disciplines that wait for NET_TX, a list per CPU. Kernel: include/linux/netdevice.h, softnet_data.output_queue */
export const OutputQueue = defineComponent('output_queue', {
  head: i32,
  tail: i32,
  /** The list net_tx_action has taken, and the discipline it runs. */
  taken: i32,
  current: i32,
})
