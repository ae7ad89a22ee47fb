import { createStopWord } from '@softnet/engine'
import { DEFAULT_MEASURES, MEASURES, renderSweep } from '@softnet/observe'
import { nearestName } from '@softnet/scenario'
import { type RawOptions, readOverrides } from '../command-options.js'
import type { InputFault } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import { loadScenario } from '../load-scenario.js'
import { openReportIn, type ReportFile } from '../report/report-file.js'
import { parseVary } from '../sweep/axes.js'
import { CheckStopped } from '../sweep/check-points.js'
import { type PreparedSweep, prepareSweep } from '../sweep/prepare.js'
import { runPoints } from '../sweep/run-points.js'
import { createSweepBar } from '../sweep-bar.js'
import type { Terminal } from '../terminal.js'
import { underOptionNames } from './compile-given.js'

/** Options of `softnet sweep`. */
export interface SweepCommandOptions extends RawOptions {
  readonly vary?: readonly string[]
  readonly runs: string
  readonly jobs?: string
  readonly out?: string
  readonly report?: string
  readonly measure?: readonly string[]
}

const EXIT_DONE = 0
const EXIT_FAILED = 1
const EXIT_INTERRUPTED = 130

/** Digits as a number; anything else stays the text it is, and is refused as that. */
function numberIn(given: string | undefined): unknown {
  return given !== undefined && /^\d{1,9}$/.test(given) ? Number(given) : given
}

function readMeasures(given: readonly string[] | undefined, faults: InputFault[]): readonly string[] {
  if (given === undefined) return DEFAULT_MEASURES
  const known = MEASURES.map((measure) => measure.name)
  const names = [...new Set(given.flatMap((list) => list.split(',').map((name) => name.trim())))]
  for (const name of names) {
    if (known.includes(name)) continue
    const accepted = `one or more of ${known.join(', ')}`
    faults.push({ path: '--measure', given: name, accepted, nearest: nearest(name, known) })
  }
  return names
}

/** The nearest name, or the first that `name` is a part of: people write p99. */
function nearest(name: string, known: readonly string[]): string | null {
  return nearestName(name, known) ?? known.find((other) => name !== '' && other.includes(name)) ?? null
}

interface Read {
  readonly report: ReportFile | null
  readonly prepared: PreparedSweep
  readonly measures: readonly string[]
}

async function prepare(scenario: string, options: SweepCommandOptions, stopped: () => boolean): Promise<Read> {
  const faults: InputFault[] = []
  const measures = readMeasures(options.measure, faults)
  const overrides = readOverrides(options, faults)
  const axes = (options.vary ?? []).flatMap((given) => parseVary(given, '--vary', faults) ?? [])
  const report = await openReportIn(options.report, faults)
  const prepared = await prepareSweep(
    {
      load: () => loadScenario(scenario),
      overrides,
      axes,
      runs: numberIn(options.runs),
      jobs: numberIn(options.jobs),
      out: options.out,
      prefix: '--',
      faults,
      rename: (errors) => underOptionNames(errors, overrides),
    },
    stopped,
  )
  return { report, prepared, measures }
}

/** `softnet sweep`: simulates a scenario at every point of a cross product, and shows means with their confidence. */
export async function sweepCommand(
  scenario: string,
  options: SweepCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createSweepBar(process.stderr)
  try {
    const { report, prepared, measures } = await prepare(scenario, options, () => stop.requested)
    for (const warning of prepared.checked.warnings) terminal.note(`warning: ${warning}`)
    const sweep = await runPoints({ ...prepared, stop, onProgress: bar.update }).finally(() => {
      bar.stop()
      return prepared.journal?.close()
    })
    terminal.print(renderSweep(sweep, measures, { columns: terminal.columns, color: terminal.color }), sweep)
    await report?.write({ kind: 'sweep', document: sweep })
    if (sweep.status === 'interrupted') {
      if (options.out !== undefined) terminal.note(`the same command goes on from ${options.out}`)
      return EXIT_INTERRUPTED
    }
    return sweep.runs.failed > 0 ? EXIT_FAILED : EXIT_DONE
  } catch (thrown) {
    if (!(thrown instanceof CheckStopped)) throw thrown
    terminal.fail('interrupted before the first run')
    return EXIT_INTERRUPTED
  } finally {
    bar.stop()
    interrupt.release()
  }
}
