/** From a loaded scenario to the plan that is run. */
import { compileScenario, type Override, type Plan, type ResultInput } from '@softnet/scenario'
import { ScenarioError } from './input-fault.js'
import type { LoadedScenario } from './load-scenario.js'
import { readCapture } from './read-capture.js'
import { readRuleset } from './read-ruleset.js'

/** Changes to a scenario before it is compiled: `set` by path, then the others. */
export interface ScenarioOverrides {
  readonly set: readonly Override[]
  readonly seed?: number
  readonly duration?: string
  readonly profile?: string
}

const NAMED = ['seed', 'duration', 'profile'] as const

/** A plan, and what is allowed in the scenario but probably not meant. */
export interface Compiled {
  readonly plan: Plan
  readonly warnings: readonly string[]
  /** The scenario with every change made. */
  readonly input: ResultInput
}

/** The changes in the order they are made. */
export function overridesIn(changes: ScenarioOverrides): Override[] {
  const named = NAMED.flatMap((path) =>
    changes[path] === undefined ? [] : [{ path, value: changes[path], given: String(changes[path]) }],
  )
  return [...changes.set, ...named]
}

/** Compiles a scenario; throws a {@link ScenarioError} with every fault. */
export function compileLoaded(loaded: LoadedScenario, changes: ScenarioOverrides): Compiled {
  const result = compileScenario(loaded.input, {
    source: loaded.name,
    overrides: overridesIn(changes),
    readCapture: (path) => readCapture(loaded.directory, path),
    ...(loaded.plugins === undefined ? {} : { plugins: loaded.plugins }),
    readText: (path) => readRuleset(loaded.directory, path),
  })
  const { directory } = loaded
  if (result.ok)
    return { plan: result.plan, warnings: result.warnings, input: { scenario: result.document, directory } }
  throw new ScenarioError(result.errors)
}
