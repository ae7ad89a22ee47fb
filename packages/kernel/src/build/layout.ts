import type { DevicePlan, HostPlan, Plan } from '@softnet/scenario'

/**
 * Where everything lies: entity ranges fixed before the world is frozen. Entities of one kind are consecutive, over all
 * hosts, in the order of the plan. CPUs start at 1; wires (one per device that has a link) follow them, so that CPU and
 * wire ids index the same per-owner tables (`ownerRows`).
 */
export interface Layout {
  readonly plan: Plan
  readonly firstCpu: number
  readonly cpuCount: number
  /** CPU entities are 1 … cpuRows − 1. */
  readonly cpuRows: number
  readonly firstWire: number
  readonly wireCount: number
  /** Rows of tables with one row per CPU or wire. */
  readonly ownerRows: number
  readonly firstDevice: number
  readonly deviceCount: number
  readonly firstQueue: number
  readonly queueCount: number
  readonly firstVector: number
  readonly vectorCount: number
  readonly firstNapi: number
  readonly napiCount: number
  /** Backlog NAPI of CPU c is firstBacklogNapi + c − firstCpu. */
  readonly firstBacklogNapi: number
  readonly firstTask: number
  readonly taskCount: number
  /** Sockets are rows 1 … socketCount, epoll instances 1 … epollCount. */
  readonly socketCount: number
  readonly epollCount: number
  readonly hosts: readonly HostLayout[]
}

/** Ranges of one host. */
export interface HostLayout {
  readonly plan: HostPlan
  readonly index: number
  readonly firstCpu: number
  readonly devices: readonly DeviceLayout[]
  /** Entity of the loopback device. */
  readonly loopback: number
  /** First ksoftirqd task; CPU i of the host has task firstKsoftirqd + i. */
  readonly firstKsoftirqd: number
  /** First task of each app. */
  readonly appTasks: readonly number[]
  /** First socket row of each app; rows are consecutive in plan order. */
  readonly appSockets: readonly number[]
  /** First epoll row of each app (one per task, or one shared); 0 if the app has none. */
  readonly appEpolls: readonly number[]
}

/** Ranges of one device. */
export interface DeviceLayout {
  readonly plan: DevicePlan
  readonly device: number
  readonly wire: number
  readonly firstQueue: number
  readonly firstVector: number
  /** NAPI of vector i is firstNapi + i. */
  readonly firstNapi: number
  /** NAPI thread of vector i, when threaded: firstThread + i. */
  readonly firstThread: number
}
