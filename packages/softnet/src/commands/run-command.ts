import { basename } from 'node:path'
import { createStopWord } from '@softnet/engine'
import { linuxTexts, renderText, resultToJson } from '@softnet/observe'
import type { Plan, ResultDocument, ResultInput } from '@softnet/scenario'
import { type CaptureFiles, openCaptureFiles } from '../capture-files.js'
import { type CaptureRequest, captureFormFault, parseCaptureOption, resolveCapture } from '../capture-option.js'
import { type RawOptions, readOverrides } from '../command-options.js'
import type { WorkersAsked } from '../crew.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import { builtinNames } from '../load-scenario.js'
import { type OutDirectory, openOutDirectory } from '../out-directory.js'
import { createProgressBar } from '../progress-bar.js'
import { runPlanInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { compileGiven } from './compile-given.js'

/** Options of `softnet run`. */
export interface RunOptions extends RawOptions {
  readonly workers?: string
  readonly capture?: readonly string[]
  readonly trace?: string
  readonly out?: string
}

/** More threads than any machine needs for one run are a mistake. */
const WORKERS_MAX = 64
const EXIT_DONE = 0
const EXIT_INTERRUPTED = 130

/** Number of workers as it is given; null if it is none. */
function readWorkers(given: string): WorkersAsked | null {
  if (given === 'auto') return 'auto'
  const count = /^\d{1,3}$/.test(given) ? Number(given) : 0
  return count >= 1 && count <= WORKERS_MAX ? count : null
}

function readRunOptions(options: RunOptions, faults: InputFault[]): readonly CaptureRequest[] {
  const { workers = 'auto' } = options
  if (readWorkers(workers) === null) {
    const accepted = `auto or a whole number from 1 to ${WORKERS_MAX}`
    faults.push({ path: '--workers', given: workers, accepted, nearest: null })
  }
  if (options.trace !== undefined) {
    const accepted = 'not in this release: traces come with a later release; --capture records packets'
    faults.push({ path: '--trace', given: options.trace, accepted, nearest: '--capture' })
  }
  const requests: CaptureRequest[] = []
  for (const given of options.capture ?? []) {
    const request = parseCaptureOption(given)
    if (request === null) faults.push(captureFormFault(given))
    else requests.push(request)
  }
  if (options.out !== undefined) refuseSameNames(requests, faults)
  return requests
}

/** `--out` keeps captures by their last name, beside result.json. */
function refuseSameNames(requests: readonly CaptureRequest[], faults: InputFault[]): void {
  const names = new Set(['result.json'])
  for (const { file } of requests) {
    const name = basename(file)
    const accepted = `with --out a file of another last name than ${name}, which is taken there`
    if (names.has(name)) faults.push({ path: '--capture', given: file, accepted, nearest: null })
    names.add(name)
  }
}

/** Gathers the faults of several independent checks, so that the user sees them all at once. */
async function checked<Value>(faults: InputFault[], check: Promise<Value>): Promise<Value | undefined> {
  try {
    return await check
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
    return undefined
  }
}

/** Devices of captures, judged by the scenario as it is without what was to be changed in it. */
async function captureFaults(scenario: string, requests: readonly CaptureRequest[]): Promise<readonly InputFault[]> {
  if (requests.length === 0) return []
  const unchanged = await checked([], compileGiven(scenario, { set: [] }))
  if (unchanged === undefined) return []
  return requests.flatMap((request) => resolveCapture(unchanged.plan, request, '--capture').faults)
}

interface Prepared {
  readonly plan: Plan
  readonly input: ResultInput
  readonly out: OutDirectory | null
  readonly captures: CaptureFiles
}

async function prepare(scenario: string, options: RunOptions, terminal: Terminal): Promise<Prepared> {
  const faults: InputFault[] = []
  const requests = readRunOptions(options, faults)
  const overrides = readOverrides(options, faults)
  const compiled = await checked(faults, compileGiven(scenario, overrides))
  const plan = compiled?.plan
  const hosts = plan?.hosts.map((host) => host.name) ?? []
  const out = options.out === undefined ? null : await checked(faults, openOutDirectory(options.out, hosts))
  if (plan === undefined) faults.push(...(await captureFaults(scenario, requests)))
  const captures = plan === undefined ? undefined : await checked(faults, openCaptureFiles(plan, requests, '--capture'))
  if (
    compiled === undefined ||
    plan === undefined ||
    out === undefined ||
    captures === undefined ||
    faults.length > 0
  ) {
    throw new ScenarioError(faults)
  }
  for (const warning of compiled.warnings) terminal.note(`warning: ${warning}`)
  return { plan, input: compiled.input, out, captures }
}

async function writeOut(out: OutDirectory, result: ResultDocument, captures: readonly string[]): Promise<void> {
  for (const host of Object.keys(result.hosts)) {
    for (const { path, text } of linuxTexts(result, host)) await out.addText(`${host}/${path}`, text)
  }
  for (const capture of captures) await out.addCopy(capture, basename(capture))
  await out.addText('result.json', resultToJson(result))
  await out.commit()
}

/** How many threads worked, λ where it was measured, and why. */
function workersNote({ workers, parallel }: ResultDocument): string {
  const { asked, lambda, threshold, partitions_per_round: perRound, reason } = parallel
  const measured = lambda === null ? '' : ` (λ ${lambda}, tried from ${threshold} on; ${perRound} partitions a round)`
  return `workers: ${workers}${asked === 'auto' ? ' by auto' : ''}: ${reason}${measured}`
}

/** `softnet run`: simulates a scenario and shows what happened. */
export async function runCommand(given: string | undefined, options: RunOptions, terminal: Terminal): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createProgressBar(process.stderr)
  try {
    const { plan, input, out, captures } = await prepare(given ?? builtinNames()[0] ?? '', options, terminal)
    const workers = readWorkers(options.workers ?? 'auto') ?? 'auto'
    const payload = { plan, captures: captures.parts, workers }
    const simulated = await runPlanInIsolate(payload, stop, (progress) => bar.update(progress))
    const result = { ...simulated, input }
    bar.stop()
    const captured = await captures.commit()
    if (out !== null) await writeOut(out, result, captured)
    const text = renderText(result, { columns: terminal.columns, color: terminal.color })
    terminal.print(text, result, resultToJson(result))
    const isOfInterest = options.workers !== undefined || result.parallel.lambda !== null
    if (terminal.format === 'text' && isOfInterest) terminal.note(workersNote(result))
    return result.status === 'interrupted' ? EXIT_INTERRUPTED : EXIT_DONE
  } finally {
    bar.stop()
    interrupt.release()
  }
}
