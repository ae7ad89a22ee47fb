import type { AppPlan, DevicePlan, HostPlan, Plan } from '@softnet/scenario/plan'
import { netCount, netLayouts } from '../netns/net-layout.js'
import { sendsFragments } from '../traffic/sends-fragments.js'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'

/** Ids of one kind as they are handed out, a step apart. */
class Ids {
  readonly all: number[] = []
  readonly #step: number
  #next: number

  constructor(first: number, step: number) {
    this.#next = first
    this.#step = step
  }

  /** First id not yet handed out. */
  get end(): number {
    return this.#next
  }

  take(count: number): number[] {
    const ids = Array.from({ length: count }, (_, i) => this.#next + i * this.#step)
    this.#next += count * this.#step
    this.all.push(...ids)
    return ids
  }
}

/** Ids still free while entities are handed out. */
interface Free {
  readonly cpus: Ids
  readonly wires: Ids
  readonly devices: Ids
  readonly queues: Ids
  readonly vectors: Ids
  readonly napis: Ids
  readonly tasks: Ids
  readonly txQueues: Ids
  readonly sockets: Ids
  readonly epolls: Ids
}

/**
 * 16 rows are a cache line of a 4-byte column, and two of doubles. Narrower columns are seldom written: 64 rows, a line of
 * theirs, run no faster on two workers (`rss-4-queues`: 230 ns per packet both) and make the arena of a small host twice as large.
 */
const STEP_MAX = 16
/** Tables with a row per pair of CPUs stay small. */
const SPREAD_ROWS = 1024

/** Distance between ids of a kind of which there are `count`: as far apart as the tables allow. */
function stepFor(count: number): number {
  let step = STEP_MAX
  while (step > 1 && count * step > SPREAD_ROWS) step /= 2
  return step
}

/** True if the device has a link and so a wire of its own. */
export function hasWire(device: { readonly driver: { readonly virtual: boolean } }): boolean {
  return !device.driver.virtual
}

/** Whether a program sends. */
export function sends(app: AppPlan): boolean {
  return app.kind === 'udp_echo' || app.send !== undefined
}

/** Whether packets leave a host as part of its load: its programs send, it passes them on, or it is asked for answers. */
export function transmits(host: HostPlan, run: Plan): boolean {
  return (
    host.devices.some(({ link }) => link !== undefined) ||
    host.apps.some(sends) ||
    host.devices.some((device) => device.conf.forwarding !== 0) ||
    run.traffic.some(
      (each) =>
        each.host === host.name && each.kind === 'open' && (each.protocol === 'icmp' || each.protocol === 'arp'),
    )
  )
}

/** Longest payload that a program sends, bytes. */
function longestMessage(app: AppPlan): number {
  if (app.send === undefined) return app.replyBytes
  const { payload } = app.send
  return payload.kind === 'fixed'
    ? payload.bytes
    : payload.kind === 'weighted'
      ? Math.max(...payload.values.map(({ bytes }) => bytes))
      : 0
}

/** Whether a packet on a link may come in pieces: somebody sends one that is longer than the narrowest way. */
function mayFragment(plan: Plan): boolean {
  const devices = plan.hosts.flatMap((host) => host.devices)
  const narrowest = Math.min(...devices.map(({ mtu }) => mtu))
  const widest = Math.max(...devices.map(({ mtu }) => mtu))
  if (narrowest < widest) return true
  if (plan.traffic.some((each) => each.kind === 'replay' || (each.kind === 'open' && each.fragments !== null)))
    return true
  return plan.hosts.some((host) => host.apps.some((app) => longestMessage(app) + 28 > narrowest))
}

/** Devices of a host as entities: each of the plan, and one per VLAN id on it. */
function deviceEntities(host: HostPlan): number {
  return host.devices.reduce((sum, device) => sum + 1 + device.vlans.length, 0)
}

function sum(hosts: readonly HostPlan[], of: (host: HostPlan) => number): number {
  return hosts.reduce((total, host) => total + of(host), 0)
}

/** True if DIM moderates the device: its work item needs a task per vector. */
export function hasDim(device: DevicePlan): boolean {
  return device.adaptiveRx && device.driver.adaptiveRule === 'dim'
}

/** NAPI threads and kworkers. */
function threads(host: HostPlan): number {
  return host.devices.reduce(
    (total, device) => total + ((device.threaded ? 1 : 0) + (hasDim(device) ? 1 : 0)) * device.vectors.length,
    0,
  )
}

/** Fixes where every entity of a plan lies. Pure: the same plan gives the same layout on every worker. */
export function computeLayout(plan: Plan): Layout {
  const { hosts } = plan
  const cpuCount = sum(hosts, (host) => host.cpus.length)
  const wireCount = sum(hosts, (host) => host.devices.filter(hasWire).length)
  // Loopback devices come last, so that the number of a device does not depend on them.
  const firstLoopback = sum(hosts, deviceEntities)
  const deviceCount = firstLoopback + netCount(hosts)
  const queueCount = sum(hosts, (host) => host.devices.reduce((n, d) => n + d.queues.length, 0))
  const vectorCount = sum(hosts, (host) => host.devices.reduce((n, d) => n + d.vectors.length, 0))
  const taskCount =
    cpuCount + sum(hosts, threads) + sum(hosts, (host) => host.apps.reduce((n, app) => n + app.tasks.length, 0))
  const socketCount = sum(hosts, (host) => host.apps.reduce((n, app) => n + app.sockets.length, 0))
  const step = stepFor(Math.max(cpuCount + wireCount, queueCount, vectorCount + cpuCount, taskCount))
  const aligned = (row: number) => Math.ceil(row / step) * step
  const firstWire = step + cpuCount * step
  const firstDevice = firstWire + wireCount * step
  const firstQueue = aligned(firstDevice + deviceCount)
  const firstVector = firstQueue + queueCount * step
  const firstNapi = firstVector + vectorCount * step
  const firstTask = firstNapi + (vectorCount + cpuCount) * step
  const socketStep = stepFor(socketCount)
  const free: Free = {
    cpus: new Ids(step, step),
    wires: new Ids(firstWire, step),
    devices: new Ids(firstDevice, 1),
    queues: new Ids(firstQueue, step),
    vectors: new Ids(firstVector, step),
    napis: new Ids(firstNapi, step),
    tasks: new Ids(firstTask, step),
    txQueues: new Ids(step, step),
    sockets: new Ids(socketStep, socketStep),
    epolls: new Ids(step, step),
  }
  const hostLayouts = hosts.map((host, index) =>
    layoutHost(plan, host, index, firstDevice + firstLoopback + index, free),
  )
  const napis = [...free.napis.all]
  return {
    plan,
    step,
    cpus: free.cpus.all,
    cpuRows: firstWire,
    firstWire,
    wires: free.wires.all,
    ownerRows: firstDevice,
    firstDevice,
    deviceCount,
    firstQueue,
    queues: free.queues.all,
    firstVector,
    vectors: free.vectors.all,
    napis,
    backlogNapis: free.napis.take(cpuCount),
    firstTask,
    tasks: free.tasks.all,
    entityRows: free.tasks.end,
    txQueueRows: free.txQueues.end,
    socketCount,
    socketRows: free.sockets.end,
    socketStep,
    epollRows: free.epolls.end,
    hosts: hostLayouts,
    nets: netLayouts(hostLayouts, firstDevice + firstLoopback),
  }
}

function layoutHost(run: Plan, host: HostPlan, index: number, loopback: number, free: Free): HostLayout {
  const cpus = free.cpus.take(host.cpus.length)
  const ksoftirqds = free.tasks.take(host.cpus.length)
  const devices: DeviceLayout[] = host.devices.map((plan) => ({
    plan,
    device: free.devices.take(1 + plan.vlans.length)[0] as number,
    wire: hasWire(plan) ? (free.wires.take(1)[0] as number) : 0,
    queues: free.queues.take(plan.queues.length),
    txQueues: transmits(host, run) && plan.tx !== undefined ? free.txQueues.take(plan.queues.length) : [],
    vectors: free.vectors.take(plan.vectors.length),
    napis: free.napis.take(plan.vectors.length),
    threads: plan.threaded ? free.tasks.take(plan.vectors.length) : [],
    fragments:
      (plan.link !== undefined && mayFragment(run)) ||
      run.traffic.some((each) => each.host === host.name && each.dev === plan.name && sendsFragments(each, plan.mac)),
    workers: hasDim(plan) ? free.tasks.take(plan.vectors.length) : [],
  }))
  const appTasks: number[][] = []
  const appSockets: number[][] = []
  const appEpolls: number[][] = []
  for (const app of host.apps) {
    appTasks.push(free.tasks.take(app.tasks.length))
    appSockets.push(free.sockets.take(app.sockets.length))
    const epolls =
      app.wait !== 'epoll_wait' || app.kind === 'spin' || app.send !== undefined
        ? 0
        : app.epoll.shared
          ? 1
          : app.tasks.length
    appEpolls.push(free.epolls.take(epolls))
  }
  return { plan: host, index, cpus, devices, loopback, ksoftirqds, appTasks, appSockets, appEpolls }
}
