import type { Plan } from '@softnet/scenario/plan'
import type { Model } from '../../build/build-model.js'
import { lateSink, type TraceSink } from '../trace-sink.js'
import { ftraceRecorder } from './ftrace.js'
import { perfettoRecorder } from './perfetto.js'
import type { TraceRecorder, TraceWindow } from './trace-window.js'

/** What a trace is written as. */
export type TraceKind = 'perfetto' | 'ftrace'

/** A trace to be recorded. */
export interface TraceSpec extends TraceWindow {
  readonly kind: TraceKind
}

/** A trace of one run. */
export interface Trace {
  /** To be given to the model while it is built. */
  readonly sink: TraceSink
  /** Names the model the sink is called from; before anything runs. */
  attach(model: Model): TraceRecorder
}

/** Prepares the trace of a plan; nothing is recorded beyond the end of the plan. */
export function createTrace(plan: Plan, spec: TraceSpec): Trace {
  const late = lateSink()
  const window = { fromPs: spec.fromPs, toPs: Math.min(spec.toPs, plan.durationPs), sample: spec.sample }
  return {
    sink: late.sink,
    attach(model) {
      const recorder = spec.kind === 'perfetto' ? perfettoRecorder(model, window) : ftraceRecorder(model, window)
      late.target = recorder.sink
      return recorder
    },
  }
}
