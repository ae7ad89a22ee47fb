import { defineComponent, f64, i32, u8, u16 } from '@softnet/ecs'

/** Vector numbers; the lowest runs first. Kernel: include/linux/interrupt.h */
export const SOFTIRQ = {
  hi: 0,
  timer: 1,
  netTx: 2,
  netRx: 3,
  block: 4,
  irqPoll: 5,
  tasklet: 6,
  sched: 7,
  hrtimer: 8,
  rcu: 9,
} as const

/** Names in `/proc/softirqs` order. */
export const SOFTIRQ_NAMES = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
] as const

/** Where handle_softirqs stands; it can stop between any two packets. */
export const SOFTIRQ_PHASE = {
  passBegin: 0,
  vectors: 1,
  rxLoop: 2,
  polling: 3,
  passEnd: 4,
  timers: 5,
  netTx: 6,
} as const

/** Softirq state of a CPU, one row per CPU entity. */
export const SoftirqState = defineComponent('softirq', {
  /** Raised vectors, bit mask. */
  pending: u16,
  /** Vectors of this pass not yet run. */
  bits: u16,
  /** 0 not running, 1 inline (irq_exit or bh enable), 2 in ksoftirqd. */
  active: u8,
  phase: u8,
  /** Passes left before ksoftirqd is woken. */
  restarts: i32,
  endJiffy: f64,
  /** Context to return to. */
  returnContext: u8,
  /** net_rx_action under way: budget, deadline, its lists and the instance being polled. */
  budget: i32,
  deadlineJiffy: f64,
  listHead: i32,
  listTail: i32,
  repollHead: i32,
  repollTail: i32,
  polled: i32,
  ksoftirqd: i32,
  /** BH-disabled section of a task: softirqs wait. */
  bhDisabled: u8,
  /** 1: the task passed the end of such a section in this step; what is pending runs there. */
  bhEnabled: u8,
})

/** Runs per CPU and vector: row `cpu * 16 + vector`. */
export const SoftirqCount = defineComponent('softirq_count', { count: f64 })
