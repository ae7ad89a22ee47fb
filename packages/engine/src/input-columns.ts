import type { Partition } from './partition.js'

const NEVER = Number.POSITIVE_INFINITY

/** Inputs of each partition in columns: bounded ones one by one, the others by their least latency, ps. */
export interface InputColumns {
  readonly plainLatency: Float64Array
  readonly leastIn: Float64Array
  readonly leastAnyIn: number
  /** Bounded inputs of p are entries [boundedBase[p], boundedBase[p + 1]). */
  readonly boundedBase: Int32Array
  readonly boundedFrom: Int32Array
  readonly boundedLatency: Float64Array
}

/** Sorts out the inputs of partitions; an input without latency is an error, its ends would have to be fused. */
export function inputColumns(partitions: readonly Partition[]): InputColumns {
  const n = partitions.length
  const plainLatency = new Float64Array(n).fill(NEVER)
  const leastIn = new Float64Array(n).fill(NEVER)
  const boundedBase = new Int32Array(n + 1)
  const from: number[] = []
  const latency: number[] = []
  partitions.forEach((partition, p) => {
    for (const input of partition.inputs) {
      const source = partitions[input.from]
      if (!(input.latencyPs > 0)) throw new Error(`${partition.name} has an input without latency: ${source?.name}`)
      leastIn[p] = Math.min(leastIn[p] as number, input.latencyPs)
      if (source?.bounded) {
        from.push(input.from)
        latency.push(input.latencyPs)
      } else plainLatency[p] = Math.min(plainLatency[p] as number, input.latencyPs)
    }
    boundedBase[p + 1] = from.length
  })
  return {
    plainLatency,
    leastIn,
    leastAnyIn: leastIn.reduce((a, b) => Math.min(a, b), NEVER),
    boundedBase,
    boundedFrom: Int32Array.from(from),
    boundedLatency: Float64Array.from(latency),
  }
}
