import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inDirectory } from './cli-process.js'
import { type CaseDocument, carried, carriedPath, oracle, oracleCases, record } from './oracle-process.js'

/** Takes the first case of a recording that `wanted` accepts, changed by `change`, and returns what the oracle says. */
async function tampered(
  directory: string,
  value: { readonly [list: string]: unknown },
  // biome-ignore lint/suspicious/noExplicitAny: a test changes recordings at will
  change: (value: any) => void,
) {
  const copy = structuredClone(value)
  change(copy)
  const file = record(directory, copy)
  const { code, stdout } = await oracle(file, '--format', 'json')
  const { cases }: { cases: CaseDocument[] } = JSON.parse(stdout)
  assert.is(cases.length, 1)
  return { code, ...(cases[0] as CaseDocument) }
}

/** The recordings that are compared here; `oracle.long.ts` has all. */
const SHORT = ['softnet.json', 'gro.json', 'rmem.json', 'ip.json', 'sends.json']

test('every gated recording of Linux 6.18 agrees with the simulated stack', async () => {
  const cases = await oracleCases(...SHORT.map(carriedPath))
  const counts = SHORT.map((name) => {
    const file = carried(name)
    const steps = Object.keys(file.truesize_steps ?? {}).length
    return file.cases.length + (file.multi_napi?.length ?? 0) + steps
  })
  assert.is(
    cases.length,
    counts.reduce((sum, count) => sum + count, 0),
  )
  assert.equal(
    cases
      .filter((each) => !each.pass || (each.gated && each.diff !== null))
      .map((each) => `${each.name}: ${each.diff}`),
    [],
  )
  assert.is(cases.filter((each) => !each.gated).length, 1)
  assert.is(new Set(cases.map((each) => each.name)).size, cases.length)
})

test('the text ends with a count and the exit code is 0', async () => {
  const { code, stdout } = await oracle('--case', 'tcp-1')
  assert.is(code, 0)
  assert.is(stdout, 'pass  tcp-1\n1 cases: 1 agree, 0 differ, 0 shown only\n')
})

test(
  'each recorded value of a softnet case is compared',
  inDirectory(async (directory) => {
    const { cases } = carried('softnet.json')
    const one = { cases: [cases.find((each: { N: number }) => each.N === 65)] }
    for (const key of ['delivered', 'processed', 'dropped', 'time_squeeze']) {
      const { code, pass, diff } = await tampered(directory, one, (value) => value.cases[0][key]++)
      assert.is(code, 1, key)
      assert.not.ok(pass)
      assert.match(diff ?? '', new RegExp(`^${key}: recorded \\d+, simulated \\d+$`))
    }
    const { pass, diff } = await tampered(directory, one, (value) => {
      value.cases[0].events = value.cases[0].events.replace('softirq{ ', 'softirq{ksoftirqd ')
    })
    assert.not.ok(pass)
    assert.match(diff ?? '', /^events from entry 1 on: recorded 'softirq\{ksoftirqd /)
  }),
)

test(
  'order of polls and counts of a multi_napi case are compared',
  inDirectory(async (directory) => {
    const one = { multi_napi: [carried('softnet.json').multi_napi[0]] }
    assert.ok((await tampered(directory, one, () => {})).pass)
    for (const key of ['processed', 'dropped', 'time_squeeze']) {
      const { pass, diff } = await tampered(directory, one, (value) => value.multi_napi[0][key]++)
      assert.not.ok(pass)
      assert.match(diff ?? '', new RegExp(`^${key}: `))
    }
    const { diff } = await tampered(directory, one, (value) => {
      const [entry] = value.multi_napi
      entry.events = entry.events.replace('q6', 'qx').replace('q5', 'q6').replace('qx', 'q5')
    })
    assert.match(diff ?? '', /^events from entry \d+ on: recorded 'q5 /)
  }),
)

test(
  'results, deliveries, counters and what a socket reads of a GRO case are compared',
  inDirectory(async (directory) => {
    const { cases } = carried('gro.json')
    const one = { cases: [cases.find((each: { name: string }) => each.name === 'udp-gro-sock')] }
    assert.ok((await tampered(directory, one, () => {})).pass)
    const changes: readonly [RegExp, (value: { cases: Record<string, never>[] }) => void][] = [
      [/^events from entry 1 on/, (value) => Object.assign(value.cases[0]?.events ?? [], { 0: 'pkt0:NORMAL' })],
      [/^IpInReceives: recorded 9/, (value) => Object.assign(value.cases[0]?.snmp ?? {}, { IpInReceives: 9 })],
      [/^recv: recorded \[\]/, (value) => Object.assign(value.cases[0] ?? {}, { recv: [] })],
      [
        /^events from entry \d+ on: recorded 'deliver len 428'/,
        (value) => Object.assign(value.cases[0]?.events ?? [], { 4: 'deliver len 428' }),
      ],
    ]
    for (const [pattern, change] of changes) {
      const { code, diff } = await tampered(directory, one, change)
      assert.is(code, 1)
      assert.match(diff ?? '', pattern)
    }
    // Another packet is another answer: nothing of the recording reaches the simulated stack but its input.
    const { diff } = await tampered(directory, one, (value) => {
      value.cases[0].packets_in[1] = value.cases[0].packets_in[1].replace('9c40', '9c41')
    })
    assert.match(diff ?? '', /^events from entry 2 on: recorded 'pkt1:MERGED/)
  }),
)

test(
  'each recorded value of an rmem case and every truesize step is compared',
  inDirectory(async (directory) => {
    const { cases, truesize_steps: steps } = carried('rmem.json')
    const one = { truesize_steps: {}, cases: [cases[0]] }
    for (const key of [
      'sk_rcvbuf',
      'truesize_first',
      'held',
      'rmem_at_full',
      'drops',
      'RcvbufErrors',
      'rmem_after_drain',
    ]) {
      const { pass, diff } = await tampered(directory, one, (value) => value.cases[0][key]++)
      assert.not.ok(pass)
      assert.match(diff ?? '', new RegExp(`^${key}: `))
    }
    const { diff } = await tampered(directory, { truesize_steps: { lo: steps.lo } }, (value) => {
      value.truesize_steps.lo[2] = [647, 2304]
    })
    assert.match(diff ?? '', /^truesize of 646 B: recorded 1280, simulated 2304$/)
    const unknown = await tampered(directory, { truesize_steps: { tap: [[0, 832]] } }, () => {})
    assert.match(unknown.diff ?? '', /^path: recorded 'tap', simulated are veth, /)
  }),
)

test(
  'a case whose recordings differed is shown and never fails',
  inDirectory(async (directory) => {
    const [entry] = carried('gro.json').cases
    const wrong = { ...entry, events: ['pkt0:DROP'] }
    for (const doubt of [{ stable: false }, { agree: 2, runs: 3 }]) {
      const file = record(directory, { cases: [{ ...wrong, ...doubt }] })
      const { code, stdout } = await oracle(file)
      assert.is(code, 0)
      assert.match(stdout, /^show {2}tcp-1 \(recordings differ: not gated\)\n {6}events from entry 1 on/)
      const [shown] = await oracleCases(file)
      assert.equal([shown?.pass, shown?.gated, typeof shown?.diff], [true, false, 'string'])
    }
    assert.is((await oracle(record(directory, { cases: [{ ...wrong, agree: 3, runs: 3 }] }))).code, 1)
  }),
)

test(
  'each recorded value of a case of packets in and out is compared',
  inDirectory(async (directory) => {
    const { cases } = carried('ip.json')
    const named = (name: string) => ({ cases: [cases.find((each: { name: string }) => each.name === name)] })
    // biome-ignore lint/suspicious/noExplicitAny: a test changes recordings at will
    const changes: [string, (only: any) => void, RegExp][] = [
      ['udp-closed-port', (only) => only.snmp_delta.UdpNoPorts++, /^UdpNoPorts: recorded 2, simulated 1$/],
      ['udp-closed-port', (only) => delete only.snmp_delta.UdpNoPorts, /^UdpNoPorts: recorded 0, simulated 1$/],
      ['udp-closed-port', (only) => only.dev_delta['tun0.tx_bytes']++, /^tun0.tx_bytes: recorded 62, simulated 61$/],
      ['udp-closed-port', (only) => only.drop_reasons.pop(), /^drops from entry 1 on: recorded the end/],
      ['udp-closed-port', (only) => only.packets_out.pop(), /^packets out: recorded 0, simulated 1$/],
      ['fwd-mtu-nodf', (only) => only.packets_out.reverse(), /^packet 1: recorded/],
      [
        'icmp-echo-1472',
        (only) => {
          only.packets_out[0].pattern = only.packets_out[0].pattern.replace(/^4500/, '4501')
        },
        /^packet 1: recorded "4501/,
      ],
      ['ip-weak-host', (only) => (only.app_results[0].result.data = '79'), /^step 1: recorded/],
    ]
    for (const [name, change, diff] of changes) {
      const result = await tampered(directory, named(name), (value) => change(value.cases[0]))
      assert.is(result.code, 1, name)
      assert.match(result.diff ?? '', diff)
    }
    for (const key of ['counters', 'drops', 'n_out', 'app']) {
      const { pass } = await tampered(directory, named('udp-closed-port'), (value) => {
        const only = value.cases[0]
        only.stable[key] = false
        if (key === 'counters') only.snmp_delta = {}
        if (key === 'drops') only.drop_reasons = []
        if (key === 'n_out') only.packets_out = []
        if (key === 'app') only.app_results = [{ step: 0, result: 1 }]
      })
      assert.ok(pass, `${key} differed between recordings`)
    }
  }),
)

test(
  'a case that needs what is not modelled is listed with the reason',
  inDirectory(async (directory) => {
    const { cases } = carried('ip.json')
    const setup = (changed: object) => ({ ...cases[0], setup: { ...cases[0].setup, ...changed } })
    const unknown: [object, RegExp][] = [
      [{ ...cases[0], steps: [{ do: 'app', op: 'mmap(u)' }] }, /a program that does mmap/],
      [setup({ routes: ['198.51.100.0/24 encap mpls 5'] }), /route '198.51.100.0\/24 encap mpls 5' \(accepted: /],
      [setup({ nft: 'table ip t { chain c { type filter hook input priority 0; log; }\n}' }), /nft, line 1, column /],
      [setup({ commands: ['tc qdisc add dev tun0 root tbf'] }), /'tc qdisc add dev tun0 root tbf'/],
    ]
    for (const [only, reason] of unknown) {
      const { code, stdout } = await oracle(record(directory, { cases: [only] }))
      assert.is(code, 0)
      assert.match(
        stdout,
        /^skip {2}icmp-echo-1472 \(not modelled yet: .+\)\n1 cases: 0 agree, .* 1 not modelled yet\n$/,
      )
      assert.match(stdout, reason)
    }
  }),
)

test.run()
