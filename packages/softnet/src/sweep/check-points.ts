/** Compiles every point of a sweep before the first run starts, so that no fault comes to light after hours. */
import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type SweepAxis, settingText } from '@softnet/observe'
import { type Override, type Plan, resolveOverrides } from '@softnet/scenario'
import { type Compiled, compileLoaded, overridesIn, type ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import type { LoadedScenario } from '../load-scenario.js'
import { countPoints, pointText, type Vary, valuesAt } from './axes.js'

/** A scenario and what is done with it. */
export interface SweepSource {
  readonly loaded: LoadedScenario
  readonly overrides: ScenarioOverrides
  readonly axes: readonly Vary[]
  /** Name of the option that axes come from, `--vary`. */
  readonly option: string
  /** Names faults as the user gave the values. */
  readonly rename: (errors: readonly InputFault[]) => readonly InputFault[]
}

/** A sweep of which every point compiles. */
export interface CheckedPoints {
  readonly scenario: string
  readonly axes: readonly SweepAxis[]
  /** Seed of the scenario, after overrides. */
  readonly seed: number
  /** Simulated time of each point, ps. */
  readonly durationsPs: readonly number[]
  /** SHA-256 of all plans: equal exactly where the same things are simulated. */
  readonly plansSha256: string
  readonly warnings: readonly string[]
}

/** Thrown where a check was stopped before its end. */
export class CheckStopped extends Error {}

/** Wanted faults; more are told as a number. */
const MAX_FAULTS = 100

function overridesAt(axes: readonly Vary[], point: number): Override[] {
  const values = valuesAt(axes, point)
  return axes.map(({ path }, index) => ({ path, value: values[index], given: settingText(values[index]) }))
}

function compilePoint({ loaded, overrides }: SweepSource, axes: readonly Vary[], point: number): Compiled {
  return compileLoaded(loaded, { ...overrides, set: [...overrides.set, ...overridesAt(axes, point)] })
}

/** The plan of one point; its seed is that of the scenario. */
export function planOfPoint(source: SweepSource, point: number): Plan {
  return compilePoint(source, source.axes, point).plan
}

/** Faults of points, each once. */
class PointFaults {
  readonly #found = new Map<string, { readonly fault: InputFault; readonly point: number; count: number }>()

  add(errors: readonly InputFault[], point: number): void {
    for (const fault of errors) {
      const key = JSON.stringify([fault.path, fault.given, fault.accepted])
      const known = this.#found.get(key)
      if (known === undefined) this.#found.set(key, { fault, point, count: 1 })
      else known.count++
    }
  }

  /** The faults; one that comes from a combination of values is told with the first point that has it. */
  list(axes: readonly SweepAxis[], points: number): InputFault[] {
    const all = [...this.#found.values()].map(({ fault, point, count }) => {
      const own = axes.find((axis) => axis.canonical === fault.path)
      const ofOneValue = own !== undefined && count === points / own.values.length
      if (count === points || ofOneValue) return fault
      return { ...fault, accepted: `${fault.accepted} (at ${pointText(axes, point)})` }
    })
    if (all.length <= MAX_FAULTS) return all
    const rest = `${all.length - MAX_FAULTS} more faults`
    return [...all.slice(0, MAX_FAULTS), { path: '(more)', given: rest, accepted: 'none', nearest: null }]
  }
}

/** The settings that exist, with their full paths; faults of the others, and of those that something else changes too. */
function canonicalAxes(source: SweepSource, faults: InputFault[]): SweepAxis[] {
  const { axes, overrides, option } = source
  const overridden = overridesIn({ ...overrides, set: [...overrides.set, ...overridesAt(axes, 0)] })
  const resolved = resolveOverrides(source.loaded.input, overridden, source.loaded.plugins)
  const paths = resolved.map((found) => ('canonical' in found ? found.canonical : null))
  return axes.flatMap((axis, index) => {
    const at = overrides.set.length + index
    const found = resolved[at]
    if (found === undefined) return []
    if ('fault' in found) {
      faults.push({ ...found.fault, given: axis.values.map(settingText).join(',') })
      return []
    }
    const { canonical } = found
    if (paths.some((path, other) => path === canonical && other !== at)) {
      const accepted = `a setting that no other option changes (${canonical})`
      faults.push({ path: `${option} ${axis.path}`, given: axis.path, accepted, nearest: null })
    }
    return [{ path: axis.path, canonical, values: axis.values }]
  })
}

/** Text of a plan, equal for equal plans. */
function planText(plan: Plan): string {
  return JSON.stringify(plan, (_key, value: unknown) =>
    value instanceof Uint8Array
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      : value,
  )
}

/**
 * Compiles every point; throws a {@link ScenarioError} with every fault of every point, and {@link CheckStopped} as soon
 * as `stopped`, which is asked after each, says true.
 */
export async function checkPoints(source: SweepSource, stopped: () => boolean): Promise<CheckedPoints> {
  const listed: InputFault[] = []
  const axes = canonicalAxes(source, listed)
  const points = countPoints(axes)
  const faults = new PointFaults()
  const hash = createHash('sha256')
  const durationsPs: number[] = []
  const warnings = new Set<string>()
  let first: Compiled | undefined
  for (let point = 0; point < points; point++) {
    try {
      const compiled = compilePoint(source, axes, point)
      first ??= compiled
      hash.update(`${planText(compiled.plan)}\n`)
      durationsPs.push(compiled.plan.durationPs)
      for (const warning of compiled.warnings) warnings.add(warning)
    } catch (thrown) {
      if (!(thrown instanceof ScenarioError)) throw thrown
      faults.add(source.rename(thrown.errors), point)
    }
    await nextTurn()
    if (stopped()) throw new CheckStopped()
  }
  listed.push(...faults.list(axes, points))
  if (first === undefined || listed.length > 0) throw new ScenarioError(listed)
  const { name, seed } = first.plan
  return { scenario: name, axes, seed, durationsPs, plansSha256: hash.digest('hex'), warnings: [...warnings] }
}
