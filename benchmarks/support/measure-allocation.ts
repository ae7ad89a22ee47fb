import { PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import type { AllocationFigures, RunRequest } from './request.js'
import { createSimulatedRun } from './simulated-run.js'

/** Flags of a process that measures allocation: the young generation is so large that nothing has to be collected. */
export const ALLOCATION_FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

function heapBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Measures what a run allocates after its warm-up, between two forced collections. Needs `ALLOCATION_FLAGS`. */
export async function measureAllocation(request: RunRequest): Promise<AllocationFigures> {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('node has to be started with --expose-gc')
  const run = createSimulatedRun(request)
  run.warm(0.5)
  let collections = 0
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length
  })
  collect()
  const keptBefore = heapBytes()
  // Entries of the forced collection arrive before it begins to count.
  await sleep(20)
  observer.observe({ entryTypes: ['gc'] })
  // A forced collection throws compiled code away; the run settles again.
  run.warm(1)
  const before = heapBytes()
  let last = before
  let grown = 0
  for (let i = 0; i < request.slices; i++) {
    run.slice()
    const now = heapBytes()
    if (now > last) grown += now - last
    last = now
  }
  await sleep(20)
  observer.disconnect()
  collect()
  const retainedBytes = heapBytes() - keptBefore
  const allocatedBytes = collections === 0 ? last - before : grown
  return { ...run.end(), allocatedBytes, retainedBytes, collections }
}
