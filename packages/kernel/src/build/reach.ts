import {
  type AppPlan,
  type FlowSetPlan,
  interfacesOf,
  type NtuplePlan,
  parsePrefix,
  type QueuePlan,
} from '@softnet/scenario/plan'
import { createToeplitz, flowHash, reciprocalScale } from '@softnet/wire'
import { hasPairs } from '../link/has-pairs.js'
import { flowKey } from '../netif/flow-key.js'
import type { DeviceLayout, HostLayout, Layout } from './layout.js'

/** Flows looked at one by one when it is asked which CPUs can meet; beyond, every pair is taken as possible. */
const FLOWS_LOOKED_AT = 131_072

/** Ordered pairs of CPU entities between which packets can pass, as `from * rows + to`. */
export interface Reach {
  /** Steering CPU → CPU whose backlog it fills. */
  readonly steered: Set<number>
  /** CPU whose softirq finds the socket → CPU of the socket. */
  readonly delivered: Set<number>
  /** CPU that allocated a packet → CPU that reads it. */
  readonly read: Set<number>
  /** CPU that sends → CPU of a transmit queue it may choose. */
  readonly sent: Set<number>
}

/** CPU that takes the interrupts of a queue. */
export function queueCpu(host: HostLayout, device: DeviceLayout, queueIndex: number): number {
  const vector = device.plan.vectors[device.plan.queues[queueIndex]?.vectorIndex ?? 0]
  return host.cpus[vector?.affinity[0] ?? 0]
}

/** CPU of the task that reads socket `index` of an app (the first task's for shared sockets). */
export function socketCpu(host: HostLayout, appIndex: number, index: number): number {
  const app = host.plan.apps[appIndex]
  const task = app?.sockets[index]?.taskIndex ?? 0
  return host.cpus[app?.tasks[task < 0 ? 0 : task]?.[0] ?? 0]
}

/** Whether the mask of a queue is written in the run: with an empty one its own CPU keeps all. */
function changesRps({ laterRpsCpus }: QueuePlan): boolean {
  return laterRpsCpus !== undefined
}

/** CPUs a software steer may choose for a queue: the RPS map, and with RFS every CPU that reads sockets. */
export function steerTargets(host: HostLayout, device: DeviceLayout, queueIndex: number): number[] {
  const queue = device.plan.queues[queueIndex]
  if (queue === undefined) return []
  const cpus = new Set([...queue.rpsCpus, ...(queue.laterRpsCpus ?? [])].map((cpu) => host.cpus[cpu]))
  if (queue.rpsFlowCnt > 0 && host.plan.sysctl['net.core.rps_sock_flow_entries'] > 0) {
    host.plan.apps.forEach((app, a) => {
      app.sockets.forEach((socket, s) => {
        cpus.add(socketCpu(host, a, s))
        for (const cpu of taskCpus(host, app, socket.taskIndex)) cpus.add(cpu)
      })
    })
  }
  return [...cpus].sort((a, b) => a - b)
}

function ruleMatches(
  rule: NtuplePlan,
  proto: number,
  saddr: number,
  daddr: number,
  sport: number,
  dport: number,
): boolean {
  return (
    (rule.proto === 0 || rule.proto === proto) &&
    (rule.saddr === null || rule.saddr === saddr) &&
    (rule.daddr === null || rule.daddr === daddr) &&
    (rule.sport === null || rule.sport === sport) &&
    (rule.dport === null || rule.dport === dport)
  )
}

/** CPUs of a host whose softirqs may see fragments: they share its reassembly queues. */
export function fragmentCpus(host: HostLayout): number[] {
  const cpus = new Set<number>()
  // Fragments that are passed on into a veth pair come in wherever somebody sends.
  if (hasPairs([host.plan]) && host.devices.some((device) => device.fragments))
    return [...sendingCpus(host)].sort((a, b) => a - b)
  for (const device of host.devices) {
    if (!device.fragments) continue
    device.plan.queues.forEach((_, q) => {
      for (const cpu of [...pollCpus(host, device, q), ...steerTargets(host, device, q)]) cpus.add(cpu)
    })
  }
  return [...cpus].sort((a, b) => a - b)
}

/** Finds which CPUs can exchange packets under a plan; an over-estimate where flows come and go, are replayed or come in fragments. */
export function findReach(layout: Layout): Reach {
  const reach: Reach = { steered: new Set(), delivered: new Set(), read: new Set(), sent: new Set() }
  for (const host of layout.hosts) {
    const readers = readersByPort(host)
    for (const device of host.devices) reachOfDevice(layout, host, device, readers, reach)
    if (hasPairs([host.plan])) reachOfPairs(layout, host, readers, reach)
    reachOfSending(layout, host, reach)
    reachOfPrograms(layout, host, reach)
  }
  return reach
}

/** Whether an address is one of the host's own, or one whose packets come back to it. */
function comesBack(host: HostLayout, address: number): boolean {
  if (address >>> 24 === 127 || address >>> 28 === 14 || address === 0xffffffff) return true
  return interfacesOf(host.plan.devices).some(({ addresses }) =>
    addresses.some((text) => {
      const parsed = parsePrefix(text)
      if (parsed === null) return false
      const size = 2 ** (32 - parsed.length)
      const broadcast = Math.floor(parsed.address / size) * size + size - 1
      return parsed.address === address || (parsed.length < 31 && broadcast === address)
    }),
  )
}

/** Whether a program sends to sockets of its own host. */
function sendsHome(host: HostLayout, { send, sockets }: AppPlan): boolean {
  if (send === undefined) return false
  if (send.to === null) return sockets.some(({ peer }) => peer !== null && comesBack(host, peer.address))
  for (let i = 0; i < send.addressCount; i++) if (comesBack(host, send.to.address + i)) return true
  return false
}

/**
 * What programs that send by themselves bring along: what comes back over the loopback device is handled where it was sent,
 * and what comes from outside may be for any of their sockets, an ICMP error if nothing else.
 */
function reachOfPrograms(layout: Layout, host: HostLayout, reach: Reach): void {
  const { apps } = host.plan
  if (apps.every(({ send }) => send === undefined)) return
  const rows = layout.cpuRows
  const readers = new Set<number>()
  apps.forEach((app, a) => {
    app.sockets.forEach((socket, s) => {
      readers.add(socketCpu(host, a, s))
      for (const cpu of taskCpus(host, app, socket.taskIndex)) readers.add(cpu)
    })
  })
  const senders = new Set<number>()
  if (apps.some((app) => sendsHome(host, app)))
    for (const app of apps) if (app.sockets.length > 0) for (const cpu of app.tasks.flat()) senders.add(host.cpus[cpu])
  for (const device of host.devices) {
    device.plan.queues.forEach((_, q) => {
      for (const cpu of [...pollCpus(host, device, q), ...steerTargets(host, device, q)]) senders.add(cpu)
    })
  }
  for (const from of senders) {
    for (const to of readers) {
      if (from === to) continue
      reach.delivered.add(from * rows + to)
      reach.read.add(from * rows + to)
    }
  }
}

/**
 * What is sent into a veth pair is received by the CPU that sends it, or by one that the other end's RPS chooses: from there on
 * it can go to every program of the host.
 */
function reachOfPairs(layout: Layout, host: HostLayout, readers: Map<number, Set<number>>, reach: Reach): void {
  const cpus = sendingCpus(host)
  const targets = new Set<number>()
  for (const device of host.devices) {
    if (device.plan.peer === undefined) continue
    device.plan.queues.forEach((_, q) => {
      for (const cpu of steerTargets(host, device, q)) targets.add(cpu)
    })
  }
  const everyReader = new Set([...readers.values()].flatMap((set) => [...set]))
  for (const from of cpus) {
    for (const to of targets) if (to !== from) reach.steered.add(from * layout.cpuRows + to)
    for (const to of everyReader) {
      if (to === from) continue
      reach.delivered.add(from * layout.cpuRows + to)
      reach.read.add(from * layout.cpuRows + to)
    }
  }
}

/** Which CPUs may send, and whose transmit queues they may choose. */
function reachOfSending(layout: Layout, host: HostLayout, reach: Reach): void {
  const senders = sendingCpus(host)
  for (const device of host.devices) {
    const owners = device.txQueues.map((_, q) => queueCpu(host, device, q))
    for (const cpu of senders) {
      const number = host.cpus.indexOf(cpu)
      const mapped = owners.filter((_, q) => device.plan.tx?.xpsCpus[q]?.includes(number))
      for (const owner of mapped.length > 0 && device.plan.tx?.changesXps !== true ? mapped : owners) {
        if (owner !== cpu) reach.sent.add(cpu * layout.cpuRows + owner)
      }
      // A connected socket keeps to the queue it has chosen, on whichever CPU its task sends.
      if (host.plan.apps.some((app) => app.sockets.some((socket) => socket.peer !== null))) {
        for (const owner of owners) if (owner !== cpu) reach.sent.add(cpu * layout.cpuRows + owner)
      }
    }
  }
}

/** CPUs that may send: those of programs, and those whose softirqs answer or pass on. */
export function sendingCpus(host: HostLayout): Set<number> {
  const cpus = softirqCpus(host)
  for (const app of host.plan.apps) for (const cpu of app.tasks.flat()) cpus.add(host.cpus[cpu])
  return cpus
}

/** CPUs whose softirqs take packets of devices. */
export function softirqCpus(host: HostLayout): Set<number> {
  const cpus = new Set<number>()
  for (const device of host.devices) {
    device.plan.queues.forEach((_, q) => {
      // An end of a veth pair has no interrupt: who sends into it receives.
      const polls = device.plan.peer === undefined ? pollCpus(host, device, q) : []
      for (const cpu of [...polls, ...steerTargets(host, device, q)]) cpus.add(cpu)
    })
  }
  return cpus
}

/** CPUs on which a socket may be read: its task's, or those of all tasks where they share sockets or an epoll instance. */
function taskCpus(host: HostLayout, app: AppPlan, taskIndex: number): number[] {
  const tasks = taskIndex < 0 || app.epoll.shared ? app.tasks : [app.tasks[taskIndex] ?? []]
  return tasks.flat().map((cpu) => host.cpus[cpu])
}

/** CPUs on which a queue may be polled: that of its interrupt, its NAPI thread's, and those of busy-polling tasks. */
function pollCpus(host: HostLayout, device: DeviceLayout, queueIndex: number): number[] {
  const { plan } = device
  const cpus = new Set([queueCpu(host, device, queueIndex)])
  if (plan.threaded) {
    for (const cpu of plan.threadedCpus[plan.queues[queueIndex]?.vectorIndex ?? 0] ?? []) cpus.add(host.cpus[cpu])
  }
  for (const app of host.plan.apps) {
    if (busyPolls(host, app)) for (const cpu of app.tasks.flat()) cpus.add(host.cpus[cpu])
  }
  return [...cpus].sort((a, b) => a - b)
}

/** Whether tasks of an app may poll queues themselves. */
export function busyPolls(host: HostLayout, app: AppPlan): boolean {
  const { sysctl } = host.plan
  return (
    sysctl['net.core.busy_poll'] > 0 ||
    sysctl['net.core.busy_read'] > 0 ||
    app.epoll.busyPollUsecs > 0 ||
    app.epoll.preferBusyPoll ||
    app.sockets.some((socket) => socket.soBusyPollUsecs > 0)
  )
}

/** CPUs that read sockets bound to each port. */
function readersByPort(host: HostLayout): Map<number, Set<number>> {
  const readers = new Map<number, Set<number>>()
  host.plan.apps.forEach((app, a) => {
    app.sockets.forEach((socket, s) => {
      const cpus = readers.get(socket.port) ?? new Set<number>()
      readers.set(socket.port, cpus.add(socketCpu(host, a, s)))
      for (const cpu of taskCpus(host, app, socket.taskIndex)) cpus.add(cpu)
    })
  })
  return readers
}

function reachOfDevice(
  layout: Layout,
  host: HostLayout,
  device: DeviceLayout,
  readers: Map<number, Set<number>>,
  reach: Reach,
): void {
  const rows = layout.cpuRows
  const everyReader = new Set<number>()
  for (const cpus of readers.values()) for (const cpu of cpus) everyReader.add(cpu)
  // Looks at every socket: once per queue, not once per flow.
  const pollCpusOf = device.plan.queues.map((_, q) => pollCpus(host, device, q))

  function pass(queueIndex: number, softirqCpus: readonly number[], to: Iterable<number>): void {
    const irqCpu = queueCpu(host, device, queueIndex)
    for (const pollCpu of pollCpusOf[queueIndex] ?? []) {
      for (const found of softirqCpus) {
        // Without steering the stack runs where the queue is polled.
        const softirqCpu = found === irqCpu ? pollCpu : found
        if (found !== pollCpu) reach.steered.add(pollCpu * rows + found)
        for (const reader of to) {
          if (reader !== softirqCpu) reach.delivered.add(softirqCpu * rows + reader)
          if (reader !== found) reach.delivered.add(found * rows + reader)
          if (reader !== pollCpu) reach.read.add(pollCpu * rows + reader)
        }
      }
    }
  }

  function anything(to: Iterable<number>): void {
    device.plan.queues.forEach((_, q) => {
      const targets = steerTargets(host, device, q)
      pass(q, [queueCpu(host, device, q), ...targets], to)
    })
  }

  // What hosts send to each other is not known beforehand.
  if (device.plan.link !== undefined) anything(everyReader)
  for (const traffic of layout.plan.traffic) {
    if (traffic.host !== host.plan.name || traffic.dev !== device.plan.name) continue
    if (traffic.kind === 'replay') anything(everyReader)
    else if (traffic.kind === 'open' && (traffic.protocol === 'icmp' || traffic.protocol === 'arp')) anything([])
    else if (
      (traffic.kind === 'open' && traffic.fragments !== null) ||
      traffic.flows.pick === 'churn' ||
      traffic.flows.count > FLOWS_LOOKED_AT ||
      device.plan.arfs
    ) {
      anything(readersOfRange(readers, traffic.flows))
    } else {
      const tcp = traffic.kind === 'open' && traffic.protocol === 'tcp'
      reachOfFlows(host, device, traffic.flows, tcp ? 6 : 17, readers, pass, layout.plan.seed)
      // Cards give frames with a bad version to their first queue, with no hash: software finds one of its own.
      if (traffic.kind === 'open' && traffic.malform.badVersion > 0) {
        pass(0, [queueCpu(host, device, 0), ...steerTargets(host, device, 0)], [])
      }
    }
  }
}

function readersOfRange(readers: Map<number, Set<number>>, flows: FlowSetPlan): Set<number> {
  const cpus = new Set<number>()
  for (const [port, list] of readers) {
    if (port < flows.dport || port >= flows.dport + flows.dportCount) continue
    for (const cpu of list) cpus.add(cpu)
  }
  return cpus
}

/** One set of flows: hash, queue, steering and socket of each, as the NIC and the kernel will find them. */
function reachOfFlows(
  host: HostLayout,
  device: DeviceLayout,
  flows: FlowSetPlan,
  proto: number,
  readers: Map<number, Set<number>>,
  pass: (queueIndex: number, softirqCpus: readonly number[], to: Iterable<number>) => void,
  seed: number,
): void {
  const { plan } = device
  const digits = plan.rssKey.replaceAll(/[^0-9a-fA-F]/g, '')
  const key = Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
  const toeplitz = createToeplitz(key)
  const withPorts = (proto === 17 ? plan.hashFields.udp4 : plan.hashFields.tcp4) === 'sdfn'
  const size = plan.indirection.length
  const none: number[] = []
  for (let i = 0; i < flows.count; i++) {
    const saddr = (flows.saddr + (i % flows.saddrCount)) >>> 0
    const daddr = (flows.daddr + (i % flows.daddrCount)) >>> 0
    const sport = flows.sport + (i % flows.sportCount)
    const dport = flows.dport + (i % flows.dportCount)
    const ports = ((sport << 16) | dport) >>> 0
    const hash = withPorts ? toeplitz.hash4tuple(saddr, daddr, ports) : toeplitz.hash2tuple(saddr, daddr)
    const rule = plan.ntuple.find((r) => ruleMatches(r, proto, saddr, daddr, sport, dport))
    if (rule !== undefined && rule.action < 0) continue
    const queueIndex = rule !== undefined ? rule.action : size === 0 ? 0 : (plan.indirection[hash & (size - 1)] ?? 0)
    const queue = plan.queues[queueIndex]
    if (queue === undefined) continue
    let softirqCpus = [queueCpu(host, device, queueIndex)]
    if (queue.rpsFlowCnt > 0 || changesRps(queue))
      softirqCpus = [...softirqCpus, ...steerTargets(host, device, queueIndex)]
    else if (queue.rpsCpus.length > 0) {
      const skbHash = withPorts ? hash : softwareHash(flowKey(seed, host.index), saddr, daddr, sport, dport, proto)
      softirqCpus = [host.cpus[queue.rpsCpus[reciprocalScale(skbHash, queue.rpsCpus.length)] ?? 0]]
    }
    pass(queueIndex, softirqCpus, readers.get(dport) ?? none)
  }
}

function softwareHash(
  key: readonly [number, number],
  saddr: number,
  daddr: number,
  sport: number,
  dport: number,
  proto: number,
): number {
  const [low, high] = key
  return flowHash(low, high, saddr, daddr, sport, dport, proto)
}
