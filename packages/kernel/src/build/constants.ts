import { defineResource } from '@softnet/ecs'
import type { Plan, SysctlPlan } from '@softnet/scenario/plan'
import type { TraceSink } from '../observe/trace-sink.js'

/** Numbers that do not change in a run and that many systems need when they are bound. */
export interface PlanConstants {
  readonly plan: Plan
  /** Settings of the kernel; all hosts of a run share them. */
  readonly sysctl: SysctlPlan
  /** Rows of tables with one row per CPU. */
  readonly cpuRows: number
  /** CPU entity of each CPU number of the host. */
  readonly cpuOfNumber: Int32Array
  /** Rows of tables with one row per CPU or wire. */
  readonly ownerRows: number
  /** Length of one interval of the timeline, ps. */
  readonly timelinePs: number
  readonly jiffyPs: number
  readonly hz: number
  /** First device entity: device index = entity − firstDevice. */
  readonly firstDevice: number
  readonly firstVector: number
  readonly firstQueue: number
  readonly firstTask: number
  readonly firstPartition: number
  /** Length of the rps_sock_flow_table (0: off), and mask of its entries' CPU bits. */
  readonly sockFlowLength: number
  readonly sockFlowCpuMask: number
  readonly socketHashMask: number
  readonly flowTableLength: number
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
  /** Each of two busy SMT siblings is this many times slower than alone. */
  readonly smtFactor: number
}

/** Resource key of the cold costs. */
export const COLD_COSTS = defineResource<ColdCosts>('cold_costs')
