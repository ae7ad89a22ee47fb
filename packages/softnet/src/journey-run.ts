/** Runs a plan until the packets that were asked for have come to their ends, inside an isolate. */
import type { IsolateContext } from '@softnet/engine'
import type { JourneyDocument, JourneyQuery, Plan } from '@softnet/scenario/plan'
import { wallMs } from './host-clock.js'
import type { Progress, SimulationFactory } from './run-plan.js'
import { SLICE_WALL_MS } from './slice.js'

/** What an isolate needs to follow packets. */
export interface JourneyPayload {
  readonly plan: Plan
  readonly query: JourneyQuery
}

/** What was found, and a few packets that were not asked for. */
export interface FoundJourneys {
  readonly document: JourneyDocument
  readonly examples: readonly string[]
  /** Number next to that of the packet asked for. */
  readonly nearest: number | null
}

/** Simulated time between two looks whether all is known, ps: where a run ends must not depend on the host. */
const PIECE_PS = 100_000_000
const PS_PER_NS = 1000

/** Follows the packets of a query; the run ends as soon as all is known, at its duration, or when it is asked to stop. */
export function followPackets(
  createSimulation: SimulationFactory,
  { plan, query }: JourneyPayload,
  context: Pick<IsolateContext<Progress>, 'post' | 'stopRequested'>,
): FoundJourneys {
  const simulation = createSimulation(plan, { journeys: query })
  const { journeys } = simulation
  if (journeys === null) throw new Error('the simulation follows no packets')
  const { durationPs } = plan
  const startedMs = wallMs()
  let toldMs = startedMs
  let nowPs = 0
  while (nowPs < durationPs && !journeys.isComplete && !context.stopRequested()) {
    nowPs = Math.min(durationPs, nowPs + PIECE_PS)
    simulation.runUntil(nowPs)
    const atMs = wallMs()
    if (atMs - toldMs < SLICE_WALL_MS) continue
    toldMs = atMs
    context.post({ simulatedPs: nowPs, durationPs, elapsedMs: atMs - startedMs, ...simulation.progress() })
  }
  const isEnded = nowPs >= durationPs || journeys.isComplete
  // At the end of a run rings tell of the frames that nobody has looked at.
  if (!journeys.isComplete) simulation.report()
  const { journeys: found, drops, examples, nearest } = journeys.finish(nowPs)
  simulation.release()
  const document: JourneyDocument = {
    schema: 'softnet.journey/1',
    status: isEnded ? 'done' : 'interrupted',
    ...{ scenario: plan.name, kernel: plan.kernel, profile: plan.profile, seed: plan.seed },
    simulated_ns: nowPs / PS_PER_NS,
    offered: simulation.progress().offered,
    journeys: found,
    drops,
  }
  return { document, examples, nearest }
}
