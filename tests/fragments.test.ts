/** Sequences of fragments recorded on Linux, on the simulated stack; and fragments from the wire to the socket. */
import { readFileSync } from 'node:fs'
import { compileScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type FragmentCase, fragmentDifferences } from './support/fragment-case.js'
import { type Report, runModel } from './support/run-model.js'

const fragments = suite('fragments')

const FILE = new URL('../data/oracle/fragments.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(FILE, 'utf8')) as { cases: FragmentCase[] }

for (const each of cases) fragments(each.name, () => assert.equal(fragmentDifferences(each), []))

fragments('every kind of sequence was recorded, and the comparison can fail', () => {
  assert.ok(cases.length >= 40)
  const moved = new Set(cases.flatMap((each) => Object.keys(each.snmp_delta)))
  for (const name of ['IpReasmOKs', 'IpReasmFails', 'IpReasmTimeout', 'IpExtReasmOverlaps']) assert.ok(moved.has(name))
  const reasons = new Set(cases.flatMap((each) => each.drop_reasons.map((text) => text.replace(/@.*/, ''))))
  for (const name of ['DUP_FRAG', 'FRAG_TOO_FAR', 'FRAG_REASM_TIMEOUT']) assert.ok(reasons.has(name), name)
  const first = cases[0] as FragmentCase
  assert.ok(fragmentDifferences({ ...first, snmp_delta: { ...first.snmp_delta, IpReasmOKs: 99 } }).length > 0)
})

type Host = ScenarioInput['hosts'][string]

function run(source: Record<string, unknown>, host: Partial<Host> = {}, device: Record<string, unknown> = {}): Report {
  const scenario = {
    duration: '10ms',
    hosts: {
      h: {
        cpus: 4,
        devices: {
          eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 4 }, ...device },
        },
        apps: { sink: { cpus: [0, 1, 2, 3], sockets: { bind: '0.0.0.0:9000' } } },
        ...host,
      },
    },
    traffic: { t: { rate: '20kpps', datagram: 4000, flows: { count: 64, 'src-count': 64 }, stop: '8ms', ...source } },
  }
  const compiled = compileScenario(scenario as never, { source: 'fragments' })
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return runModel(compiled.plan).report
}

const ipOf = (report: Report) => report.hosts.h?.netns.init?.snmp.Ip ?? {}

fragments('datagrams of three fragments arrive, and count their frames', () => {
  for (const order of ['forward', 'reverse']) {
    const report = run({ fragment: { order } })
    const { InReceives, InDelivers, ReasmReqds, ReasmOKs, ReasmFails } = ipOf(report)
    assert.equal([InReceives, InDelivers, ReasmReqds, ReasmOKs, ReasmFails], [480, 160, 480, 160, 0])
    assert.equal(report.packets, { ...report.packets, offered: 480, delivered: 480, dropped: 0, in_flight: 0 })
    const { FRAG } = report.hosts.h?.netns.init?.sockstat ?? {}
    assert.equal([FRAG?.inuse, FRAG?.memory], [0, 0])
    const [socket] = report.hosts.h?.netns.init?.sockets ?? []
    assert.ok(socket && socket.received > 0)
  }
})

fragments('the fragments of a datagram go to one queue, whatever the hash covers', () => {
  const report = run({ flows: { count: 64 } }, {}, { 'rx-flow-hash': { udp4: 'sdfn' } })
  const used = report.hosts.h?.queues.filter(({ frames }) => frames > 0) ?? []
  assert.is(used.length, 1, 'one pair of addresses')
  assert.is(ipOf(report).ReasmOKs, 160)
})

fragments('a fragment that is lost costs its datagram', () => {
  const report = run({ fragment: { lose: 0.1 } })
  const { ReasmOKs = 0, ReasmReqds = 0 } = ipOf(report)
  assert.ok(ReasmOKs > 80 && ReasmOKs < 150, `${ReasmOKs} of 160`)
  assert.is(report.packets.offered, ReasmReqds)
  assert.is(report.packets.in_flight, ReasmReqds - 3 * ReasmOKs)
  assert.ok((report.hosts.h?.netns.init?.sockstat.FRAG.inuse ?? 0) > 0)
})

fragments('the memory limit holds, and timers give it back', () => {
  const sysctl = {
    'net.ipv4.ipfrag_low_thresh': 0,
    'net.ipv4.ipfrag_high_thresh': 50_000,
    'net.ipv4.ipfrag_time': 0,
  }
  const report = run({ fragment: { send: 'first' }, rate: '100kpps' }, { sysctl })
  const { ReasmReqds = 0, ReasmFails, ReasmTimeout = 0 } = ipOf(report)
  assert.is(ReasmReqds, 800)
  const { inuse, memory_max } = report.hosts.h?.netns.init?.sockstat.FRAG ?? { inuse: -1, memory_max: 0 }
  assert.is(ReasmFails, 800 - inuse)
  assert.ok(ReasmTimeout > 0 && ReasmTimeout < 800)
  // One more than fits is taken, as the limit is looked at before.
  assert.ok(memory_max > 50_000 && memory_max <= 50_000 + 2504, `${memory_max}`)
  const lost = Object.fromEntries(report.drops.map(({ where, reason, count }) => [`${reason}@${where}`, count]))
  assert.is(lost['FRAG_REASM_TIMEOUT@ip_expire'], ReasmTimeout)
  assert.ok((report.hosts.h?.softirqs.TIMER ?? []).some((count) => count > 0))
})

fragments('with RFS the fragments of a datagram may meet on two CPUs: they share one table', () => {
  const rfs = { 'net.core.rps_sock_flow_entries': 1024 }
  const device = { channels: { combined: 2 }, queues: { rps_cpus: 'f', rps_flow_cnt: 1024 } }
  const report = run({ rate: '60kpps' }, { sysctl: rfs }, device)
  assert.is(ipOf(report).ReasmOKs, 480)
  assert.is(report.packets.delivered, 1440)
})

fragments('a datagram that fits is one frame, and faults name what is accepted', () => {
  const report = run({ datagram: 1472 })
  assert.equal([report.packets.offered, ipOf(report).ReasmReqds], [160, 0])
  const octets = (datagram: number) => run({ datagram }).hosts.h?.netns.init?.netstat.IpExt?.InOctets
  assert.equal([octets(1472), octets(100)], [160 * 1500, 160 * 128])
  const faultOf = (source: Record<string, unknown>, sysctl = {}) => {
    const hosts = { h: { devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24' } }, sysctl } }
    const compiled = compileScenario({ hosts, traffic: { t: source } } as never, { source: 'fragments' })
    return compiled.ok ? [] : compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`)
  }
  assert.equal(faultOf({ datagram: 4000, frame: 64 }), ['traffic.t.datagram: frame or datagram, not both'])
  assert.equal(faultOf({ datagram: 4000, protocol: 'tcp' }), ['traffic.t.datagram: protocol: udp'])
  assert.match(faultOf({ datagram: 4000, fragment: { mtu: 9000 } })[0] ?? '', /at most 1500, the MTU of eth0/)
  const low = faultOf({}, { 'net.ipv4.ipfrag_low_thresh': 5_000_000 })
  assert.match(low[0] ?? '', /ipfrag_low_thresh: at most net.ipv4.ipfrag_high_thresh/)
})

fragments.run()
