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
  repeatedly,
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
function otherWays(seed: number, drawnOrders: number): [string, Advance][] {
  const orders = Array.from({ length: drawnOrders }, (_, i) => DRAWN_ORDERS * seed + i)
  return [
    ['run in pieces', inPieces(seed)],
    ...orders.map((drawn): [string, Advance] => ['run in drawn order', ordered(drawnOrder(drawn))]),
    ['run furthest ahead first', ordered(furthestAhead)],
    ['run in rounds', inRounds],
    ['run short of the horizon', ordered(shortOfHorizon(seed))],
    ['run in pieces short of the horizon', inPieces(seed + 1, shortOfHorizon(seed + 1))],
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
  const again = repeatedly(plan)
  const plain = attempt('run', atOnce, again)
  if (plain === null) return faults
  const { digest } = plain.report
  faults.push(...checkReport(plan, plain.report), ...checkRows(plain.model))
  const differing = (name: string, other: FinishedRun | null): void => {
    if (other === null || other.report.digest === digest) return
    // The columns of the first run have been used again.
    faults.push(`${name} ends in another state: ${firstDifferences(runModel(plan).model, other.model).join('; ')}`)
  }
  const early: string[] = []
  // Its columns lie otherwise than those of the other runs: who reads rows that are nobody's ends in another state.
  const traced = attempt('traced run', watchedHorizon(early), (advance) => runModel(plan, advance, sink, [], false))
  differing('traced run', traced)
  const ways = otherWays(seed, drawnOrders).filter((_, index) => turn === null || index % 3 === turn % 3)
  for (const [name, advance] of ways) differing(name, attempt(name, advance, again))
  return [...faults, ...early, ...sink.faults]
}
