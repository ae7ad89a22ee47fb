import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { CONTEXT, CONTEXT_ROWS, ContextTime } from '../src/cpu/components.js'
import { LinkLog, LinkWatch, LOG_NAMES } from '../src/link/components.js'
import { RxQueue } from '../src/nic/components.js'
import type { TraceSpec } from '../src/observe/trace/trace.js'
import { joinSinks, NO_TRACE, type TraceSink } from '../src/observe/trace-sink.js'
import { checkPerfetto } from './support/check-perfetto.js'
import { TWO_PACKETS } from './support/expected-trace.js'
import { formatPattern, readFtrace, readFtraceLine, recordedFormats } from './support/read-ftrace.js'
import { digestAlone, type RecordedTrace, recordTrace, tracedScenario } from './support/record-trace.js'

/** Steering, ring and backlog losses, fused CPUs, busy polling, GRO, fragments: what traces have to show. */
const SCENARIOS: Readonly<Record<string, unknown>> = {
  plain: tracedScenario({}),
  steered: tracedScenario({ cpus: 4, device: { queues: { rps_cpus: '6' } }, traffic: { rate: '1Mpps', packets: 600 } }),
  ring: tracedScenario({
    device: { rings: { rx: 64 }, 'packet-buffer': '4KiB' },
    traffic: { rate: '8Mpps', packets: 900 },
  }),
  socket: tracedScenario({ sockets: { SO_RCVBUF: 2304 }, traffic: { rate: '2Mpps', packets: 600 } }),
  merged: tracedScenario({
    traffic: {
      protocol: 'tcp',
      frame: 1518,
      rate: '800kpps',
      packets: 300,
      train: 16,
      flows: { count: 2, dport: 9000 },
    },
  }),
  segments: tracedScenario({
    sockets: { UDP_GRO: true },
    device: { coalesce: { 'rx-usecs': 20 } },
    traffic: { frame: 346, rate: '1Mpps', packets: 300, flows: { count: 1, dport: 9000 } },
  }),
  busy: tracedScenario({ cpus: 1, sockets: { SO_BUSY_POLL: '50us' }, traffic: { rate: '100kpps', packets: 80 } }),
  threaded: tracedScenario({ device: { threaded: true } }),
  xdp: tracedScenario({ device: { xdp: { mode: 'native', rules: [{ 'dst-port': 9000, verdict: 'drop' }] } } }),
}

const recordings = new Map<string, RecordedTrace>()

/** A scenario's trace, recorded once. */
function record(name: string, spec: Partial<TraceSpec> = {}): RecordedTrace {
  const key = `${name} ${JSON.stringify(spec)}`
  const found = recordings.get(key) ?? recordTrace(SCENARIOS[name], spec)
  recordings.set(key, found)
  return found
}

test('a trace changes nothing in the run', () => {
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    const alone = digestAlone(scenario)
    assert.is(record(name).digest, alone, name)
    assert.is(record(name, { kind: 'ftrace' }).digest, alone, `${name} as ftrace`)
  }
})

test('traces for Perfetto keep to the rules of their format, whole, sampled and in a window', () => {
  const window = { fromPs: 150e6, toPs: 420e6 }
  for (const name of Object.keys(SCENARIOS)) {
    const specs =
      name === 'steered' ? [{}, { sample: 9 }, window, { ...window, sample: 3 }] : [{}, { ...window, sample: 3 }]
    for (const spec of specs) {
      const { events, faults } = checkPerfetto(record(name, spec).text)
      assert.equal(faults, [], `${name} ${JSON.stringify(spec)}`)
      assert.ok(events.length > 20, name)
      const timed = events.filter(({ ph }) => ph !== 'M')
      if (!('fromPs' in spec)) continue
      for (const { ts, dur = 0, name: what } of timed) assert.ok(ts >= 150 && ts + dur <= 420.001, `${what} at ${ts}`)
    }
  }
})

const STAGE_LANES = ['hardirq', 'softirq', 'ksoftirqd', 'task'] as const

test('the stages of a lane add up to the time of its context', () => {
  for (const name of ['plain', 'steered', 'threaded', 'busy']) {
    const { text, model } = record(name)
    const { events } = checkPerfetto(text)
    const { ps } = model.world.columns(ContextTime)
    model.layout.cpus.forEach((cpu, index) => {
      STAGE_LANES.forEach((context, lane) => {
        const leaves = events.filter(({ cat, pid, tid }) => cat === 'stage' && pid === index + 1 && tid === lane + 1)
        const sum = leaves.reduce((total, { dur }) => total + dur, 0)
        const expected = ps[cpu * CONTEXT_ROWS + CONTEXT[context]] / 1e6
        // Each slice is cut to whole ns.
        assert.ok(
          Math.abs(sum - expected) <= 0.001 * (leaves.length + 1),
          `${name} CPU ${index} ${context}: ${sum}, ${expected}`,
        )
      })
    })
  }
})

test('how a run is cut into pieces does not show in its trace', () => {
  for (const kind of ['perfetto', 'ftrace'] as const) {
    assert.is(
      recordTrace(SCENARIOS.steered, { kind }, 37e6).text,
      record('steered', kind === 'ftrace' ? { kind } : {}).text,
    )
  }
})

test('a sampled packet goes from slice to slice, and its stretches tell where it waited', () => {
  const { events } = checkPerfetto(recordTrace(SCENARIOS.steered, { sample: 50 }).text)
  const followed = events.filter(({ ph, name }) => ph === 'b' && name === 'packet')
  assert.equal(
    followed.map(({ id }) => id),
    [1, 51, 101, 151, 201, 251, 301, 351, 401, 451, 501, 551],
  )
  for (const { id, args } of followed) {
    assert.is(args.end, 'delivered')
    assert.match(String(args.packet), /^UDP [\d.]+:\d+ > 192\.0\.2\.1:9000$/)
    const waits = events.filter((event) => event.ph === 'b' && event.id === id && event.name !== 'packet')
    assert.equal(
      waits.map(({ name }) => name),
      ['rx ring', 'gro', 'backlog', 'socket'],
    )
    const lanes = new Set(events.filter((event) => 'stf'.includes(event.ph) && event.id === id).map(({ pid }) => pid))
    assert.is(lanes.size, 3, 'steered from one CPU to another, and read on a third')
  }
})

test('counters of queues and losses end where the run does', () => {
  const { text, model } = record('ring')
  const { events } = checkPerfetto(text)
  const counted = (name: string) => events.filter(({ ph, name: track }) => ph === 'C' && track === name)
  const rings = counted('ring eth0 rx-0').map(({ args }) => Number(args.packets))
  const { ringMax } = model.world.columns(RxQueue)
  assert.ok(Math.max(...rings) >= ringMax[model.layout.queues[0]] && Math.max(...rings) <= 64, `${Math.max(...rings)}`)
  const dropped = events.filter(({ ph }) => ph === 'i').length
  assert.ok(dropped > 100)
  const totals = new Map(
    [...counted('dropped'), ...counted('dropped by eth0')].map(({ pid, args }) => [pid, Number(args.frames)]),
  )
  const total = [...totals.values()].reduce((sum, frames) => sum + frames, 0)
  assert.is(total, dropped, 'every loss is one instant')
})

test('the reader of traces reads what Linux prints, and nothing else', () => {
  const { lines, formats } = recordedFormats()
  const patterns = new Map(Object.entries(formats).map(([event, format]) => [event, formatPattern(format)]))
  const events = lines.map((line) => readFtraceLine(line, patterns))
  assert.ok(new Set(events.map(({ event }) => event)).size >= 12)
  const full = events.find(({ fields }) => fields.reason === 'SOCKET_RCVBUFF')
  assert.equal([full?.comm, full?.flags, full?.fields.protocol], ['python3', '..s1.', '2048'])
  const line = lines.find((each) => each.includes('netif_receive_skb')) ?? ''
  for (const broken of [
    line.replace('len=', 'length='),
    line.replace('] ', ']  '),
    line.replace(/skbaddr=\w+/, 'skbaddr=1'),
  ]) {
    assert.throws(() => readFtraceLine(broken, patterns))
  }
})

test('traces in the text form of tracefs are what a kernel could have printed', () => {
  for (const name of Object.keys(SCENARIOS)) {
    const { text, head, events: count } = record(name, { kind: 'ftrace' })
    assert.is(head?.length, text.split('\n').slice(0, 12).join('\n').length + 1, name)
    const events = readFtrace((head ?? '') + text.slice(head?.length))
    assert.is(events.length, count)
    assert.match(head ?? '', new RegExp(`entries-written: ${count}/${count} `))
    for (let i = 1; i < events.length; i++) assert.ok(events[i].seconds >= events[i - 1].seconds, name)
    // Every entry has its exit, on its CPU.
    for (const what of ['softirq', 'irq_handler', 'reschedule', 'call_function_single', 'local_timer']) {
      for (const cpu of cpusOf(events)) {
        const own = events.filter((event) => event.cpu === cpu && event.event.startsWith(`${what}_e`))
        assert.match(
          own.map(({ event }) => (event.endsWith('entry') ? '<' : '>')).join(''),
          /^(<>)*<?$/,
          `${name} ${what}`,
        )
      }
    }
  }
})

function cpusOf(events: readonly { readonly cpu: number }[]): Set<number> {
  return new Set(events.map(({ cpu }) => cpu))
}

test('a packet has one address on its way, and losses their reason', () => {
  const { text } = record('socket', { kind: 'ftrace' })
  const events = readFtrace(text.replace(/written: +/, 'written: 0/0 '))
  const received = events.filter(({ event }) => event === 'netif_receive_skb').map(({ fields }) => fields.skbaddr)
  assert.is(new Set(received).size, 600, 'as many addresses as packets')
  const dropped = events.filter(({ event }) => event === 'kfree_skb')
  assert.ok(dropped.length > 0)
  for (const { fields } of dropped) {
    assert.equal([fields.reason, fields.location], ['SOCKET_RCVBUFF', 'udp_queue_rcv_one_skb+0x0/0x0'])
    assert.ok(received.includes(fields.skbaddr))
    assert.not.match(fields.rx_sk, /^0+$/)
  }
  const failed = events.filter(({ event }) => event === 'udp_fail_queue_rcv_skb')
  assert.is(failed.length, dropped.length)
})

test('the event stream of two packets', () => {
  const scenario = tracedScenario({
    cpus: 1,
    traffic: { rate: '100kpps', packets: 2, flows: { count: 1, dport: 9000 } },
  })
  const { text } = recordTrace(scenario, { kind: 'ftrace', toPs: 60e6 })
  const lines = text.split('\n').slice(12, -1)
  assert.is(lines.join('\n'), TWO_PACKETS)
})

/** A cable, a close and an open, a command; a VLAN device follows. */
const EVENTFUL = tracedScenario({
  device: { vlans: [5] },
  rest: {
    events: [
      { at: '100us', do: 'unplug eth0' },
      { at: '200us', do: 'plug eth0' },
      { at: '300us', do: 'ethtool -C eth0 rx-usecs 20' },
      { at: '400us', do: 'ip link set eth0 down' },
      { at: '600us', do: 'ip link set eth0 up' },
    ],
  },
})

test('what becomes of devices is in both kinds of traces as in the log of the run', () => {
  const { text, model, digest } = recordTrace(EVENTFUL)
  const log = model.world.columns(LinkLog)
  const names = ['eth0', 'eth0.5']
  const expected = Array.from({ length: model.world.columns(LinkWatch).logged[1] }, (_, i) => ({
    ns: Math.floor(log.timePs[i + 1] / 1000),
    what: `${LOG_NAMES[log.what[i + 1]]} ${names[log.dev[i + 1] - model.layout.hosts[0].devices[0].device]}`,
  }))
  for (const what of ['netif_carrier_off eth0', 'NETDEV_DOWN eth0.5', 'ethtool -C eth0', 'NETDEV_UP eth0'])
    assert.ok(
      expected.some((entry) => entry.what === what),
      what,
    )
  const { events, faults } = checkPerfetto(text)
  assert.equal(faults, [])
  const lanes = new Map(
    events.filter(({ name }) => name === 'thread_name').map(({ pid, tid, args }) => [`${pid} ${tid}`, args.name]),
  )
  const shown = events.flatMap(({ ph, name, pid, tid, ts }) => {
    const lane = /^link(?: (.+))?$/.exec(String(lanes.get(`${pid} ${tid}`)))
    return ph !== 'i' || lane === null ? [] : [{ ns: Math.round(ts * 1000), what: `${name} ${lane[1] ?? 'eth0'}` }]
  })
  assert.equal(shown, expected)
  assert.is(digestAlone(EVENTFUL), digest)

  const ftrace = recordTrace(EVENTFUL, { kind: 'ftrace', fromPs: 350e6 })
  assert.is(ftrace.digest, digest)
  const marks = readFtrace((ftrace.head ?? '') + ftrace.text.slice(ftrace.head?.length))
    .filter(({ event }) => event === 'tracing_mark_write')
    .map((mark) => ({ us: Math.round(mark.seconds * 1e6), what: mark.text.split('|')[2] }))
  const late = expected.filter(({ ns }) => ns >= 350_000)
  assert.ok(late.length > 0 && late.length < expected.length)
  assert.equal(
    marks,
    late.map(({ ns, what }) => ({ us: Math.floor(ns / 1000), what })),
  )
})

test('the watchdog over a hung transmit queue has the tracepoint of Linux', () => {
  const scenario = tracedScenario({
    cpus: 1,
    device: { channels: { combined: 1 } },
    traffic: { rate: '100pps', packets: 650, flows: { count: 1, dport: 9000 } },
    app: { kind: 'udp_echo' },
    rest: { duration: '6500ms', events: [{ at: '1ms', do: 'stall eth0 tx 0' }] },
  })
  // Nothing but the end of it is recorded.
  const window = { fromPs: 5e12, sample: 1e6 }
  const ftrace = recordTrace(scenario, { kind: 'ftrace', ...window }, 1e12)
  const lines = readFtrace((ftrace.head ?? '') + ftrace.text.slice(ftrace.head?.length))
  const hung = lines.filter(({ event }) => event === 'net_dev_xmit_timeout')
  assert.equal(
    hung.map(({ fields }) => fields),
    [{ dev: 'eth0', driver: 'ixgbe', queue: '0' }],
  )
  const { events } = checkPerfetto(recordTrace(scenario, window, 1e12).text)
  const marks = events.filter(({ ph, name }) => ph === 'i' && name === 'net_dev_xmit_timeout')
  assert.equal(
    marks.map(({ args }) => args),
    [{ cpu: 0, queue: 0 }],
  )
  assert.is(Math.floor(marks[0].ts), Math.round(hung[0].seconds * 1e6))
})

test('several sinks hear the same, and one that is off costs nothing', () => {
  const heard: string[] = []
  const sink = (name: string): TraceSink => ({
    ...NO_TRACE,
    on: true,
    softirqEntry: (cpu, nowPs, vector, inKsoftirqd) => heard.push(`${name} ${cpu} ${nowPs} ${vector} ${inKsoftirqd}`),
  })
  joinSinks([sink('a'), NO_TRACE, sink('b')]).softirqEntry(3, 5, 1, true)
  assert.equal(heard, ['a 3 5 1 true', 'b 3 5 1 true'])
  assert.is(joinSinks([]), NO_TRACE)
  assert.is(joinSinks([NO_TRACE]), NO_TRACE)
})

test.run()
