/** What a built-in scenario is made of. */
import type { ScenarioInput } from '../schema/scenario.js'

/** A built-in scenario and the question it answers. */
export interface BuiltinScenario {
  readonly name: string
  readonly description: string
  readonly question: string
  /** The scenario as a user would write it. */
  readonly scenario: ScenarioInput
}

/** Makes a built-in scenario; name, description and question are also written into the scenario itself. */
export function builtin(
  name: string,
  question: string,
  description: string,
  rest: Omit<ScenarioInput, 'name' | 'description' | 'question'>,
): BuiltinScenario {
  return { name, description, question, scenario: { name, description, question, ...rest } }
}

/** Numbers 0 to count - 1. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
