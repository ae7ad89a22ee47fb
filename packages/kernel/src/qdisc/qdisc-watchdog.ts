import { defineSystem, eventList } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { TxQueue } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { Qdisc } from './components.js'

/** Has a discipline run again at a time, or earlier if that was asked for before. */
export type QdiscWatchdog = (queue: number, atPs: number) => void

/** The timer of disciplines that hold packets back. Kernel: net/sched/sch_api.c, qdisc_watchdog_schedule_range_ns */
export const qdiscWatchdog = defineSystem<QdiscWatchdog>(
  'qdisc_watchdog',
  'qdisc',
  'net/sched/sch_api.c, qdisc_watchdog_schedule_range_ns',
  (context) => {
    const { EVENT } = NUMBERS

    const { timerPs, timerSequence } = context.write(Qdisc)
    const { cpu: owner } = context.read(TxQueue)
    const { limitPs } = context.write(Cpu)
    const events = context.system(eventList)
    return (q, atPs) => {
      if (timerPs[q] <= atPs) return
      const cpu = owner[q]
      timerPs[q] = atPs
      timerSequence[q]++
      events.push(cpu, cpu, atPs, EVENT.qdiscTimer, q, timerSequence[q], 0)
      if (atPs < limitPs[cpu]) limitPs[cpu] = atPs
    }
  },
)
