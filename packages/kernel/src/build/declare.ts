import { type Component, EventHeap, EventRow, PoolOwner, PoolSlot, type World } from '@softnet/ecs'
import { LATENCY_BUCKETS } from '@softnet/scenario/plan'
import {
  ContextTimeline,
  DEVICE_ROWS,
  DeviceCount,
  DROP_ROWS,
  DropCount,
  DropTimeline,
  GRO_ROWS,
  GroCount,
  ICMP_MSG_ROWS,
  IcmpMsgCount,
  LatencyHistogram,
  LatencySum,
  PacketCount,
  SNMP_ROWS,
  SnmpCount,
  TIMELINE_ROWS,
  Timeline,
} from '../count/components.js'
import { CONTEXT_ROWS, ContextTime, Cpu, Owner, STAGE_ROWS, StageCostTable, StageTime } from '../cpu/components.js'
import { MAIL_RING_STEP, MAIL_SLOT_STEP, MailInbox, MailPair, MailRing, MailSlot } from '../cpu/mail.js'
import { declareDefrag } from '../defrag/frag-rows.js'
import { declareIcmp } from '../icmp/icmp-limit.js'
import { declareIgmp } from '../igmp/components.js'
import { declareIdents } from '../ip/ip-ident.js'
import { CpuVector, HardirqState, IrqCount, LocalIrq } from '../irq/components.js'
import { IdleState } from '../irq/cstates.js'
import { declareLink } from '../link/fill-link.js'
import { GroBucket, Napi } from '../napi/components.js'
import { declareNeighbours } from '../neigh/fill-neigh.js'
import { declareNetfilter } from '../netfilter/build.js'
import { VlanDev, VlanDevice } from '../netif/components.js'
import { netRows } from '../netns/net-row.js'
import { CpuQueue, DimState, IrqVector, LaneShown, LaneWriter, NetDev, RingSlot, RxQueue } from '../nic/components.js'
import { declarePackets } from '../packet/components.js'
import { declareRaw } from '../raw/components.js'
import { declareExceptions } from '../route/fib-exceptions.js'
import { declareRoutes } from '../route/fib-table.js'
import { RouteResult } from '../route/route-result.js'
import { MadePacket } from '../skb/alloc-skb.js'
import { Skb, SkbAccount } from '../skb/components.js'
import { declarePages } from '../skb/packet-pages.js'
import { Epoll, Sock, SockView, SockWatch } from '../sock/components.js'
import { declareFilters } from '../sock/sk-filter-components.js'
import { UdpMemory } from '../sock/udp-memory.js'
import { SoftirqCount, SoftirqState } from '../softirq/components.js'
import {
  BacklogServed,
  BacklogView,
  DeferPending,
  FlowBucket,
  FlowHistory,
  RpsFlow,
  RpsMapSlot,
  SockFlow,
  Softnet,
} from '../softnet/components.js'
import { declareSettings } from '../softnet/live-settings.js'
import { RunQueue, SleepView, Task, TaskCpu, TaskEvent, TaskRequest, TaskSocket } from '../task/components.js'
import { declareTraffic } from '../traffic/declare-traffic.js'
import { IpcmCookie } from '../udp/ipcm-cookie.js'
import { declareCmsgs } from '../udp/send-cmsg.js'
import { declareCorks } from '../udp/udp-cork.js'
import { declareUdp } from '../udp/udp-table.js'
import { declareXdp } from '../xdp/build.js'
import { declareLinks } from './fill-links.js'
import { declarePrograms } from './fill-programs.js'
import { declareTx } from './fill-tx.js'
import type { Layout } from './layout.js'
import type { Partitions } from './partitions.js'
import type { Sizes } from './sizes.js'

/** Entities of one kind, with the same components. */
export interface EntityGroup {
  readonly kind: string
  readonly components: readonly Component[]
  /** Ascending. */
  readonly ids: readonly number[]
}

/** Kinds of entities, in the order of the layout. */
export function entityGroups(layout: Layout): EntityGroup[] {
  const cpuParts = [Owner, EventHeap, Cpu, Softnet, SoftirqState, HardirqState, LocalIrq, IdleState, RunQueue]
  const devices = Array.from({ length: layout.deviceCount }, (_, i) => layout.firstDevice + i)
  const groups: readonly [string, readonly unknown[], readonly number[]][] = [
    ['CPU', cpuParts, layout.cpus],
    ['wire', [Owner, EventHeap], layout.wires],
    ['device', [NetDev], devices],
    ['receive queue', [RxQueue, LaneWriter, LaneShown], layout.queues],
    ['interrupt vector', [IrqVector, DimState], layout.vectors],
    ['NAPI instance', [Napi], [...layout.napis, ...layout.backlogNapis]],
    ['task', [Task], layout.tasks],
  ]
  return groups.map(([kind, components, ids]) => ({ kind, components: components as Component[], ids }))
}

/** Spawns the entities in the order of the layout; their ids must come out as the layout says. */
function spawnEntities(world: World, layout: Layout): void {
  for (const { kind, components, ids } of entityGroups(layout)) {
    for (const id of ids) {
      const isNextToLast = kind === 'device' && id > layout.firstDevice
      const got = world.spawn(components, 1, isNextToLast ? 1 : layout.step)
      if (got !== id) throw new Error(`a ${kind} is entity ${got}, the layout says ${id}`)
    }
  }
}

/** Declares every table of the model; afterwards the world is frozen. */
export function declareModel(world: World, layout: Layout, partitions: Partitions, sizes: Sizes): void {
  spawnEntities(world, layout)
  const { cpuRows, ownerRows, step } = layout
  const countRows = netRows(layout)
  const vectorRows = layout.vectors.length * layout.step
  const taskRows = layout.entityRows - layout.firstTask
  /** Component, rows, and the distance between those that are used where it is more than one. */
  const pools: readonly [Component, number, number?][] = [
    [EventRow, sizes.eventRows],
    [PoolOwner, cpuRows, step],
    [PoolSlot, sizes.packetRows],
    [SkbAccount, cpuRows, step],
    [ContextTime, cpuRows * CONTEXT_ROWS],
    [StageTime, cpuRows * STAGE_ROWS],
    [StageCostTable, cpuRows * STAGE_ROWS],
    [MailRing, sizes.mailRings * MAIL_RING_STEP, MAIL_RING_STEP],
    [MailSlot, sizes.mailRings * sizes.mailSlots * MAIL_SLOT_STEP, MAIL_SLOT_STEP],
    [MailPair, ownerRows * ownerRows],
    [MailInbox, ownerRows, step],
    [SnmpCount, countRows * SNMP_ROWS],
    [DropCount, ownerRows * DROP_ROWS],
    [DeviceCount, layout.deviceCount * cpuRows * DEVICE_ROWS],
    [GroCount, cpuRows * GRO_ROWS],
    [IcmpMsgCount, countRows * ICMP_MSG_ROWS],
    [MadePacket, cpuRows, step],
    [RouteResult, cpuRows, step],
    [IpcmCookie, cpuRows, step],
    [LatencyHistogram, cpuRows * LATENCY_BUCKETS],
    [LatencySum, cpuRows, step],
    [PacketCount, ownerRows, step],
    [Timeline, ownerRows * TIMELINE_ROWS],
    [DropTimeline, ownerRows * TIMELINE_ROWS],
    [ContextTimeline, cpuRows * TIMELINE_ROWS],
    [RingSlot, sizes.ringSlots],
    [CpuVector, layout.vectors.length],
    [IrqCount, vectorRows * cpuRows],
    [SoftirqCount, cpuRows * 16],
    [CpuQueue, layout.deviceCount * cpuRows],
    [GroBucket, layout.firstTask * 8],
    [VlanDevice, sizes.vlanRows],
    [VlanDev, sizes.vlanDevRows],
    [BacklogView, cpuRows * cpuRows],
    [BacklogServed, cpuRows * cpuRows],
    [DeferPending, cpuRows * cpuRows],
    [RpsMapSlot, sizes.rpsMapSlots],
    [RpsFlow, sizes.rpsFlows],
    [SockFlow, sizes.sockFlows],
    [FlowHistory, cpuRows * 128],
    [FlowBucket, sizes.flowBuckets],
    [Epoll, layout.epollRows - 1, step],
    [SockWatch, sizes.sockWatches],
    [UdpMemory, cpuRows, step],
    [SockView, layout.socketRows * sizes.sources],
    [SleepView, taskRows * sizes.sources],
    [TaskSocket, sizes.taskSockets],
    [TaskCpu, sizes.taskCpus],
    [TaskEvent, sizes.taskEvents],
    [TaskRequest, sizes.taskRequests],
  ]
  for (const [component, rows, distance = 1] of pools) world.spacedPool(component, rows, distance)
  // Rows of packets in transit follow the lanes: where they lie depends on when mail was taken in.
  world.pool(Skb, sizes.skbRows, 'users', 1 + sizes.packetRows + sizes.laneRows)
  world.spacedPool(Sock, Math.max(1, layout.socketRows - 1), layout.socketStep)
  declareTx(world, layout)
  declareLinks(world, layout)
  declarePrograms(world, layout)
  declareTraffic(world, layout)
  declareLink(world, layout)
  declareSettings(world, layout)
  declareRoutes(world, layout)
  declareIdents(world, layout, partitions)
  declareNeighbours(world, layout, partitions)
  declarePages(world, layout, partitions)
  declareUdp(world, layout)
  declareFilters(world, layout)
  declareRaw(world, layout)
  declarePackets(world, layout)
  declareExceptions(world, layout, partitions)
  declareCmsgs(world, layout)
  declareCorks(world, layout)
  declareIgmp(world, layout)
  declareDefrag(world, layout, sizes.packetRows)
  declareIcmp(world, layout, partitions)
  declareXdp(world, layout)
  declareNetfilter(world, layout, sizes.skbRows)
}
