import { readFileSync } from 'node:fs'
import { type CaptureRow, compileScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Report, runModel } from './support/run-model.js'

type Apps = NonNullable<ScenarioInput['hosts'][string]['apps']>
type Capture = Extract<Apps[string], { kind: 'packet_capture' }>
type Sender = Extract<Apps[string], { kind: 'udp_sender' }>

/** What Linux 6.18 did, see tests/data/oracle/README.md. */
interface Recorded {
  readonly full: readonly {
    readonly ring: NonNullable<Capture['ring']>
    readonly bytes: number
    readonly slot: number
    readonly payload: number
    readonly sent: number
    readonly received: number
    readonly dropped: number
    readonly freezes: number
  }[]
  readonly seen: readonly {
    readonly by: string
    readonly to: string
    readonly protocol: 'all' | 'ip'
    readonly dgram: boolean
    readonly ignore_outgoing: boolean
    readonly packets: number
    readonly length: number
  }[]
  readonly lb: readonly { readonly members: number; readonly sent: number; readonly received: readonly number[] }[]
}

const recorded = JSON.parse(
  readFileSync(new URL('../data/oracle/packet-sockets.json', import.meta.url), 'utf8'),
) as Recorded

const packets = suite('packet sockets')

const sender = (given: Partial<Sender>): Sender => ({
  kind: 'udp_sender',
  cpus: [0],
  to: '192.0.2.9:9',
  rate: 100_000,
  ...given,
})
const capture = (given: Partial<Capture> = {}): Capture => ({
  kind: 'packet_capture',
  cpus: [1],
  dev: 'eth0',
  ...given,
})

function run(apps: Apps, more: Partial<ScenarioInput> = {}, device: object = {}): Report {
  const compiled = compileScenario(
    {
      duration: '10ms',
      hosts: {
        h: {
          cpus: 4,
          cstates: 'none',
          devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, ...device } },
          apps,
        },
      },
      ...more,
    } as ScenarioInput,
    { source: 'packets' },
  )
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  const { report } = runModel(compiled.plan)
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  return report
}

function row(report: Report, app = 'c'): CaptureRow {
  const found = report.hosts.h?.captures?.find((each) => each.app === app)
  if (found === undefined) throw new Error(`no capture ${app} in the result`)
  return found
}

/** Size of what keeps the packets, as a scenario says it. */
function sizeOf({ ring, bytes, slot }: Recorded['full'][number]): Partial<Capture> {
  if (ring === 'none') return bytes === 0 ? {} : { SO_RCVBUF: bytes }
  if (ring === 'tpacket_v2') return { buffer: bytes, 'frame-size': slot }
  return { buffer: bytes, 'block-size': slot, 'retire-timeout': '60s' }
}

packets('queues, slots and blocks hold what they do in Linux', () => {
  const apps: Apps = {}
  const devices: Record<string, object> = {}
  recorded.full.forEach((each, i) => {
    const cpus = [1 + i]
    devices[`eth${i}`] = { driver: 'ixgbe', address: `10.0.${i}.1/24`, channels: { combined: 1 } }
    // A program that never gets further than its first packet.
    apps[`c${i}`] = capture({ cpus, dev: `eth${i}`, ring: each.ring, ...sizeOf(each), work: '1s' })
    apps[`s${i}`] = sender({
      to: `10.0.${i}.9:9`,
      rate: 20_000,
      payload: each.payload,
      messages: each.sent,
      sockets: { SO_SNDBUF: 4_000_000 },
    })
  })
  const hosts = { h: { cpus: 16, cstates: 'none', devices, apps } } as ScenarioInput['hosts']
  const report = run({}, { duration: '40ms', hosts })
  recorded.full.forEach((each, i) => {
    const got = row(report, `c${i}`)
    const { received, dropped, freezes } = each
    assert.equal([got.received, got.dropped, got.freezes], [received, dropped, freezes], JSON.stringify(each))
  })
})

packets('sockets see what they do in Linux, with its length', () => {
  const name = (device: string) => (device === 'v0' ? 'eth0' : device)
  for (const by of ['v0', 'lo']) {
    const cases = recorded.seen.filter((each) => each.by === by)
    const apps: Apps = {
      sink: { kind: 'udp_sink', cpus: [0], sockets: { bind: '127.0.0.1:9' } },
      s: sender({ to: by === 'lo' ? '127.0.0.1:9' : '192.0.2.9:9', payload: 18, messages: 100 }),
    }
    cases.forEach(({ to, protocol, dgram, ignore_outgoing }, i) => {
      const socket = dgram ? 'dgram' : 'raw'
      const given = {
        dev: name(to),
        protocol,
        socket,
        PACKET_IGNORE_OUTGOING: ignore_outgoing,
        ring: 'tpacket_v2',
      } as const
      apps[`c${i}`] = capture({ ...given, cpus: [1 + (i % 3)] })
    })
    const report = run(apps)
    cases.forEach((each, i) => {
      const got = row(report, `c${i}`)
      assert.equal([got.received, got.captured_bytes], [each.packets, each.packets * each.length], JSON.stringify(each))
    })
  }
})

packets('a group takes turns as in Linux', () => {
  for (const { members, sent, received } of recorded.lb) {
    const cpus = Array.from({ length: members }, (_, i) => i)
    const got = row(run({ c: capture({ cpus, PACKET_FANOUT: 'lb' }), s: sender({ messages: sent }) }))
    assert.equal(got.received_by_socket, received)
  }
})

packets('a flow stays with one socket of a group, in both directions, and CPUs and queues with theirs', () => {
  const traffic = { t: { to: 'h/eth0', rate: '200kpps', flows: { count: 8 } } } as ScenarioInput['traffic']
  const sink: Apps[string] = { kind: 'udp_echo', cpus: [0] }
  const hash = row(run({ sink, c: capture({ cpus: [1, 2], PACKET_FANOUT: 'hash' }) }, { traffic }))
  assert.is(
    hash.received_by_socket.reduce((a, b) => a + b, 0),
    hash.received,
  )
  assert.ok(hash.received_by_socket.every((count) => count > 0 && count % 2 <= 1))
  for (const mode of ['cpu', 'qm'] as const) {
    const got = row(run({ sink, c: capture({ cpus: [1, 2], PACKET_FANOUT: mode }) }, { traffic }))
    assert.is(Math.max(...got.received_by_socket), got.received, mode)
  }
  const slow = capture({ cpus: [1, 2], PACKET_FANOUT: 'rollover', ring: 'none', SO_RCVBUF: 20_000, work: '20us' })
  const [first = 0, second = 0] = row(run({ sink, c: slow }, { traffic })).received_by_socket
  assert.ok(first > 0 && second > 0)
})

packets('a filter sees the link header, and cuts what it lets through', () => {
  // tcpdump -ddd 'udp port 9' on Ethernet, packets without options; the last return keeps 60 bytes.
  const filter: [number, number, number, number][] = [
    [40, 0, 0, 12],
    [21, 0, 6, 2048],
    [48, 0, 0, 23],
    [21, 0, 4, 17],
    [40, 0, 0, 36],
    [21, 0, 2, 9],
    [32, 0, 0, 2],
    [6, 0, 0, 60],
    [6, 0, 0, 0],
  ]
  const apps = (ring: NonNullable<Capture['ring']>): Apps => ({
    c: capture({ SO_ATTACH_FILTER: filter, ring, 'retire-timeout': '1ms' }),
    s: sender({ payload: 500, messages: 20 }),
    t: sender({ payload: 500, messages: 20, to: '192.0.2.9:10' }),
  })
  for (const ring of ['none', 'tpacket_v2', 'tpacket_v3'] as const) {
    const warned = run(apps(ring))
    const got = row(warned)
    assert.equal([got.received, got.captured, got.captured_bytes], [20, 20, 1200], ring)
  }
})

packets('a block is given to its reader when it is full, or when it has waited long enough', () => {
  const late = { messages: 30, rate: 10_000, payload: 18 }
  const waits = row(run({ c: capture({ 'retire-timeout': '60s' }), s: sender(late) }))
  assert.equal([waits.received, waits.captured], [30, 0])
  const retired = row(run({ c: capture({ 'retire-timeout': '1ms' }), s: sender(late) }))
  assert.equal([retired.received, retired.captured, retired.freezes], [30, 30, 0])
})

packets('a capture costs its host time, and what it misses is told', () => {
  const traffic = { t: { to: 'h/eth0', rate: '500kpps' } } as ScenarioInput['traffic']
  const sink: Apps[string] = { kind: 'udp_sink', cpus: [0] }
  const busy = (report: Report) => (report.hosts.h?.cpus[0]?.time_ns.softirq ?? 0) / 1e6
  const bare = run({ sink }, { traffic })
  const watched = run({ sink, c: capture({ work: '10us', buffer: '256KiB', 'block-size': '64KiB' }) }, { traffic })
  assert.ok(busy(watched) > busy(bare) * 1.1, `${busy(watched)} ${busy(bare)}`)
  const { stages_ns: stages } = watched.hosts.h?.cpus[0] ?? { stages_ns: {} as Record<string, number> }
  assert.ok((stages.tpacket_rcv ?? 0) > 0 && (stages.tpacket_copy ?? 0) > 0)
  const got = row(watched)
  assert.ok(got.dropped > 0 && got.captured < got.received)
  assert.equal(got.text, [
    `${got.captured} packets captured`,
    `${got.received} packets received by filter`,
    `${got.dropped} packets dropped by kernel`,
  ])
  const sent = run({ s: sender({}), c: capture({ ring: 'none' }) })
  assert.ok((sent.hosts.h?.cpus[0]?.stages_ns.tap ?? 0) > 0)
})

packets('taps without a reader cost what is sent as well', () => {
  const host = { cpus: 1, cstates: 'none', devices: { eth0: { address: '192.0.2.1/24' } }, apps: { s: sender({}) } }
  const of = (taps: readonly string[]) =>
    run({}, { hosts: { h: { ...host, taps } } } as unknown as ScenarioInput).hosts.h?.cpus[0]?.stages_ns.tap ?? 0
  assert.is(of([]), 0)
  assert.ok(of(['any']) > 0 && Math.abs(of(['any', 'eth0']) - 2 * of(['any'])) < of(['any']) / 100)
})

packets('a program that has seen enough ends', () => {
  const got = row(run({ c: capture({ ring: 'tpacket_v2', 'max-packets': 5 }), s: sender({}) }))
  assert.is(got.captured, 5)
  assert.ok(got.received < 20)
})

packets('faults name their path and what is accepted', () => {
  const bad = capture({ dev: 'eht0', 'block-size': 5000, buffer: 4096 })
  const compiled = compileScenario(
    {
      hosts: { h: { cpus: 2, devices: { eth0: { address: '192.0.2.1/24' } }, apps: { c: bad, s: sender({}) } } },
    } as ScenarioInput,
    { source: 'packets' },
  )
  assert.equal(compiled.ok ? [] : compiled.errors.map(({ path, nearest }) => [path, nearest]), [
    ['hosts.h.apps.c.dev', 'eth0'],
    ['hosts.h.apps.c.block-size', null],
    ['hosts.h.apps.c.buffer', null],
  ])
})

packets.run()
