/** Builds models from scenarios as users write them and runs them, in the plainest way that respects the lookahead. */
import { type CompileContext, compileScenario, type Plan } from '@softnet/scenario'
import type { Model } from '../../src/build/build-model.js'
import { modelPartitions } from '../../src/build/model-partitions.js'
import type { PartitionTimes } from '../../src/build/partition-times.js'

/** Plan of a scenario; a fault in it is an error. */
export function planOf(scenario: unknown, readCapture?: NonNullable<CompileContext['readCapture']>): Plan {
  const result = compileScenario(scenario, { source: 'test', ...(readCapture === undefined ? {} : { readCapture }) })
  if (!result.ok) throw new Error(JSON.stringify(result.errors))
  return result.plan
}

function partitionTimes(n: number): PartitionTimes {
  return {
    next: new Float64Array(n),
    bound: new Float64Array(n).fill(Number.POSITIVE_INFINITY),
    horizon: new Float64Array(n),
    reached: new Uint8Array(n),
    reachedList: new Int32Array(n),
    // Everybody is asked, so nobody looks at the list; it starts over by itself.
    reachedCount: new Int32Array(1),
  }
}

/** What advances a model on this thread. */
export function modelRunner(model: Model): (untilPs: number) => void {
  const partitions = modelPartitions(model)
  const times = partitionTimes(partitions.length)
  const { next, bound, horizon } = times
  for (const partition of partitions) partition.attach(times)
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
        partition.publish()
      }
      if (!isMoving) throw new Error(`the model stands still before ${untilPs} ps`)
    }
  }
}
