/** The module that isolates load: runs or inspects one plan on the kernel model. */
import { type IsolateContext, tuneIsolate } from '@softnet/engine'
import type { InspectDocument } from '@softnet/kernel'
import type { Plan, ResultDocument } from '@softnet/scenario/plan'
import { type PlanPayload, type Progress, runPlanWith } from './run-plan.js'
import { createSimulation, helpSimulation, type SharedSimulation } from './simulation.js'

/** Runs a plan. */
export function runPlan(payload: PlanPayload, context: IsolateContext<Progress>): ResultDocument {
  tuneIsolate()
  return runPlanWith(createSimulation, payload, context)
}

/** Helps with a run that another thread leads. */
export function helpPlan(payload: { plan: Plan; shared: SharedSimulation }, context: IsolateContext): void {
  tuneIsolate()
  helpSimulation(payload.plan, payload.shared, context.worker)
}

/** Builds the world of a plan and describes its structure without running it. */
export function inspectPlan(plan: Plan): InspectDocument {
  return createSimulation(plan).inspect()
}
