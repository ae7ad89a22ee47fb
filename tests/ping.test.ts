import { compileScenario, type PingRow, type ProgramRow, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Report, runModel } from './support/run-model.js'

type Host = ScenarioInput['hosts'][string]
type Ping = Extract<NonNullable<Host['apps']>[string], { kind: 'ping' }>
type Link = NonNullable<ScenarioInput['links']>[string]

const pings = suite('ping')

const host = (address: string, more: Partial<Host> = {}): Host => ({
  cpus: 2,
  cstates: 'none',
  devices: { eth0: { driver: 'ixgbe', address, channels: { combined: 1 } } },
  ...more,
})
const ping = (given: Partial<Ping> = {}): Ping => ({
  kind: 'ping',
  cpus: [1],
  to: '10.0.0.2',
  interval: '1ms',
  count: 10,
  ...given,
})

function run(
  apps: NonNullable<Host['apps']>,
  link: Partial<Link> = {},
  duration = '30ms',
  b: Partial<Host> = {},
): Report {
  const compiled = compileScenario(
    {
      duration,
      hosts: { a: host('10.0.0.1/24', { apps }), b: host('10.0.0.2/24', b) },
      links: { cable: { between: ['a/eth0', 'b/eth0'], delay: '100us', ...link } },
    },
    { source: 'ping' },
  )
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  const { report } = runModel(compiled.plan)
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  return report
}

function program(report: Report, app = 'p'): ProgramRow & { ping: PingRow } {
  const row = report.hosts.a?.programs?.find((each) => each.app === app)
  if (row?.ping === undefined) throw new Error(`no ping ${app} in the result`)
  return row as ProgramRow & { ping: PingRow }
}

const icmp = (report: Report, name: string) => report.hosts[name]?.netns.init?.snmp.Icmp ?? {}

for (const socket of ['dgram', 'raw'] as const) {
  pings(`ten requests by a ${socket} socket, and ten replies that took twice the cable and more`, () => {
    const report = run({ p: ping({ socket }) })
    const { ping: row, replies } = program(report)
    assert.equal([row.transmitted, row.received, row.loss_percent, replies], [10, 10, 0, 10])
    const { min = 0, avg = 0, max = 0, mdev = 0 } = row.rtt_ns ?? {}
    assert.ok(min > 200_000 && min <= avg && avg <= max && max < 500_000, `${min} ${avg} ${max}`)
    assert.ok(mdev >= 0 && mdev <= max - min)
    assert.match(row.text[0] ?? '', /^10 packets transmitted, 10 received, 0% packet loss$/)
    assert.match(row.text[1] ?? '', /^rtt min\/avg\/max\/mdev = 0\.2\d\d\/0\.\d{3}\/0\.\d{3}\/0\.\d{3} ms$/)
    assert.equal([icmp(report, 'a').OutEchos, icmp(report, 'a').InEchoReps, icmp(report, 'b').InEchos], [10, 10, 10])
    // The original of a reply that a raw socket got a copy of finds no ping socket.
    const lost = report.drops.filter(({ where }) => where === 'ping_rcv').reduce((sum, { count }) => sum + count, 0)
    assert.is(lost, socket === 'raw' ? 10 : 0)
    const sockets = report.hosts.a?.netns.init?.sockets ?? []
    assert.equal(
      sockets.map(({ proto, local, received, sent }) => [proto, local, received, sent]),
      [[socket === 'raw' ? 'raw' : 'icmp', '0.0.0.0:1', 10, 10]],
    )
  })
}

pings('a raw socket gets the replies of others too, and knows them by their id', () => {
  const report = run({ p: ping(), q: ping({ socket: 'raw', start: '500us' }) })
  assert.is(program(report, 'q').ping.received, 10)
  const received = (report.hosts.a?.netns.init?.sockets ?? []).map((row) => row.received)
  assert.equal(received, [10, 20])
})

pings('mdev is the deviation of the round trips', () => {
  const { ping: row, round_trip_ns: trips } = program(run({ p: ping() }, { reorder: 0.5, 'reorder-by': '300us' }))
  const { min = 0, avg = 0, max = 0, mdev = 0 } = row.rtt_ns ?? {}
  assert.ok(max - min > 200_000)
  // No set of numbers deviates from its mean by more than half of what it spans.
  assert.ok(mdev > (max - min) / 10 && mdev <= (max - min) / 2 + 1)
  assert.ok(Math.abs((trips?.mean ?? 0) - avg) < 1)
})

pings('what a link loses is loss, and what it doubles are duplicates', () => {
  const lossy = program(run({ p: ping({ interval: '100us', count: 200 }) }, { loss: 0.2 }, '40ms')).ping
  assert.ok(lossy.received > 90 && lossy.received < 170, String(lossy.received))
  assert.is(lossy.loss_percent, ((200 - lossy.received) * 100) / 200)
  const doubled = program(run({ p: ping() }, { duplicate: 1 })).ping
  assert.is(doubled.received, 10)
  assert.ok(doubled.duplicates >= 10)
  assert.match(doubled.text[0] ?? '', /received, \+\d+ duplicates, 0% packet loss$/)
})

pings('a flood sends at each reply, and a hundred times a second without', () => {
  const answered = program(run({ p: ping({ interval: undefined, flood: true, count: 0 }) })).ping
  assert.ok(answered.received > 80 && answered.transmitted - answered.received <= 1, answered.text[0])
  const b = { nftables: 'table ip t { chain i { type filter hook input priority 0; drop; } }' }
  const unheard = program(run({ p: ping({ interval: undefined, flood: true, count: 0 }) }, {}, '95ms', b)).ping
  assert.equal([unheard.transmitted, unheard.received, unheard.loss_percent], [10, 0, 100])
  assert.is(unheard.rtt_ns, null)
})

pings('ping ends when every request is answered, and waits for those that are not', () => {
  const done = run({ p: ping({ count: 3 }) })
  const b = { nftables: 'table ip t { chain i { type filter hook input priority 0; drop; } }' }
  const waits = run({ p: ping({ count: 3, timeout: '5ms' }) }, {}, '30ms', b)
  const calls = (report: Report) => report.hosts.a?.tasks.find(({ name }) => name.startsWith('p'))?.syscalls
  assert.ok((calls(done) ?? 0) > 0)
  assert.is(program(waits).ping.loss_percent, 100)
})

pings('the socket of a ping that has ended gets nothing more', () => {
  const report = run({ p: ping({ count: 20 }), q: ping({ socket: 'raw', count: 3 }) })
  const [, other] = report.hosts.a?.netns.init?.sockets ?? []
  assert.ok((other?.received ?? 0) >= 5 && (other?.received ?? 0) <= 7, String(other?.received))
  assert.is(report.packets.in_flight, 0)
})

pings('data without room for a time is not timed, and an address of another host is no source', () => {
  const { ping: row } = program(run({ p: ping({ size: 8 }) }))
  assert.equal([row.received, row.rtt_ns, row.text.length], [10, null, 1])
  const { errors } = program(run({ p: ping({ to: '10.9.9.9', device: 'eth0', size: 3000, IP_MTU_DISCOVER: 'do' }) }))
  assert.equal(errors, { EMSGSIZE: 10 })
})

pings('longer than the MTU, requests and replies go in fragments', () => {
  const report = run({ p: ping({ size: 4000 }) })
  assert.is(program(report).ping.received, 10)
  const { FragOKs, FragCreates, ReasmOKs } = report.hosts.a?.netns.init?.snmp.Ip ?? {}
  assert.equal([FragOKs, FragCreates, ReasmOKs], [10, 30, 10])
})

pings('faults name their path and what is accepted', () => {
  const compiled = compileScenario(
    { hosts: { a: host('10.0.0.1/24', { apps: { p: ping({ to: '224.0.0.5', flood: true, device: 'eht0' }) } }) } },
    { source: 'ping' },
  )
  assert.equal(compiled.ok ? [] : compiled.errors.map(({ path, nearest }) => [path, nearest]), [
    ['hosts.a.apps.p.to', null],
    ['hosts.a.apps.p.interval', null],
    ['hosts.a.apps.p.device', 'eth0'],
  ])
})

pings.run()
