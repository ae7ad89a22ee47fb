import { defineResource } from '@softnet/ecs'

/** Times of the cost profile that do not depend on frequency, and the relations between CPUs they apply to. */
export interface CostLatency {
  readonly irqDeliveryPs: number
  readonly ipiPs: number
  /** Time for a cache line to come from CPU a to CPU b, ps. */
  linePs(a: number, b: number): number
  /** Smallest line time between any two CPUs of two partitions is at least this. */
  readonly txPs: number
}

/** Resource key of the latencies. */
export const COST_LATENCY = defineResource<CostLatency>('cost_latency')
