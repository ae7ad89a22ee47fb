/** From options to a sweep that is ready to run, or to everything that is wrong with them. */
import { availableParallelism } from 'node:os'
import type { ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import type { LoadedScenario } from '../load-scenario.js'
import { refuseFileInPlace } from '../out-directory.js'
import { packageVersion } from '../package-version.js'
import { axisFaults, MAX_SWEEP_RUNS, sizeFaults, type Vary } from './axes.js'
import { type CheckedPoints, checkPoints, type SweepSource } from './check-points.js'
import type { SweepDefinition } from './definition.js'
import { type Journal, openJournal } from './journal.js'

/** Most runs at a time. */
export const MAX_JOBS = 256

const SEED_RANGE = 2 ** 32

/** What a sweep is asked to do; faults of its form are in `faults` already. */
export interface SweepAsked {
  readonly load: () => Promise<LoadedScenario>
  readonly overrides: ScenarioOverrides
  readonly axes: readonly Vary[]
  /** As given: whatever is no whole number is refused. */
  readonly runs: unknown
  readonly jobs: unknown
  readonly out?: string | undefined
  /** What option names begin with: `--` on the command line. */
  readonly prefix: '' | '--'
  readonly faults: readonly InputFault[]
  /** Names faults as the user gave the values. */
  readonly rename?: (errors: readonly InputFault[]) => readonly InputFault[]
}

/** A sweep without faults, and its directory. */
export interface PreparedSweep {
  readonly source: SweepSource
  readonly checked: CheckedPoints
  readonly seeds: readonly number[]
  readonly jobs: number
  readonly journal: Journal | null
}

/** A whole number from 1 to `max`; undefined and a fault for anything else. */
function wholeNumber(path: string, given: unknown, max: number, faults: InputFault[]): number | undefined {
  if (typeof given === 'number' && Number.isInteger(given) && given >= 1 && given <= max) return given
  faults.push({ path, given, accepted: `an integer from 1 to ${max}`, nearest: null })
  return undefined
}

async function faultsOf<Value>(work: Promise<Value>, faults: InputFault[]): Promise<Value | undefined> {
  try {
    return await work
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    faults.push(...thrown.errors)
    return undefined
  }
}

/** The seeds of a sweep: the scenario's and those after it, from 2^32 on again at 0. */
function seedsFrom(first: number, runs: number): number[] {
  return Array.from({ length: runs }, (_entry, run) => (first + run) % SEED_RANGE)
}

function definitionOf(checked: CheckedPoints, seeds: readonly number[]): SweepDefinition {
  return {
    schema: 'softnet.sweep-definition/1',
    softnet: packageVersion(),
    scenario: checked.scenario,
    seeds,
    vary: checked.axes.map(({ canonical, values }) => ({ path: canonical, values })),
    plans_sha256: checked.plansSha256,
  }
}

/**
 * Checks a sweep: its form, its size, every point, and its directory. Throws a {@link ScenarioError} with every fault,
 * `CheckStopped` if `stopped` said true meanwhile.
 */
export async function prepareSweep(asked: SweepAsked, stopped: () => boolean): Promise<PreparedSweep> {
  const { axes, out, prefix, overrides, rename = (errors) => errors } = asked
  const option = `${prefix}vary`
  const faults: InputFault[] = [...asked.faults]
  const runs = wholeNumber(`${prefix}runs`, asked.runs, MAX_SWEEP_RUNS, faults)
  const cores = Math.min(MAX_JOBS, availableParallelism())
  const jobs = asked.jobs === undefined ? cores : wholeNumber(`${prefix}jobs`, asked.jobs, MAX_JOBS, faults)
  // Where an axis could not be read there are faults already, and none of "no axis".
  const isReadable = !asked.faults.some((fault) => fault.path.startsWith(option))
  if (axes.length > 0 || isReadable) faults.push(...axisFaults(axes, option))
  const size = sizeFaults(axes, runs ?? 1, option)
  faults.push(...size)
  if (out !== undefined) await faultsOf(refuseFileInPlace(out, `${prefix}out`), faults)
  const loaded = await faultsOf(asked.load(), faults)
  if (loaded === undefined || size.length > 0) throw new ScenarioError(faults)
  const source: SweepSource = { loaded, overrides, axes, option, rename }
  const checked = await faultsOf(checkPoints(source, stopped), faults)
  if (checked === undefined || runs === undefined || jobs === undefined || faults.length > 0)
    throw new ScenarioError(faults)
  const seeds = seedsFrom(checked.seed, runs)
  const journal = out === undefined ? null : await openJournal(out, `${prefix}out`, definitionOf(checked, seeds))
  return { source, checked, seeds, jobs, journal }
}
