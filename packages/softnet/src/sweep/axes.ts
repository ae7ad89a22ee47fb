/** The settings that a sweep varies, and the points of their cross product. */
import { settingText } from '@softnet/observe'
import { expandRange, looksLikeRange } from '@softnet/scenario'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { parseYamlEntries } from '../parse-document.js'

/** A setting and its values, in the order they are run. */
export interface Vary {
  /** Path as `--set` takes it. */
  readonly path: string
  readonly values: readonly unknown[]
}

/** Most runs of one sweep: points times seeds. */
export const MAX_SWEEP_RUNS = 10_000

const FORM = 'path=a,b,c or path=a..b:xfactor, such as eth0.rings.rx=64..1024:x2'

/** Reads `path=values`; null and a fault under the name `option` where that is not what was given. */
export function parseVary(given: string, option: string, faults: InputFault[]): Vary | null {
  const equals = given.indexOf('=')
  if (equals <= 0) {
    faults.push({ path: option, given, accepted: FORM, nearest: null })
    return null
  }
  const path = given.slice(0, equals).trim()
  const values = parseValues(`${option} ${path}`, given.slice(equals + 1), faults)
  return values === null ? null : { path, values }
}

/** Reads a list of values as YAML writes them, in which a plain `a..b` is a range; null where there was a fault. */
export function parseValues(path: string, text: string, faults: InputFault[]): readonly unknown[] | null {
  const values: unknown[] = []
  const before = faults.length
  try {
    for (const { value, plain } of parseYamlEntries(path, text)) {
      if (!plain || typeof value !== 'string' || !looksLikeRange(value)) values.push(value)
      else {
        const range = expandRange(value)
        if (range.ok) values.push(...range.values)
        else faults.push({ path, given: value, accepted: range.accepted, nearest: null })
      }
    }
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    // Lines and columns would count the brackets that nobody wrote.
    faults.push(...thrown.errors.map((fault) => ({ ...fault, path, given: text })))
  }
  return faults.length > before ? null : values
}

/** Faults of settings by themselves: no values, a value twice, a setting twice, the seed. */
export function axisFaults(axes: readonly Vary[], option: string): InputFault[] {
  const faults: InputFault[] = []
  if (axes.length === 0) faults.push({ path: option, given: null, accepted: `at least one ${FORM}`, nearest: null })
  const paths = new Set<string>()
  for (const { path, values } of axes) {
    const at = `${option} ${path}`
    if (values.length === 0)
      faults.push({ path: at, given: '', accepted: `at least one value: ${FORM}`, nearest: null })
    if (paths.has(path)) faults.push({ path: at, given: path, accepted: 'each setting once', nearest: null })
    paths.add(path)
    const seen = new Set<string>()
    for (const value of values) {
      const text = settingText(value)
      if (seen.has(text)) faults.push({ path: at, given: value, accepted: 'each value once', nearest: null })
      seen.add(text)
    }
    if (path === 'seed') {
      const runs = option.replace('vary', 'runs')
      const accepted = `another setting: ${runs} says how many seeds each point is run with`
      faults.push({ path: at, given: path, accepted, nearest: runs })
    }
  }
  return faults
}

/** Number of points of the cross product. */
export function countPoints(axes: readonly Vary[]): number {
  return axes.reduce((product, axis) => product * axis.values.length, 1)
}

/** Refuses a cross product that is too large, with its size and the limit. */
export function sizeFaults(axes: readonly Vary[], runs: number, option: string): InputFault[] {
  const points = countPoints(axes)
  if (points * runs <= MAX_SWEEP_RUNS) return []
  const sizes = axes.map((axis) => axis.values.length).join(' × ')
  const given = `${sizes} points × ${runs} seeds = ${points * runs} runs`
  return [{ path: option, given, accepted: `at most ${MAX_SWEEP_RUNS} runs`, nearest: null }]
}

/** Values of one point, an entry per setting; the last setting changes fastest. */
export function valuesAt(axes: readonly Vary[], point: number): readonly unknown[] {
  const values: unknown[] = []
  let rest = point
  for (const axis of axes.toReversed()) {
    values.unshift(axis.values[rest % axis.values.length])
    rest = Math.floor(rest / axis.values.length)
  }
  return values
}

/** Text of a point, `eth0.rings.rx=64 eth0.coalesce.rx-usecs=16us`. */
export function pointText(axes: readonly Vary[], point: number): string {
  const values = valuesAt(axes, point)
  return axes.map((axis, index) => `${axis.path}=${settingText(values[index])}`).join(' ')
}
