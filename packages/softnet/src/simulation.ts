/** A plan, built and ready to be advanced on this thread. */
import { createRunner, type RunnerBuffers } from '@softnet/engine'
import {
  buildModel,
  type CaptureSpec,
  type CaptureState,
  contextSampler,
  createCapture,
  createJourneys,
  createTrace,
  type InspectDocument,
  inspectModel,
  type JourneyRecorder,
  joinSinks,
  modelPartitions,
  modelProgress,
  type Plugin,
  reportModel,
  type TraceRecorder,
  type TraceSpec,
} from '@softnet/kernel'
import type { JourneyQuery, Plan, ResultDocument } from '@softnet/scenario/plan'

/** What a simulation records besides its result. */
export interface SimulationOptions {
  readonly capture?: readonly CaptureSpec[]
  /** What the modules of the plan's plugins export, in its order. */
  readonly plugins?: readonly Plugin[]
  /** Not together with `resume`: what a trace knows of the past is in no column. */
  readonly trace?: TraceSpec
  /** Packets whose way is to be told; not together with `resume` either. */
  readonly journeys?: JourneyQuery
  /** Goes on from here instead of beginning at time 0. */
  readonly resume?: SimulationState
}

/** What observers keep outside of the columns; everything in it is plain data. Every observer has its own entry. */
export interface ObserverState {
  /** null: nothing is captured. */
  readonly capture: CaptureState | null
}

/** Everything a simulation of a plan goes on from. */
export interface SimulationState {
  readonly arena: readonly SharedArrayBuffer[]
  /** Names of the columns in `arena`, in order. */
  readonly columns: readonly string[]
  readonly simulatedPs: number
  readonly observers: ObserverState
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
  /** Names of the columns in `shared.arena`, in order. */
  readonly columns: readonly string[]
  /** What observers keep outside of the columns: with these, all state there is. */
  saveObservers(): ObserverState
  /** Tells waiting workers that the lead is at work on something that takes long. */
  beat(): void
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
  /** The recorder of the trace that was asked for. */
  readonly trace: TraceRecorder | null
  /** What follows the packets that were asked for. */
  readonly journeys: JourneyRecorder | null
  /** Structure of the model. */
  inspect(): InspectDocument
}

/** Builds the simulation of a plan. */
export function createSimulation(plan: Plan, options: SimulationOptions = {}): Simulation {
  const captures = options.capture ?? []
  const capture = captures.length > 0 ? createCapture(plan, captures) : null
  const { resume, plugins = [] } = options
  const trace = options.trace === undefined ? null : createTrace(plan, options.trace)
  const journeys = options.journeys === undefined ? null : createJourneys(options.journeys)
  const sinks = [capture, trace, journeys].flatMap((observer) => (observer === null ? [] : [observer.sink]))
  const model = buildModel(plan, { plugins, trace: joinSinks(sinks) }, resume?.arena)
  const columns = model.world.arenaNames()
  if (resume !== undefined) checkColumns(columns, resume.columns)
  capture?.attach(model)
  const recorder = trace?.attach(model) ?? null
  const follower = journeys?.attach(model) ?? null
  const partitions = modelPartitions(model)
  const runner = createRunner(partitions)
  const sampler = contextSampler(model)
  if (resume?.observers.capture != null) capture?.restore(resume.observers.capture)
  let nowPs = resume?.simulatedPs ?? 0
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
    columns,
    saveObservers: () => ({ capture: capture?.save() ?? null }),
    beat: () => runner.beat(),
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
    trace: recorder,
    journeys: follower,
    inspect: () => inspectModel(model),
  }
}

/** An arena of another structure would be taken for what it is not. */
function checkColumns(columns: readonly string[], given: readonly string[]): void {
  columns.forEach((name, index) => {
    if (given[index] !== name) throw new Error(`column ${index} of the state is ${given[index]}, the model has ${name}`)
  })
}

/** Helps with a simulation that another thread has built, until that thread lets it go. */
export function helpSimulation(
  plan: Plan,
  shared: SharedSimulation,
  worker: number,
  plugins: readonly Plugin[] = [],
): void {
  const model = buildModel(plan, { plugins }, shared.arena)
  createRunner(modelPartitions(model), { buffers: shared.buffers, worker }).serve()
}
