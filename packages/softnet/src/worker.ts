/** The module that isolates load: runs or inspects one plan on the kernel model. */
import { type IsolateContext, tuneIsolate } from '@softnet/engine'
import type { InspectDocument } from '@softnet/kernel'
import type { Plan, ResultDocument } from '@softnet/scenario/plan'
import { type FoundJourneys, followPackets, type JourneyPayload } from './journey-run.js'
import { importPlugins } from './plugins/import-plugin.js'
import { type PlanPayload, type Progress, runPlanWith } from './run-plan.js'
import { createSimulation, helpSimulation, type SharedSimulation } from './simulation.js'

/** Runs a plan. */
export async function runPlan(payload: PlanPayload, context: IsolateContext<Progress>): Promise<ResultDocument> {
  tuneIsolate()
  const plugins = await importPlugins(payload.plan)
  return runPlanWith((plan, options) => createSimulation(plan, { ...options, plugins }), payload, context)
}

/** Helps with a run that another thread leads. */
export async function helpPlan(
  payload: { plan: Plan; shared: SharedSimulation },
  context: IsolateContext,
): Promise<void> {
  tuneIsolate()
  helpSimulation(payload.plan, payload.shared, context.worker, await importPlugins(payload.plan))
}

/** Follows packets of a plan. */
export async function tracePackets(payload: JourneyPayload, context: IsolateContext<Progress>): Promise<FoundJourneys> {
  tuneIsolate()
  const plugins = await importPlugins(payload.plan)
  return followPackets((plan, options) => createSimulation(plan, { ...options, plugins }), payload, context)
}

/** Builds the world of a plan and describes its structure without running it. */
export async function inspectPlan(plan: Plan): Promise<InspectDocument> {
  return createSimulation(plan, { plugins: await importPlugins(plan) }).inspect()
}
