import { mix32 } from '@softnet/ecs'
import { createRunner, tuneIsolate } from '@softnet/engine'
import { buildModel, modelPartitions, modelProgress, reportModel } from '@softnet/kernel'
import { builtinScenario, compileScenario, type Plan, type RoutePlan, rssScenario } from '@softnet/scenario'
import { wallMs } from './host-clock.js'
import type { Packets, RunFigures, RunRequest } from './request.js'

const PS_PER_US = 1e6

/** A model that is advanced slice by slice. One per process: code bound twice runs several times slower. */
export interface SimulatedRun {
  readonly buildMs: number
  /** Advances to this share of the warm-up and starts to count. */
  warm(share: number): void
  /** Advances by one slice, at most to the end of the run. */
  slice(): void
  /** Packets since the warm-up. */
  packets(): Packets
  /** Reads out what was measured, and the digest at the end of the run. */
  end(): RunFigures
}

function compile(request: RunRequest): Plan {
  const { scenario, set = {}, warmUs, sliceUs, slices } = request
  const wide = /^rss:(\d+)$/.exec(scenario)
  const document = wide === null ? builtinScenario(scenario)?.scenario : rssScenario(Number(wide[1]))
  if (document === undefined) throw new Error(`no built-in scenario is called ${scenario}`)
  // One slice more than is measured: when the traffic ends, V8 throws compiled code away.
  const durationUs = warmUs + sliceUs * (slices + 1)
  const changes = { ...set, duration: `${durationUs}us`, warmup: `${Math.floor(warmUs / 2)}us` }
  const overrides = Object.entries(changes).map(([path, value]) => ({ path, value, given: String(value) }))
  const compiled = compileScenario(document, { source: scenario, overrides })
  if (!compiled.ok) throw new Error(`${scenario}: ${JSON.stringify(compiled.errors)}`)
  return request.routes === undefined ? compiled.plan : withRoutes(compiled.plan, request.routes)
}

/** Gives the first host routes of /16 to /24 to all of the address space, by the device of its last route. */
function withRoutes(plan: Plan, count: number): Plan {
  const [first, ...others] = plan.hosts
  const last = first?.routes.at(-1)
  if (first === undefined || last === undefined) throw new Error(`${plan.name} has no route to take after`)
  const routes: RoutePlan[] = [...first.routes]
  for (let i = 0; i < count; i++) {
    const lengthBits = 16 + (mix32(i, 1) % 9)
    const prefix = (mix32(i, 2) & (-1 << (32 - lengthBits))) >>> 0
    routes.push({ ...last, prefix, lengthBits })
  }
  return { ...plan, hosts: [{ ...first, routes }, ...others] }
}

/** Builds what a request asks for the way a run of the program does, without capture. */
export function createSimulatedRun(request: RunRequest): SimulatedRun {
  const plan = compile(request)
  tuneIsolate()
  const startMs = wallMs()
  const model = buildModel(plan)
  const partitions = modelPartitions(model)
  const runner = createRunner(partitions)
  const buildMs = wallMs() - startMs
  let reachedPs = 0
  let counted = modelProgress(model)
  let stepsBefore = 0

  function goTo(untilPs: number): void {
    reachedPs = Math.min(untilPs, plan.durationPs)
    runner.runUntil(reachedPs)
  }

  function packets(): Packets {
    const { offered, delivered, dropped } = modelProgress(model)
    return {
      offered: offered - counted.offered,
      delivered: delivered - counted.delivered,
      dropped: dropped - counted.dropped,
    }
  }

  return {
    buildMs,
    warm(share) {
      goTo(Math.floor(request.warmUs * share) * PS_PER_US)
      counted = modelProgress(model)
      stepsBefore = runner.steps()
    },
    slice: () => goTo(reachedPs + request.sliceUs * PS_PER_US),
    packets,
    end() {
      const figures = { packets: packets(), steps: runner.steps() - stepsBefore }
      goTo(plan.durationPs)
      for (const partition of partitions) partition.finish(plan.durationPs)
      const { digest } = reportModel(model, plan.durationPs)
      return { ...figures, digest, residentMaxBytes: process.resourceUsage().maxRSS * 1024 }
    },
  }
}
