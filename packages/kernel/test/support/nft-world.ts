/** A model of one host with rules, and IPv4 packets from bytes that are sent through its hooks by hand. */
import type { StageName } from '@softnet/scenario'
import { LINKTYPE_RAW, ParsedFrame, parseFrame } from '@softnet/wire'
import { buildModel, type Model } from '../../src/build/build-model.js'
import { Cpu, STAGE_ROWS, StageTime } from '../../src/cpu/components.js'
import { STAGE } from '../../src/cpu/stage-ids.js'
import { benchPackets } from '../../src/harness/bench-packets.js'
import { NF_HOOK } from '../../src/netfilter/components.js'
import { nfHookSlow } from '../../src/netfilter/nf-hook-slow.js'
import { netifReceive } from '../../src/netif/netif-receive-skb.js'
import { reportModel } from '../../src/observe/report.js'
import { reportHost } from '../../src/observe/report-host.js'
import { Skb } from '../../src/skb/components.js'
import { skbPool } from '../../src/skb/skb-pool.js'
import { planOf } from './run-model.js'

/** What /proc/net/snmp shows among counters. */
const SETTINGS: readonly string[] = ['IpForwarding', 'IpDefaultTTL']

/** Packets through the hooks of a host with the given rules. */
export interface NftWorld {
  readonly model: Model
  /** Columns of a packet from its IPv4 bytes; `columns` are written over them. */
  packet(bytes: Uint8Array, columns?: Readonly<Record<string, number>>): number
  /** Sends packets through PRE_ROUTING and LOCAL_IN as a list; true for those that pass both. */
  receive(rows: readonly number[]): boolean[]
  /** Sends a packet through the whole stack, as a device without NAPI does. */
  deliver(row: number): void
  /** Moves the CPU's clock on. */
  wait(ns: number): void
  /** Rules as the result shows them. */
  netfilter(): NonNullable<ReturnType<typeof reportHost>['netns'][string]['netfilter']>
  /** Counters of /proc/net/snmp and netstat that moved. */
  moved(): Record<string, number>
  /** Frames lost so far, by place. */
  drops(): readonly { readonly where: string; readonly reason: string; readonly count: number }[]
  /** Time charged to a stage on the CPU, ps. */
  stagePs(stage: StageName): number
  /** Size of the columns of a component. */
  memoryBytes(component: string): number
  /** Text of every rule, with its counters. */
  listing(): string[]
}

/** Builds a host with two devices, `tun0` (10.9.0.1/24) and `tun1`. */
export function makeNftWorld(nftables: string, sysctl: Readonly<Record<string, number>> = {}): NftWorld {
  const plan = planOf({
    duration: '1ms',
    hosts: {
      h: {
        cpus: 2,
        nftables,
        sysctl: {
          'net.netfilter.nf_conntrack_max': 4096,
          'net.netfilter.nf_conntrack_buckets': 4096,
          ...sysctl,
        },
        devices: {
          tun0: { driver: 'ixgbe', address: '10.9.0.1/24', channels: { combined: 1 } },
          tun1: { driver: 'ixgbe', address: '10.8.0.1/24', channels: { combined: 1 } },
        },
        apps: { app: { cpus: [1], sockets: { bind: '0.0.0.0:5000' } } },
      },
    },
    traffic: { t: { to: 'h/tun0', rate: '1kpps' } },
  })
  const model = buildModel(plan)
  const { binder, world, layout } = model
  const cpu = layout.cpus[0] as number
  const pool = binder.bind(skbPool)
  const hooks = binder.bind(nfHookSlow)
  const skb = world.columns(Skb)
  const packets = benchPackets(binder, cpu)
  const stack = binder.bind(netifReceive)
  let serial = 0
  const { clockPs, packetPool } = world.columns(Cpu)
  const parsed = new ParsedFrame()
  const ids = new Int32Array(512)
  const host = layout.hosts[0] as (typeof layout.hosts)[number]
  const netfilter = () => {
    const found = reportHost(model, host, 0).netns.init?.netfilter
    if (found === undefined) throw new Error('the host has no rules')
    return found
  }
  return {
    model,
    packet(bytes, columns = {}) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      parseFrame(parsed, view, 0, bytes.length, LINKTYPE_RAW, bytes.length)
      const row = packets.make(parsed, host.devices[0]?.device ?? 0, 832, ++serial)
      // The id of an ICMP message is where a source port would be.
      if (parsed.protocol === 1 && bytes.length >= 28) skb.ports[row] = (view.getUint16(24) << 16) >>> 0
      for (const [name, value] of Object.entries(columns)) {
        ;(skb as unknown as Record<string, { [row: number]: number }>)[name]![row] = value
      }
      return row
    },
    receive(rows) {
      ids.set(rows)
      let kept = hooks.list(NF_HOOK.preRouting, ids, rows.length, cpu)
      if (kept > 0) kept = hooks.list(NF_HOOK.localIn, ids, kept, cpu)
      hooks.end(cpu)
      const passed = new Set(ids.subarray(0, kept))
      for (const row of passed) pool.release(row, packetPool[cpu])
      return rows.map((row) => passed.has(row))
    },
    deliver: (row) => stack.one(cpu, row),
    wait(ns) {
      clockPs[cpu] += ns * 1000
    },
    memoryBytes: (name) => world.describe().find(({ component }) => component === name)?.bytes ?? 0,
    moved() {
      const { snmp = {}, netstat = {} } = reportHost(model, host, 0).netns.init ?? {}
      const all = Object.entries({ ...snmp, ...netstat }).flatMap(([block, counters]) =>
        Object.entries(counters).map(([name, value]): [string, number] => [block + name, value]),
      )
      return Object.fromEntries(all.filter(([name, value]) => value !== 0 && !SETTINGS.includes(name)))
    },
    netfilter,
    drops: () => reportModel(model, 1e9).drops,
    stagePs: (stage) => world.columns(StageTime).ps[cpu * STAGE_ROWS + STAGE[stage]] as number,
    listing: () =>
      netfilter().tables.flatMap(({ chains }) => chains.flatMap(({ rules }) => rules.map(({ text }) => text))),
  }
}

/** A UDP datagram, TCP segment or ICMP message with right lengths and checksums left zero. */
export function ipPacket(given: {
  readonly saddr?: string
  readonly daddr?: string
  readonly protocol?: number
  readonly ttl?: number
  readonly tos?: number
  /** Bytes from the transport header on. */
  readonly body?: readonly number[]
  readonly fragment?: number
}): Uint8Array {
  const body = given.body ?? [0x9c, 0x40, 0x13, 0x88, 0, 9, 0, 0, 0x78]
  const bytes = new Uint8Array(20 + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 0x45)
  view.setUint8(1, given.tos ?? 0)
  view.setUint16(2, bytes.length)
  view.setUint16(6, given.fragment ?? 0)
  view.setUint8(8, given.ttl ?? 64)
  view.setUint8(9, given.protocol ?? 17)
  const address = (text: string): number[] => text.split('.').map(Number)
  bytes.set(address(given.saddr ?? '10.9.0.2'), 12)
  bytes.set(address(given.daddr ?? '10.9.0.1'), 16)
  bytes.set(body, 20)
  return bytes
}

/** Transport header and payload of a datagram. */
export function udp(sport: number, dport: number, payload = 1): number[] {
  const length = 8 + payload
  return [
    sport >> 8,
    sport & 255,
    dport >> 8,
    dport & 255,
    length >> 8,
    length & 255,
    0,
    0,
    ...new Array(payload).fill(0x78),
  ]
}

/** Header of a segment without payload. */
export function tcp(sport: number, dport: number, flags: number): number[] {
  return [sport >> 8, sport & 255, dport >> 8, dport & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, flags, 0x10, 0, 0, 0, 0, 0]
}
