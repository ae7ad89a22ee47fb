/** `sweep`: a scenario over the cross product of some settings. */
import { createStopWord } from '@softnet/engine'
import type { SweepDocument } from '@softnet/observe'
import type { ScenarioInput } from '@softnet/scenario'
import { type CompileOptions, loadInput, overridesOf } from './api.js'
import type { InputFault } from './input-fault.js'
import { parseValues, type Vary } from './sweep/axes.js'
import { prepareSweep } from './sweep/prepare.js'
import { runPoints, type SweepProgress } from './sweep/run-points.js'

/** What to vary, and how to run it. */
export interface SweepOptions extends CompileOptions {
  /**
   * Values by path: a list, or text as `--vary` takes it, `'64..1024:x2'` or `'16us, 64us'`. The points are their cross
   * product; the last setting changes fastest.
   */
  readonly vary: Readonly<Record<string, readonly unknown[] | string>>
  /** Runs of each point, with the seed of the scenario and those after it, 1 to 10000; default 1. */
  readonly runs?: number
  /** Runs at a time, 1 to 256; default the number of cores. */
  readonly jobs?: number
  /** Directory for `runs.jsonl` and `sweep.csv`; a sweep that was ended goes on where it was. */
  readonly out?: string
  /** Ends the sweep early; the runs that are done are returned with status `interrupted`. */
  readonly signal?: AbortSignal
  /** Called about every 50 ms of wall time for each run that goes on, and after each run. */
  readonly onProgress?: (progress: SweepProgress) => void
}

function axesOf(vary: SweepOptions['vary'], faults: InputFault[]): Vary[] {
  return Object.entries(vary).flatMap(([path, given]) => {
    const values = typeof given === 'string' ? parseValues(`vary ${path}`, given, faults) : given
    return values === null ? [] : [{ path, values }]
  })
}

/**
 * Simulates a scenario (an object, a built-in name or a file name) at every point of a cross product, each point with
 * the same seeds and each run in a thread of its own, and resolves with the means and their 95 % confidence intervals.
 *
 * A run that fails is in `failures`, and the others go on. Throws a `ScenarioError` with every fault of every point
 * before anything runs, a `RunError` where `out` cannot be written.
 *
 * @example
 * ```ts
 * const result = await sweep('ring-too-small', { vary: { 'eth0.rings.rx': '64..1024:x4' }, runs: 3 })
 * for (const { settings, measures } of result.points) console.log(settings, measures.drop_share)
 * ```
 */
export async function sweep(scenario: ScenarioInput | string, options: SweepOptions): Promise<SweepDocument> {
  const { vary, runs = 1, jobs, out, signal, onProgress = () => {} } = options
  const faults: InputFault[] = []
  const axes = axesOf(vary, faults)
  const stop = createStopWord()
  const abort = () => stop.request()
  if (signal?.aborted) abort()
  signal?.addEventListener('abort', abort)
  try {
    const load = () => loadInput(scenario, options.directory)
    const asked = { load, overrides: overridesOf(options), axes, runs, jobs, out, prefix: '' as const, faults }
    const prepared = await prepareSweep(asked, () => false)
    try {
      return await runPoints({ ...prepared, stop, onProgress })
    } finally {
      await prepared.journal?.close()
    }
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}
