import { defineComponent, f64, i32, u8, u16 } from '@softnet/ecs'

/** How a message travels: as a cache line, as an inter-processor interrupt, or out to the wire. */
export const VIA = { line: 0, ipi: 1, wire: 2 } as const

/** Contexts a CPU can be charged in, in the order of `time_ns` of a result. */
export const CONTEXT = { hardirq: 0, softirq: 1, ksoftirqd: 2, task: 3, idle: 4 } as const

/** Rows of `ContextTime` per CPU. */
export const CONTEXT_ROWS = 8

/** Rows of `StageTime` and `StageCostTable` per CPU. */
export const STAGE_ROWS = 128

/** What CPUs and wires have in common: both own an event list and mailboxes. */
export const Owner = defineComponent(
  'owner',
  {
    /** Owner that leads its partition (the lowest id). */
    partition: i32,
    /** 1: a mailbox it writes to is nearly full; it must not run on before there is room. */
    mailTight: u8,
  },
  // Room in a mailbox depends on when its receiver is advanced.
  { undigested: ['mailTight'] },
)

/** One simulated CPU. Written only by the partition the CPU belongs to. */
export const Cpu = defineComponent(
  'cpu',
  {
    /** How far this CPU's own time has come, ps. An idle CPU's clock stands still until something wakes it. */
    clockPs: f64,
    /** Context charged now, see `CONTEXT`. */
    context: u8,
    /** Frames due up to this time may be taken off the lanes, ps: set by whoever looks at a ring. */
    lookPs: f64,
    /** Earliest event of the CPU as `run_cpu` found it last, ps. */
    nextEventPs: f64,
    /** Time of the next thing the CPU does, as it was found last, ps. */
    nextStepPs: f64,
    /** What is known of the others reaches up to here, ps. */
    horizonPs: f64,
    /** Interval of the timeline under way: its row and its end, ps. */
    intervalRow: i32,
    intervalEndPs: f64,
    /** Context × 64 + stage charged last: what reaches beyond the end of a run is taken back from it. */
    lastCharge: u16,
    /** Steps of the current run stop before this time: the next event or the horizon, ps. */
    limitPs: f64,
    /** Owner of the packet rows this CPU uses (shared by fused CPUs). */
    packetPool: i32,
    /**
     * CPU whose tables of neighbours, ICMP limits, peers, path MTUs and groups this one uses: the first of its host in its
     * partition. Constant in a run.
     */
    home: i32,
    /** Number of `home` among all of them, from 0. Constant in a run. */
    homeNumber: i32,
    /** Everything costs this many times more while the SMT sibling is busy, ≥ 1. */
    slowdown: f64,
    /** The other CPU of the core, 0 if there is none. */
    sibling: i32,
    /** Number among the CPUs that receive for sockets of other partitions, −1 if it does not. */
    source: i32,
    /** Copy of the rps_sock_flow_table its partition reads. */
    flowView: i32,
    /** 1 while neither idle nor halted: what a sibling feels. */
    busy: u8,
    /** 1 if the instruction cache holds something else than the driver's poll. */
    coldPoll: u8,
    /** Position among the host's CPUs: the number Linux prints. */
    number: i32,
    host: i32,
    /** Network namespace it works for: that of the packet, the timer or the task at hand. Kernel: dev_net, sock_net */
    net: i32,
    core: i32,
    llc: i32,
    node: i32,
    /** Next scheduler tick, ps; Infinity while idle (NO_HZ_IDLE). */
    nextTickPs: f64,
  },
  // How far a step may go and what was found to come next follow from where the run was cut, not from the model; the
  // namespace follows from what the CPU does.
  { undigested: ['net', 'lookPs', 'nextEventPs', 'nextStepPs', 'horizonPs', 'limitPs'] },
)

/** Picoseconds per CPU and context: row `cpu * CONTEXT_ROWS + context`. */
export const ContextTime = defineComponent('context_time', { ps: f64 })

/** Picoseconds per CPU and stage: row `cpu * STAGE_ROWS + stage`. */
export const StageTime = defineComponent('stage_time', { ps: f64 })

/** Price of one unit of a stage on a CPU, ps: row `cpu * STAGE_ROWS + stage`. Constant in a run. */
export const StageCostTable = defineComponent('stage_cost', { ps: f64 })
