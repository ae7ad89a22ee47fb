import { defineResource } from '@softnet/ecs'

/** Times of the cost profile that do not depend on frequency, and the relations between CPUs they apply to. */
export interface CostLatency {
  readonly irqDeliveryPs: number
  readonly ipiPs: number
  /** Time a NIC takes to carry out a command of its driver, ps. */
  readonly nicCommandPs: number
  /** Time for a cache line to come from CPU a to CPU b, ps: index a * cpuRows + b. */
  readonly line: Float64Array
  /** Time from the end of a send call to the frame's arrival at the other side of the link, ps. */
  readonly txPs: number
}

/** Resource key of the latencies. */
export const COST_LATENCY = defineResource<CostLatency>('cost_latency')
