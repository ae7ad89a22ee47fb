/** A small world for the tests of IP, ICMP, UDP and TCP input: tables, two CPUs per host, sockets, and packets by hand. */
import { Binder, EventHeap, EventRow, PoolOwner, PoolSlot, type System, World } from '@softnet/ecs'
import {
  DEFAULT_CONF,
  DEFAULT_IPV4,
  DEFAULT_NEIGH,
  defaultSysctl,
  type InterfaceConf,
  type Ipv4Plan,
  KERNEL_VERSIONS,
  type KernelVersion,
  type Plan,
  parseRoute,
  type RulePlan,
  type SocketPlan,
} from '@softnet/scenario'
import { ETH_HLEN, ETH_P_IP, emitEthernet, LINKTYPE_ETHERNET, ParsedFrame, parseFrame } from '@softnet/wire'
import { bindDestructor, bindIcmp } from '../../src/build/build-model.js'
import { COLD_COSTS, PLAN_CONSTANTS, type PlanConstants, TRACE_SINK } from '../../src/build/constants.js'
import { declareTx } from '../../src/build/fill-tx.js'
import { COST_LATENCY } from '../../src/build/latency.js'
import type { Layout } from '../../src/build/layout.js'
import type { Partitions } from '../../src/build/partitions.js'
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
import { MailInbox, MailPair, MailRing, MailSlot } from '../../src/cpu/mail.js'
import { STAGE } from '../../src/cpu/stage-ids.js'
import { FragQueue } from '../../src/defrag/components.js'
import { declareDefrag, fillDefrag } from '../../src/defrag/frag-rows.js'
import { declareIcmp, fillIcmp } from '../../src/icmp/icmp-limit.js'
import { declareIdents } from '../../src/ip/ip-ident.js'
import { NETIF_RX } from '../../src/link/netif-rx.js'
import { PROGRAM_XMIT } from '../../src/link/program-xmit.js'
import { declareNeighbours, fillNeighbours } from '../../src/neigh/fill-neigh.js'
import type { Stage } from '../../src/netif/stage.js'
import { IFF, NetDev, RxQueue, XMIT } from '../../src/nic/components.js'
import { NO_TRACE } from '../../src/observe/trace-sink.js'
import { declareRoutes, fillRoutes } from '../../src/route/fib-table.js'
import { RouteResult } from '../../src/route/route-result.js'
import { MadePacket } from '../../src/skb/alloc-skb.js'
import { SKB, Skb } from '../../src/skb/components.js'
import { declarePages, fillPages, packetPages } from '../../src/skb/packet-pages.js'
import { parsedFlags, setParsedFields } from '../../src/skb/parsed-fields.js'
import { skbPool } from '../../src/skb/skb-pool.js'
import { Sock, SockView } from '../../src/sock/components.js'
import { SockSend } from '../../src/sock/sock-wfree.js'
import { SoftirqState } from '../../src/softirq/components.js'
import { RunQueue, Task, TaskCpu } from '../../src/task/components.js'
import { ReplayByte, ReplayFrame } from '../../src/traffic/components.js'
import { IpcmCookie } from '../../src/udp/ipcm-cookie.js'
import { SendCmsg } from '../../src/udp/send-cmsg.js'
import { declareCorks } from '../../src/udp/udp-cork.js'
import { declareUdp, fillUdp, socketHashMask } from '../../src/udp/udp-table.js'
import { type SentPacket, sentPacket } from './sent-packet.js'
import { soundDatagram } from './sound-datagram.js'

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
  readonly ipv4?: Partial<Ipv4Plan>
  /** `net.ipv4.conf.all`. */
  readonly conf?: Partial<InterfaceConf>
  /** Routes beside those of addresses; a default route by the first device unless given. */
  readonly routes?: readonly string[]
  readonly rules?: readonly RulePlan[]
  readonly rawProtocols?: readonly number[]
  readonly devices?: readonly {
    readonly name: string
    readonly addresses: readonly string[]
    readonly mtu?: number
    readonly conf?: Partial<InterfaceConf>
  }[]
  readonly sockets?: readonly SocketPlan[]
  readonly skbRows?: number
  readonly hz?: number
}

const CPUS = 2
const CPU_ROWS = CPUS + 1
/** Both CPUs share a pool of packets. */
const PARTITIONS = {
  members: new Map([[1, [1, 2]]]),
  leader: Int32Array.of(0, 1, 1, 1),
} as unknown as Partitions

const SYSCTL = {
  ...defaultSysctl(KERNEL_VERSIONS['6.18'], 250),
  'net.ipv4.ip_early_demux': 1,
  'net.ipv4.udp_early_demux': 1,
  'net.ipv4.tcp_early_demux': 1,
  'net.ipv4.ipfrag_high_thresh': 4_194_304,
  'net.ipv4.ipfrag_low_thresh': 3_145_728,
  'net.ipv4.ipfrag_time': 30,
  'net.ipv4.neigh.default.gc_thresh1': 128,
  'net.ipv4.neigh.default.gc_thresh2': 512,
  'net.ipv4.neigh.default.gc_thresh3': 1024,
  'net.ipv4.ipfrag_max_dist': 64,
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
  /** A packet with real bytes: a raw IPv4 packet that came in on a device (the first unless given). */
  real(bytes: Uint8Array, dev?: number): number
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
  /** Packets that left by a device, in order. */
  readonly sent: readonly SentPacket[]
  /** Rows that are on their way back by the loopback device. */
  readonly looped: readonly number[]
}

function makeLayout(options: IpWorldOptions): Layout {
  const devices = options.devices ?? [{ name: 'eth0', addresses: ['192.0.2.1/24'] }]
  const routes = options.routes ?? (devices[0] === undefined ? [] : [`default dev ${devices[0].name}`])
  const host = {
    name: 'h',
    hz: options.hz ?? 250,
    cpus: [{}, {}],
    sysctl: { ...SYSCTL, ...options.sysctl },
    ipv4: { ...DEFAULT_IPV4, ...options.ipv4 },
    confAll: { ...DEFAULT_CONF, ...options.conf },
    routes: routes.map((text) => parseRoute(text)),
    rules: options.rules ?? [],
    smallHeadBytes: 576,
    neighbours: [],
    devices: [],
    rawProtocols: options.rawProtocols ?? [],
    apps: [{ sockets: options.sockets ?? [] }],
  }
  const plan = {
    kernel: options.kernel ?? '6.18',
    seed: options.seed ?? 1,
    hosts: [host],
    traffic: [],
    plugins: [],
    limits: {},
  } as unknown as Plan
  const hosts = [hostLayout(host, devices, options)]
  return {
    plan,
    nets: hosts,
    cpus: Array.from({ length: CPUS }, (_, i) => 1 + i),
    cpuRows: CPU_ROWS,
    firstWire: CPU_ROWS,
    wireCount: 0,
    ownerRows: CPU_ROWS,
    entityRows: 16,
    socketStep: 1,
    firstDevice: CPU_ROWS,
    txQueueRows: 1,
    socketRows: 1 + (options.sockets ?? []).length,
    deviceCount: devices.length + 1,
    hosts,
  } as unknown as Layout
}

function hostLayout(host: object, devices: NonNullable<IpWorldOptions['devices']>, options: IpWorldOptions) {
  return {
    plan: host,
    index: 0,
    hostIndex: 0,
    cpus: [1],
    devices: devices.map((device, index) => ({
      txQueues: [],
      plan: {
        mtu: 1500,
        vlans: [],
        driver: {},
        ...device,
        conf: { ...DEFAULT_CONF, ...device.conf },
        neigh: DEFAULT_NEIGH,
      },
      device: CPU_ROWS + index,
      wire: 0,
    })),
    loopback: CPU_ROWS + devices.length,
    appSockets: [(options.sockets ?? []).map((_, i) => 1 + i)],
  }
}

function declareTables(world: World, layout: Layout, skbRows: number, sockets: number, devices: number): void {
  world.spawn([Owner, Cpu], CPUS)
  world.spawn([NetDev], devices + 1)
  world.pool(ContextTime, CPU_ROWS * CONTEXT_ROWS)
  world.pool(StageTime, CPU_ROWS * STAGE_ROWS)
  world.pool(StageCostTable, CPU_ROWS * STAGE_ROWS)
  world.pool(SnmpCount, CPU_ROWS * SNMP_ROWS)
  world.pool(DropCount, CPU_ROWS * DROP_ROWS)
  world.pool(GroCount, CPU_ROWS * GRO_ROWS)
  for (const table of [RxQueue, SoftirqState, Task, TaskCpu, RunQueue, MailRing, MailSlot, MailPair, MailInbox])
    world.pool(table, 16)
  world.pool(IcmpMsgCount, CPU_ROWS * ICMP_MSG_ROWS)
  world.pool(MadePacket, CPU_ROWS)
  world.pool(RouteResult, CPU_ROWS)
  world.pool(IpcmCookie, CPU_ROWS)
  world.pool(SendCmsg, 1)
  world.pool(DeviceCount, CPU_ROWS * DEVICE_ROWS * (devices + 1))
  world.pool(PacketCount, CPU_ROWS)
  world.pool(Timeline, CPU_ROWS * TIMELINE_ROWS)
  world.pool(DropTimeline, CPU_ROWS * TIMELINE_ROWS)
  world.pool(PoolOwner, 1)
  world.pool(PoolSlot, skbRows)
  world.pool(Skb, skbRows, 'users')
  world.pool(Sock, sockets, 'used')
  world.pool(SockView, sockets)
  declareRoutes(world, layout)
  declareIdents(world, layout, PARTITIONS)
  declareNeighbours(world, layout, PARTITIONS)
  declareTx(world, layout)
  world.pool(EventRow, 4096)
  world.pool(EventHeap, CPU_ROWS)
  declarePages(world, layout, PARTITIONS)
  world.pool(ReplayFrame, 0)
  world.pool(ReplayByte, 0)
  declareUdp(world, layout)
  declareCorks(world, layout)
  declareIcmp(world, layout, PARTITIONS)
  declareDefrag(world, layout, skbRows)
  world.freeze()
}

function fillTables(world: World, layout: Layout, skbRows: number): void {
  const cpu = world.columns(Cpu)
  for (let id = 1; id <= CPUS; id++) {
    cpu.slowdown[id] = 1
    cpu.number[id] = id - 1
    cpu.host[id] = 0
    cpu.packetPool[id] = 1
    cpu.home[id] = 1
  }
  world.columns(StageCostTable).ps.fill(UNIT_PS)
  world.columns(SockSend).sndbuf.fill(212_992)
  const send = world.columns(SockSend)
  for (let sock = 1; sock < layout.socketRows; sock++) {
    send.multicastTtl[sock] = 1
    send.multicastLoop[sock] = 1
  }
  world.columns(Sock).cpu.fill(1)
  layout.hosts[0]?.devices.forEach((device, index) => {
    const dev = world.columns(NetDev)
    dev.index[device.device] = index
    dev.running[device.device] = 1
    dev.iff[device.device] = IFF.up
    dev.xmit[device.device] = XMIT.program
    dev.mtu[device.device] = device.plan.mtu
  })
  const lo = layout.hosts[0]?.loopback ?? 0
  const dev = world.columns(NetDev)
  dev.index[lo] = lo - layout.firstDevice
  dev.running[lo] = 1
  dev.iff[lo] = IFF.up | IFF.loopback
  dev.xmit[lo] = XMIT.loopback
  dev.mtu[lo] = 65_536
  const owner = world.columns(PoolOwner)
  const slots = world.columns(PoolSlot).row
  owner.base[1] = 1
  owner.capacity[1] = skbRows
  owner.free[1] = skbRows
  for (let i = 0; i < skbRows; i++) slots[1 + i] = skbRows - i
  fillRoutes(world, layout)
  fillPages(world, layout, PARTITIONS)
  fillNeighbours(world, layout, PARTITIONS)
  const heap = world.columns(EventHeap)
  for (let id = 1; id <= CPUS; id++) {
    heap.base[id] = 1 + (id - 1) * 2000
    heap.capacity[id] = 2000
  }
  fillUdp(world, layout)
  fillIcmp(world, layout, PARTITIONS)
  fillDefrag(world, layout, skbRows)
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
    hostOfCpu: new Int32Array(CPU_ROWS),
    plan: layout.plan,
    nets: layout.plan.hosts,
    cpuRows: CPU_ROWS,
    firstDevice: layout.firstDevice,
    timelinePs: 1e12,
    packetRows: skbRows,
    hz: new Float64Array(CPU_ROWS).fill(hz),
    jiffyPs: new Float64Array(CPU_ROWS).fill(1e12 / hz),
    socketHashMask: socketHashMask(layout),
  } as unknown as PlanConstants)
  binder.provide(TRACE_SINK, NO_TRACE)
  const noTime = new Float64Array(CPU_ROWS * CPU_ROWS)
  binder.provide(COLD_COSTS, {
    coldPollPs: noTime,
    coldPacketPs: noTime,
    farPacketPs: noTime,
    xmitLinesPs: noTime,
    cleanLinesPs: noTime,
    smtFactor: 1,
  })
  const none = { irqDeliveryPs: 0, ipiPs: 0, nicCommandPs: 0, line: new Float64Array(CPU_ROWS * CPU_ROWS), txPs: 0 }
  binder.provide(COST_LATENCY, none)
  const sent: SentPacket[] = []
  const looped: number[] = []
  binder.provide(NETIF_RX, { rx: (_cpu, row) => looped.push(row) })
  binder.provide(PROGRAM_XMIT, { xmit: (_cpu, row) => sent.push(sentPacket(binder, row)), reflect: null })
  bindDestructor(binder)
  bindIcmp(binder)
  const pool = binder.bind(skbPool)
  const pages = binder.bind(packetPages)
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
    real(bytes, dev = layout.firstDevice) {
      const frame = new Uint8Array(ETH_HLEN + bytes.length)
      const view = new DataView(frame.buffer)
      emitEthernet(view, 0, 0, 0, 0, 0, ETH_P_IP)
      frame.set(bytes, ETH_HLEN)
      const parsed = new ParsedFrame()
      parseFrame(parsed, view, 0, frame.length, LINKTYPE_ETHERNET)
      const row = pool.take(1)
      for (const name of names) (skb[name] as { [row: number]: number })[row] = 0
      setParsedFields(world.columns(Skb), row, parsed)
      const columns = world.columns(Skb)
      columns.flags[row] = parsedFlags(parsed) | SKB.noEthernet
      columns.frames[row] = 1
      columns.len[row] = bytes.length
      columns.dev[row] = dev
      columns.page[row] = pages.take(1, bytes.length)
      pages.bytes.set(bytes, pages.first(columns.page[row]))
      return row
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
    sent,
    looped,
  }
}
