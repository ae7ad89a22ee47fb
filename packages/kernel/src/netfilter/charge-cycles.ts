import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'

/** Charges cycles to a stage: what is priced finer than by stages. */
export interface ChargeCycles {
  /** One entry: the cycles, any number from 0 on. In a column it is not boxed. */
  readonly cycles: Float64Array
  charge(cpu: number, stage: number): void
}

/** Turns cycles into time at the CPU's clock. Kernel: kernel/sched/cputime.c, account_system_time */
export const chargeCycles = defineSystem<ChargeCycles>(
  'charge_cycles',
  'cpu',
  'kernel/sched/cputime.c, account_system_time',
  (context) => {
    const spend = context.system(chargePs)
    const { host, number, slowdown } = context.read(Cpu)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const psPerCycle = Float64Array.from({ length: cpuRows }, (_, cpu) => {
      const frequencyHz = plan.hosts[host[cpu]]?.cpus[number[cpu]]?.frequencyHz
      return frequencyHz === undefined ? 0 : 1e12 / frequencyHz
    })
    const cycles = new Float64Array(1)
    return {
      cycles,
      charge(cpu, stage) {
        const ps = cycles[0] * psPerCycle[cpu]
        // What is charged is whole: a small integer is not boxed on its way.
        spend(cpu, stage, slowdown[cpu] === 1 ? Math.floor(ps) : ps)
      },
    }
  },
)
