import { Binder, EventHeap, type EventList, EventRow, eventList, PoolOwner, PoolSlot, World } from '@softnet/ecs'
import {
  DEFAULT_CONF,
  DEFAULT_NEIGH,
  type DevicePlan,
  type DriverProfile,
  driverProfile,
  type Plan,
  type TrafficPlan,
} from '@softnet/scenario'
import { PLAN_CONSTANTS, type PlanConstants, TRACE_SINK } from '../../src/build/constants.js'
import { COST_LATENCY } from '../../src/build/latency.js'
import type { Layout } from '../../src/build/layout.js'
import {
  DEVICE_ROWS,
  DeviceCount,
  DROP_ROWS,
  DropCount,
  DropTimeline,
  GRO_ROWS,
  GroCount,
  ICMP_MSG_ROWS,
  IcmpMsgCount,
  PacketCount,
  SNMP_ROWS,
  SnmpCount,
  TIMELINE_ROWS,
  Timeline,
} from '../../src/count/components.js'
import { Cpu, Owner } from '../../src/cpu/components.js'
import { MailInbox, MailPair, MailRing, MailSlot } from '../../src/cpu/mail.js'
import { FEATURE, LaneWriter, NetDev, RxQueue } from '../../src/nic/components.js'
import { turnFrames } from '../../src/nic/lane-turns.js'
import { TxQueue, TxSlot } from '../../src/nic/tx-components.js'
import { NO_TRACE } from '../../src/observe/trace-sink.js'
import { Skb } from '../../src/skb/components.js'
import { PacketByte, PacketPage, PageOwner } from '../../src/skb/packet-pages.js'
import { declareTraffic } from '../../src/traffic/declare-traffic.js'
import { fillTraffic } from '../../src/traffic/fill-traffic.js'
import { wireEventCapacity } from '../../src/traffic/source-rows.js'
import { WireTurn } from '../../src/wire/components.js'
import { wireRun } from '../../src/wire/wire-run.js'

export const MICROSECOND = 1e6
export const MILLISECOND = 1e9
export const SECOND = 1e12

/** Address 10.0.0.`n`. */
export const address = (n: number) => 0x0a000000 + n

type OpenPlan = Extract<TrafficPlan, { kind: 'open' }>
type ClosedPlan = Extract<TrafficPlan, { kind: 'closed' }>
type ReplayPlan = Extract<TrafficPlan, { kind: 'replay' }>
type Flows = OpenPlan['flows']

export const CLEAN = { ipChecksum: 0, udpChecksum: 0, truncated: 0, badVersion: 0, otherHost: 0 }
export const NO_REWRITE = { daddr: null, saddr: null, dmac: null, dport: null }

/** `count` flows that differ in source port. */
export function flows(count: number, change: Partial<Flows> = {}): Flows {
  return {
    count,
    pick: 'roundrobin',
    zipfExponent: 1,
    packetsPerFlow: 1,
    saddr: address(1),
    saddrCount: 1,
    daddr: address(2),
    daddrCount: 1,
    sport: 10000,
    sportCount: count,
    dport: 9000,
    dportCount: 1,
    ...change,
  }
}

/** An open-loop source of 64-byte frames, one million per second. */
export function open(change: Partial<OpenPlan> = {}): OpenPlan {
  return {
    kind: 'open',
    name: 'open',
    host: 'host',
    dev: 'eth0',
    protocol: 'udp',
    arrival: { kind: 'constant', packetsPerSec: 1e6 },
    frame: { kind: 'fixed', bytes: 60 },
    flows: flows(4),
    startPs: 0,
    stopPs: 100 * SECOND,
    packets: 0,
    vlan: 0,
    zeroChecksum: false,
    malform: CLEAN,
    fragments: null,
    trainSegments: 1,
    ...change,
  }
}

/** Two clients with one request each. */
export function closed(change: Partial<ClosedPlan> = {}): ClosedPlan {
  return {
    kind: 'closed',
    name: 'closed',
    host: 'host',
    dev: 'eth0',
    clients: 2,
    depth: 1,
    thinkPs: 0,
    thinkRandom: false,
    frame: { kind: 'fixed', bytes: 60 },
    flows: flows(2),
    timeoutPs: 10 * MILLISECOND,
    startPs: 0,
    ...change,
  }
}

/** A replay of the given file. */
export function replay(capture: Uint8Array, change: Partial<ReplayPlan> = {}): ReplayPlan {
  return {
    kind: 'replay',
    name: 'replay',
    host: 'host',
    dev: 'eth0',
    capture,
    path: 'test.pcap',
    speed: 1,
    repeat: 1,
    startPs: 0,
    rewrite: NO_REWRITE,
    ...change,
  }
}

/** A 10 Gbit/s device with four queues. */
export function device(change: Partial<DevicePlan> = {}): DevicePlan {
  const driver = driverProfile('ixgbe') as DriverProfile
  return {
    name: 'eth0',
    driver,
    mac: '02:11:22:33:44:55',
    mtu: 1500,
    conf: DEFAULT_CONF,
    neigh: DEFAULT_NEIGH,
    addresses: ['10.0.0.2/24'],
    linkBitsPerSec: 10e9,
    linkDelayPs: 500_000,
    frameOverheadBytes: 20,
    wireErrorRate: 0,
    dmaLatencyPs: 900_000,
    pcieBitsPerSec: 0,
    pcieOverheadBytes: 0,
    packetBufferBytes: 524_288,
    nodeId: 0,
    rxRing: 512,
    rxUsecs: 0,
    rxFrames: 0,
    adaptiveRx: false,
    hashFields: { tcp4: 'sdfn', udp4: 'sdfn' },
    rssKey: '6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa',
    indirection: Array.from({ length: 128 }, (_, i) => i % 4),
    ntuple: [],
    arfs: false,
    queues: [0, 1, 2, 3].map((vectorIndex) => ({ vectorIndex, rpsCpus: [], rpsFlowCnt: 0 })),
    vectors: [0, 1, 2, 3].map((irq) => ({ irq, affinity: [0] })),
    napiDeferHardIrqs: 0,
    groFlushTimeoutNs: 0,
    irqSuspendTimeoutNs: 0,
    threaded: false,
    threadedCpus: [],
    napiWeight: 64,
    gro: true,
    groList: false,
    udpGroForwarding: false,
    groMaxSizeBytes: 65536,
    xdp: null,
    vlans: [],
    rxHandler: 'none',
    ...change,
  }
}

const CPU_ROWS = 2
const WIRE = 2
const DEVICE_ENTITY = 3
const FIRST_QUEUE = 4

/** A world of one wire whose lanes a test drains itself. */
export interface WireWorld {
  readonly world: World
  readonly binder: Binder
  readonly wire: number
  readonly dev: number
  readonly firstQueue: number
  /** Does everything strictly before a time; true if there was anything. */
  run(horizonPs: number): boolean
  /** Next thing that happens, ps. */
  nextPs(): number
  /** No frame that is not in a lane is due before this, ps. */
  boundPs(): number
  readonly events: EventList
  /** Makes what the wire has written known to the reader of its lanes. */
  publish(): void
  /** Takes the oldest row of a queue's lane, 0 if it is empty; the row stays readable until the lane wraps. */
  take(queue: number): number
  /** Runs to the horizon, giving every row to `visit` in lane order, queue by queue, and emptying lanes that fill up. */
  drain(horizonPs: number, visit?: (row: number, queue: number) => void): void
}

/** Options of `wireWorld`. */
export interface WireWorldOptions {
  readonly device?: Partial<DevicePlan>
  readonly traffic: readonly TrafficPlan[]
  readonly laneSlots?: number
  readonly seed?: number
  readonly durationPs?: number
}

/** Builds a world with one CPU row, one device, its wire and its lanes. */
export function wireWorld(options: WireWorldOptions): WireWorld {
  const devicePlan = device(options.device)
  const laneSlots = options.laneSlots ?? 1024
  const queueCount = devicePlan.queues.length
  const queueIds = devicePlan.queues.map((_, i) => FIRST_QUEUE + i)
  const plan = {
    name: 'test',
    seed: options.seed ?? 1,
    durationPs: options.durationPs ?? 100 * SECOND,
    hosts: [{ name: 'host', devices: [devicePlan], apps: [] }],
    traffic: options.traffic,
    plugins: [],
  } as unknown as Plan
  const layout = {
    plan,
    step: 1,
    cpus: [1],
    cpuRows: CPU_ROWS,
    firstWire: WIRE,
    wires: [WIRE],
    ownerRows: WIRE + 1,
    firstDevice: DEVICE_ENTITY,
    deviceCount: 1,
    firstQueue: FIRST_QUEUE,
    queues: queueIds,
    firstVector: FIRST_QUEUE + queueCount,
    idStep: 1,
    vectors: queueIds.map((queue) => queue + queueCount),
    napis: queueIds.map((queue) => queue + 2 * queueCount),
    backlogNapis: [],
    firstTask: FIRST_QUEUE + 3 * queueCount,
    tasks: [],
    hosts: [
      {
        plan: plan.hosts[0],
        index: 0,
        cpus: [1],
        devices: [{ plan: devicePlan, device: DEVICE_ENTITY, wire: WIRE, queues: queueIds }],
      },
    ],
  } as unknown as Layout
  const world = new World()
  const heapRows = wireEventCapacity(layout, WIRE)
  world.pool(Skb, queueCount * laneSlots, 'users')
  world.pool(RxQueue, FIRST_QUEUE + queueCount)
  world.pool(LaneWriter, FIRST_QUEUE + queueCount)
  world.pool(NetDev, DEVICE_ENTITY)
  world.pool(Cpu, WIRE)
  world.pool(Owner, WIRE)
  world.pool(MailRing, 0)
  world.pool(MailSlot, 0)
  world.pool(MailPair, (WIRE + 1) * (WIRE + 1))
  world.pool(MailInbox, WIRE)
  world.pool(PoolOwner, WIRE)
  world.pool(PoolSlot, 0)
  world.pool(EventHeap, WIRE)
  world.pool(EventRow, heapRows)
  world.pool(PacketCount, WIRE)
  world.pool(Timeline, (WIRE + 1) * TIMELINE_ROWS)
  world.pool(DropTimeline, (WIRE + 1) * TIMELINE_ROWS)
  world.pool(DropCount, (WIRE + 1) * DROP_ROWS)
  world.pool(SnmpCount, CPU_ROWS * SNMP_ROWS)
  world.pool(GroCount, CPU_ROWS * GRO_ROWS)
  world.pool(IcmpMsgCount, CPU_ROWS * ICMP_MSG_ROWS)
  for (const table of [PacketPage, PacketByte, PageOwner]) world.pool(table, WIRE)
  world.pool(DeviceCount, CPU_ROWS * DEVICE_ROWS)
  world.pool(TxQueue, 0)
  world.pool(TxSlot, 0)
  declareTraffic(world, layout)
  world.freeze()
  const queues = world.columns(RxQueue)
  const lanes = world.columns(LaneWriter)
  for (let i = 0; i < queueCount; i++) {
    queues.laneBase[FIRST_QUEUE + i] = 1 + i * laneSlots
    queues.laneMask[FIRST_QUEUE + i] = laneSlots - 1
    lanes.base[FIRST_QUEUE + i] = 1 + i * laneSlots
    lanes.mask[FIRST_QUEUE + i] = laneSlots - 1
    lanes.stop[FIRST_QUEUE + i] = turnFrames(laneSlots - 1)
  }
  world.columns(EventHeap).base[WIRE] = 1
  world.columns(EventHeap).capacity[WIRE] = heapRows
  world.columns(NetDev).wire[DEVICE_ENTITY] = WIRE
  world.columns(NetDev).features[DEVICE_ENTITY] = FEATURE.ntuple | FEATURE.rxChecksum
  const binder = new Binder(world)
  binder.provide(COST_LATENCY, {
    irqDeliveryPs: 1,
    nicCommandPs: 1,
    ipiPs: 1,
    txPs: 1,
    line: new Float64Array((WIRE + 1) * (WIRE + 1)).fill(1),
  })
  binder.provide(TRACE_SINK, NO_TRACE)
  binder.provide(PLAN_CONSTANTS, {
    plan,
    cpuRows: CPU_ROWS,
    timelinePs: plan.durationPs / TIMELINE_ROWS,
    firstDevice: DEVICE_ENTITY,
    firstQueue: FIRST_QUEUE,
  } as unknown as PlanConstants)
  fillTraffic(binder, layout)
  const wires = binder.bind(wireRun)
  const turn = world.columns(WireTurn)
  const { laneBase, laneMask, laneHead, laneTailSeen } = queues
  const { tail: laneTail, headSeen: laneHeadSeen, stop: laneStop } = lanes

  function run(horizonPs: number): boolean {
    turn.horizonPs[WIRE] = horizonPs
    return wires.run(WIRE)
  }

  function nextPs(): number {
    wires.settle(WIRE)
    return turn.nextPs[WIRE]
  }

  function publish(): void {
    for (let queue = FIRST_QUEUE; queue < FIRST_QUEUE + queueCount; queue++) {
      laneTailSeen[queue] = laneTail[queue]
      laneStop[queue] = laneTail[queue] + turnFrames(laneMask[queue])
    }
  }

  function take(queue: number): number {
    const head = laneHead[queue]
    publish()
    if (head === laneTail[queue]) return 0
    laneHead[queue] = head + 1
    laneHeadSeen[queue] = head + 1
    return laneBase[queue] + ((head & laneMask[queue]) >>> 0)
  }

  return {
    world,
    binder,
    wire: WIRE,
    dev: DEVICE_ENTITY,
    firstQueue: FIRST_QUEUE,
    run,
    nextPs,
    boundPs() {
      wires.settle(WIRE)
      return turn.boundPs[WIRE]
    },
    events: binder.bind(eventList),
    publish,
    take,
    drain(horizonPs, visit) {
      for (;;) {
        run(horizonPs)
        for (let queue = FIRST_QUEUE; queue < FIRST_QUEUE + queueCount; queue++) {
          for (let row = take(queue); row !== 0; row = take(queue)) visit?.(row, queue)
        }
        if (nextPs() >= horizonPs) return
      }
    },
  }
}
