/** Builds models from scenarios as users write them and runs them, in the plainest way that respects the lookahead. */
import { type CompileContext, compileScenario, type Plan } from '@softnet/scenario'
import type { Model } from '../../src/build/build-model.js'
import { modelPartitions } from '../../src/build/model-partitions.js'

/** Plan of a scenario; a fault in it is an error. */
export function planOf(scenario: unknown, readCapture?: NonNullable<CompileContext['readCapture']>): Plan {
  const result = compileScenario(scenario, { source: 'test', ...(readCapture === undefined ? {} : { readCapture }) })
  if (!result.ok) throw new Error(JSON.stringify(result.errors))
  return result.plan
}

/** What advances a model on this thread. */
export function modelRunner(model: Model): (untilPs: number) => void {
  const partitions = modelPartitions(model)
  const next = new Float64Array(partitions.length)
  const bound = new Float64Array(partitions.length).fill(Number.POSITIVE_INFINITY)
  const horizon = new Float64Array(partitions.length)
  for (const partition of partitions) partition.attach({ next, bound, horizon })
  const least = (times: Iterable<number>) => Math.min(Number.POSITIVE_INFINITY, ...times)
  return (untilPs) => {
    for (;;) {
      for (const partition of partitions) partition.drain()
      const first = least(next)
      if (first >= untilPs) return
      let isMoving = false
      for (const partition of partitions) {
        const { id, inputs } = partition
        partition.drain()
        const bounds = inputs.map(({ from, latencyPs }) => {
          const sender = partitions[from]
          const woken = first + least(sender.inputs.map((input) => input.latencyPs)) + latencyPs
          return Math.min(sender.bounded ? bound[from] : next[from] + latencyPs, woken)
        })
        horizon[id] = Math.min(untilPs, least(bounds))
        if (partition.run()) isMoving = true
      }
      if (!isMoving) throw new Error(`the model stands still before ${untilPs} ps`)
    }
  }
}
