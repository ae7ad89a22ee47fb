import { defineResource } from '@softnet/ecs'
import type { HostPlan, Plan } from '@softnet/scenario/plan'
import type { TraceSink } from '../observe/trace-sink.js'

/** Numbers that do not change in a run and that many systems need when they are bound. */
export interface PlanConstants {
  readonly plan: Plan
  /** What each network namespace has, as a host of its own; the first ones are those the hosts start in. */
  readonly nets: readonly HostPlan[]
  /** Rows of tables with one row per CPU. */
  readonly cpuRows: number
  /** Host of each CPU entity by its place in the plan; −1 for other rows. */
  readonly hostOfCpu: Int32Array
  /** CPU entity of number n on the host of a CPU: index `cpuBase[cpu] + n`, for n below `cpuCount[cpu]`. */
  readonly cpuOfNumber: Int32Array
  readonly cpuBase: Int32Array
  readonly cpuCount: Int32Array
  /** CPU entities of each host. */
  readonly cpusOfHost: readonly (readonly number[])[]
  /** Rows of tables with one row per CPU or wire. */
  readonly ownerRows: number
  /** Length of one interval of the timeline, ps. */
  readonly timelinePs: number
  /** Length of a jiffy on each CPU, ps, and jiffies per second. */
  readonly jiffyPs: Float64Array
  readonly hz: Float64Array
  /** First device entity: device index = entity − firstDevice. */
  readonly firstDevice: number
  readonly firstVector: number
  /** Ids of CPUs, queues, vectors and tasks are multiples of this; between two of them lies what is not theirs. */
  readonly idStep: number
  readonly firstQueue: number
  readonly firstTask: number
  readonly firstPartition: number
  /** Rows of one copy of an rps_sock_flow_table. */
  readonly sockFlowRows: number
  /** Length of the rps_sock_flow_table of each CPU's host (0: off), and mask of its entries' CPU bits. */
  readonly sockFlowLength: Int32Array
  readonly sockFlowCpuMask: Int32Array
  readonly socketHashMask: number
  /** Rows of one table of the flow limit. */
  readonly flowTableRows: number
  readonly warmupPs: number
  /** Rows of all packet pools. */
  readonly packetRows: number
  /** CPUs whose softirqs serve sockets of other partitions: rows of the views per socket and task. */
  readonly sources: number
  /** CPU entity of each source. */
  readonly sourceCpus: Int32Array
  /** Leaders of the partitions that keep a copy of the sock flow table, in order of the copies. */
  readonly flowViewLeaders: Int32Array
}

/** A value of each CPU's host, index = CPU entity: settings differ from host to host. */
export function perCpu(
  { plan, hostOfCpu }: Pick<PlanConstants, 'plan' | 'hostOfCpu'>,
  of: (host: HostPlan, index: number) => number,
): Float64Array {
  const values = plan.hosts.map(of)
  return Float64Array.from(hostOfCpu, (host) => (host < 0 ? 0 : values[host]))
}

/** Resource key of the constants. */
export const PLAN_CONSTANTS = defineResource<PlanConstants>('plan_constants')

/** Resource key of the trace sink; a sink that is off costs one test per poll. */
export const TRACE_SINK = defineResource<TraceSink>('trace_sink')

/** Costs that depend on the CPU's past or place. */
export interface ColdCosts {
  /** Extra time of the first poll after the CPU did something else, ps; index = CPU entity. */
  readonly coldPollPs: Float64Array
  /** Extra time per received packet, ps: index (device index) * cpuRows + CPU entity. */
  readonly coldPacketPs: Float64Array
  /**
   * Time for the lines of a packet to come from CPU a to CPU b where they share no last-level cache, ps, else 0:
   * index a * cpuRows + b.
   */
  readonly farPacketPs: Float64Array
  /** Time for the lines of a transmit queue to come from CPU b, that owns it, to CPU a, that sends on it, ps: index a * cpuRows + b. */
  readonly xmitLinesPs: Float64Array
  /** Time for what CPU a has written of a packet to come to CPU b, which frees it when it is sent, ps: index a * cpuRows + b. */
  readonly cleanLinesPs: Float64Array
  /** Each of two busy SMT siblings is this many times slower than alone. */
  readonly smtFactor: number
}

/** Resource key of the cold costs. */
export const COLD_COSTS = defineResource<ColdCosts>('cold_costs')
