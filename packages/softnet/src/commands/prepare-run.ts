import { basename, resolve } from 'node:path'
import type { ResultInput } from '@softnet/scenario'
import { type CaptureFiles, openCaptureFiles } from '../capture-files.js'
import { type CaptureRequest, captureFormFault, parseCaptureOption, resolveCapture } from '../capture-option.js'
import { type CheckpointWord, createCheckpointWord } from '../checkpoint/checkpoint-word.js'
import { openCheckpoints, readEvery } from '../checkpoint/open-checkpoints.js'
import { type RawOptions, readOverrides } from '../command-options.js'
import type { WorkersAsked } from '../crew.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { type OutDirectory, openOutDirectory } from '../out-directory.js'
import { openReportIn, type ReportFile } from '../report/report-file.js'
import type { PlanPayload } from '../run-plan.js'
import type { Terminal } from '../terminal.js'
import { openTraceFile, type TraceFile } from '../trace-file.js'
import { type TraceOptions, traceRequestOf } from '../trace-option.js'
import { compileGiven } from './compile-given.js'

/** Options of `softnet run`. */
export interface RunOptions extends RawOptions, TraceOptions {
  readonly workers?: string
  readonly capture?: readonly string[]
  readonly out?: string
  readonly checkpoint?: string
  readonly every?: string
  readonly resume?: string
  readonly report?: string
}

/** A run that can begin. */
export interface Prepared {
  readonly input: ResultInput
  readonly out: OutDirectory | null
  readonly captures: CaptureFiles
  readonly trace: TraceFile | null
  readonly report: ReportFile | null
  readonly payload: PlanPayload
  /** Says when the last checkpoint was written; null: none are. */
  readonly word: CheckpointWord | null
}

/** More threads than any machine needs for one run are a mistake. */
const WORKERS_MAX = 64

/** Number of workers as it is given; null if it is none. */
export function readWorkers(given: string): WorkersAsked | null {
  if (given === 'auto') return 'auto'
  const count = /^\d{1,3}$/.test(given) ? Number(given) : 0
  return count >= 1 && count <= WORKERS_MAX ? count : null
}

/** The fault of a number of workers that is none. */
export function workersFault(given: string): InputFault {
  return { path: '--workers', given, accepted: `auto or a whole number from 1 to ${WORKERS_MAX}`, nearest: null }
}

function readRunOptions(options: RunOptions, faults: InputFault[]): readonly CaptureRequest[] {
  const { workers = 'auto' } = options
  if (readWorkers(workers) === null) faults.push(workersFault(workers))
  if (options.every !== undefined && options.checkpoint === undefined) {
    const accepted = 'only with --checkpoint FILE, the file to write'
    faults.push({ path: '--every', given: options.every, accepted, nearest: null })
  }
  const requests: CaptureRequest[] = []
  for (const given of options.capture ?? []) {
    const request = parseCaptureOption(given)
    if (request === null) faults.push(captureFormFault(given))
    else requests.push(request)
  }
  const traced = options.trace
  if (traced !== undefined) refuseTrace(traced, options, faults)
  if (options.out !== undefined) refuseSameNames(requests, traced, faults)
  return requests
}

/** What a trace cannot be asked for together with. */
function refuseTrace(trace: string, { checkpoint }: RunOptions, faults: InputFault[]): void {
  const refuse = (accepted: string) => faults.push({ path: '--trace', given: trace, accepted, nearest: null })
  if (checkpoint !== undefined) refuse('only without --checkpoint: what a trace knows of the past is in no checkpoint')
}

/** `--out` keeps captures and the trace by their last name, beside result.json. */
function refuseSameNames(requests: readonly CaptureRequest[], trace: string | undefined, faults: InputFault[]): void {
  const names = new Set(['result.json'])
  for (const { file } of requests) {
    const name = basename(file)
    const accepted = `with --out a file of another last name than ${name}, which is taken there`
    if (names.has(name)) faults.push({ path: '--capture', given: file, accepted, nearest: null })
    names.add(name)
  }
  if (trace === undefined || !names.has(basename(trace))) return
  const accepted = `with --out a file of another last name than ${basename(trace)}, which is taken there`
  faults.push({ path: '--trace', given: trace, accepted, nearest: null })
}

/** A file can be written for one thing only, and not over the scenario. */
function refuseSameFiles(
  scenario: string,
  { trace, report, checkpoint }: RunOptions,
  requests: readonly CaptureRequest[],
  faults: InputFault[],
): void {
  const taken = new Map([[resolve(scenario), 'the scenario']])
  for (const { file } of requests) taken.set(resolve(file), 'what --capture writes')
  for (const [path, given] of Object.entries({ '--trace': trace, '--checkpoint': checkpoint, '--report': report })) {
    if (given === undefined || given === '') continue
    const by = taken.get(resolve(given))
    if (by !== undefined) faults.push({ path, given, accepted: `another file: this is ${by}`, nearest: null })
    taken.set(resolve(given), `what ${path} writes`)
  }
}

/** Gathers the faults of several independent checks, so that the user sees them all at once. */
async function checked<Value>(faults: InputFault[], check: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await check()
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
    return undefined
  }
}

/** Devices of captures, judged by the scenario as it is without what was to be changed in it. */
async function captureFaults(scenario: string, requests: readonly CaptureRequest[]): Promise<readonly InputFault[]> {
  if (requests.length === 0) return []
  const unchanged = await checked([], () => compileGiven(scenario, { set: [] }))
  if (unchanged === undefined) return []
  return requests.flatMap((request) => resolveCapture(unchanged.plan, request, '--capture').faults)
}

/** Prepares a run of a scenario; throws a {@link ScenarioError} with every fault. */
export async function prepareRun(scenario: string, options: RunOptions, terminal: Terminal): Promise<Prepared> {
  const faults: InputFault[] = []
  const requests = readRunOptions(options, faults)
  const traced = traceRequestOf(options, faults)
  const overrides = readOverrides(options, faults)
  const compiled = await checked(faults, () => compileGiven(scenario, overrides))
  const plan = compiled?.plan
  const hosts = plan?.hosts.map((host) => host.name) ?? []
  const given = options.out
  const out = given === undefined ? null : await checked(faults, () => openOutDirectory(given, hosts))
  refuseSameFiles(scenario, options, requests, faults)
  const report = await openReportIn(options.report, faults)
  const word = options.checkpoint === undefined ? null : createCheckpointWord(-1)
  if (plan === undefined) faults.push(...(await captureFaults(scenario, requests)))
  const isKept = () => word !== null && word.lastPs >= 0
  const captures =
    plan === undefined ? undefined : await checked(faults, () => openCaptureFiles(plan, requests, '--capture', isKept))
  const workers = readWorkers(options.workers ?? 'auto') ?? 'auto'
  const checkpoint =
    word === null || compiled === undefined || plan === undefined || out === undefined || captures === undefined
      ? null
      : await checked(faults, async () => {
          const everyPs = readEvery(options.every, plan, '--every')
          const job = { input: compiled.input, captures: captures.files, out: out?.directory ?? null, workers, everyPs }
          const paths = { checkpoint: '--checkpoint', every: '--every' }
          return openCheckpoints(options.checkpoint ?? '', word, job, paths)
        })
  const trace =
    traced === null
      ? null
      : await checked(faults, () => openTraceFile(traced, '--trace', plan?.durationPs ?? Number.POSITIVE_INFINITY))
  const isReady = compiled !== undefined && plan !== undefined && out !== undefined && captures !== undefined
  if (!isReady || trace === undefined || faults.length > 0) throw new ScenarioError(faults)
  for (const warning of compiled.warnings) terminal.note(`warning: ${warning}`)
  const payload = {
    ...{ plan, captures: captures.parts, workers },
    ...(checkpoint == null ? {} : { checkpoint }),
    ...(trace === null ? {} : { trace: trace.part }),
  }
  return { input: compiled.input, out, captures, report, trace, payload, word }
}
