import { type Compiled, compileLoaded, type ScenarioOverrides } from '../compile.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { loadScenario } from '../load-scenario.js'

const NAMED = ['seed', 'duration', 'profile'] as const

/** Faults with those of values that came from an option told under the option's name. */
export function underOptionNames(errors: readonly InputFault[], overrides: ScenarioOverrides): InputFault[] {
  const optionPaths = new Set<string>(NAMED.filter((name) => overrides[name] !== undefined))
  return errors.map((fault) => (optionPaths.has(fault.path) ? { ...fault, path: `--${fault.path}` } : fault))
}

/** Loads and compiles what a command line names; a value that came from an option is told under the option's name. */
export async function compileGiven(given: string, overrides: ScenarioOverrides): Promise<Compiled> {
  try {
    return compileLoaded(await loadScenario(given), overrides)
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    throw new ScenarioError(underOptionNames(thrown.errors, overrides))
  }
}
