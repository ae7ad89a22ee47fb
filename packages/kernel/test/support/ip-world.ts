/** A small world for the tests of IP, ICMP, UDP and TCP input: tables, two CPUs per host, sockets, and packets by hand. */
import { Binder, EventHeap, EventRow, PoolOwner, PoolSlot, type System, World } from '@softnet/ecs'
import type { KernelVersion, Plan, SocketPlan } from '@softnet/scenario'
import { PLAN_CONSTANTS, type PlanConstants, TRACE_SINK } from '../../src/build/constants.js'
import type { Layout } from '../../src/build/layout.js'
import {
  DEVICE_ROWS,
  DeviceCount,
  DROP_ROWS,
  DropCount,
  GRO_ROWS,
  GroCount,
  PacketCount,
  SNMP_ROWS,
  SnmpCount,
  TIMELINE_ROWS,
  Timeline,
} from '../../src/count/components.js'
import { DROP_PLACES } from '../../src/count/drops.js'
import { SNMP } from '../../src/count/snmp.js'
import {
  CONTEXT_ROWS,
  ContextTime,
  Cpu,
  Owner,
  STAGE_ROWS,
  StageCostTable,
  StageTime,
} from '../../src/cpu/components.js'
import { STAGE } from '../../src/cpu/stage-ids.js'
import { FragQueue } from '../../src/defrag/components.js'
import { declareDefrag, fillDefrag } from '../../src/defrag/frag-rows.js'
import { declareIcmp, fillIcmp } from '../../src/icmp/icmp-send.js'
import { declareIp, fillIp } from '../../src/ip/address-table.js'
import type { Stage } from '../../src/netif/stage.js'
import { NetDev } from '../../src/nic/components.js'
import { NO_TRACE } from '../../src/observe/trace-sink.js'
import { Skb } from '../../src/skb/components.js'
import { skbPool } from '../../src/skb/skb-pool.js'
import { Sock, SockView } from '../../src/sock/components.js'
import { ReplayByte, ReplayFrame } from '../../src/traffic/components.js'
import { declareUdp, fillUdp, socketHashMask } from '../../src/udp/udp-table.js'

/** What one unit of any stage costs in this world, ps. */
export const UNIT_PS = 1000

/** Capacity of the `ids` that stages get. */
export const IDS_CAPACITY = 512

/** Reads `192.0.2.1` as an unsigned number. */
export function ip(text: string): number {
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0)
}

/** Socket of a plan: any address, port 5000, unless given otherwise. */
export function socket(given: Partial<SocketPlan> = {}): SocketPlan {
  return {
    taskIndex: 0,
    address: 0,
    port: 5000,
    peer: null,
    reuseport: false,
    reuseaddr: true,
    soRcvbuf: 0,
    soRcvbufForce: false,
    soBusyPollUsecs: 0,
    soPreferBusyPoll: false,
    soBusyPollBudget: 0,
    soIncomingCpu: -1,
    soTimestamp: false,
    udpGro: false,
    device: null,
    ...given,
  }
}

/** What a world is made of; every field has a default. */
export interface IpWorldOptions {
  readonly kernel?: KernelVersion
  readonly seed?: number
  readonly sysctl?: Readonly<Record<string, number>>
  readonly rawProtocols?: readonly number[]
  readonly devices?: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  readonly sockets?: readonly SocketPlan[]
  readonly skbRows?: number
  readonly hz?: number
}

const CPUS = 2
const OPTION_BYTES_MAX = 40
const CPU_ROWS = CPUS + 1
const EVENT_ROWS = 64

const SYSCTL = {
  'net.ipv4.ip_early_demux': 1,
  'net.ipv4.udp_early_demux': 1,
  'net.ipv4.tcp_early_demux': 1,
  'net.ipv4.ipfrag_high_thresh': 4_194_304,
  'net.ipv4.ipfrag_low_thresh': 3_145_728,
  'net.ipv4.ipfrag_time': 30,
  'net.ipv4.ipfrag_max_dist': 64,
  'net.ipv4.conf.all.rp_filter': 0,
  'net.ipv4.conf.all.accept_local': 0,
  'net.ipv4.conf.all.route_localnet': 0,
  'net.ipv4.conf.all.drop_unicast_in_l2_multicast': 0,
  'net.ipv4.conf.all.accept_source_route': 0,
}

/** A frozen world with its binder, and what tests read of it. */
export interface IpWorld {
  readonly world: World
  readonly binder: Binder
  readonly layout: Layout
  /** Device entity of each device of the plan. */
  readonly devs: readonly number[]
  /** First socket row. */
  readonly firstSocket: number
  /** A new packet: a sound UDP datagram 198.51.100.1:40000 → 192.0.2.1:5000 of 18 bytes, with the given columns changed. */
  packet(columns?: Readonly<Record<string, number>>): number
  /** Gives a packet the bytes of a source route. */
  sourceRoute(row: number, bytes: readonly number[]): void
  /** Runs a stage over packets on a CPU; returns the survivors. */
  run(stage: System<Stage>, rows: readonly number[], cpu?: number): number[]
  /** All SNMP counters that moved, summed over CPUs. */
  snmp(): Record<string, number>
  /** Frames lost by place, `REASON@function`. */
  drops(): Record<string, number>
  /** Time charged to a stage over all CPUs, in units. */
  units(stage: keyof typeof STAGE): number
  /** Gives a packet's row back, as its reader does. */
  free(row: number): void
  /** Rows of the packet pool in use. */
  alive(): number
  /** Rows of fragments that wait for the rest of their datagram. */
  held(): number[]
}

function makeLayout(options: IpWorldOptions): Layout {
  const devices = options.devices ?? [{ name: 'eth0', addresses: ['192.0.2.1/24'] }]
  const host = {
    name: 'h',
    sysctl: { ...SYSCTL, ...options.sysctl },
    rawProtocols: options.rawProtocols ?? [],
    apps: [{ sockets: options.sockets ?? [] }],
  }
  const plan = { kernel: options.kernel ?? '6.18', seed: options.seed ?? 1, hosts: [host] } as unknown as Plan
  return {
    plan,
    cpus: Array.from({ length: CPUS }, (_, i) => 1 + i),
    cpuRows: CPU_ROWS,
    firstDevice: CPU_ROWS,
    hosts: [
      {
        plan: host,
        index: 0,
        cpus: [1],
        devices: devices.map((device, index) => ({ plan: device, device: CPU_ROWS + index })),
        appSockets: [(options.sockets ?? []).map((_, i) => 1 + i)],
      },
    ],
  } as unknown as Layout
}

function declareTables(world: World, layout: Layout, skbRows: number, sockets: number, devices: number): void {
  world.spawn([Owner, Cpu], CPUS)
  if (devices > 0) world.spawn([NetDev], devices)
  world.pool(ContextTime, CPU_ROWS * CONTEXT_ROWS)
  world.pool(StageTime, CPU_ROWS * STAGE_ROWS)
  world.pool(StageCostTable, CPU_ROWS * STAGE_ROWS)
  world.pool(SnmpCount, CPU_ROWS * SNMP_ROWS)
  world.pool(DropCount, CPU_ROWS * DROP_ROWS)
  world.pool(GroCount, CPU_ROWS * GRO_ROWS)
  world.pool(DeviceCount, CPU_ROWS * DEVICE_ROWS * devices)
  world.pool(PacketCount, CPU_ROWS)
  world.pool(Timeline, CPU_ROWS * TIMELINE_ROWS)
  world.pool(PoolOwner, 1)
  world.pool(PoolSlot, skbRows)
  world.pool(Skb, skbRows, 'users')
  world.pool(Sock, sockets, 'used')
  world.pool(SockView, sockets)
  world.pool(ReplayFrame, 1)
  world.pool(ReplayByte, OPTION_BYTES_MAX)
  declareIp(world, layout)
  declareUdp(world, layout)
  declareIcmp(world, layout)
  declareDefrag(world, layout, skbRows)
  world.pool(EventHeap, CPUS)
  world.pool(EventRow, CPUS * EVENT_ROWS)
  world.freeze()
}

function fillTables(world: World, layout: Layout, skbRows: number): void {
  const cpu = world.columns(Cpu)
  for (let id = 1; id <= CPUS; id++) {
    cpu.slowdown[id] = 1
    cpu.number[id] = id - 1
    cpu.host[id] = 0
    cpu.packetPool[id] = 1
  }
  world.columns(StageCostTable).ps.fill(UNIT_PS)
  layout.hosts[0]?.devices.forEach((device, index) => {
    world.columns(NetDev).index[device.device] = index
  })
  const owner = world.columns(PoolOwner)
  const slots = world.columns(PoolSlot).row
  owner.base[1] = 1
  owner.capacity[1] = skbRows
  owner.free[1] = skbRows
  for (let i = 0; i < skbRows; i++) slots[1 + i] = skbRows - i
  fillIp(world, layout)
  fillUdp(world, layout)
  fillIcmp(world, layout)
  fillDefrag(world, layout, skbRows)
  const heap = world.columns(EventHeap)
  for (let id = 1; id <= CPUS; id++) {
    heap.base[id] = 1 + (id - 1) * EVENT_ROWS
    heap.capacity[id] = EVENT_ROWS
  }
}

function sumByName(values: ArrayLike<number>, rows: number, names: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {}
  names.forEach((name, id) => {
    let sum = 0
    for (let cpu = 0; cpu < CPU_ROWS; cpu++) sum += values[cpu * rows + id] as number
    if (sum !== 0) sums[name] = (sums[name] ?? 0) + sum
  })
  return sums
}

/** Builds a world of one host with two CPUs. */
export function makeIpWorld(options: IpWorldOptions = {}): IpWorld {
  const layout = makeLayout(options)
  const skbRows = options.skbRows ?? 256
  const world = new World()
  const devices = layout.hosts[0]?.devices ?? []
  declareTables(world, layout, skbRows, options.sockets?.length ?? 0, devices.length)
  fillTables(world, layout, skbRows)
  const binder = new Binder(world)
  const hz = options.hz ?? 250
  binder.provide(PLAN_CONSTANTS, {
    plan: layout.plan,
    cpuRows: CPU_ROWS,
    firstDevice: layout.firstDevice,
    timelinePs: 1e12,
    packetRows: skbRows,
    hz,
    jiffyPs: 1e12 / hz,
    socketHashMask: socketHashMask(layout),
  } as unknown as PlanConstants)
  binder.provide(TRACE_SINK, NO_TRACE)
  const pool = binder.bind(skbPool)
  const skb = world.columns(Skb) as unknown as Record<string, { [row: number]: number }>
  const defaults = soundDatagram(layout.firstDevice)
  const names = Object.keys(skb).filter((name) => name !== 'users')
  const owner = world.columns(PoolOwner)
  return {
    world,
    binder,
    layout,
    devs: devices.map((device) => device.device),
    firstSocket: 1,
    packet(columns = {}) {
      const row = pool.take(1)
      if (row === 0) throw new Error('the test world has no packet row left')
      const fields = { ...defaults, ...columns } as Record<string, number>
      for (const name of names) (skb[name] as { [row: number]: number })[row] = fields[name] ?? 0
      return row
    },
    sourceRoute(row, bytes) {
      world.columns(ReplayByte).value.set(bytes, 1)
      world.columns(ReplayFrame).sourceRoute[1] = 1
      skb.page[row] = 1
    },
    run(stage, rows, cpu = 1) {
      const ids = new Int32Array(IDS_CAPACITY)
      ids.set(rows)
      const kept = binder.bind(stage)(ids, rows.length, cpu)
      return [...ids.subarray(0, kept)]
    },
    snmp: () => sumByName(world.columns(SnmpCount).value, SNMP_ROWS, Object.keys(SNMP)),
    drops: () =>
      sumByName(
        world.columns(DropCount).frames,
        DROP_ROWS,
        DROP_PLACES.map((place) => `${place.reason}@${place.where}`),
      ),
    units(stage) {
      const { ps } = world.columns(StageTime)
      let sum = 0
      for (let cpu = 1; cpu < CPU_ROWS; cpu++) sum += ps[cpu * STAGE_ROWS + STAGE[stage]]
      return sum / UNIT_PS
    },
    free: (row) => pool.release(row, 1),
    held() {
      const { live, firstRun } = world.columns(FragQueue)
      const { next, fragNextRun } = world.columns(Skb)
      const rows: number[] = []
      for (let queue = 1; queue < live.length; queue++) {
        for (let run = live[queue] === 0 ? 0 : firstRun[queue]; run !== 0; run = fragNextRun[run]) {
          for (let row = run; row !== 0; row = next[row]) rows.push(row)
        }
      }
      return rows
    },
    alive: () => owner.capacity[1] - owner.free[1],
  }
}

const PAYLOAD_BYTES = 18

function soundDatagram(dev: number): Record<string, number> {
  return {
    frames: 1,
    wireBytes: 60,
    len: 28 + PAYLOAD_BYTES,
    totLen: 28 + PAYLOAD_BYTES,
    udpLen: 8 + PAYLOAD_BYTES,
    payload: PAYLOAD_BYTES,
    truesize: 832,
    saddr: ip('198.51.100.1'),
    daddr: ip('192.0.2.1'),
    ports: 40000 * 65536 + 5000,
    ipWord: ipWord(17),
    protocol: 0x0800,
    dev,
  }
}

/** `Skb.ipWord` of a header: protocol, TOS, header words, version. */
export function ipWord(protocol: number, tos = 0, ihl = 5, version = 4): number {
  return (protocol | (tos << 8) | (64 << 16) | (ihl << 24) | (version << 28)) >>> 0
}
