/** What the threads of an engine benchmark do; loaded by isolates. */
import { createRunner, type IsolateContext, type RunnerBuffers, tuneIsolate } from '@softnet/engine'
import { wallMs } from './host-clock.js'
import { createQueue } from './queue-plugin.js'
import { createRing, type RingShape } from './ring-plugin.js'

/** A ring to be timed. */
export interface RingRequest extends RingShape {
  readonly workers: number
  /** Wall time of the measured part, ms; as much again is run before. */
  readonly measureMs: number
}

/** What a thread measured. */
export interface EventFigures {
  readonly events: number
  readonly wallMs: number
  /** Partitions run in the measured part. */
  readonly steps: number
  readonly simulatedPs: number
  /** State at a fixed time: the same on any number of workers. */
  readonly check: number
}

/** Simulated time after which the state is looked at, ps. */
const CHECK_PS = 100_000
/** Wall time of one call of the runner, as in a run of the program, ms. */
const SLICE_MS = 50

interface Timed {
  readonly events: () => number
  readonly runUntil: (untilPs: number) => void
  readonly steps: () => number
}

/** Runs slices for a while as warm-up, then for as long again under the clock. */
function timeSlices(model: Timed, measureMs: number): Omit<EventFigures, 'check'> {
  let reachedPs = CHECK_PS
  let slicePs = CHECK_PS
  const runFor = (ms: number): number => {
    const startMs = wallMs()
    let nowMs = startMs
    while (nowMs - startMs < ms) {
      reachedPs += slicePs
      model.runUntil(reachedPs)
      const tookMs = wallMs() - nowMs
      nowMs += tookMs
      slicePs = Math.ceil(slicePs * Math.min(8, SLICE_MS / Math.max(tookMs, 0.01)))
    }
    return nowMs - startMs
  }
  runFor(measureMs)
  const before = { events: model.events(), steps: model.steps(), ps: reachedPs }
  const tookMs = runFor(measureMs)
  return {
    events: model.events() - before.events,
    wallMs: tookMs,
    steps: model.steps() - before.steps,
    simulatedPs: reachedPs - before.ps,
  }
}

/** Leads a ring. */
export function leadRing(request: RingRequest, context: IsolateContext): EventFigures {
  tuneIsolate()
  const ring = createRing(request)
  const runner = createRunner(ring.partitions)
  const { workers } = request
  if (workers > 1) {
    const payload = { shape: request, arena: ring.arena, buffers: runner.buffers }
    const partitions = ring.partitions.map(({ name }) => name)
    context.recruit({ exportName: 'helpRing', count: workers - 1, payload, buffers: runner.buffers, partitions })
    runner.awaitWorkers(workers)
  }
  runner.runUntil(CHECK_PS)
  const check = ring.digest()
  const model = { events: ring.events, runUntil: (ps: number) => runner.runUntil(ps), steps: runner.steps }
  const figures = timeSlices(model, request.measureMs)
  runner.release()
  return { ...figures, check }
}

/** Helps with a ring. */
export function helpRing(
  payload: {
    readonly shape: RingShape
    readonly arena: readonly SharedArrayBuffer[]
    readonly buffers: RunnerBuffers
  },
  context: IsolateContext,
): void {
  tuneIsolate()
  const ring = createRing(payload.shape, payload.arena)
  createRunner(ring.partitions, { buffers: payload.buffers, worker: context.worker }).serve()
}

/** Times the queue. */
export function runQueue({ measureMs }: { readonly measureMs: number }): EventFigures {
  tuneIsolate()
  const queue = createQueue()
  const runner = createRunner(queue.partitions)
  runner.runUntil(CHECK_PS)
  const check = queue.events()
  const model = { events: queue.events, runUntil: (ps: number) => runner.runUntil(ps), steps: runner.steps }
  return { ...timeSlices(model, measureMs), check }
}
