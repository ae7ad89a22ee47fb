import { builtinScenario, compileScenario, type Plan, type QdiscRow } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Report, runModel } from './support/run-model.js'

const wayOut = suite('the way out')

/** Answers of 1400 bytes to 300,000 requests per second: 3.5 Gbit/s, for a link of one. */
function flood(device: object, socket: object = {}, traffic: object = {}): Report {
  const compiled = compileScenario(
    {
      duration: '10ms',
      hosts: {
        h: {
          cpus: 1,
          cstates: 'none',
          sysctl: { 'net.core.wmem_max': 8_000_000 },
          devices: {
            eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, link: '1Gbit', ...device },
          },
          apps: { e: { kind: 'udp_echo', cpus: [0], reply: 1400, sockets: { SO_SNDBUF: 4_000_000, ...socket } } },
        },
      },
      traffic: { t: { rate: '300kpps', ...traffic } },
    },
    { source: 'way-out' },
  )
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  return run(compiled.plan)
}

function run(plan: Plan): Report {
  const { report } = runModel(plan)
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  return report
}

function qdisc(report: Report): QdiscRow {
  const row = report.hosts.h?.qdiscs?.[0]
  if (row === undefined) throw new Error('the result has no discipline')
  return row
}

const lostBy = (report: Report, reason: string) =>
  report.drops.filter((drop) => drop.reason === reason).reduce((sum, drop) => sum + drop.count, 0)

wayOut('a link of 1 Gbit/s carries as many answers as fit', () => {
  // 1442 bytes with FCS, preamble and gap are 1466: 11.728 µs each.
  const { packets } = flood({})
  assert.ok(packets.sent > 840 && packets.sent <= 852, `${packets.sent} sent in 10 ms`)
})

/** A router that gets TCP segments in trains, and passes them on to a device of this MTU. */
function groRouter(gro: 'on' | 'off', mtu: number): Report {
  const compiled = compileScenario(
    {
      duration: '3ms',
      hosts: {
        h: {
          cpus: 1,
          cstates: 'none',
          sysctl: { 'net.ipv4.ip_forward': 1 },
          neighbours: ['203.0.113.9 lladdr 02:00:00:00:00:09 dev eth1'],
          devices: {
            eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, features: { gro } },
            eth1: { driver: 'ixgbe', address: '203.0.113.1/24', channels: { combined: 1 }, link: '10Gbit', mtu },
          },
        },
      },
      traffic: {
        t: {
          to: 'h/eth0',
          protocol: 'tcp',
          frame: 1514,
          rate: '700kpps',
          train: 16,
          flows: { count: 4, dst: '203.0.113.9' },
        },
      },
    },
    { source: 'way-out' },
  )
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  return run(compiled.plan)
}

wayOut('a router passes on what GRO has merged, whose segments fit, at half the price', () => {
  const [merged, single, narrow] = [groRouter('on', 1500), groRouter('off', 1500), groRouter('on', 1400)]
  for (const { packets, drops } of [merged, single]) {
    assert.equal(drops, [])
    assert.ok(packets.sent > 1950, `${packets.sent} sent`)
  }
  const forwarded = (report: Report): number => report.hosts.h?.netns.init?.snmp.Ip?.ForwDatagrams ?? 0
  assert.ok(forwarded(merged) * 4 < forwarded(single))
  const softirqNs = (report: Report): number => report.hosts.h?.cpus[0]?.time_ns.softirq ?? 0
  assert.ok(softirqNs(merged) * 2 < softirqNs(single))
  // The card sends each segment with headers of its own.
  assert.is(merged.hosts.h?.tx_queues?.[1]?.bytes, (merged.hosts.h?.tx_queues?.[1]?.packets ?? 0) * 1510)
  assert.is(lostBy(narrow, 'PKT_TOO_BIG'), narrow.packets.dropped)
  assert.ok(narrow.packets.dropped > 1950)
})

wayOut('a full pfifo loses what comes, and no more than its limit waits', () => {
  const report = flood({ qdisc: { kind: 'pfifo', limit: 50 } })
  const row = qdisc(report)
  assert.is(row.qlen_max, 50)
  assert.ok(row.dropped > 100)
  assert.is(lostBy(report, 'QDISC_OVERLIMIT'), row.dropped)
  assert.is(report.hosts.h?.netns.init?.snmp.Udp?.SndbufErrors, row.dropped)
})

wayOut('CoDel keeps the queue short where pfifo_fast lets it grow', () => {
  const long = flood({ txqueuelen: 5000 })
  const short = flood({ qdisc: { kind: 'fq_codel', target: '200us', interval: '1ms' } })
  assert.is(qdisc(long).dropped, 0)
  assert.ok(lostBy(short, 'QDISC_CONGESTED') > 20)
  assert.ok(qdisc(short).backlog_packets < qdisc(long).backlog_packets)
})

wayOut('a token bucket sends its burst, then its rate', () => {
  const { tx_queues } = flood({ qdisc: { kind: 'tbf', rate: '100Mbit', burst: '15kB', limit: '1MB' } }).hosts.h ?? {}
  const bytes = tx_queues?.[0]?.bytes ?? 0
  assert.ok(Math.abs(bytes - (15_000 + 125_000)) < 2 * 1442, `${bytes} bytes in 10 ms`)
})

wayOut('byte limits leave packets in the discipline that a ring would swallow', () => {
  const kept = flood({})
  const swallowed = flood({ bql: false })
  assert.ok((kept.hosts.h?.tx_queues?.[0]?.ring_max ?? 0) < 100)
  assert.is(swallowed.hosts.h?.tx_queues?.[0]?.ring_max, 512 - 20)
  assert.ok((swallowed.hosts.h?.tx_queues?.[0]?.stops ?? 0) > 0)
  assert.ok((kept.hosts.h?.tx_queues?.[0]?.bql_limit ?? 0) > 0)
})

wayOut('a send buffer holds back its program', () => {
  const socket = flood({}, { SO_SNDBUF: 20_000 }).hosts.h?.netns.init?.sockets[0]
  assert.is(socket?.sndbuf, 40_000)
  // One packet of 2304 may go beyond.
  assert.ok((socket?.wmem_max_used ?? 0) >= 40_000 && (socket?.wmem_max_used ?? 0) < 42_304)
})

wayOut('an answer reaches its client when it has left and crossed the link', () => {
  // One client without think time: requests per second tell the round trip.
  const coalesce = { 'adaptive-rx': false, 'rx-usecs': 0 }
  const slow = flood(
    { link: '10Gbit', 'link-delay': '50us', coalesce },
    {},
    { kind: 'closed', clients: 1, rate: undefined },
  )
  const fast = flood(
    { link: '10Gbit', 'link-delay': '1us', coalesce },
    {},
    { kind: 'closed', clients: 1, rate: undefined },
  )
  const trip = ({ packets }: Report) => 1e7 / packets.offered
  assert.ok(Math.abs(trip(slow) - trip(fast) - 98_000) < 3000, `${trip(slow)} against ${trip(fast)} ns`)
})

wayOut('XPS gives each CPU its queue', () => {
  const compiled = compileScenario(
    {
      duration: '2ms',
      hosts: {
        h: {
          cpus: 2,
          devices: {
            eth0: {
              driver: 'igb',
              address: '192.0.2.1/24',
              channels: { combined: 2 },
              'tx-queues': [{ xps_cpus: '2' }, { xps_cpus: '1' }],
              ntuple: [{ 'flow-type': 'udp4', action: 0 }],
            },
          },
          apps: { e: { kind: 'udp_echo', cpus: [0], sockets: { count: 1 } } },
        },
      },
      traffic: { t: { rate: '50kpps' } },
    },
    { source: 'xps' },
  )
  assert.ok(compiled.ok)
  const rows = compiled.ok ? run(compiled.plan).hosts.h?.tx_queues : []
  assert.is(rows?.[0]?.packets, 0)
  assert.ok((rows?.[1]?.packets ?? 0) > 80)
  // The interrupt of queue 1 is not that of the CPU that sends.
  assert.is(rows?.[1]?.remote_packets, rows?.[1]?.packets)
})

/** A built-in scenario for 20 ms, or as long as it says. */
function builtinRun(name: string): Report {
  const compiled = compileScenario(builtinScenario(name)?.scenario, { source: name })
  assert.ok(compiled.ok)
  return run((compiled as { plan: Plan }).plan)
}

wayOut('a router with NAPI goes on at overload, one without passes on next to nothing', () => {
  const { sent } = builtinRun('router-overload').packets
  // 64-byte packets of 3 Mpps and more; 20 ms.
  assert.ok(sent > 30_000 && sent < 60_000, `${sent} passed on`)
  assert.ok(builtinRun('router-livelock').packets.sent < sent / 20)
})

wayOut('small answers do not wait behind bulk with fq_codel', () => {
  const answers = (report: Report) => report.hosts.server?.netns.init?.sockets[1]?.sent ?? 0
  const [slow, fast] = [builtinRun('bufferbloat-pfifo-fast'), builtinRun('bufferbloat-fq-codel')]
  assert.ok(answers(fast) > 10 * answers(slow), `${answers(fast)} against ${answers(slow)}`)
})

wayOut.run()
