import { Binder, type ColumnWatch, World } from '@softnet/ecs'
import { type CostProfile, costProfile, type Plan } from '@softnet/scenario/plan'
import { TIMELINE_ROWS } from '../count/components.js'
import { Cpu } from '../cpu/components.js'
import { HARNESS_CALLS, type HarnessCalls } from '../cpu/dispatch.js'
import { mail } from '../cpu/mail.js'
import { runCpu } from '../cpu/run-cpu.js'
import { fillDefrag } from '../defrag/frag-rows.js'
import { LIST_RECEIVER, type ListReceiver } from '../gro/list-receiver.js'
import { UDP_GRO_SOCKET, type UdpGroSocket } from '../gro/udp-gro-socket.js'
import { fillIcmp } from '../icmp/icmp-limit.js'
import { ICMP_SEND, type IcmpSend, icmpSend } from '../icmp/icmp-send.js'
import { hasGroups } from '../igmp/components.js'
import { fillIgmp } from '../igmp/fill-igmp.js'
import { igmpTimers } from '../igmp/igmp-timers.js'
import { IP_FINISH_OUTPUT2 } from '../ip/finish-output-resource.js'
import { ipFinishOutput2 } from '../ip/ip-output.js'
import { cstates } from '../irq/cstates.js'
import { fillModeration } from '../irq/moderation.js'
import { fillLink, hasEvents } from '../link/fill-link.js'
import { hasPairs } from '../link/has-pairs.js'
import { hostEvents } from '../link/host-event.js'
import { NETIF_RX } from '../link/netif-rx.js'
import { PROGRAM_XMIT, type ProgramXmit } from '../link/program-xmit.js'
import { NAPIF, Napi } from '../napi/components.js'
import { napiControl } from '../napi/napi.js'
import { fillNeighbours } from '../neigh/fill-neigh.js'
import { fillNetfilter } from '../netfilter/build.js'
import { NfHook } from '../netfilter/components.js'
import { nfSendReset } from '../netfilter/nf-send-reset.js'
import { NF_SEND_RESET } from '../netfilter/nf-send-reset-resource.js'
import { netTimestamp } from '../netif/net-timestamp.js'
import { receiveNapiList } from '../netif/netif-receive-skb-list.js'
import { CUSTOM_RX_HANDLER, type RxHandler } from '../netif/rx-handler.js'
import { steer } from '../netif/steer.js'
import { NO_TRACE, type TraceSink } from '../observe/trace-sink.js'
import { fillPackets, startPackets } from '../packet/fill-packet.js'
import {
  type BuiltPlugins,
  bindAllHooks,
  declarePlugins,
  instancesOf,
  pluginHooks,
  setUpPlugins,
} from '../plugin/build-plugins.js'
import type { Plugin } from '../plugin/define-plugin.js'
import { type HookName, PLUGIN_HOOKS } from '../plugin/hooks.js'
import { PLUGIN_WORLD } from '../plugin/plugin-context.js'
import { fillRaw } from '../raw/fill-raw.js'
import { fillRoutes } from '../route/fib-table.js'
import { fillPages } from '../skb/packet-pages.js'
import { SKB_DESTRUCTOR, type SkbDestructor } from '../skb/skb-destructor.js'
import { fillFilters } from '../sock/sk-filter-components.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { UDP_MEMORY_PLACES } from '../sock/udp-memory.js'
import { fillSettings } from '../softnet/live-settings.js'
import { fillTraffic } from '../traffic/fill-traffic.js'
import { udpSocketForGro } from '../udp/lookup.js'
import { fillCmsgs } from '../udp/send-cmsg.js'
import { fillUdp, socketHashMask } from '../udp/udp-table.js'
import { linkRun } from '../wire/link-run.js'
import { wireRun } from '../wire/wire-run.js'
import { fillXdp } from '../xdp/build.js'
import { computeLayout } from './compute-layout.js'
import { COLD_COSTS, PLAN_CONSTANTS, type PlanConstants, perCpu, TRACE_SINK } from './constants.js'
import { declareModel } from './declare.js'
import { cyclesToPs, fillCpus, fillMail } from './fill-cpus.js'
import { fillDevices } from './fill-devices.js'
import { fillLinks } from './fill-links.js'
import { fillTasks } from './fill-tasks.js'
import { fillTx } from './fill-tx.js'
import { COST_LATENCY } from './latency.js'
import type { Layout } from './layout.js'
import { findPartitions, type Partitions, transmitLatencyPs } from './partitions.js'
import { computeSizes, powerOfTwo, type Sizes, sockFlowLength } from './sizes.js'
import { udpMemoryPlaces } from './udp-memory-places.js'

/** What a test, an oracle case or a trace hangs into the model; nothing of it may change a run's counters. */
export interface ModelHooks {
  readonly trace?: TraceSink
  readonly rxHandler?: { handle: RxHandler | null }
  readonly harness?: HarnessCalls
  /** Sees every column as systems are given it. */
  readonly watch?: ColumnWatch
  /** False: what lies between the rows of two CPUs stays empty, so that who reads it finds something else. */
  readonly isInterleaved?: boolean
  /** Takes what leaves by devices whose frames a program reads. */
  readonly program?: ProgramXmit
  /** What the modules of the plan's plugins export, in its order. */
  readonly plugins?: readonly Plugin[]
}

/** A built model: the world, its bound systems, and how it falls into partitions. */
export interface Model {
  readonly plan: Plan
  readonly world: World
  readonly binder: Binder
  readonly layout: Layout
  readonly partitions: Partitions
  readonly sizes: Sizes
  readonly profile: CostProfile
  readonly constants: PlanConstants
  readonly plugins: BuiltPlugins
}

/**
 * Builds the world of a plan: the same plan gives the same ids and columns on every worker. With the `arena` of a model
 * of the same plan (`world.arena()`), built in this thread or another, it attaches to that model's state as it is.
 */
export function buildModel(plan: Plan, hooks: ModelHooks = {}, arena?: readonly SharedArrayBuffer[]): Model {
  const profile = costProfile(plan.profile)
  const layout = computeLayout(plan)
  const partitions = findPartitions(layout, profile)
  const sizes = computeSizes(layout, partitions)
  const world = new World(hooks.watch, hooks.isInterleaved)
  declareModel(world, layout, partitions, sizes)
  const instances = instancesOf(plan, hooks.plugins ?? [])
  const places = declarePlugins(world, layout, sizes, instances)
  world.freeze(arena)
  const binder = new Binder(world)
  const constants = planConstants(plan, layout, sizes)
  provide(binder, layout, partitions, profile, constants, hooks)
  const order = new Map<HookName, readonly string[]>()
  const plugins: BuiltPlugins = { instances, places, order }
  const model = { plan, world, binder, layout, partitions, sizes, profile, constants, plugins }
  if (instances.length > 0) {
    binder.provide(PLUGIN_WORLD, { layout, places })
    binder.provide(PLUGIN_HOOKS, pluginHooks(binder, instances, order))
  }
  if (arena === undefined) fillColumns(model)
  bindMachine(model)
  if (instances.length > 0) bindAllHooks(binder.resource(PLUGIN_HOOKS))
  if (arena === undefined) startMachine(model)
  return model
}

/** Writes what the scenario says into the columns. */
function fillColumns(model: Model): void {
  const { world, layout, partitions, sizes, profile, constants } = model
  const firstLaneRow = fillCpus(world, layout, partitions, sizes, profile, constants.timelinePs)
  fillDevices(world, layout, firstLaneRow)
  const firstLinkRow = fillMail(world, layout, partitions, sizes, firstLaneRow + sizes.laneRows)
  fillModeration(world, layout)
  fillTasks(world, layout)
  fillTx(world, layout)
  fillLink(world, layout)
  fillSettings(world, layout)
  fillRoutes(world, layout)
  const firstLanePage = fillPages(world, layout, partitions)
  fillLinks(model.binder, layout, firstLinkRow, firstLanePage)
  fillNeighbours(world, layout, partitions)
  fillUdp(world, layout)
  fillIcmp(world, layout, partitions)
  fillFilters(world, layout)
  fillRaw(world, layout)
  fillPackets(world, layout)
  fillIgmp(world, layout)
  fillCmsgs(world, layout)
  fillDefrag(world, layout, sizes.packetRows)
  fillXdp(world, layout)
  fillNetfilter(world, layout)
  setUpPlugins(world, layout, model.plugins)
}

/** Brings the machine to the state it has at time 0: sources ready, NAPI instances enabled, CPUs idle. */
function startMachine({ binder, layout }: Model): void {
  fillTraffic(binder, layout)
  enableNapis(binder, layout)
  startPackets(binder, layout)
  if (hasEvents(layout.plan)) binder.bind(hostEvents)?.schedule()
  if (hasGroups(layout.plan)) for (const net of layout.nets) binder.bind(igmpTimers).join(net.cpus[0], net.index)
  const idle = binder.bind(cstates)
  for (const cpu of layout.cpus) idle.enter(cpu)
}

function planConstants(plan: Plan, layout: Layout, sizes: Sizes): PlanConstants {
  const hostOfCpu = new Int32Array(layout.cpuRows).fill(-1)
  const cpuBase = new Int32Array(layout.cpuRows)
  let base = 0
  for (const host of layout.hosts) {
    for (const cpu of host.cpus) {
      hostOfCpu[cpu] = host.index
      cpuBase[cpu] = base
    }
    base += host.cpus.length
  }
  const around = { plan, hostOfCpu }
  return {
    plan,
    nets: layout.nets.map((net) => net.plan),
    cpuRows: layout.cpuRows,
    hostOfCpu,
    cpuOfNumber: Int32Array.from(layout.hosts.flatMap((host) => host.cpus)),
    cpuBase,
    cpuCount: Int32Array.from(perCpu(around, (host) => host.cpus.length)),
    cpusOfHost: layout.hosts.map(({ cpus }) => cpus),
    ownerRows: layout.ownerRows,
    timelinePs: Math.max(1, Math.ceil(plan.durationPs / TIMELINE_ROWS)),
    jiffyPs: perCpu(around, (host) => Math.floor(1e12 / host.hz)),
    hz: perCpu(around, (host) => host.hz),
    firstDevice: layout.firstDevice,
    firstVector: layout.firstVector,
    idStep: layout.step,
    firstQueue: layout.firstQueue,
    firstTask: layout.firstTask,
    firstPartition: 1,
    sockFlowRows: sizes.sockFlowRows,
    sockFlowLength: Int32Array.from(perCpu(around, ({ sysctl }) => sockFlowLength(sysctl))),
    sockFlowCpuMask: Int32Array.from(perCpu(around, (host) => powerOfTwo(host.cpus.length) - 1)),
    socketHashMask: socketHashMask(layout),
    flowTableRows: sizes.flowTableRows,
    warmupPs: plan.warmupPs,
    packetRows: sizes.packetRows,
    sources: sizes.sources,
    sourceCpus: sizes.sourceCpus,
    flowViewLeaders: sizes.flowViewLeaders,
  }
}

function provide(
  binder: Binder,
  layout: Layout,
  partitions: Partitions,
  profile: CostProfile,
  constants: PlanConstants,
  hooks: ModelHooks,
): void {
  binder.provide(PLAN_CONSTANTS, constants)
  binder.provide(TRACE_SINK, hooks.trace ?? NO_TRACE)
  binder.provide(CUSTOM_RX_HANDLER, hooks.rxHandler ?? { handle: null })
  binder.provide(HARNESS_CALLS, hooks.harness ?? { call: null })
  binder.provide(COST_LATENCY, {
    irqDeliveryPs: profile.latency.irqDeliveryPs,
    nicCommandPs: profile.latency.nicCommandPs,
    ipiPs: profile.latency.ipiPs,
    line: partitions.line,
    txPs: transmitLatencyPs(layout),
  })
  binder.provide(PROGRAM_XMIT, hooks.program ?? { xmit: null, reflect: null })
  binder.provide(UDP_MEMORY_PLACES, udpMemoryPlaces(layout, partitions.leader))
  binder.provide(COLD_COSTS, { ...coldCosts(layout, profile), ...lineCosts(layout, partitions.line) })
}

/** Lines of a packet that another CPU has to fetch: two of the sk_buff, one of the data. */
const PACKET_LINES = 3

/**
 * Lines of a transmit queue that another CPU has written last when one sends on it: discipline, transmit lock, byte limits, two of
 * the ring, and the descriptor's own. Counted in include/net/sch_generic.h, include/linux/netdevice.h and ixgbe.h, not measured.
 */
const XMIT_LINES = 6
/** Lines of a sent packet that its sender has written: two of the sk_buff, its socket's memory, byte limits, the descriptor's own. */
const CLEAN_LINES = 5

function lineCosts(layout: Layout, line: Float64Array) {
  return {
    farPacketPs: farPackets(layout, line),
    xmitLinesPs: times(line, XMIT_LINES),
    cleanLinesPs: times(line, CLEAN_LINES),
  }
}

/** A table times a number. With a function per cell it took a tenth of the time of building a small host. */
function times(table: Float64Array, factor: number): Float64Array {
  const product = new Float64Array(table.length)
  for (let i = 0; i < table.length; i++) product[i] = factor * table[i]
  return product
}

/** What `remote_skb` costs instead of its stage price where the CPUs share no last-level cache. */
function farPackets(layout: Layout, line: Float64Array): Float64Array {
  const rows = layout.cpuRows
  const table = new Float64Array(rows * rows)
  for (const host of layout.hosts) {
    host.plan.cpus.forEach((from, i) => {
      host.plan.cpus.forEach((to, j) => {
        const pair = host.cpus[i] * rows + host.cpus[j]
        if (from.llcId !== to.llcId) table[pair] = PACKET_LINES * line[pair]
      })
    })
  }
  return table
}

function coldCosts(layout: Layout, profile: CostProfile) {
  const coldPollPs = new Float64Array(layout.cpuRows)
  const coldPacketPs = new Float64Array(layout.deviceCount * layout.cpuRows)
  for (const host of layout.hosts) {
    host.plan.cpus.forEach((cpu, i) => {
      const id = host.cpus[i]
      if (profile.coldPoll.cycles > 0) coldPollPs[id] = cyclesToPs(profile.coldPoll.cycles, cpu.frequencyHz)
      for (const device of host.devices) {
        // DMA lands in the last-level cache of the NIC's node; a CPU that shares it finds the packet warm.
        const nearest = host.plan.cpus.find((other) => other.nodeId === device.plan.nodeId)
        const warm = nearest !== undefined && nearest.llcId === cpu.llcId
        const { sameNodeCycles, otherNodeCycles } = profile.coldPacket
        const cycles = warm ? 0 : cpu.nodeId === device.plan.nodeId ? sameNodeCycles : otherNodeCycles
        const row = (device.device - layout.firstDevice) * layout.cpuRows + id
        coldPacketPs[row] = cycles > 0 ? cyclesToPs(cycles, cpu.frequencyHz) : 0
      }
    })
  }
  return { coldPollPs, coldPacketPs, smtFactor: profile.smtSlowdown.factor }
}

/** Binds what closes the ring: GRO hands its lists to the stack, and asks for sockets, which it cannot bind itself. */
function bindMachine(model: Model): void {
  const { binder, layout } = model
  const anyUdpGro = layout.plan.hosts.some((host) => host.apps.some((app) => app.sockets.some((s) => s.udpGro)))
  let receiver: ListReceiver | null = null
  let find: UdpGroSocket | null = null
  binder.provide(LIST_RECEIVER, (cpu, napi) => {
    if (receiver !== null) receiver(cpu, napi)
  })
  binder.provide(UDP_GRO_SOCKET, (cpu, row) => (anyUdpGro && find !== null ? find(cpu, row) : 0))
  const netifRx = { rx: (_cpu: number, _row: number) => 0 }
  binder.provide(NETIF_RX, netifRx)
  bindDestructor(binder)
  bindIcmp(binder)
  receiver = binder.bind(receiveNapiList)
  find = binder.bind(udpSocketForGro)
  const steering = binder.bind(steer)
  const trace = binder.resource(TRACE_SINK)
  const { clockPs } = binder.world.columns(Cpu)
  const pairs = hasPairs(layout.plan.hosts)
  const stamps = binder.bind(netTimestamp)
  netifRx.rx = (cpu, row) => {
    if (stamps.needed) stamps.prequeue(cpu, row)
    if (trace.on) trace.netifRx(cpu, clockPs[cpu], row)
    const target = pairs && steering.needed ? steering.cpuOf(cpu, row) : 0
    return steering.toBacklog(cpu, row, target === 0 ? cpu : target)
  }
  binder.bind(runCpu)
  binder.bind(wireRun)
  if ((layout.plan.links ?? []).length > 0) binder.bind(linkRun)
  binder.bind(mail)
}

/** Packets that end give their bytes back to the socket that sent them. */
export function bindDestructor(binder: Binder): void {
  const destructor: SkbDestructor = { orphan: () => {} }
  binder.provide(SKB_DESTRUCTOR, destructor)
  destructor.orphan = binder.bind(sockWfree).orphan
}

/** ICMP answers what goes wrong on the way out, and goes out itself. */
export function bindIcmp(binder: Binder): void {
  let send: IcmpSend | null = null
  binder.provide(ICMP_SEND, (cpu, row, type, code, info) => {
    if (send !== null) send(cpu, row, type, code, info)
  })
  const finish = { run: (_cpu: number, _row: number) => 0 }
  binder.provide(IP_FINISH_OUTPUT2, finish)
  // What rules answer with goes through rules again.
  const reset = { send: (_cpu: number, _row: number) => {} }
  binder.provide(NF_SEND_RESET, reset)
  finish.run = binder.bind(ipFinishOutput2)
  send = binder.bind(icmpSend)
  if (binder.world.has(NfHook as never)) reset.send = binder.bind(nfSendReset)
}

/** netif_napi_add leaves an instance disabled; opening the device enables it. */
function enableNapis(binder: Binder, layout: Layout): void {
  const control = binder.bind(napiControl)
  const { state } = binder.world.columns(Napi)
  for (const napi of [...layout.napis, ...layout.backlogNapis]) {
    state[napi] |= NAPIF.sched | NAPIF.npsvc
    control.enable(napi)
  }
}
