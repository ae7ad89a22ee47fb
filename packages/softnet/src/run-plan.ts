/** Runs one plan to its end in slices, inside an isolate. */

import { availableParallelism } from 'node:os'
import type { IsolateContext } from '@softnet/engine'
import type { CaptureSpec } from '@softnet/kernel'
import { diagnose } from '@softnet/observe/verdict'
import type { Plan, ResultDocument } from '@softnet/scenario/plan'
import { CaptureAppender } from './capture-appender.js'
import { createCheckpoints } from './checkpoint/checkpoints.js'
import type { CheckpointTask, OutputState } from './checkpoint/write-checkpoint.js'
import { CrewPolicy, type WorkersAsked } from './crew.js'
import { wallMs } from './host-clock.js'
import type { Simulation, SimulationOptions, SimulationState } from './simulation.js'
import { firstSlicePs, nextSlicePs } from './slice.js'
import type { TracePart } from './trace-file.js'
import { TraceRecording } from './trace-recording.js'

/** One device (or `any`) to record, and the file its pcapng bytes are appended to. */
export interface CapturePart extends CaptureSpec {
  readonly file: string
}

/** What an isolate needs to run a plan. */
export interface PlanPayload {
  readonly plan: Plan
  readonly captures: readonly CapturePart[]
  /** Worker threads; 1 if it is not given. */
  readonly workers?: WorkersAsked
  /** A trace to write; not together with checkpoints. */
  readonly trace?: TracePart
  /** Checkpoints to write; none if it is not given. */
  readonly checkpoint?: CheckpointTask
  /** Where to go on; without it the run begins at time 0. */
  readonly resume?: Omit<SimulationState, 'observers'> & { readonly outputs: OutputState }
}

const PS_PER_NS = 1000

/** How far a run is. */
export interface Progress {
  /** Simulated time reached, ps. */
  readonly simulatedPs: number
  /** Simulated time of the whole run, ps. */
  readonly durationPs: number
  /** Wall time since the run began, ms. */
  readonly elapsedMs: number
  /** Wire frames so far. */
  readonly offered: number
  readonly delivered: number
  readonly dropped: number
}

/** What creates a simulation; the kernel's `createSimulation` outside of tests. */
export type SimulationFactory = (plan: Plan, options?: SimulationOptions) => Simulation

/**
 * Runs a plan until its duration or a requested stop, reports progress after each slice, and returns the result.
 *
 * Where slices end changes no result: the simulation is only asked to go on.
 */
export function runPlanWith(
  createSimulation: SimulationFactory,
  payload: PlanPayload,
  context: Pick<IsolateContext<Progress>, 'post' | 'stopRequested' | 'recruit' | 'show'>,
): ResultDocument {
  const { plan, captures, resume, trace: part } = payload
  const startedMs = wallMs()
  const capture = captures.map(({ host, dev }) => ({ host, dev }))
  const state = resume === undefined ? {} : { resume: { ...resume, observers: resume.outputs.observers } }
  const simulation = createSimulation(plan, { capture, ...state, ...(part === undefined ? {} : { trace: part }) })
  const trace = part === undefined || simulation.trace === null ? null : new TraceRecording(part, simulation.trace)
  const { buffers, partitions } = simulation.shared
  context.show({ buffers, partitions })
  const appenders = captures.map(({ file }, index) => new CaptureAppender(file, resume?.outputs.captures[index]))
  const checkpoints = createCheckpoints(payload.checkpoint, plan, simulation, appenders)
  const crew = startCrew(simulation, payload, context)
  try {
    let reachedPs = resume?.simulatedPs ?? 0
    let slicePs = firstSlicePs()
    while (reachedPs < plan.durationPs && !context.stopRequested()) {
      const untilPs = Math.min(plan.durationPs, reachedPs + slicePs, checkpoints.nextPs())
      const sliceStartMs = wallMs()
      runInPieces(simulation, reachedPs, untilPs, crew.inRounds, trace)
      crew.afterSlice(untilPs - reachedPs, wallMs() - sliceStartMs, plan.durationPs - untilPs)
      const ranPs = untilPs - reachedPs
      reachedPs = untilPs
      appenders.forEach((appender, index) => {
        appender.append(simulation.takeCapture(index))
      })
      const nowMs = wallMs()
      slicePs = nextSlicePs(ranPs, nowMs - sliceStartMs)
      checkpoints.writeIfDue()
      context.post({
        simulatedPs: reachedPs,
        durationPs: plan.durationPs,
        elapsedMs: nowMs - startedMs,
        ...simulation.progress(),
      })
    }
    appenders.forEach((appender, index) => {
      appender.append(simulation.takeCapture(index))
    })
    if (reachedPs < plan.durationPs) checkpoints.write()
    const workers = simulation.workers()
    const tookMs = wallMs() - startedMs
    return resultOf(simulation, plan, reachedPs < plan.durationPs, tookMs, workers, crew, trace)
  } finally {
    simulation.release()
    for (const appender of appenders) appender.close()
    trace?.close()
  }
}

/** Runs on, in steps that keep the events of a trace few. */
function runInPieces(
  simulation: Simulation,
  fromPs: number,
  untilPs: number,
  inRounds: boolean,
  trace: TraceRecording | null,
): void {
  for (let nowPs = fromPs; nowPs < untilPs; ) {
    nowPs = trace === null ? untilPs : trace.nextStopPs(nowPs, untilPs)
    simulation.runUntil(nowPs, inRounds)
    trace?.reached(nowPs)
  }
}

/** Why a run keeps to one thread whatever was asked for; null if it need not. */
function onlyOneReason({ captures, trace }: PlanPayload): string | null {
  if (trace !== undefined) return 'a trace is written by one worker'
  return captures.length > 0 ? 'a capture is written by one worker' : null
}

/** Decides on the threads of a run; a fixed number of them is there before the run begins. */
function startCrew(
  simulation: Simulation,
  payload: PlanPayload,
  context: Pick<IsolateContext<Progress>, 'recruit'>,
): CrewPolicy {
  const { plan, workers = 1 } = payload
  const { shared } = simulation
  const recruit = (count: number) => {
    const { buffers, partitions } = shared
    context.recruit({ exportName: 'helpPlan', count, payload: { plan, shared }, buffers, partitions })
  }
  const onlyOne = onlyOneReason(payload)
  const control = {
    cores: availableParallelism(),
    partitions: shared.partitions.length,
    rounds: () => simulation.rounds(),
    workers: () => simulation.workers(),
    recruit,
    release: () => simulation.release(),
  }
  const policy = new CrewPolicy(workers, control, onlyOne)
  if (workers !== 'auto' && workers > 1 && onlyOne === null) {
    recruit(workers - 1)
    simulation.awaitWorkers(workers)
  }
  return policy
}

function resultOf(
  simulation: Simulation,
  plan: Plan,
  interrupted: boolean,
  tookMs: number,
  workers: number,
  crew: CrewPolicy,
  trace: TraceRecording | null,
): ResultDocument {
  const { schema, scenario, kernel, profile, seed, digest, simulated_ns, ...rest } = simulation.report()
  const measured = {
    schema,
    status: interrupted ? ('interrupted' as const) : ('done' as const),
    scenario,
    kernel,
    profile,
    seed,
    workers,
    parallel: crew.account(),
    digest,
    simulated_ns,
    wall_ms: Math.round(tookMs * 1000) / 1000,
    ...rest,
  }
  // What the rings have to tell of their last frames is known once the report is made.
  trace?.finish(simulated_ns * PS_PER_NS)
  const traced = trace === null ? {} : { trace: trace.summary() }
  return { ...measured, verdict: diagnose(measured, plan), ...traced }
}
