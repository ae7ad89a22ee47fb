import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { checkReport } from './check-report.js'
import { checkRows } from './check-rows.js'
import { limitSink } from './limit-sink.js'
import {
  type Advance,
  atOnce,
  drawnOrder,
  type FinishedRun,
  firstDifferences,
  furthestAhead,
  inPieces,
  inRounds,
  ordered,
  runModel,
  shortOfHorizon,
} from './run-model.js'
import { watchedHorizon } from './watched-horizon.js'

/** Compiles a scenario; throws with every fault. */
export function planOf(scenario: ScenarioInput, source: string): Plan {
  const compiled = compileScenario(scenario, { source })
  if (compiled.ok) return compiled.plan
  const faults = compiled.errors.map(
    ({ path, given, accepted }) => `${path}: ${JSON.stringify(given)}, not ${accepted}`,
  )
  throw new Error(`${source} does not compile: ${faults.join('; ')}`)
}

/** Ways to advance a run that must all end in the same state. */
function otherWays(seed: number, drawnOrders: number): [string, Advance, boolean][] {
  const orders = Array.from({ length: drawnOrders }, (_, i) => DRAWN_ORDERS * seed + i)
  return [
    ['run in pieces', inPieces(seed), false],
    ...orders.map((drawn): [string, Advance, boolean] => ['run in drawn order', ordered(drawnOrder(drawn)), false]),
    ['run furthest ahead first', ordered(furthestAhead), false],
    ['run in rounds', inRounds, false],
    ['run short of the horizon', ordered(shortOfHorizon(seed)), false],
    ['run in pieces short of the horizon', inPieces(seed + 1, shortOfHorizon(seed + 1)), false],
  ]
}

const DRAWN_ORDERS = 4

/**
 * Runs a scenario at once, traced and with every horizon watched, and in several other ways, among them `drawnOrders` (up
 * to 4) drawn ones, and returns everything that is wrong with it; empty if it holds all invariants.
 *
 * With a `turn` only every third of the other ways is taken, each in three turns: for short tests of many scenarios. The
 * long ones take every way for every scenario.
 */
export function checkScenario(
  scenario: ScenarioInput,
  seed: number,
  drawnOrders = DRAWN_ORDERS,
  turn: number | null = null,
): string[] {
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
  const sink = limitSink(plan.hosts)
  const plain = attempt('run', atOnce, (advance) => runModel(plan, advance))
  if (plain === null) return faults
  faults.push(...checkReport(plan, plain.report), ...checkRows(plain.model))
  const ways = otherWays(seed, drawnOrders).filter((_, index) => turn === null || index % 3 === turn % 3)
  const early: string[] = []
  const others: [string, Advance, boolean][] = [['traced run', watchedHorizon(early), true], ...ways]
  for (const [name, advance, traced] of others) {
    const other = attempt(name, advance, (how) => runModel(plan, how, traced ? sink : undefined))
    if (other === null || other.report.digest === plain.report.digest) continue
    faults.push(`${name} ends in another state: ${firstDifferences(plain.model, other.model).join('; ')}`)
  }
  return [...faults, ...early, ...sink.faults]
}
