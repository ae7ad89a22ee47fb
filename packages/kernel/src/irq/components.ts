import { defineComponent, f64, i32, u8 } from '@softnet/ecs'

/** Moderation rules in the order of `IrqVector.moderation`. */
export const MODERATION = { none: 0, delay: 1, gap: 2, eqe: 3, cqe: 4 } as const

/** Hard interrupts waiting at a CPU, one row per CPU entity. */
export const HardirqState = defineComponent(
  'hardirq',
  {
    /** Earliest raised vector's delivery time, ps; Infinity when none. */
    nextPs: f64,
    /** Time at which any vector needs attention, as `vectors.refresh` found it, ps. */
    lineNextPs: f64,
    /** Queue whose lane is to be looked at first, 0 for none, and when, ps: found by `vectors.refresh` too. */
    lookQueue: i32,
    lookQueuePs: f64,
    /** 1: these still hold; 0 once a lane, a mask or a raised vector has changed. */
    isLineKnown: u8,
    /** The CPU's vectors: first row of CpuVector and how many. */
    firstVector: i32,
    vectorCount: i32,
    /** 1: transmit queues interrupt the CPU. */
    sends: u8,
    /** 1: an interrupt was taken; softirqs are looked at on the way out (irq_exit). */
    exitCheck: u8,
  },
  // What was found last follows from where the run was cut, not from the model.
  { undigested: ['lineNextPs', 'lookQueue', 'lookQueuePs', 'isLineKnown'] },
)

/** Vectors of each CPU: row `firstVector + i`. */
export const CpuVector = defineComponent('cpu_vector', { vector: i32 })

/** Deliveries per vector and CPU: row `vectorIndex * cpuRows + cpu`. */
export const IrqCount = defineComponent('irq_count', { count: f64 })

/** Ticks and other local interrupts per CPU: row cpu. */
export const LocalIrq = defineComponent('local_irq', { ticks: f64, hrtimers: f64, idle: u8 })
