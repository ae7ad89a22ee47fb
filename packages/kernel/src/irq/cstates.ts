import { defineComponent, defineSystem, f64 } from '@softnet/ecs'
import { COLD_COSTS, PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { ContextTime, Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { LocalIrq } from './components.js'

/** Since when a CPU is idle, and how often it left each state. One row per CPU entity. */
export const IdleState = defineComponent('idle_state', {
  sincePs: f64,
  wakeups: f64,
  exitPs: f64,
})

/** Idle time of CPUs. */
export interface CStatesControl {
  /** The CPU has nothing to run from its clock on. */
  enter(cpu: number): void
  /** Lets an idle CPU sleep until `untilPs`: moves its clock and charges idle. */
  sleepUntil(cpu: number, untilPs: number): void
  /** Lets an idle CPU sleep until its next event. */
  sleepToEvent(cpu: number): void
  /** Ends the idle period; returns the exit latency of the state the CPU was in, ps. */
  leave(cpu: number): number
  idle(cpu: number): boolean
}

/**
 * Idle states: a CPU that was idle for T had reached the deepest state whose target residency is at most T, as if the
 * governor had known. Kernel: drivers/cpuidle/cpuidle.c, cpuidle_enter_state
 */
export const cstates = defineSystem<CStatesControl>(
  'cpuidle',
  'irq',
  'drivers/cpuidle/cpuidle.c, cpuidle_enter_state',
  (context) => {
    const { CONTEXT, CONTEXT_ROWS } = NUMBERS

    const { sincePs, wakeups, exitPs } = context.write(IdleState)
    const { clockPs, nextEventPs, busy, coldPoll, sibling, slowdown } = context.write(Cpu)
    const { smtFactor } = context.resource(COLD_COSTS)
    const { idle } = context.write(LocalIrq)
    const { ps: contextPs } = context.write(ContextTime)
    const constants = context.resource(PLAN_CONSTANTS)
    const states = constants.plan.hosts.flatMap((host) => host.cstates)
    // States of the CPU's host: rows firstState to endState − 1.
    const endOfHost: number[] = []
    for (const { cstates: own } of constants.plan.hosts) endOfHost.push((endOfHost.at(-1) ?? 0) + own.length)
    const endState = perCpu(constants, (_, index) => endOfHost[index])
    const firstState = perCpu(constants, (host, index) => endOfHost[index] - host.cstates.length)
    const residencyPs = new Float64Array(states.map((s) => s.targetResidencyPs))
    const latencyPs = new Float64Array(states.map((s) => s.exitLatencyPs))
    return {
      enter(cpu) {
        idle[cpu] = 1
        busy[cpu] = 0
        if (sibling[cpu] !== 0) slowdown[sibling[cpu]] = 1
        sincePs[cpu] = clockPs[cpu]
      },
      sleepUntil(cpu, untilPs) {
        contextPs[cpu * CONTEXT_ROWS + CONTEXT.idle] += untilPs - clockPs[cpu]
        clockPs[cpu] = untilPs
      },
      sleepToEvent(cpu) {
        const untilPs = nextEventPs[cpu]
        contextPs[cpu * CONTEXT_ROWS + CONTEXT.idle] += untilPs - clockPs[cpu]
        clockPs[cpu] = untilPs
      },
      leave(cpu) {
        if (idle[cpu] === 0) return 0
        idle[cpu] = 0
        busy[cpu] = 1
        const other = sibling[cpu]
        if (other !== 0) {
          slowdown[cpu] = busy[other] !== 0 ? smtFactor : 1
          slowdown[other] = smtFactor
        }
        coldPoll[cpu] = 1
        wakeups[cpu]++
        const slept = clockPs[cpu] - sincePs[cpu]
        let exit = 0
        for (let i = firstState[cpu]; i < endState[cpu]; i++) if (residencyPs[i] <= slept) exit = latencyPs[i]
        exitPs[cpu] += exit
        return exit
      },
      idle: (cpu) => idle[cpu] !== 0,
    }
  },
)
