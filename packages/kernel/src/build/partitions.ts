import { type CostProfile, sharesState } from '@softnet/scenario/plan'
import { hasNapi, hasPairs } from '../link/has-pairs.js'
import { switchesFeatures } from '../link/most-of-run.js'
import { hasPacketSockets } from '../packet/components.js'
import { hasRawSockets } from '../raw/components.js'
import type { HostLayout, Layout } from './layout.js'
import { linkLayouts } from './link-layout.js'
import { findReach, fragmentCpus, queueCpu, sendingCpus, steerTargets } from './reach.js'
import { netnsSharing } from './shared-tables.js'
import { udpMemoryEdges } from './udp-memory-places.js'

/** A channel from one owner (CPU or wire) to another: what it carries and the least time it takes. */
export interface Edge {
  readonly from: number
  readonly to: number
  readonly latencyPs: number
  readonly why: string
}

/** Which owners form one partition, and the channels between partitions. Follows from the scenario alone. */
export interface Partitions {
  /** Leader (lowest owner id) of each owner's partition. */
  readonly leader: Int32Array
  /** Owners of each partition, by leader, ascending. */
  readonly members: ReadonlyMap<number, readonly number[]>
  readonly edges: readonly Edge[]
  /** Why owners were fused, for `inspect`. */
  readonly fused: readonly { readonly owners: readonly number[]; readonly why: string }[]
  /** Time of a cache line from CPU a to CPU b, ps: index a * cpuRows + b. */
  readonly line: Float64Array
}

/** Time for a cache line to pass between two CPUs, by what they share: index a * cpuRows + b, ps. */
export function lineLatency(layout: Layout, profile: CostProfile): Float64Array {
  const place = new Map<number, { host: number; core: number; llc: number; node: number }>()
  for (const host of layout.hosts) {
    host.plan.cpus.forEach((cpu, i) => {
      place.set(host.cpus[i], { host: host.index, core: cpu.coreId, llc: cpu.llcId, node: cpu.nodeId })
    })
  }
  const rows = layout.cpuRows
  const table = new Float64Array(rows * rows)
  const { latency } = profile
  for (const [a, pa] of place) {
    for (const [b, pb] of place) {
      table[a * rows + b] =
        pa.core === pb.core
          ? latency.lineSmtPs
          : pa.llc === pb.llc
            ? latency.lineLlcPs
            : pa.node === pb.node
              ? latency.lineNodePs
              : latency.lineRemotePs
    }
  }
  return table
}

class Groups {
  readonly parent: Int32Array
  constructor(rows: number) {
    this.parent = Int32Array.from({ length: rows }, (_, i) => i)
  }
  find(a: number): number {
    while (this.parent[a] !== a) a = this.parent[a]
    return a
  }
  join(a: number, b: number): void {
    const x = this.find(a)
    const y = this.find(b)
    this.parent[Math.max(x, y)] = Math.min(x, y)
  }
}

/** Sets of CPUs of a host that Linux lets act on one thing without any latency. */
function* sharedSets(host: HostLayout, layout: Layout): Generator<{ owners: number[]; why: string }> {
  const { plan, cpus: ids } = host
  const irqCpus = new Set<number>()
  for (const device of host.devices) {
    device.plan.queues.forEach((_, q) => {
      irqCpus.add(queueCpu(host, device, q))
    })
    if (!device.plan.threaded) continue
    for (const [v, cpus] of device.plan.threadedCpus.entries()) {
      const irq = ids[device.plan.vectors[v]?.affinity[0] ?? 0]
      yield { owners: [irq, ...cpus.map((c) => ids[c])], why: 'a threaded NAPI may run on any of them' }
    }
  }
  if (switchesFeatures(layout.plan, plan.name)) yield { owners: [...ids], why: 'ethtool -K changes a device for all' }
  yield { owners: fragmentCpus(host), why: 'they put fragments together in one table' }
  const rules = [plan, ...(plan.netns ?? [])].map(({ nftables }) => nftables)
  if (rules.some((each) => each !== null && sharesState(each))) {
    const steered = host.devices.flatMap((device) =>
      device.plan.queues.flatMap((_, q) => steerTargets(host, device, q)),
    )
    const owners = hasPairs([plan]) ? [...sendingCpus(host)] : [...irqCpus, ...steered]
    yield { owners, why: 'their packets share limits and connections of netfilter' }
  }
  yield* netnsSharing(host, layout)
  for (const app of plan.apps) {
    if (!hasRawSockets(app) && !hasPacketSockets(app)) continue
    const owners = [...sendingCpus(host), ...app.tasks.flat().map((cpu) => ids[cpu])]
    yield { owners, why: `their packets reach the sockets of ${app.name} at once` }
  }
  if (plan.devices.some(hasNapi)) yield { owners: [...sendingCpus(host)], why: 'they fill the ring of a veth pair' }
  const cores = new Map<number, number[]>()
  plan.cpus.forEach((cpu, i) => {
    cores.set(cpu.coreId, [...(cores.get(cpu.coreId) ?? []), ids[i]])
  })
  for (const owners of cores.values()) if (owners.length > 1) yield { owners, why: 'SMT siblings share a core' }
  for (const app of plan.apps) {
    const cpus = app.tasks.flat().map((c) => ids[c])
    for (const task of app.tasks) {
      if (task.length > 1)
        yield { owners: task.map((c) => ids[c]), why: `a task of ${app.name} may run on any of them` }
    }
    if (app.sockets.some((s) => s.taskIndex < 0)) yield { owners: cpus, why: `tasks of ${app.name} share a socket` }
    if (app.wait === 'epoll_wait' && app.epoll.shared && cpus.length > 1) {
      yield { owners: cpus, why: `tasks of ${app.name} share an epoll instance` }
    }
    const busy =
      plan.sysctl['net.core.busy_poll'] > 0 ||
      plan.sysctl['net.core.busy_read'] > 0 ||
      app.epoll.busyPollUsecs > 0 ||
      app.epoll.preferBusyPoll ||
      app.sockets.some((s) => s.soBusyPollUsecs > 0)
    if (busy && cpus.length > 0) yield { owners: [...cpus, ...irqCpus], why: `${app.name} busy polls the queues` }
  }
}

/** Fuses the owners that share something without latency and lists the channels between the rest. */
export function findPartitions(layout: Layout, profile: CostProfile): Partitions {
  const groups = new Groups(layout.ownerRows)
  const fused: { owners: readonly number[]; why: string }[] = []
  for (const host of layout.hosts) {
    for (const set of sharedSets(host, layout)) {
      const owners = [...new Set(set.owners)].sort((a, b) => a - b)
      if (owners.length < 2) continue
      fused.push({ owners, why: set.why })
      for (const owner of owners) groups.join(owners[0], owner)
    }
  }
  for (const { plan, devices } of linkLayouts(layout)) {
    const owners = devices.map(({ wire }) => wire).sort((a, b) => a - b)
    fused.push({ owners, why: `they are the ends of ${plan.name}` })
    for (const owner of owners) groups.join(owners[0], owner)
  }
  const leader = Int32Array.from({ length: layout.ownerRows }, (_, owner) => groups.find(owner))
  const members = new Map<number, number[]>()
  for (const owner of [...layout.cpus, ...layout.wires]) {
    const list = members.get(leader[owner])
    if (list === undefined) members.set(leader[owner], [owner])
    else list.push(owner)
  }
  const line = lineLatency(layout, profile)
  return { leader, members, fused, line, edges: findEdges(layout, profile, leader, line) }
}

function findEdges(layout: Layout, profile: CostProfile, leader: Int32Array, line: Float64Array): Edge[] {
  const edges = new Map<number, Edge>()
  const rows = layout.ownerRows
  function add(from: number, to: number, latencyPs: number, why: string): void {
    if (leader[from] === leader[to]) return
    const old = edges.get(from * rows + to)
    if (old !== undefined && old.latencyPs <= latencyPs) return
    edges.set(from * rows + to, { from, to, latencyPs, why })
  }
  const reach = findReach(layout)
  const pairs: readonly [Set<number>, string, string][] = [
    [reach.steered, 'packets steered to its backlog', 'state of its backlog'],
    [reach.delivered, 'packets for its sockets', 'fill of its sockets, sleep of its tasks'],
    [reach.read, 'packets it allocated are read there', 'freed packets come home'],
    [reach.sent, 'packets for its transmit queues', 'bytes of sockets that are sent'],
  ]
  for (const [set, there, back] of pairs) {
    for (const pair of set) {
      const from = Math.floor(pair / layout.cpuRows)
      const to = pair % layout.cpuRows
      const latencyPs = Math.min(line[pair], profile.latency.ipiPs)
      add(from, to, latencyPs, there)
      add(to, from, latencyPs, back)
    }
  }
  for (const { from, to } of udpMemoryEdges(layout, leader)) {
    const latencyPs = Math.min(line[from * layout.cpuRows + to], profile.latency.ipiPs)
    add(from, to, latencyPs, 'pages of UDP sockets taken and given back')
  }
  for (const { plan, cpus } of layout.hosts) {
    if ((layout.plan.events ?? []).some(({ host }) => host === plan.name)) {
      for (const cpu of cpus) add(cpus[0], cpu, profile.latency.ipiPs, 'what becomes of devices')
    }
  }
  for (const host of layout.hosts) {
    for (const device of host.devices) {
      if (device.wire === 0) continue
      const { plan } = device
      const minFramePs = Math.floor(((60 + 4 + plan.frameOverheadBytes) * 8 * 1e12) / plan.linkBitsPerSec)
      const inPs = plan.dmaLatencyPs + plan.linkDelayPs + minFramePs
      plan.queues.forEach((_, q) => {
        add(device.wire, queueCpu(host, device, q), inPs, 'frames after DMA')
      })
      const outPs = transmitLatencyPs(layout)
      device.txQueues.forEach((_, q) => {
        add(queueCpu(host, device, q), device.wire, plan.dmaLatencyPs, 'frames to send')
        add(device.wire, queueCpu(host, device, q), plan.dmaLatencyPs + minFramePs, 'completions')
      })
      if (plan.arfs) {
        plan.queues.forEach((_, q) => {
          add(queueCpu(host, device, q), device.wire, outPs, 'aRFS filters')
        })
      }
    }
  }
  return [...edges.values()].sort((a, b) => a.to - b.to || a.from - b.from)
}

/** Time from sendmsg's return to the frame's end at the other side of the link, ps: the shortest of all devices. */
export function transmitLatencyPs(layout: Layout): number {
  let least = Number.POSITIVE_INFINITY
  for (const host of layout.hosts) {
    for (const { plan } of host.devices) least = Math.min(least, plan.dmaLatencyPs + plan.linkDelayPs + 100_000)
  }
  return Number.isFinite(least) ? least : 1_000_000
}
