import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** How full an input_pkt_queue is: below half of netdev_max_backlog; half or more; so full that nothing is taken. */
export const BACKLOG_LEVEL = { low: 0, half: 1, full: 2 } as const

/** `struct softnet_data`, one row per CPU entity. Kernel: include/linux/netdevice.h */
export const Softnet = defineComponent(
  'softnet',
  {
    /** Instances waiting for net_rx_action. */
    pollHead: i32,
    pollTail: i32,
    inNetRx: u8,
    /** Backlog: input_pkt_queue and process_queue, lists of packets. */
    inputHead: i32,
    inputTail: i32,
    inputCount: u32,
    processHead: i32,
    processTail: i32,
    processCount: u32,
    inputMax: u32,
    backlogNapi: i32,
    /** CPUs to send an IPI to, newest first, linked by `BacklogView.ipiNext`. */
    ipiHead: i32,
    /** CPUs whose packets came since the backlog was last idle, linked by `BacklogServed.next`. */
    servedHead: i32,
    /** u32 free-running counters of the backlog for RFS. */
    queueHead: u32,
    queueTail: u32,
    /** Packets taken from process_queue by the process_backlog call under way. */
    backlogWork: i32,
    /** A packet from CPU n set SCHED and its IPI has not come yet: that CPU, else 0. */
    owedBy: i32,
    processed: f64,
    dropped: f64,
    timeSqueeze: f64,
    squeezeBudget: f64,
    squeezeTime: f64,
    receivedRps: f64,
    flowLimitCount: f64,
    flowLimitOn: u8,
    flowHistoryHead: u8,
    /** How full input_pkt_queue is, as CPUs with a flow limit were told last: see `BACKLOG_LEVEL`. */
    inputLevel: u8,
    deferCount: i32,
    deferIpi: u8,
    calIpis: f64,
    resIpis: f64,
  },
  { references: ['inputHead', 'inputTail', 'processHead', 'processTail'] },
)

/** flow_limit history: row `cpu * 128 + position`; bucket numbers. */
export const FlowHistory = defineComponent('flow_history', { bucket: u16 })
/** flow_limit buckets: row `slot * tableLength + bucket` for the CPUs that have a table. */
export const FlowBucket = defineComponent('flow_bucket', { count: u8 })

/** RPS maps of all queues: CPU entities. */
export const RpsMapSlot = defineComponent('rps_map', { cpu: i32 })
/** rps_dev_flow tables of all queues: CPU number (0xffff none), filter and last tail. */
export const RpsFlow = defineComponent('rps_flow', { cpu: u16, lastTail: u32, filter: u16, hash: u32 })
/** rps_sock_flow_table, a copy per partition that steers: row `view * length + slot`. */
export const SockFlow = defineComponent('sock_flow', { entry: u32 })

/**
 * What CPU `from` believes of the backlog of CPU `to`, as old as the line transfer between them: row
 * `from * cpuRows + to`.
 */
export const BacklogView = defineComponent('backlog_view', {
  /** 1: `to`'s backlog is scheduled, or an IPI to it is on its way. */
  scheduled: u8,
  /** Packets of `from` that `to` has taken, and that `from` has sent. */
  taken: u32,
  sent: u32,
  /** Next CPU on `from`'s list of IPIs to send. */
  ipiNext: i32,
  /** How full `to`'s input_pkt_queue is, see `BACKLOG_LEVEL`; kept for CPUs with a flow limit only. */
  level: u8,
  /** Packets for `to` that the flow limit of `from` has dropped: part of `to`'s softnet_stat.dropped. */
  dropped: f64,
})

/** What CPU `to` has taken from CPU `from`: row `to * cpuRows + from`. */
export const BacklogServed = defineComponent('backlog_served', {
  taken: u32,
  /** Value `from` was last told. */
  told: u32,
  /** 1: on `to`'s list of CPUs to tell when the backlog goes idle, linked by `next`. */
  listed: u8,
  next: i32,
})

/** Read skbs not yet sent home to the CPU that allocated them: row `reader * cpuRows + home`. */
export const DeferPending = defineComponent('defer_pending', { count: i32 })
