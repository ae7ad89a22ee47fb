import { Binder, PoolOwner, PoolSlot, World } from '@softnet/ecs'
import type { KernelVersion, Plan, SysctlPlan, XdpPlan } from '@softnet/scenario'
import { PLAN_CONSTANTS, type PlanConstants, TRACE_SINK } from '../../src/build/constants.js'
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
import { GRO } from '../../src/count/device.js'
import { CONTEXT_ROWS, ContextTime, Cpu, STAGE_ROWS, StageCostTable, StageTime } from '../../src/cpu/components.js'
import { STAGE } from '../../src/cpu/stage-ids.js'
import { type Gro, gro } from '../../src/gro/gro.js'
import { LIST_RECEIVER } from '../../src/gro/list-receiver.js'
import { UDP_GRO_SOCKET } from '../../src/gro/udp-gro-socket.js'
import { PROGRAM_XMIT } from '../../src/link/program-xmit.js'
import { GroBucket, Napi } from '../../src/napi/components.js'
import { FEATURE, NetDev } from '../../src/nic/components.js'
import { NO_TRACE, type TraceSink } from '../../src/observe/trace-sink.js'
import { SKB, Skb } from '../../src/skb/components.js'
import { PacketByte, PacketPage, PageOwner } from '../../src/skb/packet-pages.js'
import { type SkbPool, skbPool } from '../../src/skb/skb-pool.js'
import { declareXdp, fillXdp } from '../../src/xdp/build.js'
import { type Xdp, xdp } from '../../src/xdp/xdp.js'

/** Jiffy of the tiny world, ps: HZ 250. */
export const JIFFY_PS = 4e9

/** What a tiny world can differ in. */
export interface GroWorldOptions {
  readonly kernel?: KernelVersion
  readonly features?: number
  readonly batch?: number
  readonly rows?: number
  readonly groMaxSizeBytes?: number
  readonly copybreakBytes?: number
  readonly udpSocket?: 0 | 1 | 2
  readonly xdp?: XdpPlan
}

/** One packet as the stack got it. */
export interface Delivered {
  readonly serial: number
  readonly len: number
  readonly frames: number
  readonly wireBytes: number
  readonly truesize: number
  readonly gsoSize: number
  readonly totLen: number
  readonly udpLen: number
  readonly flags: number
  readonly tcpFlags: number
  /** Serials of the datagrams linked behind it. */
  readonly chained: readonly number[]
  /** Sum of their truesize, bytes. */
  readonly chainedTruesize: number
}

/** Fields of a packet that a test sets; the rest are those of an ordinary one. */
export interface Packet {
  readonly proto?: number
  readonly bytes?: number
  readonly seq?: number
  readonly ack?: number
  readonly tcpFlags?: number
  readonly window?: number
  readonly options?: number
  readonly doff?: number
  readonly id?: number
  readonly frag?: number
  readonly tos?: number
  readonly ttl?: number
  readonly ihl?: number
  readonly sport?: number
  readonly saddr?: number
  readonly mac?: number
  readonly hash?: number
  readonly flags?: number
  readonly vlan?: number
  readonly protocol?: number
  readonly faults?: number
  readonly padding?: number
  readonly udpLen?: number
  readonly truesize?: number
}

const RESULT_NAMES = ['MERGED', 'MERGED_FREE', 'HELD', 'NORMAL', 'CONSUMED', 'DROP']
const DF = 0x4000
const ACK = 0x10

/** One CPU, one device, one NAPI, a pool of packets, and a receiver that notes what it is given. */
export class GroWorld {
  readonly world = new World()
  readonly cpu: number
  readonly device: number
  readonly napi: number
  readonly gro: Gro
  readonly xdp: Xdp
  readonly pool: SkbPool
  readonly skb: ReturnType<typeof GroWorld.prototype.skbColumns>
  /** Results and deliveries as they happened: `HELD`, `deliver 1040`. */
  readonly events: string[] = []
  readonly delivered: Delivered[] = []
  readonly traced: number[] = []
  /** Rows that the trace of kfree_skb named. */
  readonly lost: number[] = []
  #serial = 0

  constructor(options: GroWorldOptions = {}) {
    const { world } = this
    const rows = options.rows ?? 256
    this.cpu = world.spawn([Cpu], 1)
    this.device = world.spawn([NetDev], 1)
    this.napi = world.spawn([Napi], 1)
    this.#declare(rows)
    const layout = {
      firstDevice: this.device,
      deviceCount: 1,
      hosts: [{ devices: [{ device: this.device, plan: { xdp: options.xdp ?? null } }] }],
    } as unknown as Layout
    declareXdp(world, layout)
    world.freeze()
    fillXdp(world, layout)
    this.skb = this.skbColumns()
    this.#fill(rows, options)
    const binder = new Binder(world)
    binder.provide(PLAN_CONSTANTS, this.#constants(options))
    binder.provide(TRACE_SINK, this.#sink())
    binder.provide(PROGRAM_XMIT, { xmit: null, reflect: null })
    binder.provide(LIST_RECEIVER, (_cpu, napi) => this.#receive(napi))
    binder.provide(UDP_GRO_SOCKET, () => options.udpSocket ?? 0)
    this.gro = binder.bind(gro)
    this.xdp = binder.bind(xdp)
    this.pool = binder.bind(skbPool)
  }

  skbColumns() {
    return this.world.columns(Skb)
  }

  #declare(rows: number): void {
    const { world, cpu, napi } = this
    world.pool(ContextTime, (cpu + 1) * CONTEXT_ROWS)
    world.pool(StageTime, (cpu + 1) * STAGE_ROWS)
    world.pool(StageCostTable, (cpu + 1) * STAGE_ROWS)
    world.pool(SnmpCount, (cpu + 1) * SNMP_ROWS)
    world.pool(DropCount, (cpu + 1) * DROP_ROWS)
    world.pool(DeviceCount, (cpu + 1) * DEVICE_ROWS)
    world.pool(GroCount, (cpu + 1) * GRO_ROWS)
    world.pool(IcmpMsgCount, (cpu + 1) * ICMP_MSG_ROWS)
    for (const table of [PacketPage, PacketByte, PageOwner]) world.pool(table, cpu + 1)
    world.pool(Timeline, (cpu + 1) * TIMELINE_ROWS)
    world.pool(DropTimeline, (cpu + 1) * TIMELINE_ROWS)
    world.pool(PacketCount, cpu + 1)
    world.pool(PoolOwner, 1)
    world.pool(PoolSlot, rows)
    world.pool(Skb, rows, 'users')
    world.pool(GroBucket, (napi + 1) * 8)
  }

  #fill(rows: number, options: GroWorldOptions): void {
    const { world, cpu, device } = this
    const owner = world.columns(PoolOwner)
    const slots = world.columns(PoolSlot).row
    owner.base[1] = 1
    owner.capacity[1] = rows
    owner.free[1] = rows
    owner.freeMin[1] = rows
    for (let i = 0; i < rows; i++) slots[1 + i] = rows - i
    const cpus = world.columns(Cpu)
    cpus.packetPool[cpu] = 1
    cpus.slowdown[cpu] = 1
    world.columns(StageCostTable).ps.fill(1000)
    const devices = world.columns(NetDev)
    devices.features[device] = options.features ?? FEATURE.gro
    devices.groMaxSizeBytes[device] = options.groMaxSizeBytes ?? 65536
    devices.copybreakBytes[device] = options.copybreakBytes ?? 0
    devices.mtu[device] = 1500
    devices.running[device] = 1
  }

  #constants(options: GroWorldOptions): PlanConstants {
    const kernel = options.kernel ?? '6.18'
    const sysctl = { 'net.core.gro_normal_batch': options.batch ?? 8 } as unknown as SysctlPlan
    return {
      plan: { kernel, hosts: [{ sysctl, apps: [] }] } as unknown as Plan,
      cpuRows: this.cpu + 1,
      hostOfCpu: new Int32Array(this.cpu + 1),
      timelinePs: 1e9,
      jiffyPs: new Float64Array(this.cpu + 1).fill(JIFFY_PS),
      firstDevice: this.device,
    } as unknown as PlanConstants
  }

  #sink(): TraceSink {
    return {
      ...NO_TRACE,
      on: true,
      groResult: (_cpu, _now, _row, result) => this.traced.push(result),
      kfreeSkb: (_cpu, _now, row) => this.lost.push(row),
    }
  }

  #receive(napi: number): void {
    const { skb } = this
    for (let row = this.world.columns(Napi).listHead[napi]; row !== 0; ) {
      const following = skb.next[row]
      const chained: number[] = []
      let chainedTruesize = 0
      for (let each = skb.fragHead[row]; each !== 0; ) {
        const next = skb.next[each]
        chained.push(skb.serial[each])
        chainedTruesize += skb.truesize[each]
        each = next
      }
      this.delivered.push({
        serial: skb.serial[row],
        len: skb.len[row],
        frames: skb.frames[row],
        wireBytes: skb.wireBytes[row],
        truesize: skb.truesize[row],
        gsoSize: skb.gsoSize[row],
        totLen: skb.totLen[row],
        udpLen: skb.udpLen[row],
        flags: skb.flags[row],
        tcpFlags: skb.tcpWord[row] & 0x1ff,
        chained,
        chainedTruesize,
      })
      this.events.push(`deliver ${skb.len[row]}`)
      this.pool.release(row, 1)
      row = following
    }
  }

  /** A row with the packet in it: TCP with ACK and 1000 bytes unless said otherwise. */
  make(packet: Packet = {}): number {
    const { skb } = this
    const row = this.pool.take(1)
    if (row === 0) throw new Error('no row is free')
    const proto = packet.proto ?? 6
    const bytes = packet.bytes ?? 1000
    const doff = packet.doff ?? 5
    const ihl = packet.ihl ?? 5
    const l4Bytes = proto === 6 ? doff * 4 : 8
    const totLen = ihl * 4 + l4Bytes + bytes
    skb.serial[row] = ++this.#serial
    skb.frames[row] = 1
    skb.len[row] = totLen + (packet.padding ?? 0)
    skb.wireBytes[row] = skb.len[row] + 14
    skb.totLen[row] = totLen
    skb.payload[row] = bytes
    skb.truesize[row] = packet.truesize ?? 2304
    skb.udpLen[row] = packet.udpLen ?? (proto === 17 ? bytes + 8 : 0)
    skb.protocol[row] = packet.protocol ?? 0x0800
    skb.ipWord[row] = (proto | ((packet.tos ?? 0) << 8) | ((packet.ttl ?? 64) << 16) | (ihl << 24) | (4 << 28)) >>> 0
    skb.idFrag[row] = (((packet.id ?? 0) << 16) | (packet.frag ?? DF)) >>> 0
    skb.saddr[row] = packet.saddr ?? 0x0a090002
    skb.daddr[row] = 0x0a090001
    skb.ports[row] = (packet.sport ?? 40000) * 65536 + 8000
    skb.tcpSeq[row] = packet.seq ?? 1000
    skb.tcpAck[row] = packet.ack ?? 1
    skb.tcpWord[row] = ((packet.tcpFlags ?? ACK) | (doff << 12) | ((packet.window ?? 500) << 16)) >>> 0
    skb.tcpOptions[row] = packet.options ?? 0
    skb.flags[row] = (packet.flags ?? SKB.csumUnnecessary) | (packet.vlan === undefined ? 0 : SKB.vlan)
    skb.vlanTci[row] = packet.vlan ?? 0
    skb.faults[row] = packet.faults ?? 0
    skb.hash[row] = packet.hash ?? 0
    skb.macHash[row] = packet.mac ?? 7
    skb.dev[row] = this.device
    // What the last user of the row may have left; a released row has no chain.
    skb.fragHead[row] = 0
    skb.fragTail[row] = 999
    skb.gsoSize[row] = 999
    return row
  }

  /** Gives a packet to GRO and returns the name of the result. */
  receive(packet: Packet = {}): string {
    const result = this.gro.receive(this.cpu, this.napi, this.make(packet))
    const name = RESULT_NAMES[result] ?? String(result)
    this.events.push(name)
    return name
  }

  /** End of a poll that completes. */
  complete(): void {
    this.gro.flush(this.cpu, this.napi, false)
    this.gro.normalList(this.cpu, this.napi)
  }

  advance(ps: number): void {
    this.world.columns(Cpu).clockPs[this.cpu] += ps
  }

  get freeRows(): number {
    return this.world.columns(PoolOwner).free[1]
  }

  /** Number of a GRO result or XDP verdict counted so far. */
  counted(name: keyof typeof GRO): number {
    return this.world.columns(GroCount).value[this.cpu * GRO_ROWS + GRO[name]]
  }

  dropped(drop: number): number {
    return this.world.columns(DropCount).frames[this.cpu * DROP_ROWS + drop]
  }

  stagePs(stage: keyof typeof STAGE): number {
    return this.world.columns(StageTime).ps[this.cpu * STAGE_ROWS + STAGE[stage]]
  }

  /** Frames in held packets and on the batch. */
  heldFrames(): number {
    const { skb, napi } = this
    const { head } = this.world.columns(GroBucket)
    const n = this.world.columns(Napi)
    let frames = 0
    for (let bucket = 0; bucket < 8; bucket++) {
      for (let row = head[napi * 8 + bucket]; row !== 0; row = skb.next[row]) frames += skb.frames[row]
    }
    for (let row = n.listHead[napi], i = 0; i < n.listCount[napi]; row = skb.next[row], i++) frames += skb.frames[row]
    return frames
  }
}
