/** Runs a scenario with a trace, in pieces as a run does. */
import { digestWorld } from '@softnet/ecs'
import { buildModel, type Model } from '../../src/build/build-model.js'
import { modelPartitions } from '../../src/build/model-partitions.js'
import { createTrace, type TraceSpec } from '../../src/observe/trace/trace.js'
import { modelRunner, planOf } from './run-model.js'

export interface RecordedTrace {
  readonly text: string
  readonly head: string | null
  readonly events: number
  readonly model: Model
  readonly digest: string
}

const WHOLE = { fromPs: 0, toPs: Number.POSITIVE_INFINITY, sample: 1 }

/** Records a scenario; `piecePs` is how much simulated time there is between two takes. */
export function recordTrace(scenario: unknown, spec: Partial<TraceSpec> = {}, piecePs = 1e8): RecordedTrace {
  const plan = planOf(scenario)
  const trace = createTrace(plan, { kind: 'perfetto', ...WHOLE, ...spec })
  const model = buildModel(plan, { trace: trace.sink })
  const recorder = trace.attach(model)
  const run = modelRunner(model)
  const parts: string[] = []
  for (let nowPs = 0; nowPs < plan.durationPs; ) {
    nowPs = Math.min(plan.durationPs, nowPs + piecePs)
    run(nowPs)
    parts.push(...recorder.take(nowPs))
  }
  for (const partition of modelPartitions(model)) partition.finish(plan.durationPs)
  parts.push(...recorder.close(plan.durationPs))
  const { head, events } = recorder
  return { text: parts.join(''), head, events, model, digest: digestWorld(model.world) }
}

/** The digest of the same scenario with nobody looking. */
export function digestAlone(scenario: unknown): string {
  const plan = planOf(scenario)
  const model = buildModel(plan)
  modelRunner(model)(plan.durationPs)
  for (const partition of modelPartitions(model)) partition.finish(plan.durationPs)
  return digestWorld(model.world)
}

/** A host with one card and a sink. */
export function tracedScenario(parts: {
  readonly cpus?: number
  readonly device?: Record<string, unknown>
  readonly traffic?: Record<string, unknown>
  readonly sockets?: Record<string, unknown>
  readonly app?: Record<string, unknown>
  readonly rest?: Record<string, unknown>
}): unknown {
  const { cpus = 2, device = {}, traffic = {}, sockets = {}, app = {}, rest = {} } = parts
  return {
    name: 'traced',
    duration: '1ms',
    ...rest,
    hosts: {
      server: {
        cpus,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', ...device } },
        apps: { sink: { cpus: [cpus - 1], sockets: { count: 1, bind: '0.0.0.0:9000', ...sockets }, ...app } },
      },
    },
    traffic: { load: { rate: '400kpps', packets: 200, flows: { count: 4, dport: 9000 }, ...traffic } },
  }
}
