import type { DevicePlan, HostPlan, Plan } from '@softnet/scenario/plan'

/**
 * Where everything lies: entity ids fixed before the world is frozen, ascending in the order of the plan, over all hosts.
 * Ids of one kind are `step` apart, so that what two threads write at the same time lies on different cache lines. CPUs
 * come first; wires (one per device that has a link) follow them, so that CPU and wire ids index the same per-owner
 * tables (`ownerRows`).
 */
export interface Layout {
  readonly plan: Plan
  /** Distance between two ids of a kind (devices: 1), a power of two. */
  readonly step: number
  readonly cpus: readonly number[]
  /** Rows of tables with one row per CPU: all their ids are below. */
  readonly cpuRows: number
  /** Ids of wires are not below it, those of CPUs are. */
  readonly firstWire: number
  readonly wires: readonly number[]
  /** Rows of tables with one row per CPU or wire. */
  readonly ownerRows: number
  readonly firstDevice: number
  readonly deviceCount: number
  readonly firstQueue: number
  readonly queues: readonly number[]
  readonly firstVector: number
  readonly vectors: readonly number[]
  /** NAPI instances of devices. */
  readonly napis: readonly number[]
  /** Backlog NAPI of each CPU, in the order of `cpus`. */
  readonly backlogNapis: readonly number[]
  readonly firstTask: number
  readonly tasks: readonly number[]
  /** Rows of transmit queues, a step apart. */
  readonly txQueueRows: number
  /** All entity ids are below. */
  readonly entityRows: number
  /** Sockets, and the rows of their table; a step apart where they are few. */
  readonly socketCount: number
  readonly socketRows: number
  /** Distance between the rows of two sockets. */
  readonly socketStep: number
  readonly epollRows: number
  readonly hosts: readonly HostLayout[]
  /** Network namespaces, see `netLayouts`: what the IP layer takes for its host. */
  readonly nets: readonly NetLayout[]
}

/** Ids of one host. */
export interface HostLayout {
  readonly plan: HostPlan
  readonly index: number
  /** CPU i of the host. */
  readonly cpus: readonly number[]
  readonly devices: readonly DeviceLayout[]
  /** Entity of the loopback device. */
  readonly loopback: number
  /** ksoftirqd task of each CPU. */
  readonly ksoftirqds: readonly number[]
  /** Tasks of each app. */
  readonly appTasks: readonly (readonly number[])[]
  /** Socket rows of each app. */
  readonly appSockets: readonly (readonly number[])[]
  /** Epoll rows of each app: one per task, or one shared; empty if it has none. */
  readonly appEpolls: readonly (readonly number[])[]
}

/** A network namespace as a host of its own: `index` counts namespaces, and only what is in it is listed. */
export interface NetLayout extends HostLayout {
  readonly hostIndex: number
  readonly netns: string
}

/** Ids of one device. */
export interface DeviceLayout {
  readonly plan: DevicePlan
  readonly device: number
  readonly wire: number
  readonly queues: readonly number[]
  /** Rows of TxQueue, one per queue; none where nothing of the host's load leaves by the device. */
  readonly txQueues: readonly number[]
  readonly vectors: readonly number[]
  /** NAPI of each vector. */
  readonly napis: readonly number[]
  /** NAPI thread of each vector, when threaded. */
  readonly threads: readonly number[]
  /** kworker of each vector, when DIM moderates. */
  readonly workers: readonly number[]
  /** Traffic to the device has IP fragments in it. */
  readonly fragments: boolean
}
