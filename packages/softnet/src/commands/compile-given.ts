import { type Compiled, compileLoaded, type ScenarioOverrides } from '../compile.js'
import { ScenarioError } from '../input-fault.js'
import { loadScenario } from '../load-scenario.js'

const NAMED = ['seed', 'duration', 'profile'] as const

/** Loads and compiles what a command line names; a value that came from an option is told under the option's name. */
export async function compileGiven(given: string, overrides: ScenarioOverrides): Promise<Compiled> {
  try {
    return compileLoaded(await loadScenario(given), overrides)
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    const optionPaths = new Set<string>(NAMED.filter((name) => overrides[name] !== undefined))
    throw new ScenarioError(
      thrown.errors.map((fault) => (optionPaths.has(fault.path) ? { ...fault, path: `--${fault.path}` } : fault)),
    )
  }
}
