/** A plan, built and ready to be advanced on this thread. */
import { createRunner } from '@softnet/engine'
import {
  buildModel,
  type CaptureSpec,
  createCapture,
  type InspectDocument,
  inspectModel,
  modelPartitions,
  modelProgress,
  reportModel,
} from '@softnet/kernel'
import type { Plan, ResultDocument } from '@softnet/scenario'

/** What a simulation records besides its result. */
export interface SimulationOptions {
  readonly capture?: readonly CaptureSpec[]
}

/** A simulation in this isolate. One per isolate: code bound twice runs several times slower. */
export interface Simulation {
  /** Runs everything strictly before `untilPs`; returns the time reached, ps. */
  runUntil(untilPs: number): number
  /** Simulated time reached, ps. */
  readonly nowPs: number
  /** Wire frames so far. */
  progress(): { offered: number; delivered: number; dropped: number }
  /** All of the result document that the model knows. Ends the account of idle time. */
  report(): Omit<ResultDocument, 'wall_ms' | 'workers' | 'status' | 'verdict'>
  /** pcapng bytes recorded since the last call, per capture. */
  takeCapture(index: number): Uint8Array[]
  /** Structure of the model. */
  inspect(): InspectDocument
}

/** Builds the simulation of a plan. */
export function createSimulation(plan: Plan, options: SimulationOptions = {}): Simulation {
  const captures = options.capture ?? []
  const capture = captures.length > 0 ? createCapture(plan, captures) : null
  const model = buildModel(plan, capture === null ? {} : { trace: capture.sink })
  capture?.attach(model)
  const partitions = modelPartitions(model)
  const runner = createRunner(partitions)
  let nowPs = 0
  return {
    runUntil(untilPs) {
      runner.runUntil(untilPs)
      nowPs = untilPs
      return nowPs
    },
    get nowPs() {
      return nowPs
    },
    progress: () => modelProgress(model),
    report() {
      for (const partition of partitions) partition.finish(nowPs)
      return reportModel(model, nowPs)
    },
    takeCapture: (index) => capture?.take(index, nowPs >= plan.durationPs ? Number.POSITIVE_INFINITY : nowPs) ?? [],
    inspect: () => inspectModel(model),
  }
}
