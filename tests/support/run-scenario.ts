import { diagnose } from '@softnet/observe'
import { compileScenario, type Plan, type ResultDocument, type ScenarioInput } from '@softnet/scenario'
import { type Report, runModel } from './run-model.js'

/** A scenario that has been compiled and run to its end. */
export interface ScenarioRun {
  readonly plan: Plan
  readonly report: Report
}

/** Value of a `--set` argument: JSON where it is some, else the text itself. */
function settingValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Compiles a scenario as a user would write it, with `--set` arguments, and runs it; a fault in it is an error. */
export function runScenario(scenario: ScenarioInput, settings: readonly string[] = []): ScenarioRun {
  const overrides = settings.map((setting) => {
    const equals = setting.indexOf('=')
    const given = setting.slice(equals + 1)
    return { path: setting.slice(0, equals), value: settingValue(given), given }
  })
  const compiled = compileScenario(scenario, { source: scenario.name ?? 'scenario', overrides })
  if (!compiled.ok) throw new Error(`${scenario.name} ${settings.join(' ')}: ${JSON.stringify(compiled.errors)}`)
  return { plan: compiled.plan, report: runModel(compiled.plan).report }
}

const NOT_SHARED = { asked: 1, lambda: null, threshold: 0, partitions_per_round: null, reason: '' } as const

/** The verdict on a run. */
export function verdictOf({ plan, report }: ScenarioRun): ResultDocument['verdict'] {
  return diagnose({ ...report, wall_ms: 0, workers: 1, parallel: NOT_SHARED, status: 'done' }, plan)
}
