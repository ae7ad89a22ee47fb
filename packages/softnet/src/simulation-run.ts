/** A plan in an isolate of its own, seen from the main thread. */
import { IsolateError, type IsolateRun, runInIsolate, type StopWord } from '@softnet/engine'
import type { InspectDocument } from '@softnet/kernel'
import type { Plan, ResultDocument } from '@softnet/scenario'
import { programUrl } from './bundle.js'
import { RunError, ScenarioError } from './input-fault.js'
import type { FoundJourneys, JourneyPayload } from './journey-run.js'
import type { PlanPayload, Progress } from './run-plan.js'

function failureText(plan: Plan, error: IsolateError): string {
  const run = `scenario ${plan.name}, seed ${plan.seed}`
  switch (error.failure) {
    case 'out-of-memory':
      return `${error.message} (${run}); give Node more with NODE_OPTIONS=--max-old-space-size=MiB or simulate less`
    case 'threw':
      return `the simulation failed (${run}): ${error.message}`
    default:
      return `${error.message} (${run})`
  }
}

/** What is accepted instead of plugins that cannot be built; a missing order says by itself what would do. */
function acceptedOf(message: string): string {
  return message.startsWith('an order, ') ? message : `plugins that can be built (${message})`
}

async function inIsolate<Result, Message>(plan: Plan, run: Omit<IsolateRun<Message>, 'moduleUrl'>): Promise<Result> {
  try {
    return await runInIsolate<Result, Message>({ moduleUrl: programUrl('worker'), ...run })
  } catch (thrown) {
    if (thrown instanceof IsolateError && thrown.thrownName === 'PluginError') {
      throw new ScenarioError([{ path: 'plugins', given: null, accepted: acceptedOf(thrown.message), nearest: null }])
    }
    if (thrown instanceof IsolateError) throw new RunError(failureText(plan, thrown), thrown)
    throw thrown
  }
}

/** Runs a plan in a fresh isolate; throws a {@link RunError} if that fails. */
export function runPlanInIsolate(
  payload: PlanPayload,
  stop: StopWord,
  onProgress?: (progress: Progress) => void,
): Promise<ResultDocument> {
  return inIsolate<ResultDocument, Progress>(payload.plan, {
    exportName: 'runPlan',
    payload,
    stop,
    ...(onProgress === undefined ? {} : { onMessage: onProgress }),
  })
}

/** Follows packets of a plan in a fresh isolate; throws a {@link RunError} if that fails. */
export function followInIsolate(
  payload: JourneyPayload,
  stop: StopWord,
  onProgress: (progress: Progress) => void,
): Promise<FoundJourneys> {
  return inIsolate<FoundJourneys, Progress>(payload.plan, {
    exportName: 'tracePackets',
    payload,
    stop,
    onMessage: onProgress,
  })
}

/** Builds a plan's world in a fresh isolate and returns its structure. */
export function inspectPlanInIsolate(plan: Plan): Promise<InspectDocument> {
  return inIsolate<InspectDocument, never>(plan, { exportName: 'inspectPlan', payload: plan })
}
