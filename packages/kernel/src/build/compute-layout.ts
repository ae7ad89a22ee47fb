import type { HostPlan, Plan } from '@softnet/scenario'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'

/** Positions still free while entities are handed out, in the order in which `spawnEntities` spawns them. */
interface Cursor {
  device: number
  wire: number
  queue: number
  vector: number
  napi: number
  task: number
  socket: number
  epoll: number
}

/** True if the device has a link and so a wire of its own. */
export function hasWire(device: { readonly driver: { readonly virtual: boolean } }): boolean {
  return !device.driver.virtual
}

/** Devices of a host as entities: each of the plan, and one per VLAN id on it. */
function deviceEntities(host: HostPlan): number {
  return host.devices.reduce((sum, device) => sum + 1 + device.vlans.length, 0)
}

function sum(hosts: readonly HostPlan[], of: (host: HostPlan) => number): number {
  return hosts.reduce((total, host) => total + of(host), 0)
}

function threads(host: HostPlan): number {
  return host.devices.reduce((total, device) => total + (device.threaded ? device.vectors.length : 0), 0)
}

/** Fixes where every entity of a plan lies. Pure: the same plan gives the same layout on every worker. */
export function computeLayout(plan: Plan): Layout {
  const { hosts } = plan
  const cpuCount = sum(hosts, (host) => host.cpus.length)
  const wireCount = sum(hosts, (host) => host.devices.filter(hasWire).length)
  // Loopback devices come last, so that the number of a device does not depend on them.
  const firstLoopback = sum(hosts, deviceEntities)
  const deviceCount = firstLoopback + hosts.length
  const queueCount = sum(hosts, (host) => host.devices.reduce((n, d) => n + d.queues.length, 0))
  const vectorCount = sum(hosts, (host) => host.devices.reduce((n, d) => n + d.vectors.length, 0))
  const napiCount = vectorCount + cpuCount
  const taskCount =
    cpuCount + sum(hosts, threads) + sum(hosts, (host) => host.apps.reduce((n, app) => n + app.tasks.length, 0))
  const firstCpu = 1
  const firstWire = firstCpu + cpuCount
  const firstDevice = firstWire + wireCount
  const firstQueue = firstDevice + deviceCount
  const firstVector = firstQueue + queueCount
  const firstNapi = firstVector + vectorCount
  const firstTask = firstNapi + napiCount
  const cursor: Cursor = {
    device: firstDevice,
    wire: firstWire,
    queue: firstQueue,
    vector: firstVector,
    napi: firstNapi,
    task: firstTask,
    socket: 1,
    epoll: 1,
  }
  const hostLayouts: HostLayout[] = []
  let cpu = firstCpu
  hosts.forEach((host, index) => {
    hostLayouts.push(layoutHost(host, index, cpu, firstDevice + firstLoopback + index, cursor))
    cpu += host.cpus.length
  })
  return {
    plan,
    firstCpu,
    cpuCount,
    cpuRows: cpuCount + 1,
    firstWire,
    wireCount,
    ownerRows: cpuCount + wireCount + 1,
    firstDevice,
    deviceCount,
    firstQueue,
    queueCount,
    firstVector,
    vectorCount,
    firstNapi,
    napiCount,
    firstBacklogNapi: firstNapi + vectorCount,
    firstTask,
    taskCount,
    socketCount: cursor.socket - 1,
    epollCount: cursor.epoll - 1,
    hosts: hostLayouts,
  }
}

function layoutHost(host: HostPlan, index: number, firstCpu: number, loopback: number, at: Cursor): HostLayout {
  const firstKsoftirqd = at.task
  at.task += host.cpus.length
  const devices: DeviceLayout[] = host.devices.map((plan) => {
    const device = at.device
    at.device += 1 + plan.vlans.length
    const layout: DeviceLayout = {
      plan,
      device,
      wire: hasWire(plan) ? at.wire++ : 0,
      firstQueue: at.queue,
      firstVector: at.vector,
      firstNapi: at.napi,
      firstThread: plan.threaded ? at.task : 0,
    }
    at.queue += plan.queues.length
    at.vector += plan.vectors.length
    at.napi += plan.vectors.length
    if (plan.threaded) at.task += plan.vectors.length
    return layout
  })
  const appTasks: number[] = []
  const appSockets: number[] = []
  const appEpolls: number[] = []
  for (const app of host.apps) {
    appTasks.push(at.task)
    at.task += app.tasks.length
    appSockets.push(at.socket)
    at.socket += app.sockets.length
    const epolls = app.wait !== 'epoll_wait' || app.kind === 'spin' ? 0 : app.epoll.shared ? 1 : app.tasks.length
    appEpolls.push(epolls === 0 ? 0 : at.epoll)
    at.epoll += epolls
  }
  return { plan: host, index, firstCpu, devices, loopback, firstKsoftirqd, appTasks, appSockets, appEpolls }
}
