import { diagnose } from '@softnet/observe'
import { compileScenario, type Plan, type ResultDocument, type ScenarioInput } from '@softnet/scenario'
import { type Report, runModel } from './run-model.js'

/** A scenario that has been compiled and run to its end. */
export interface ScenarioRun {
  readonly plan: Plan
  readonly report: Report
}

/** Compiles a scenario as a user would write it and runs it; a fault in it is an error. */
export function runScenario(scenario: ScenarioInput): ScenarioRun {
  const compiled = compileScenario(scenario, { source: scenario.name ?? 'scenario' })
  if (!compiled.ok) throw new Error(`${scenario.name}: ${JSON.stringify(compiled.errors)}`)
  return { plan: compiled.plan, report: runModel(compiled.plan).report }
}

/** The verdict on a run. */
export function verdictOf({ plan, report }: ScenarioRun): ResultDocument['verdict'] {
  return diagnose({ ...report, wall_ms: 0, workers: 1, status: 'done' }, plan)
}
