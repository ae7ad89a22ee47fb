/**
 * Runs in a process of its own, started with `STEADY_STATE_FLAGS`: a built-in scenario past its warm-up, and what two
 * million packets then allocate and do. Prints one line of JSON.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { EventHeap } from '@softnet/ecs'
import { createRunner, tuneIsolate } from '@softnet/engine'
import { buildModel, modelPartitions, modelProgress } from '@softnet/kernel'
import { builtinScenario, compileScenario } from '@softnet/scenario'

/** What the run found out. */
export interface SteadyState {
  readonly packets: number
  readonly dropped: number
  /** Growth of the heap and of what hangs on it. */
  readonly allocatedBytes: number
  /** Collections in between; the growth tells all only when there was none. */
  readonly collections: number
  /** Times a partition was advanced. */
  readonly steps: number
  /** Events and messages between partitions. */
  readonly events: number
}

const WARM_PS = 300e9
/** A forced collection throws compiled code away; the run settles again before anything is measured. */
const SETTLED_PS = 600e9
const MEASURED_PS = 500e9
/** A run of the program is cut into pieces too, so that it can show progress. */
const SLICE_PS = 10e9

async function steadyState(scenario: string, settings: Readonly<Record<string, unknown>>): Promise<SteadyState> {
  const collect = globalThis.gc
  const document = builtinScenario(scenario)?.scenario
  if (collect === undefined || document === undefined) throw new Error(`--expose-gc and a scenario, not ${scenario}`)
  const endPs = SETTLED_PS + MEASURED_PS
  // The traffic goes on for a slice after what is measured: when it ends, V8 throws compiled code away.
  const duration = { path: 'duration', value: `${(endPs + SLICE_PS) / 1e9}ms`, given: 'duration' }
  const set = Object.entries(settings).map(([path, value]) => ({ path, value, given: String(value) }))
  const compiled = compileScenario(document, { source: scenario, overrides: [...set, duration] })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  tuneIsolate()
  const model = buildModel(compiled.plan)
  const runner = createRunner(modelPartitions(model))
  const { nextSequence } = model.world.columns(EventHeap)
  const { cpus, wires } = model.layout
  const emitted = (): number => [...cpus, ...wires].reduce((sum, id) => sum + (nextSequence[id] ?? 0), 0)
  const runSlices = (fromPs: number, untilPs: number): void => {
    for (let ps = fromPs; ps < untilPs; ps += SLICE_PS) runner.runUntil(ps + SLICE_PS)
  }
  const heapBytes = (): number => {
    const { used_heap_size, external_memory } = getHeapStatistics()
    return used_heap_size + external_memory
  }
  runSlices(0, WARM_PS)
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length
  })
  collect()
  // The entry of the forced collection is due before the observer begins.
  await sleep(20)
  observer.observe({ entryTypes: ['gc'] })
  runSlices(WARM_PS, SETTLED_PS)
  const before = { ...modelProgress(model), steps: runner.steps(), events: emitted() }
  const heapBefore = heapBytes()
  runSlices(SETTLED_PS, endPs)
  const allocatedBytes = heapBytes() - heapBefore
  await sleep(20)
  observer.disconnect()
  const after = modelProgress(model)
  return {
    packets: after.offered - before.offered,
    dropped: after.dropped - before.dropped,
    allocatedBytes,
    collections,
    steps: runner.steps() - before.steps,
    events: emitted() - before.events,
  }
}

console.log(JSON.stringify(await steadyState(process.argv[2] ?? '', JSON.parse(process.argv[3] ?? '{}'))))
