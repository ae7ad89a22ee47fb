import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { checkReport } from './check-report.js'
import { checkRows } from './check-rows.js'
import { limitSink } from './limit-sink.js'
import {
  type Advance,
  atOnce,
  type FinishedRun,
  firstDifferences,
  inAnyOrder,
  inPieces,
  runModel,
} from './run-model.js'

/** Compiles a scenario; throws with every fault. */
export function planOf(scenario: ScenarioInput, source: string): Plan {
  const compiled = compileScenario(scenario, { source })
  if (compiled.ok) return compiled.plan
  const faults = compiled.errors.map(
    ({ path, given, accepted }) => `${path}: ${JSON.stringify(given)}, not ${accepted}`,
  )
  throw new Error(`${source} does not compile: ${faults.join('; ')}`)
}

/** Runs a scenario in several ways and returns everything that is wrong with it; empty if it holds all invariants. */
export function checkScenario(scenario: ScenarioInput, seed: number): string[] {
  let plan: Plan
  try {
    plan = planOf(scenario, `seed ${seed}`)
  } catch (error) {
    return [(error as Error).message]
  }
  const faults: string[] = []
  const attempt = (name: string, advance: Advance, run: (advance: Advance) => FinishedRun): FinishedRun | null => {
    try {
      return run(advance)
    } catch (error) {
      faults.push(`${name}: ${(error as Error).stack}`)
      return null
    }
  }
  const sink = limitSink(plan.hosts[0] as Plan['hosts'][number])
  const plain = attempt('run', atOnce, (advance) => runModel(plan, advance))
  if (plain === null) return faults
  faults.push(...checkReport(plan, plain.report), ...checkRows(plain.model))
  const others: [string, Advance, boolean][] = [
    ['traced run', atOnce, true],
    ['run in pieces', inPieces(seed), false],
    ['run in another order', inAnyOrder(seed), false],
  ]
  for (const [name, advance, traced] of others) {
    const other = attempt(name, advance, (how) => runModel(plan, how, traced ? sink : undefined))
    if (other === null || other.report.digest === plain.report.digest) continue
    faults.push(`${name} ends in another state: ${firstDifferences(plain.model, other.model).join('; ')}`)
  }
  return [...faults, ...sink.faults]
}
