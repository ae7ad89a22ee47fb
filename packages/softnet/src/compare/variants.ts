/** From the arguments of `compare` and `explain` to variants that can be run, or to everything that is wrong with them. */
import type { Override } from '@softnet/scenario'
import { readOverrides } from '../command-options.js'
import { underOptionNames } from '../commands/compile-given.js'
import { compileLoaded, type ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import type { VariantToRun } from './run-variants.js'
import type { Subject } from './subject.js'

/** Most seeds of a comparison; the confidence interval hardly shrinks any more. */
export const MAX_RUNS = 100

const SEED_RANGE = 2 ** 32

/** A whole number in digits from 1 to `max`; a fault and 1 for anything else. */
export function readCount(option: string, given: string, max: number, faults: InputFault[]): number {
  const count = /^\d{1,9}$/.test(given) ? Number(given) : 0
  if (count >= 1 && count <= max) return count
  faults.push({ path: option, given, accepted: `an integer from 1 to ${max}`, nearest: null })
  return 1
}

/** The first seed and those after it, from 2^32 on again at 0. */
export function seedsFrom(first: number, runs: number): number[] {
  return Array.from({ length: runs }, (_entry, run) => (first + run) % SEED_RANGE)
}

/** Parts of `a=1; b=[2, 3]`: semicolons inside of quotes and brackets separate nothing. */
export function splitSettings(given: string): string[] {
  const parts: string[] = ['']
  let quote = ''
  let depth = 0
  for (const char of given) {
    if (quote !== '') quote = char === quote ? '' : quote
    else if (char === '"' || char === "'") quote = char
    else if (char === '[' || char === '{') depth++
    else if ((char === ']' || char === '}') && depth > 0) depth--
    if (char === ';' && quote === '' && depth === 0) parts.push('')
    else parts[parts.length - 1] += char
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '')
}

/** Settings of one `--against`; faults are told under that name. */
export function readAgainst(given: string, faults: InputFault[]): readonly Override[] {
  const parts = splitSettings(given)
  if (parts.length === 0) {
    const accepted = 'path=value, or several with semicolons between them'
    faults.push({ path: '--against', given, accepted, nearest: null })
  }
  const own: InputFault[] = []
  const { set } = readOverrides({ format: 'text', set: parts }, own)
  faults.push(...own.map((fault) => ({ ...fault, path: fault.path.replace('--set', '--against') })))
  return set
}

/** Compiles a subject with changes; null and faults where that cannot be. */
export function variantOf(
  subject: Subject,
  label: string,
  overrides: ScenarioOverrides,
  against: readonly Override[],
  faults: InputFault[],
): VariantToRun | null {
  const { loaded, result, given } = subject
  const changes = { ...overrides, set: [...overrides.set, ...against] }
  const isChanged = changes.set.length > 0 || Object.keys(overrides).length > 1
  if (loaded === null) {
    if (!isChanged) return { label, plan: null, input: null, recorded: result }
    const accepted = 'a result that tells its scenario (`input`); without one nothing can be changed and run'
    faults.push({ path: 'RESULT', given, accepted, nearest: null })
    return null
  }
  try {
    const { plan, input } = compileLoaded(loaded, changes)
    return { label, plan, input, recorded: isChanged ? null : result }
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    for (const fault of underOptionNames(thrown.errors, overrides)) {
      // A fault of the scenario itself is told once, however many variants it has.
      if (!faults.some((known) => known.path === fault.path && known.given === fault.given)) faults.push(fault)
    }
    return null
  }
}
