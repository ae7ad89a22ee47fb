/** A plan, built and ready to be advanced on this thread. */
import { createRunner, type RunnerBuffers } from '@softnet/engine'
import {
  buildModel,
  type CaptureSpec,
  contextSampler,
  createCapture,
  type InspectDocument,
  inspectModel,
  modelPartitions,
  modelProgress,
  reportModel,
} from '@softnet/kernel'
import type { Plan, ResultDocument } from '@softnet/scenario/plan'

/** What a simulation records besides its result. */
export interface SimulationOptions {
  readonly capture?: readonly CaptureSpec[]
}

/** The state of a simulation, for other threads. */
export interface SharedSimulation {
  readonly arena: readonly SharedArrayBuffer[]
  readonly buffers: RunnerBuffers
  /** Names of the partitions, by position. */
  readonly partitions: readonly string[]
}

/** A simulation in this isolate. One per isolate: code bound twice runs several times slower. */
export interface Simulation {
  /** Runs everything strictly before `untilPs`; returns the time reached, ps. `inRounds`: as with several workers. */
  runUntil(untilPs: number, inRounds?: boolean): number
  /** What other threads need to help with this simulation. */
  readonly shared: SharedSimulation
  /** Rounds so far, and partitions run in them. */
  rounds(): { readonly rounds: number; readonly partitions: number }
  /** Workers that take part now. */
  workers(): number
  /** Returns once `count` workers take part. */
  awaitWorkers(count: number): void
  /** Lets the other workers go. */
  release(): void
  /** Simulated time reached, ps. */
  readonly nowPs: number
  /** Wire frames so far. */
  progress(): { offered: number; delivered: number; dropped: number }
  /** All of the result document that the model knows. Ends the account of idle time. */
  report(): Omit<ResultDocument, 'wall_ms' | 'workers' | 'parallel' | 'status' | 'verdict'>
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
  const sampler = contextSampler(model)
  let nowPs = 0
  return {
    runUntil(untilPs, inRounds) {
      for (let at = sampler.nextPs(nowPs); at <= untilPs; at = sampler.nextPs(at)) {
        runner.runUntil(at, inRounds)
        sampler.sample(at)
      }
      runner.runUntil(untilPs, inRounds)
      nowPs = untilPs
      return nowPs
    },
    get nowPs() {
      return nowPs
    },
    shared: { arena: model.world.arena(), buffers: runner.buffers, partitions: partitions.map(({ name }) => name) },
    rounds: () => runner.rounds(),
    workers: () => runner.workers(),
    awaitWorkers: (count) => runner.awaitWorkers(count),
    release: () => runner.release(),
    progress: () => modelProgress(model),
    report() {
      for (const partition of partitions) partition.finish(nowPs)
      return reportModel(model, nowPs)
    },
    takeCapture: (index) => capture?.take(index, nowPs >= plan.durationPs ? Number.POSITIVE_INFINITY : nowPs) ?? [],
    inspect: () => inspectModel(model),
  }
}

/** Helps with a simulation that another thread has built, until that thread lets it go. */
export function helpSimulation(plan: Plan, shared: SharedSimulation, worker: number): void {
  const model = buildModel(plan, {}, shared.arena)
  createRunner(modelPartitions(model), { buffers: shared.buffers, worker }).serve()
}
