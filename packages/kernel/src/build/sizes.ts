import type { AppPlan, SysctlPlan } from '@softnet/scenario/plan'
import { heldFragments } from '../defrag/frag-rows.js'
import { mostBacklog, mostRing } from '../link/most-of-run.js'
import { socketSndbuf } from '../sock/socket-sndbuf.js'
import { wireEventCapacity } from '../traffic/source-rows.js'
import { hasDim } from './compute-layout.js'
import { linkSkbRows } from './fill-links.js'
import type { HostLayout, Layout } from './layout.js'
import { laneSlots, linkLayouts } from './link-layout.js'
import type { Edge, Partitions } from './partitions.js'
import { fragmentCpus, queueCpu, socketCpu } from './reach.js'
import { neighbourRows } from './shared-tables.js'

/** How many rows the tables need that do not follow from counts of entities alone. */
export interface Sizes {
  /** Rows of the packet pool of each partition, by leader. */
  readonly poolRows: ReadonlyMap<number, number>
  readonly packetRows: number
  readonly skbRows: number
  readonly laneRows: number
  readonly eventCapacity: Int32Array
  readonly eventRows: number
  readonly mailRings: number
  /** Slots of each ring of mail, a power of two. */
  readonly mailSlots: number
  readonly ringSlots: number
  readonly vlanRows: number
  /** Entities up to the last device, where there are VLAN devices. */
  readonly vlanDevRows: number
  readonly rpsMapSlots: number
  readonly rpsFlows: number
  readonly sockFlows: number
  /** Rows of one copy of an rps_sock_flow_table: the longest of all hosts. */
  readonly sockFlowRows: number
  readonly flowViewLeaders: Int32Array
  readonly flowBuckets: number
  /** Rows of one table of the flow limit: the longest of all hosts. */
  readonly flowTableRows: number
  readonly sockWatches: number
  readonly sources: number
  readonly sourceCpus: Int32Array
  readonly taskSockets: number
  readonly taskCpus: number
  readonly taskEvents: number
  readonly taskRequests: number
}

/** Timers that a neighbour may have pending: of reachability, delay, and a probe. */
const NEIGH_TIMERS = 3
/** Most rows of one partition's packet pool that are made without being asked for: cached ids are what makes it fast. */
const POOL_ROWS_MAX = 131_072
const SMALLEST_TRUESIZE_BYTES = 768
/** Rows that a packet cut in software, or into fragments, takes at once. */
const SEGMENTS = 130

/** Smallest power of two that is at least n. */
export function powerOfTwo(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size
}

/** Length of a host's rps_sock_flow_table, a power of two; 0: off. */
export function sockFlowLength(sysctl: SysctlPlan): number {
  const entries = sysctl['net.core.rps_sock_flow_entries']
  return entries > 0 ? powerOfTwo(entries) : 0
}

/** Sockets that a task reads, as rows of TaskSocket. */
export function taskSocketIndexes(app: AppPlan, task: number): number[] {
  const list: number[] = []
  app.sockets.forEach((socket, s) => {
    if (socket.taskIndex === task || socket.taskIndex < 0) list.push(s)
  })
  return list
}

/** Packets that can exist in a partition: full rings, packet buffers, backlogs, GRO lists and socket buffers. */
function partitionPackets(layout: Layout, cpus: ReadonlySet<number>): number {
  let rows = 1024
  for (const host of layout.hosts) {
    const backlog = mostBacklog(layout.plan, host.plan) + 1
    host.plan.cpus.forEach((_, i) => {
      if (cpus.has(host.cpus[i])) rows += 2 * Math.min(backlog, 8192) + 512
    })
    for (const device of host.devices) {
      device.plan.queues.forEach((_, q) => {
        if (!cpus.has(queueCpu(host, device, q))) return
        rows += mostRing(layout.plan, host.plan.name, device.plan) + 64 * 8
        if (device.plan.driver.noDescriptor === 'hold')
          rows += Math.min(16_384, Math.ceil(device.plan.packetBufferBytes / 64))
      })
    }
    if (fragmentCpus(host).some((cpu) => cpus.has(cpu)))
      rows += heldFragments(host.plan.sysctl['net.ipv4.ipfrag_high_thresh'])
    rows += socketPackets(host, cpus) + sentPackets(host)
  }
  return rows
}

function socketPackets(host: HostLayout, cpus: ReadonlySet<number>): number {
  const { sysctl } = host.plan
  let rows = 0
  host.plan.apps.forEach((app, a) => {
    app.sockets.forEach((socket, s) => {
      if (!cpus.has(socketCpu(host, a, s))) return
      const rcvbuf = socket.soRcvbuf > 0 ? 2 * socket.soRcvbuf : sysctl['net.core.rmem_default']
      rows += Math.ceil(rcvbuf / SMALLEST_TRUESIZE_BYTES) + 2
    })
  })
  return rows
}

/** Packets that programs which send by themselves may have on their way, wherever their queues are. */
function sentPackets(host: HostLayout): number {
  let rows = 0
  for (const { send, sockets } of host.plan.apps) {
    if (send === undefined) continue
    for (const socket of sockets)
      rows += Math.ceil(socketSndbuf(socket, host.plan.sysctl) / SMALLEST_TRUESIZE_BYTES) + SEGMENTS
  }
  return rows
}

function poolSizes(layout: Layout, partitions: Partitions): Map<number, number> {
  const asked = layout.plan.limits['packet-rows-per-cpu'] ?? 0
  const sizes = new Map<number, number>()
  for (const [leader, owners] of partitions.members) {
    if (leader >= layout.firstWire) continue
    const rows =
      asked > 0
        ? asked * owners.length
        : Math.min(POOL_ROWS_MAX * owners.length, partitionPackets(layout, new Set(owners)))
    sizes.set(leader, rows)
  }
  return sizes
}

/** Slots of one ring of mail. */
function mailSlots(layout: Layout): number {
  return powerOfTwo(layout.plan.limits['mailbox-slots'] ?? 512)
}

/** Rings of mail: the edges whose sender is a CPU (frames of a wire travel in lanes). */
export function mailEdges(layout: Layout, partitions: Partitions): Edge[] {
  return partitions.edges.filter((edge) => edge.from < layout.firstWire)
}

function eventCapacities(layout: Layout, partitions: Partitions): Int32Array {
  const limit = layout.plan.limits['events-per-partition'] ?? 65_536
  const capacity = new Int32Array(layout.ownerRows)
  for (const owner of [...layout.cpus, ...layout.wires]) capacity[owner] = 2048
  for (const edge of mailEdges(layout, partitions)) capacity[edge.to] += mailSlots(layout)
  for (const owners of partitions.members.values()) {
    // CPUs of one partition send to each other without a ring between them.
    if (owners.length > 1) for (const owner of owners) capacity[owner] += 16_384
  }
  for (const wire of layout.wires) capacity[wire] += wireEventCapacity(layout, wire)
  const stored = new Int32Array(layout.ownerRows)
  for (const { devices, rows } of linkLayouts(layout)) for (const { wire } of devices) stored[wire] = rows
  // Timers of neighbours, those that were armed anew too.
  for (const host of layout.hosts) {
    for (const cpu of host.cpus) stored[cpu] = NEIGH_TIMERS * neighbourRows(host, layout.plan)
  }
  return capacity.map((n, owner) => Math.min(n, Math.max(limit, 4096)) + stored[owner])
}

function remoteSources(layout: Layout, partitions: Partitions): number[] {
  const cpus = new Set<number>()
  for (const edge of partitions.edges) {
    if (edge.from < layout.firstWire && edge.to < layout.firstWire) {
      cpus.add(edge.from)
      cpus.add(edge.to)
    }
  }
  return [...cpus].sort((a, b) => a - b)
}

/** Counts the rows of every table. */
export function computeSizes(layout: Layout, partitions: Partitions): Sizes {
  const poolRows = poolSizes(layout, partitions)
  const packetRows = [...poolRows.values()].reduce((a, b) => a + b, 0)
  const eventCapacity = eventCapacities(layout, partitions)
  const mailRings = mailEdges(layout, partitions).length
  const sourceCpus = Int32Array.from(remoteSources(layout, partitions))
  let lanes = 0
  let ringSlots = 1
  let rpsMapSlots = 1
  let rpsFlows = 1
  let vlanRows = 0
  let sockFlowRows = 0
  let flowTables = 0
  let flowTableRows = 0
  let taskSockets = 0
  let taskCpus = 0
  let taskEvents = 0
  let taskRequests = 0
  let sockWatches = 0
  for (const host of layout.hosts) {
    const { sysctl } = host.plan
    sockFlowRows = Math.max(sockFlowRows, sockFlowLength(sysctl))
    flowTables += sysctl['net.core.flow_limit_cpu_bitmap'].length
    flowTableRows = Math.max(flowTableRows, powerOfTwo(sysctl['net.core.flow_limit_table_len']))
    for (const { plan } of host.devices) {
      for (const queue of plan.queues) {
        lanes += laneSlots(plan, layout.plan)
        ringSlots += powerOfTwo(mostRing(layout.plan, host.plan.name, plan))
        rpsMapSlots += queue.rpsCpus.length + (queue.laterRpsCpus?.length ?? 0)
        if (queue.rpsFlowCnt > 0) rpsFlows += powerOfTwo(queue.rpsFlowCnt)
      }
      if (plan.vlans.length > 0) vlanRows = layout.deviceCount * 4096
    }
    for (const app of host.plan.apps) {
      const shared = app.sockets.filter((s) => s.taskIndex < 0).length
      sockWatches += shared * app.tasks.length
      taskEvents += app.tasks.length * Math.max(1, app.maxEvents)
      if (app.kind === 'udp_echo') taskRequests += app.tasks.length * Math.max(app.batch, 64)
      for (const task of app.tasks) taskCpus += task.length
      taskSockets += app.sockets.length - shared + shared * app.tasks.length
    }
    for (const { plan } of host.devices) {
      taskCpus += plan.threaded ? plan.threadedCpus.flat().length + plan.vectors.length : 0
      taskCpus += hasDim(plan) ? plan.vectors.length : 0
    }
    taskCpus += host.plan.cpus.length
  }
  const leaders = [...partitions.members.keys()].filter((owner) => owner < layout.firstWire)
  const flowViewLeaders = Int32Array.from(sockFlowRows > 0 ? leaders : [])
  return {
    poolRows,
    packetRows,
    laneRows: lanes,
    skbRows: packetRows + lanes + mailRings * mailSlots(layout) + linkSkbRows(layout),
    eventCapacity,
    eventRows: eventCapacity.reduce((a, b) => a + b, 0),
    mailRings,
    mailSlots: mailSlots(layout),
    ringSlots,
    vlanRows,
    vlanDevRows: vlanRows === 0 ? 0 : layout.firstDevice + layout.deviceCount,
    rpsMapSlots,
    rpsFlows,
    sockFlowRows,
    sockFlows: sockFlowRows * leaders.length,
    flowViewLeaders,
    flowBuckets: flowTables * flowTableRows,
    flowTableRows,
    sockWatches,
    sources: sourceCpus.length,
    sourceCpus,
    taskSockets,
    taskCpus,
    taskEvents,
    taskRequests,
  }
}
