import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { wheelExpiry } from '../defrag/timer-wheel.js'
import { DevView, DevWatchdog } from '../link/components.js'
import { NUMBERS } from '../numbers.js'
import { dynamicQueueLimits } from '../qdisc/dql.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { NetDev } from './components.js'
import { TxQueue, TxSlot } from './tx-components.js'

/** The watchdog over the transmit queues of a device that are this CPU's own. */
export interface TxTimeout {
  /** Starts it, `watchdog_timeo` from now. Kernel: netdev_watchdog_up */
  start(cpu: number, dev: number): void
  /** Kernel: netdev_watchdog_down */
  stop(cpu: number, dev: number): void
  /** It runs out: the queue that was given back to the discipline, 0 for none. Kernel: dev_watchdog */
  expire(cpu: number, dev: number, sequence: number): number
  /** The card has hung up: what it has not fetched is lost, and the queue starts anew. Kernel: mlx5e_tx_reporter_timeout_recover */
  reset(cpu: number, queue: number): void
}

/** Kernel: net/sched/sch_generic.c, netdev_watchdog_up (5 * HZ); drivers set their own */
const WATCHDOG_TIMEO_SEC = 5
/** CPUs round their timers three jiffies apart. Kernel: kernel/time/timer.c, round_jiffies_common */
const SKEW_JIFFIES = 3

/**
 * A queue that has been stopped for longer than `watchdog_timeo` has a card that hangs: the driver resets it. A timer per CPU stands for
 * the one of the device, since each CPU looks at its own queues. Kernel: net/sched/sch_generic.c, dev_watchdog
 */
export const txTimeout = defineSystem<TxTimeout>('dev_watchdog', 'nic', 'net/sched/sch_generic.c', (context) => {
  const { DEV, DROP, EVENT } = NUMBERS

  const t = context.write(TxQueue)
  const { frames, sock, truesize } = context.write(TxSlot)
  const { users, page } = context.write(Skb)
  const { index, firstTx, txCount, txStep } = context.read(NetDev)
  const { sequence: armed } = context.write(DevWatchdog)
  const { bits } = context.read(DevView)
  const { clockPs, number, packetPool } = context.read(Cpu)
  const { cpuRows, hz, jiffyPs } = context.resource(PLAN_CONSTANTS)
  const trace = context.resource(TRACE_SINK)
  const events = context.system(eventList)
  const limits = context.system(dynamicQueueLimits)
  const count = context.system(counters)
  const wfree = context.system(sockWfree)
  const pool = context.system(skbPool)

  function jiffies(cpu: number, ps: number): number {
    return Math.floor(ps / jiffyPs[cpu])
  }

  /** Kernel: kernel/time/timer.c, round_jiffies_common */
  function roundJiffies(cpu: number, jiffy: number): number {
    const skewed = jiffy + number[cpu] * SKEW_JIFFIES
    const rest = skewed % hz[cpu]
    return skewed - rest + (rest < hz[cpu] / 4 ? 0 : hz[cpu]) - number[cpu] * SKEW_JIFFIES
  }

  function arm(cpu: number, dev: number, jiffy: number): void {
    const now = jiffies(cpu, clockPs[cpu])
    const row = index[dev] * cpuRows + cpu
    armed[row]++
    const at = wheelExpiry(now, Math.max(1, roundJiffies(cpu, jiffy) - now))
    events.push(cpu, cpu, at * jiffyPs[cpu], EVENT.txWatchdog, dev, armed[row], 0)
  }

  function owns(cpu: number, dev: number): boolean {
    for (let i = 0; i < txCount[dev]; i++) {
      const queue = firstTx[dev] + i * txStep[dev]
      if (t.cpu[queue] === cpu && t.dev[queue] === dev) return true
    }
    return false
  }

  function reset(cpu: number, queue: number): void {
    for (let at = t.rung[queue]; at !== t.tail[queue]; at = (at + 1) >>> 0) {
      const offset = (at & t.slotMask[queue]) >>> 0
      const slot = t.slotBase[queue] + offset
      count.drop(cpu, DROP.txTimeout, frames[slot], clockPs[cpu])
      if (trace.on) trace.txLost(queue, clockPs[cpu], DROP.txTimeout, true)
      if (sock[slot] !== 0) wfree.free(cpu, sock[slot], truesize[slot])
      if (t.linked[queue] === 0) continue
      const transit = t.skbBase[queue] + offset
      if (page[transit] !== 0) pool.dropPage(transit, packetPool[cpu])
      users[transit] = 0
    }
    t.tail[queue] = t.rung[queue]
    t.stalled[queue] = 0
    t.stopped[queue] = 0
    if (t.clean[queue] === t.tail[queue]) limits.reset(cpu, queue)
  }

  return {
    start(cpu, dev) {
      if (!owns(cpu, dev)) return
      arm(cpu, dev, jiffies(cpu, clockPs[cpu]) + WATCHDOG_TIMEO_SEC * hz[cpu])
    },
    stop(cpu, dev) {
      armed[index[dev] * cpuRows + cpu]++
    },
    expire(cpu, dev, sequence) {
      const row = index[dev] * cpuRows + cpu
      if (armed[row] !== sequence || (bits[row] & (DEV.down | DEV.noCarrier | DEV.inactive)) !== 0) return 0
      const now = jiffies(cpu, clockPs[cpu])
      const timeo = WATCHDOG_TIMEO_SEC * hz[cpu]
      let oldest = now
      let hung = 0
      for (let i = 0; i < txCount[dev] && hung === 0; i++) {
        const queue = firstTx[dev] + i * txStep[dev]
        if (t.cpu[queue] !== cpu || t.dev[queue] !== dev || t.stopped[queue] === 0) continue
        const started = jiffies(cpu, t.transStartPs[queue])
        if (now > started + timeo) hung = queue
        else if (started < oldest) oldest = started
      }
      if (hung !== 0) {
        t.timeouts[hung]++
        if (trace.on) trace.xmitTimeout(cpu, clockPs[cpu], dev, (hung - firstTx[dev]) / txStep[dev])
        reset(cpu, hung)
      }
      arm(cpu, dev, oldest + timeo)
      return hung
    },
    reset,
  }
})
