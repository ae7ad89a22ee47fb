import { readFileSync } from 'node:fs'
import { compileScenario, type ProgramRow, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { type Report, runModel } from './support/run-model.js'

type Host = ScenarioInput['hosts'][string]
type Apps = NonNullable<Host['apps']>
type App = Apps[string]
type Sender = Extract<App, { kind: 'udp_sender' }>
type Client = Extract<App, { kind: 'udp_client' }>

/** What Linux 6.18 did, see tests/data/oracle/README.md. */
interface Recorded {
  readonly until_full: readonly [number, number, number, string][]
  readonly gso: readonly [number, number, string, string?][]
  readonly gso_until_full: readonly [number, number, number, string][]
  readonly pmtudisc: readonly [NonNullable<Pmtudisc>, number, string][]
}
type Pmtudisc = 'dont' | 'want' | 'do' | 'probe' | 'interface' | 'omit'

const recorded = JSON.parse(readFileSync(new URL('../data/oracle/udp-send.json', import.meta.url), 'utf8')) as Recorded

const sending = suite('programs that send')

const TO = '192.0.2.9:9'

function run(apps: Apps, host: Partial<Host> = {}, device: object = {}, duration = '10ms'): Report {
  const compiled = compileScenario(
    {
      duration,
      hosts: {
        h: {
          cpus: 2,
          cstates: 'none',
          devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, ...device } },
          ...host,
          apps,
        },
      },
    } as ScenarioInput,
    { source: 'sending' },
  )
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  const { report } = runModel(compiled.plan)
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  return report
}

function program(report: Report, app: string): ProgramRow {
  const row = report.hosts.h?.programs?.find((each) => each.app === app)
  if (row === undefined) throw new Error(`no program ${app} in the result`)
  return row
}

const sender = (given: Partial<Sender>): Sender => ({ kind: 'udp_sender', cpus: [0], to: TO, ...given })
const client = (given: Partial<Client>): Client => ({ kind: 'udp_client', cpus: [0], to: '127.0.0.1:9000', ...given })
const udp = (report: Report) => report.hosts.h?.netns.init?.snmp.Udp ?? {}

for (const cork of ['MSG_MORE', 'UDP_CORK'] as const) {
  sending(`a message in pieces is one datagram: ${cork}`, () => {
    const report = run({ s: sender({ payload: 3000, pieces: 7, messages: 20, cork }) })
    const { calls, datagrams, bytes } = program(report, 's')
    assert.equal([calls, datagrams, bytes], [140, 20, 60_000])
    assert.is(udp(report).OutDatagrams, 20)
    assert.is(report.hosts.h?.devices[0]?.tx_packets, 20 * 3)
    const task = report.hosts.h?.tasks.find(({ name }) => name === 's')
    assert.is(task?.syscalls, cork === 'UDP_CORK' ? 180 : 140)
  })
}

sending('a message in pieces costs more than a whole one, and one that grows too long is lost whole', () => {
  const busy = (pieces: number) =>
    run({ s: sender({ payload: 64, pieces, messages: 50 }) }).hosts.h?.cpus[0]?.stages_ns.sendmsg ?? 0
  assert.ok(Math.abs((busy(3) - busy(2)) / (busy(1) * 0.26) - 1) < 0.01)
  const long = run({ s: sender({ payload: 65_520, pieces: 2, messages: 3 }) })
  assert.equal(program(long, 's').errors, { EMSGSIZE: 3 })
  assert.is(program(long, 's').datagrams, 0)
  // Those of the first halves: 32,760 bytes in fragments of 1480.
  assert.equal(
    long.drops.filter(({ where }) => where === '__ip_flush_pending_frames').map(({ count }) => count),
    [3 * 23],
  )
})

sending('ancillary data has precedence over the options of the socket', () => {
  const app = (more: Partial<Sender>) => ({ s: sender({ payload: 14_100, messages: 5, ...more }) })
  const frames = (apps: Apps) => run(apps).hosts.h?.devices[0]?.tx_packets
  assert.is(frames(app({ cmsg: { UDP_SEGMENT: 1400 } })), 5 * 11)
  assert.is(frames(app({ cmsg: { UDP_SEGMENT: 0 }, sockets: { UDP_SEGMENT: 1400 } })), 5 * 10)
  const refused = run(app({ cmsg: { UDP_SEGMENT: 1473 } }))
  assert.equal(program(refused, 's').errors, { EMSGSIZE: 5 })
  assert.is(refused.drops.find(({ where }) => where === 'udp_send_skb')?.count, 5)
})

sending('what is sent to a group comes back unless the sender says no', () => {
  const sink = { kind: 'udp_sink', cpus: [1], sockets: { IP_ADD_MEMBERSHIP: [{ group: '239.1.1.1', device: 'eth0' }] } }
  const heard = (sockets: object) => {
    const s = sender({ to: '239.1.1.1:9000', messages: 7, sockets: { IP_MULTICAST_IF: 'eth0', ...sockets } })
    const report = run({ s, r: sink as App })
    const { sockets: rows = [] } = report.hosts.h?.netns.init ?? {}
    return [rows.find(({ app }) => app === 'r')?.received, report.hosts.h?.devices[0]?.tx_packets]
  }
  // The report of the group is not sent yet.
  assert.equal(heard({}), [7, 7])
  assert.equal(heard({ IP_MULTICAST_LOOP: false }), [0, 7])
  assert.equal(heard({ IP_MULTICAST_TTL: 0 }), [7, 0])
})

sending('without IP_MULTICAST_ALL a socket hears only the groups it has joined itself', () => {
  const sink = (sockets: object): App => ({ kind: 'udp_sink', cpus: [1], sockets: { reuseaddr: true, ...sockets } })
  const apps = {
    s: sender({ to: '239.1.1.1:9000', messages: 4, sockets: { IP_MULTICAST_IF: 'eth0' } }),
    member: sink({ IP_ADD_MEMBERSHIP: [{ group: '239.1.1.1', device: 'eth0' }], IP_MULTICAST_ALL: false }),
    other: sink({ IP_ADD_MEMBERSHIP: [{ group: '239.1.1.2', device: 'eth0' }], IP_MULTICAST_ALL: false }),
    all: sink({}),
  }
  const rows = run(apps).hosts.h?.netns.init?.sockets ?? []
  assert.equal(
    ['member', 'other', 'all'].map((name) => rows.find(({ app }) => app === name)?.received),
    [4, 0, 4],
  )
})

/** A device that has more to send than it will within the run, so that packets stay charged. */
const STUCK = { link: '1Mbit', txqueuelen: 100_000 }
const FILLER = sender({ payload: 1000, messages: 100, sockets: { SO_SNDBUF: 4_000_000 } })

sending('a send buffer takes as many datagrams as in Linux, and fails as it does', () => {
  const apps: Record<string, App> = { filler: FILLER }
  recorded.until_full.forEach(([sndbuf, payload], i) => {
    apps[`s${i}`] = sender({
      payload,
      start: '5ms',
      nonblocking: true,
      messages: 260,
      ...(sndbuf === 0 ? {} : { sockets: { SO_SNDBUF: sndbuf } }),
    })
  })
  const report = run(apps, { sysctl: { 'net.core.wmem_max': 4_000_000 } }, STUCK, '20ms')
  recorded.until_full.forEach(([sndbuf, payload, sent, errno], i) => {
    const { datagrams, errors } = program(report, `s${i}`)
    const what = `SO_SNDBUF ${sndbuf}, ${payload} bytes`
    assert.is(datagrams, sent, what)
    assert.equal(errors, { [errno]: 260 - sent }, what)
  })
})

sending('a socket whose buffer was once full counts every later failure in SndbufErrors', () => {
  const payload = [
    { bytes: 1000, weight: 1 },
    { bytes: 65_508, weight: 1 },
  ]
  const full = run(
    { filler: FILLER, s: sender({ payload, start: '5ms', nonblocking: true, messages: 300 }) },
    {},
    STUCK,
  )
  const { EAGAIN = 0, EMSGSIZE = 0 } = program(full, 's').errors
  assert.ok(EAGAIN > 0 && EMSGSIZE > 0)
  const { SndbufErrors = 0 } = udp(full)
  assert.ok(SndbufErrors > EAGAIN && SndbufErrors < EAGAIN + EMSGSIZE)
  const free = run({ s: sender({ payload, messages: 20 }) })
  assert.ok((program(free, 's').errors.EMSGSIZE ?? 0) > 0)
  assert.is(udp(free).SndbufErrors, 0)
})

sending('IP_MTU_DISCOVER refuses and fragments what it does in Linux', () => {
  const apps: Record<string, App> = {}
  recorded.pmtudisc.forEach(([mode, payload], i) => {
    apps[`s${i}`] = sender({ payload, messages: 1, sockets: { IP_MTU_DISCOVER: mode } })
  })
  const report = run(apps)
  recorded.pmtudisc.forEach(([mode, payload, answer], i) => {
    const { datagrams, errors } = program(report, `s${i}`)
    assert.equal(answer === 'ok' ? { ok: datagrams } : errors, { [answer]: 1 }, `${mode} ${payload}`)
  })
})

sending('UDP_SEGMENT takes and refuses what it does in Linux', () => {
  const apps: Record<string, App> = {}
  recorded.gso.forEach(([size, payload, , option], i) => {
    const sockets = { UDP_SEGMENT: size, SO_NO_CHECK: option === 'SO_NO_CHECK' }
    apps[`s${i}`] = sender({ payload, messages: 1, sockets })
  })
  const report = run(apps)
  let frames = 0
  recorded.gso.forEach(([size, payload, answer], i) => {
    const { datagrams, errors } = program(report, `s${i}`)
    assert.equal(answer === 'ok' ? { ok: datagrams } : errors, { [answer]: 1 }, `${size} ${payload}`)
    if (answer === 'ok') frames += Math.ceil(payload / size)
  })
  // What is refused was one packet by then.
  assert.is(report.packets.created - report.packets.dropped, frames)
})

sending('a send buffer takes as many messages that are to be cut as in Linux', () => {
  const apps: Record<string, App> = { filler: FILLER }
  recorded.gso_until_full.forEach(([size, payload], i) => {
    const sockets = { UDP_SEGMENT: size }
    apps[`s${i}`] = sender({ payload, start: '5ms', nonblocking: true, messages: 60, sockets })
  })
  const report = run(apps, { sysctl: { 'net.core.wmem_max': 4_000_000 } }, STUCK)
  recorded.gso_until_full.forEach(([size, payload, sent], i) => {
    assert.is(program(report, `s${i}`).datagrams, sent, `${payload} in pieces of ${size}`)
  })
})

sending('a message is cut by the card, or in software at the price of each segment', () => {
  const app = { s: sender({ payload: 14_100, messages: 20, sockets: { UDP_SEGMENT: 1400 } }) }
  const card = run(app)
  const kernel = run(app, {}, { features: { 'tx-udp-segmentation': false } })
  for (const report of [card, kernel]) {
    assert.is(report.hosts.h?.devices[0]?.tx_packets, 20 * 11)
    // Ten segments of 1400 and one of 100, each with its headers.
    assert.is(report.hosts.h?.devices[0]?.tx_bytes, 20 * (14_100 + 11 * 42))
    assert.is(report.hosts.h?.qdiscs?.[0]?.packets, 20 * 11)
  }
  const stage = (report: Report, name: string) => report.hosts.h?.cpus[0]?.stages_ns[name] ?? 0
  assert.is(stage(card, 'skb_segment'), 0)
  assert.ok(stage(kernel, 'skb_segment') > 0)
  assert.ok(Math.abs(stage(kernel, 'ndo_start_xmit') / stage(card, 'ndo_start_xmit') - 11) < 0.01)
})

sending('over the loopback device a reader with UDP_GRO gets a message whole, another one its datagrams', () => {
  const from = sender({ payload: 14_100, messages: 5, to: '127.0.0.1:9000', sockets: { UDP_SEGMENT: 1400 } })
  const received = (options: object) =>
    run({
      s: from,
      r: { kind: 'udp_sink', cpus: [1], buffer: 65_536, sockets: options },
    }).hosts.h?.netns.init?.sockets.find(({ app }) => app === 'r')?.received
  assert.is(received({ UDP_GRO: true }), 5)
  assert.is(received({}), 5 * 11)
})

const ROUTES = ['unreachable 203.0.113.0/26', 'prohibit 203.0.113.64/26', 'blackhole 203.0.113.128/26'] as const

for (const [what, to, errors, options] of [
  ['no route', '203.0.113.250:9', { ENETUNREACH: 3 }, {}],
  ['an unreachable route', '203.0.113.1:9', { EHOSTUNREACH: 3 }, {}],
  ['a prohibited one', '203.0.113.65:9', { EACCES: 3 }, {}],
  ['a black hole', '203.0.113.129:9', { EINVAL: 3 }, {}],
  ['a broadcast', '192.0.2.255:9', { EACCES: 3 }, {}],
  ['a broadcast that is allowed', '192.0.2.255:9', {}, { SO_BROADCAST: true }],
  ['a datagram beyond 65,507 bytes', '192.0.2.9:9', { EMSGSIZE: 3 }, { payload: 65_508 }],
] as const) {
  sending(`errno of ${what}`, () => {
    const { payload = 18, ...sockets } = options as { payload?: number; SO_BROADCAST?: boolean }
    const report = run({ s: sender({ to, payload, messages: 3, sockets }) }, { routes: [...ROUTES] })
    assert.equal(program(report, 's').errors, errors)
    assert.is(program(report, 's').datagrams, Object.keys(errors).length === 0 ? 3 : 0)
    assert.is(report.hosts.h?.netns.init?.snmp.Ip?.OutNoRoutes, what === 'no route' ? 3 : 0)
  })
}

sending('a rate is kept exactly, though each sleep lasts longer by the timer slack', () => {
  const report = run({ s: sender({ rate: 300_000 }), p: sender({ pattern: 'poisson', rate: 300_000, cpus: [1] }) })
  const { datagrams } = program(report, 's')
  assert.ok(datagrams > 2980 && datagrams <= 3001, `${datagrams} of 3000`)
  const drawn = program(report, 'p').datagrams
  assert.ok(Math.abs(drawn - 3000) < 250, `${drawn} of about 3000`)
  const task = report.hosts.h?.tasks.find(({ name }) => name === 's')
  // Every sleep is 50 µs longer than asked for, so there are fewer wake-ups than messages.
  assert.ok((task?.wakeups ?? 0) < 220, `${task?.wakeups} wake-ups`)
  const bursts = run({ s: sender({ pattern: 'burst', count: 7, every: '1ms', start: '500us', stop: '3600us' }) })
  assert.is(program(bursts, 's').datagrams, 4 * 7)
})

sending('sendmmsg sends as many by fewer calls', () => {
  const each = run({ s: sender({}) })
  const many = run({ s: sender({ call: 'sendmmsg', batch: 64 }) })
  assert.is(program(each, 's').calls, program(each, 's').datagrams)
  assert.ok(program(many, 's').calls * 60 < program(many, 's').datagrams)
  assert.ok(program(many, 's').datagrams > 1.1 * program(each, 's').datagrams)
})

sending('a sender that blocks on its buffer is woken when half of it is free', () => {
  const report = run({ s: sender({ payload: 1472 }) }, {}, { link: '100Mbit' })
  const socket = report.hosts.h?.netns.init?.sockets[0]
  assert.ok((socket?.wmem_max_used ?? 0) > 212_992 - 2304 && (socket?.wmem_max_used ?? 0) < 212_992 + 2304)
  assert.is(udp(report).SndbufErrors, 0)
  // 46 or so of 93 packets leave before the next wake-up.
  const task = report.hosts.h?.tasks.find(({ name }) => name === 's')
  assert.ok((task?.wakeups ?? 0) <= Math.ceil(program(report, 's').datagrams / 40))
})

sending('two tasks that wait for one buffer are both woken', () => {
  const report = run({ s: sender({ cpus: [0, 1], payload: 1472, sockets: { shared: true } }) }, {}, { link: '100Mbit' })
  for (const task of report.hosts.h?.tasks.filter(({ name }) => name.startsWith('s')) ?? [])
    assert.ok(task.messages > 50, `${task.messages} messages of ${task.name}`)
})

sending('a client and an echo server meet over the loopback device', () => {
  const report = run({ c: client({ payload: 100 }), e: { kind: 'udp_echo', cpus: [1] } })
  const row = program(report, 'c')
  assert.ok(row.datagrams > 500 && row.replies !== undefined && row.datagrams - row.replies <= 1)
  assert.is(row.timeouts, 0)
  assert.is(report.packets.offered, 0)
  // By the host's own address it is the same.
  const own = program(run({ c: client({ to: '192.0.2.1:9000' }), e: { kind: 'udp_echo', cpus: [1] } }), 'c')
  assert.ok((own.replies ?? 0) > 500)
  assert.is(report.hosts.h?.devices[0]?.tx_packets, 0)
})

sending('a client that is refused hears of it at once, and with its next request', () => {
  const report = run({
    c: client({ to: undefined as never, sockets: { connect: '127.0.0.1:7' }, think: '100us', 'timer-slack': '0ns' }),
  })
  const row = program(report, 'c')
  assert.is(row.timeouts, 0)
  assert.ok((row.errors.ECONNREFUSED ?? 0) > 50)
  assert.is(row.errors.ECONNREFUSED, row.datagrams)
  // Without a connected socket nobody is told.
  const deaf = program(run({ c: client({ to: '127.0.0.1:7' }) }), 'c')
  assert.equal([deaf.datagrams, deaf.errors], [1, {}])
})

sending('fq_codel marks what can be marked instead of dropping it', () => {
  const qdisc = { kind: 'fq_codel', target: '100us', interval: '500us' }
  const lossy = run({ s: sender({ payload: 1400 }) }, {}, { link: '100Mbit', qdisc })
  const marking = run({ s: sender({ payload: 1400, sockets: { IP_TOS: 2 } }) }, {}, { link: '100Mbit', qdisc })
  const unwilling = run(
    { s: sender({ payload: 1400, sockets: { IP_TOS: 2 } }) },
    {},
    { link: '100Mbit', qdisc: { ...qdisc, ecn: false } },
  )
  assert.ok(lossy.packets.dropped > 5 && unwilling.packets.dropped > 5)
  assert.is(marking.packets.dropped, 0)
  assert.ok((marking.hosts.h?.qdiscs?.[0]?.details.ecn_mark ?? 0) > 5)
  assert.is(lossy.hosts.h?.qdiscs?.[0]?.details.ecn_mark, 0)
  // ce_threshold looks at nothing but the delay, and at who can be marked.
  const threshold = { link: '100Mbit', qdisc: { kind: 'fq_codel', ce_threshold: '200us', ecn: false } }
  const marks = (tos: number) =>
    run({ s: sender({ payload: 1400, sockets: { IP_TOS: tos } }) }, {}, threshold).hosts.h?.qdiscs?.[0]?.details.ce_mark
  assert.ok((marks(2) ?? 0) > 5, `${marks(2)} marked`)
  assert.is(marks(0), 0)
})

sending('fq sends the packets of a paced socket at its rate', () => {
  const report = (rate: number, qdisc: string, duration: string) =>
    run({ s: sender({ payload: 1400, sockets: { SO_MAX_PACING_RATE: rate } }) }, {}, { qdisc }, duration)
  // 1442 bytes of 12.5 MB/s each 115 µs, behind ten frames that a new flow may send at once.
  const fast = report(12_500_000, 'fq', '20ms').hosts.h?.tx_queues?.[0]?.bytes ?? 0
  assert.ok(Math.abs(fast - 250_000 - 15_140) < 2 * 1514 * 2, `${fast} bytes in 20 ms`)
  // Below 550 kbit/s every packet is paced by itself: one each 28.8 ms.
  const slow = report(50_000, 'fq', '200ms').hosts.h?.tx_queues?.[0]?.packets
  assert.ok(slow !== undefined && slow >= 7 && slow <= 8, `${slow} packets in 200 ms`)
  assert.ok((report(12_500_000, 'pfifo_fast', '2ms').hosts.h?.tx_queues?.[0]?.packets ?? 0) > 1000)
})

sending('a request without a reply is given up at its timeout, which is a whole number of jiffies', () => {
  const report = run({ c: client({ to: TO, timeout: '10ms' }) }, { hz: 1000 }, {}, '100ms')
  const row = program(report, 'c')
  // 10 jiffies, and the one that has begun.
  assert.is(row.timeouts, 9)
  assert.equal(row.errors, { EAGAIN: 9 })
  assert.is(row.datagrams, 10)
})

sending('a reply that comes too late is not taken for that of the next request', () => {
  const report = run(
    { c: client({ timeout: '1ms', 'timer-slack': '0ns' }), e: { kind: 'udp_echo', cpus: [1], work: '3300us' } },
    { hz: 1000 },
    {},
    '60ms',
  )
  const row = program(report, 'c')
  assert.ok((row.late ?? 0) > 5 && (row.timeouts ?? 0) > 20)
  assert.is(row.replies, 0)
})

sending.run()
