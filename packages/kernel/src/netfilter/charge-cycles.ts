import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'

/** Charges cycles to a stage: what is priced finer than by stages. */
export type ChargeCycles = (cpu: number, stage: number, cycles: number) => void

/** Turns cycles into time at the CPU's clock. Kernel: kernel/sched/cputime.c, account_system_time */
export const chargeCycles = defineSystem<ChargeCycles>(
  'charge_cycles',
  'cpu',
  'kernel/sched/cputime.c, account_system_time',
  (context) => {
    const spend = context.system(chargePs)
    const { host, number } = context.read(Cpu)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const psPerCycle = Float64Array.from({ length: cpuRows }, (_, cpu) => {
      const frequencyHz = plan.hosts[host[cpu]]?.cpus[number[cpu]]?.frequencyHz
      return frequencyHz === undefined ? 0 : 1e12 / frequencyHz
    })
    return (cpu, stage, cycles) => spend(cpu, stage, cycles * psPerCycle[cpu])
  },
)
