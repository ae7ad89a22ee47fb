/** The programming interface: what the command line does, as functions. */
import { createStopWord } from '@softnet/engine'
import {
  BUILTIN_SCENARIOS,
  type Plan,
  type ResultDocument,
  type ResultInput,
  type ScenarioInput,
} from '@softnet/scenario'
import { type CaptureFiles, openCaptureFiles } from './capture-files.js'
import type { CaptureRequest } from './capture-option.js'
import { createCheckpointWord } from './checkpoint/checkpoint-word.js'
import { openCheckpoints, readEvery } from './checkpoint/open-checkpoints.js'
import { readCheckpoint } from './checkpoint/read-checkpoint.js'
import { openResumedRun } from './checkpoint/resume-run.js'
import { type Compiled, compileLoaded, type ScenarioOverrides } from './compile.js'
import type { WorkersAsked } from './crew.js'
import { ScenarioError } from './input-fault.js'
import { type LoadedScenario, loadScenario } from './load-scenario.js'
import { findPlugins } from './plugins/find-plugins.js'
import type { PlanPayload, Progress } from './run-plan.js'
import { runPlanInIsolate } from './simulation-run.js'
import { openTraceFile, type TraceFile } from './trace-file.js'
import type { TraceRequest } from './trace-option.js'

/** What to change in a scenario before it is compiled. */
export interface CompileOptions {
  /** Seed of every random stream, integer in [0, 2^32). */
  readonly seed?: number
  /** Simulated time with its unit, `100ms`. */
  readonly duration?: string
  /** Name of a cost profile. */
  readonly profile?: string
  /** Values by path, `{ 'hosts.server.devices.eth0.rings.rx': 4096 }`. */
  readonly set?: Readonly<Record<string, unknown>>
  /** Directory that relative file names in the scenario start from; default the working directory. */
  readonly directory?: string
}

/** Where a run writes its state while it goes. */
export interface CheckpointRequest {
  /** Always the last whole checkpoint; written anew each time. */
  readonly file: string
  /** Simulated time between two, `1s`; default a tenth of the run. */
  readonly every?: string
}

/** How to watch, help and end a run. */
export interface RunningOptions {
  /** Ends the run early; the result so far is returned with status `interrupted`. */
  readonly signal?: AbortSignal
  /** Called about every 50 ms of wall time. */
  readonly onProgress?: (progress: Progress) => void
  /** Worker threads: a number, or `auto` (the default), which starts more where they help. Results do not depend on it. */
  readonly workers?: WorkersAsked
}

/** How to run a scenario. */
export interface SimulateOptions extends CompileOptions, RunningOptions {
  /** Captures to write; the files appear when the run ends. */
  readonly capture?: readonly CaptureRequest[]
  /** A trace to write; the file appears when the run ends. It keeps the run to one worker and is not together with checkpoints. */
  readonly trace?: TraceRequest
  /** Writes checkpoints, also when the run is ended early. */
  readonly checkpoint?: CheckpointRequest
}

/** How to go on with a run. */
export interface ResumeOptions extends RunningOptions {
  /** Another file or another time for the checkpoints to come. */
  readonly checkpoint?: Partial<CheckpointRequest>
}

/** Name and purpose of a built-in scenario. */
export interface ScenarioSummary {
  readonly name: string
  readonly description: string
  /** The question it answers. */
  readonly question: string
}

/** Gives a scenario its type where it is written, so that editors complete it; returns it as it is. */
export function defineScenario(input: ScenarioInput): ScenarioInput {
  return input
}

/** The built-in scenarios, the default one first. */
export function listScenarios(): readonly ScenarioSummary[] {
  return BUILTIN_SCENARIOS.map(({ name, description, question }) => ({ name, description, question }))
}

/** A scenario as it was written, by object, built-in name or file name. */
export async function loadInput(
  scenario: ScenarioInput | string,
  directory: string | undefined,
): Promise<LoadedScenario> {
  if (typeof scenario === 'string') return loadScenario(scenario)
  const from = directory ?? process.cwd()
  return {
    name: scenario.name ?? 'scenario',
    input: scenario,
    directory: from,
    plugins: await findPlugins(scenario, from),
  }
}

/** The changes that options make to a scenario. */
export function overridesOf(options: CompileOptions): ScenarioOverrides {
  const { seed, duration, profile, set = {} } = options
  return {
    set: Object.entries(set).map(([path, value]) => ({ path, value, given: String(value) })),
    ...(seed === undefined ? {} : { seed }),
    ...(duration === undefined ? {} : { duration }),
    ...(profile === undefined ? {} : { profile }),
  }
}

/**
 * Checks a scenario (an object, a built-in name or a file name) and fills in every default.
 *
 * Throws a `ScenarioError` whose `errors` lists every fault.
 */
export async function compile(scenario: ScenarioInput | string, options: CompileOptions = {}): Promise<Plan> {
  return (await compileInput(scenario, options)).plan
}

async function compileInput(scenario: ScenarioInput | string, options: CompileOptions): Promise<Compiled> {
  return compileLoaded(await loadInput(scenario, options.directory), overridesOf(options))
}

/**
 * Simulates a scenario (an object, a built-in name or a file name) in a thread of its own and resolves with the result.
 *
 * Throws a `ScenarioError` for wrong input, a `RunError` if the run fails.
 *
 * @example
 * ```ts
 * const result = await simulate('four-cpus', { duration: '20ms', set: { 'hosts.server.cpus': 8 } })
 * console.log(result.packets.delivered, result.verdict.sentences.join(' '))
 * ```
 */
export async function simulate(
  scenario: ScenarioInput | string,
  options: SimulateOptions = {},
): Promise<ResultDocument> {
  const { checkpoint, workers = 'auto' } = options
  const { plan, input } = await compileInput(scenario, options)
  const word = createCheckpointWord(-1)
  if (checkpoint !== undefined && options.trace !== undefined) {
    const accepted = 'only without checkpoint: what a trace knows of the past is in no checkpoint'
    throw new ScenarioError([{ path: 'trace', given: options.trace.file, accepted, nearest: null }])
  }
  const captures = await openCaptureFiles(plan, options.capture ?? [], 'capture', () => word.lastPs >= 0)
  const payload = { plan, captures: captures.parts, workers }
  if (checkpoint === undefined) return runTraced(payload, input, captures, options)
  try {
    const everyPs = readEvery(checkpoint.every, plan, CHECKPOINT_PATHS.every)
    const job = { input, captures: captures.files, out: null, workers, everyPs }
    const task = await openCheckpoints(checkpoint.file, word, job, CHECKPOINT_PATHS)
    return await runToEnd({ ...payload, checkpoint: task }, input, captures, options, () => word.lastPs >= 0)
  } finally {
    captures.discard()
  }
}

/**
 * Goes on with a run from its last checkpoint, on any number of workers, and resolves with the result it would have had.
 *
 * Throws a `ScenarioError` if the file is no checkpoint of this program or was changed, a `RunError` if the run fails.
 */
export async function resume(file: string, options: ResumeOptions = {}): Promise<ResultDocument> {
  const read = await readCheckpoint(file, CHECKPOINT_PATHS.resume)
  const changes = {
    workers: options.workers,
    checkpoint: options.checkpoint?.file,
    every: options.checkpoint?.every,
  }
  const { payload, captures } = await openResumedRun(read, changes, read.job.out, CHECKPOINT_PATHS)
  return runToEnd(payload, read.job.input, captures, options, () => true)
}

async function runTraced(
  payload: PlanPayload,
  input: ResultInput,
  captures: CaptureFiles,
  options: SimulateOptions,
): Promise<ResultDocument> {
  let trace: TraceFile | null = null
  try {
    trace = options.trace === undefined ? null : await openTraceFile(options.trace, 'trace', payload.plan.durationPs)
    const traced = trace === null ? payload : { ...payload, trace: trace.part }
    const result = await runToEnd(traced, input, captures, options, () => false)
    await trace?.commit()
    return result
  } finally {
    captures.discard()
    trace?.discard()
  }
}

const CHECKPOINT_PATHS = { checkpoint: 'checkpoint.file', every: 'checkpoint.every', resume: 'file' }

async function runToEnd(
  payload: PlanPayload,
  input: ResultInput,
  captures: CaptureFiles,
  { signal, onProgress }: RunningOptions,
  hasCheckpoint: () => boolean,
): Promise<ResultDocument> {
  const stop = createStopWord()
  const abort = () => stop.request()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  try {
    const result = await runPlanInIsolate(payload, stop, onProgress)
    await captures.commit(result.status === 'interrupted' && hasCheckpoint())
    return { ...result, input }
  } finally {
    signal?.removeEventListener('abort', abort)
    captures.discard()
  }
}
