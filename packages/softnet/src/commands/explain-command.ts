import { availableParallelism } from 'node:os'
import { createStopWord, type StopWord } from '@softnet/engine'
import { type ExplainDocument, explainResult, rankTrials, renderExplain, type Trial, trialsOf } from '@softnet/observe'
import type { Plan, ResultDocument } from '@softnet/scenario'
import { type RawOptions, readOverrides } from '../command-options.js'
import { runVariants, type VariantToRun } from '../compare/run-variants.js'
import { loadSubject } from '../compare/subject.js'
import { MAX_RUNS, readCount, seedsFrom, variantOf } from '../compare/variants.js'
import type { ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import type { LoadedScenario } from '../load-scenario.js'
import { createProgressBar } from '../progress-bar.js'
import { runPlanInIsolate } from '../simulation-run.js'
import { MAX_JOBS } from '../sweep/prepare.js'
import { createSweepBar } from '../sweep-bar.js'
import type { Terminal } from '../terminal.js'

/** Options of `softnet explain`. */
export interface ExplainOptions extends RawOptions {
  readonly try?: boolean
  readonly runs?: string
  readonly jobs?: string
}

const DEFAULT_RUNS = '5'
const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_INTERRUPTED = 130

interface Prepared {
  readonly given: string
  readonly loaded: LoadedScenario | null
  readonly variant: VariantToRun
  readonly overrides: ScenarioOverrides
  readonly runs: number
  readonly jobs: number
}

async function prepare(given: string, options: ExplainOptions): Promise<Prepared> {
  const faults: InputFault[] = []
  const overrides = readOverrides(options, faults)
  const runs = readCount('--runs', options.runs ?? DEFAULT_RUNS, MAX_RUNS, faults)
  const cores = Math.min(MAX_JOBS, availableParallelism())
  const jobs = options.jobs === undefined ? cores : readCount('--jobs', options.jobs, MAX_JOBS, faults)
  for (const name of ['runs', 'jobs'] as const) {
    if (options[name] === undefined || options.try === true) continue
    faults.push({ path: `--${name}`, given: options[name], accepted: 'only with --try', nearest: '--try' })
  }
  try {
    const subject = await loadSubject(given)
    if (options.try === true && subject.loaded === null) {
      const accepted = 'for --try a result that tells its scenario (`input`), or a scenario'
      faults.push({ path: 'RESULT', given, accepted, nearest: null })
    }
    const variant = variantOf(subject, 'now', overrides, [], faults)
    if (variant !== null && faults.length === 0)
      return { given, loaded: subject.loaded, variant, overrides, runs, jobs }
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
  }
  throw new ScenarioError(faults)
}

/** The result that is explained: the one that was given, or that of a run. */
async function resultOf({ recorded, plan }: VariantToRun, stop: StopWord): Promise<ResultDocument> {
  if (recorded !== null) return recorded
  const bar = createProgressBar(process.stderr)
  try {
    return await runPlanInIsolate({ plan: plan as Plan, captures: [] }, stop, (progress) => bar.update(progress))
  } finally {
    bar.stop()
  }
}

/** A remedy as a variant; null with a warning where its scenario does not take it. */
function trialVariant({ given, loaded, overrides }: Prepared, { set }: Trial, terminal: Terminal): VariantToRun | null {
  const faults: InputFault[] = []
  const { set: settings } = readOverrides({ format: 'text', set }, faults)
  const subject = { given, loaded, result: null }
  const variant = variantOf(subject, set.join('; '), overrides, settings, faults)
  if (faults.length === 0) return variant
  terminal.note(
    `warning: not tried: ${set.join(' ')} (${faults.map(({ path, accepted }) => `${path}: ${accepted}`).join('; ')})`,
  )
  return null
}

async function withTries(
  explained: ExplainDocument,
  prepared: Prepared,
  stop: StopWord,
  terminal: Terminal,
): Promise<ExplainDocument> {
  const { variant, runs, jobs } = prepared
  const found = trialsOf(explained.verdict).flatMap((trial) => {
    const ready = trialVariant(prepared, trial, terminal)
    return ready === null ? [] : [{ trial, ready }]
  })
  if (found.length === 0) {
    terminal.note('nothing to try: the verdict proposes no setting')
    return explained
  }
  const bar = createSweepBar(process.stderr)
  try {
    const variants = [variant, ...found.map(({ ready }) => ready)]
    const seeds = seedsFrom(explained.seed, runs)
    const { document } = await runVariants({ variants, seeds, jobs, stop, onProgress: bar.update })
    return {
      ...explained,
      tries: rankTrials(
        explained.verdict,
        found.map(({ trial }) => trial),
        document,
      ),
    }
  } finally {
    bar.stop()
  }
}

/** `softnet explain`: the verdict with its evidence; with `--try` what its remedies do, and what they cost. */
export async function explainCommand(given: string, options: ExplainOptions, terminal: Terminal): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  try {
    const prepared = await prepare(given, options)
    const result = await resultOf(prepared.variant, stop)
    const { plan } = prepared.variant
    const own = explainResult(result, plan)
    const isStopped = prepared.variant.recorded === null && result.status === 'interrupted'
    const document = options.try === true && !isStopped ? await withTries(own, prepared, stop, terminal) : own
    terminal.print(renderExplain(document, { columns: terminal.columns, color: terminal.color }), document)
    const { tries } = document
    if (isStopped || tries?.comparison.status === 'interrupted') return EXIT_INTERRUPTED
    return tries?.comparison.variants.some(({ failures }) => failures.length > 0) ? EXIT_FAILED : EXIT_DONE
  } finally {
    interrupt.release()
  }
}
