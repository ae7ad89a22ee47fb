import { BUILTIN_SCENARIOS, type ScenarioInput } from '@softnet/scenario'
import * as assert from 'uvu/assert'
import { planOf } from './check-scenario.js'
import type { Crew } from './crew.js'
import { runModel } from './run-model.js'

/** Asserts that everything a run shows of itself is the same on so many workers as on one thread. */
export async function sameOn(
  crew: Crew,
  counts: readonly number[],
  scenario: ScenarioInput,
  name: string,
  stress = 0,
): Promise<void> {
  const plan = planOf(scenario, name)
  const alone = runModel(plan).report
  for (const count of counts) {
    const together = await crew.run(plan, count, { stress, pieces: 3 })
    assert.equal(together, alone, `${name} on ${count} workers`)
  }
}

/** A built-in scenario without warm-up, as long as is said. */
export function builtinFor(name: string, duration: string): ScenarioInput {
  const found = BUILTIN_SCENARIOS.find((entry) => entry.name === name)
  if (found === undefined) throw new Error(`no built-in scenario is called ${name}`)
  return { ...found.scenario, duration, warmup: '0s' }
}

/** Workers on which the random scenario of a seed is run. */
export function countOf(seed: number): number {
  return [2, 3, 4, 8][seed % 4] as number
}
