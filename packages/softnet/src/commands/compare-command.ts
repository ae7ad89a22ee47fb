import { availableParallelism } from 'node:os'
import { createStopWord } from '@softnet/engine'
import { renderCompare } from '@softnet/observe'
import { type RawOptions, readOverrides } from '../command-options.js'
import { runVariants, type VariantToRun } from '../compare/run-variants.js'
import { loadSubject, type Subject } from '../compare/subject.js'
import { MAX_RUNS, readAgainst, readCount, seedsFrom, variantOf } from '../compare/variants.js'
import type { ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import { openReportIn, type ReportFile } from '../report/report-file.js'
import { MAX_JOBS } from '../sweep/prepare.js'
import { createSweepBar } from '../sweep-bar.js'
import type { Terminal } from '../terminal.js'

/** Options of `softnet compare`. */
export interface CompareOptions extends RawOptions {
  readonly against?: readonly string[]
  readonly runs?: string
  readonly jobs?: string
  readonly report?: string
}

const DEFAULT_RUNS = 5
const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_INTERRUPTED = 130

interface Prepared {
  readonly variants: readonly VariantToRun[]
  readonly seeds: readonly number[]
  readonly jobs: number
  readonly report: ReportFile | null
}

async function loadSubjects(given: readonly string[], faults: InputFault[]): Promise<(Subject | null)[]> {
  return Promise.all(
    given.map(async (one) => {
      try {
        return await loadSubject(one)
      } catch (thrown) {
        if (!(thrown instanceof ScenarioError)) throw thrown
        faults.push(...thrown.errors)
        return null
      }
    }),
  )
}

/** The subjects themselves, then the first one with each `--against`. */
function listVariants(
  subjects: readonly Subject[],
  options: CompareOptions,
  overrides: ScenarioOverrides,
  faults: InputFault[],
): (VariantToRun | null)[] {
  const own = subjects.map((subject) => variantOf(subject, subject.given, overrides, [], faults))
  const [first] = subjects
  if (first === undefined) return own
  const against = (options.against ?? []).map((given) => {
    const before = faults.length
    const settings = readAgainst(given, faults)
    return faults.length > before ? null : variantOf(first, given, overrides, settings, faults)
  })
  return [...own, ...against]
}

/** How many seeds; results that do not tell their scenario can only be compared as they are. */
function readRuns(
  subjects: readonly Subject[],
  given: string | undefined,
  terminal: Terminal,
  faults: InputFault[],
): number {
  const runs = given === undefined ? DEFAULT_RUNS : readCount('--runs', given, MAX_RUNS, faults)
  const closed = subjects.find((subject) => subject.loaded === null)
  if (closed === undefined || runs === 1) return runs
  if (given === undefined) terminal.note(`warning: ${closed.given} does not tell its scenario, so nothing is run again`)
  else {
    const accepted = `1, since ${closed.given} does not tell its scenario and cannot be run again`
    faults.push({ path: '--runs', given, accepted, nearest: null })
  }
  return 1
}

async function prepare(given: readonly string[], options: CompareOptions, terminal: Terminal): Promise<Prepared> {
  const faults: InputFault[] = []
  const overrides = readOverrides(options, faults)
  const cores = Math.min(MAX_JOBS, availableParallelism())
  const jobs = options.jobs === undefined ? cores : readCount('--jobs', options.jobs, MAX_JOBS, faults)
  const subjects = (await loadSubjects(given, faults)).filter((subject) => subject !== null)
  const runs = readRuns(subjects, options.runs, terminal, faults)
  const variants = listVariants(subjects, options, overrides, faults)
  if (given.length + (options.against ?? []).length < 2) {
    const accepted = "two results or scenarios, or one and --against 'path=value'"
    faults.push({ path: 'compare', given: given.join(' '), accepted, nearest: '--against' })
  }
  const report = await openReportIn(options.report, faults)
  if (faults.length > 0) throw new ScenarioError(faults)
  const found = variants.filter((variant) => variant !== null)
  const [first] = found
  // One run each: what was recorded is that run already.
  const ready = runs === 1 ? found.map((each) => (each.recorded === null ? each : { ...each, plan: null })) : found
  return { variants: ready, seeds: seedsFrom(first?.plan?.seed ?? first?.recorded?.seed ?? 1, runs), jobs, report }
}

/** Tells where a result is not what its scenario gives now. */
function noteStale(
  variants: readonly VariantToRun[],
  digests: readonly (string | undefined)[],
  seed: number,
  terminal: Terminal,
): void {
  variants.forEach(({ label, recorded, plan }, index) => {
    const digest = digests[index]
    if (recorded === null || plan === null || recorded.seed !== seed || recorded.status !== 'done') return
    if (digest === undefined || digest === recorded.digest) return
    terminal.note(
      `warning: ${label} was ${recorded.digest} and is ${digest} now: another version, or a file it names has changed`,
    )
  })
}

/** `softnet compare`: runs variants with the same seeds and says what differs beyond their noise. */
export async function compareCommand(
  given: readonly string[],
  options: CompareOptions,
  terminal: Terminal,
): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createSweepBar(process.stderr)
  try {
    const { variants, seeds, jobs, report } = await prepare(given, options, terminal)
    const { document, results } = await runVariants({ variants, seeds, jobs, stop, onProgress: bar.update })
    bar.stop()
    const digests = document.variants.map(({ runs }) => runs.find(({ seed }) => seed === seeds[0])?.digest)
    noteStale(variants, digests, seeds[0] ?? 0, terminal)
    terminal.print(renderCompare(document, { columns: terminal.columns, color: terminal.color }), document)
    await report?.write({ kind: 'compare', document, results })
    if (document.status === 'interrupted') return EXIT_INTERRUPTED
    return document.variants.some(({ failures }) => failures.length > 0) ? EXIT_FAILED : EXIT_DONE
  } finally {
    bar.stop()
    interrupt.release()
  }
}
