import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { NUMBERS } from '../numbers.js'
import { NO_TRACE, type TraceSink } from '../observe/trace-sink.js'
import { ContextTime, Cpu, StageCostTable, StageTime } from './components.js'

/** Charges `units` units of a stage to a CPU: its clock, its context and the stage. */
export type Charge = (cpu: number, stage: number, units: number) => void

/** True while a sink wants to know of charges; captures do not. */
function wanted(trace: TraceSink): boolean {
  return trace.charge !== NO_TRACE.charge
}

/** Tells a sink what a charge moved; bound only while something is traced, so that it costs nothing otherwise. */
function traced(run: Charge, trace: TraceSink, clockPs: Float64Array, context: Uint8Array): Charge {
  return (cpu, stage, units) => {
    const startPs = clockPs[cpu]
    run(cpu, stage, units)
    trace.charge(cpu, startPs, clockPs[cpu], context[cpu], stage, units)
  }
}

/**
 * Charges work to a CPU in whole picoseconds, so that the times of all contexts add up exactly to elapsed time.
 * A busy SMT sibling makes everything dearer.
 */
export const charge = defineSystem<Charge>(
  'charge',
  'cpu',
  'kernel/sched/cputime.c, account_system_time',
  (context) => {
    const { CONTEXT_ROWS, STAGE_ROWS } = NUMBERS

    const { clockPs, context: cpuContext, slowdown, lastCharge } = context.write(Cpu)
    const { ps: contextPs } = context.write(ContextTime)
    const { ps: stagePs } = context.write(StageTime)
    const { ps: costPs } = context.read(StageCostTable)
    const trace = context.resource(TRACE_SINK)
    const run: Charge = (cpu, stage, units) => {
      const row = cpu * STAGE_ROWS + stage
      const factor = slowdown[cpu]
      let ps = costPs[row] * units
      // Prices and units are whole, so only a busy sibling makes a fraction.
      if (factor !== 1) ps = Math.floor(ps * factor)
      const at = cpuContext[cpu]
      clockPs[cpu] += ps
      lastCharge[cpu] = at * STAGE_ROWS + stage
      contextPs[cpu * CONTEXT_ROWS + at] += ps
      stagePs[row] += ps
    }
    return wanted(trace) ? traced(run, trace, clockPs, cpuContext) : run
  },
)

/** Charges two stages that follow each other, as `charge` would one after the other. */
export type ChargePair = (cpu: number, stage: number, units: number, second: number, secondUnits: number) => void

/** Two charges for little more than the price of one: clock and context move once. */
export const chargePair = defineSystem<ChargePair>(
  'charge_pair',
  'cpu',
  'kernel/sched/cputime.c, account_system_time',
  (context) => {
    const { CONTEXT_ROWS, STAGE_ROWS } = NUMBERS

    const { clockPs, context: cpuContext, slowdown, lastCharge } = context.write(Cpu)
    const { ps: contextPs } = context.write(ContextTime)
    const { ps: stagePs } = context.write(StageTime)
    const { ps: costPs } = context.read(StageCostTable)
    if (wanted(context.resource(TRACE_SINK))) {
      const spend = context.system(charge)
      return (cpu, stage, units, second, secondUnits) => {
        spend(cpu, stage, units)
        spend(cpu, second, secondUnits)
      }
    }
    return (cpu, stage, units, second, secondUnits) => {
      const row = cpu * STAGE_ROWS + stage
      const secondRow = cpu * STAGE_ROWS + second
      const factor = slowdown[cpu]
      let ps = costPs[row] * units
      let secondPs = costPs[secondRow] * secondUnits
      if (factor !== 1) {
        ps = Math.floor(ps * factor)
        secondPs = Math.floor(secondPs * factor)
      }
      const at = cpuContext[cpu]
      clockPs[cpu] += ps + secondPs
      lastCharge[cpu] = at * STAGE_ROWS + second
      contextPs[cpu * CONTEXT_ROWS + at] += ps + secondPs
      stagePs[row] += ps
      stagePs[secondRow] += secondPs
    }
  },
)

/** Charges a time given in ps (user work, C-state exit) to a stage. */
export const chargePs = defineSystem<Charge>(
  'charge_ps',
  'cpu',
  'kernel/sched/cputime.c, account_user_time',
  (context) => {
    const { CONTEXT_ROWS, STAGE_ROWS } = NUMBERS

    const { clockPs, context: cpuContext, slowdown, lastCharge } = context.write(Cpu)
    const { ps: contextPs } = context.write(ContextTime)
    const { ps: stagePs } = context.write(StageTime)
    const trace = context.resource(TRACE_SINK)
    const run: Charge = (cpu, stage, time) => {
      const ps = Math.floor(time * slowdown[cpu])
      clockPs[cpu] += ps
      lastCharge[cpu] = cpuContext[cpu] * STAGE_ROWS + stage
      contextPs[cpu * CONTEXT_ROWS + cpuContext[cpu]] += ps
      stagePs[cpu * STAGE_ROWS + stage] += ps
    }
    if (!wanted(trace)) return run
    // The time is a quantity, not a number of anything.
    return (cpu, stage, time) => {
      const startPs = clockPs[cpu]
      run(cpu, stage, time)
      trace.charge(cpu, startPs, clockPs[cpu], cpuContext[cpu], stage, 1)
    }
  },
)
