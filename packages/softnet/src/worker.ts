/** The module that isolates load: runs or inspects one plan on the kernel model. */
import type { IsolateContext } from '@softnet/engine'
import type { InspectDocument } from '@softnet/kernel'
import { createSimulation } from './simulation.js'
import type { Plan, ResultDocument } from '@softnet/scenario'
import { type PlanPayload, type Progress, runPlanWith } from './run-plan.js'

/** Runs a plan. */
export function runPlan(payload: PlanPayload, context: IsolateContext<Progress>): ResultDocument {
  return runPlanWith(createSimulation, payload, context)
}

/** Builds the world of a plan and describes its structure without running it. */
export function inspectPlan(plan: Plan): InspectDocument {
  return createSimulation(plan).inspect()
}
