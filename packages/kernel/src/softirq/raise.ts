import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { wakeTask } from '../task/wake.js'
import { SoftirqState } from './components.js'

/** Marks softirqs as wanted. */
export interface RaiseSoftirq {
  /** raise_softirq_irqoff: also wakes ksoftirqd when nothing else would run the softirq. */
  raise(cpu: number, vector: number): void
  /** __raise_softirq_irqoff: sets the bit only. */
  raiseBit(cpu: number, vector: number): void
  wakeKsoftirqd(cpu: number): void
}

/** Raising of softirqs. Kernel: kernel/softirq.c, raise_softirq_irqoff */
export const raiseSoftirq = defineSystem<RaiseSoftirq>(
  'raise_softirq',
  'softirq',
  'kernel/softirq.c, raise_softirq_irqoff',
  (context) => {
    const { CONTEXT } = NUMBERS

    const { pending, active, bhDisabled, ksoftirqd } = context.write(SoftirqState)
    const { context: cpuContext, clockPs } = context.read(Cpu)
    const trace = context.resource(TRACE_SINK)
    const wake = context.system(wakeTask)
    return {
      raise(cpu, vector) {
        pending[cpu] |= 1 << vector
        if (trace.on) trace.softirqRaise(cpu, clockPs[cpu], vector)
        const inInterrupt = cpuContext[cpu] === CONTEXT.hardirq || active[cpu] !== 0 || bhDisabled[cpu] !== 0
        if (!inInterrupt) wake(cpu, ksoftirqd[cpu])
      },
      raiseBit(cpu, vector) {
        pending[cpu] |= 1 << vector
        if (trace.on) trace.softirqRaise(cpu, clockPs[cpu], vector)
      },
      wakeKsoftirqd(cpu) {
        wake(cpu, ksoftirqd[cpu])
      },
    }
  },
)
