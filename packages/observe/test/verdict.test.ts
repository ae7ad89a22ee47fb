import { compileScenario, type Plan, type ScenarioInput } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DIAGNOSIS_RULES, diagnose, findAll } from '../src/verdict/diagnose.js'
import { ANSWER_CASES } from './answer-cases.js'
import { cpu, device, drop, hostPlan, hostResult, plan, queue, result, socket, sysctl } from './fixtures.js'
import { steadyPlan, steadyQueues } from './growing-cases.js'
import { LINK_CASES } from './link-cases.js'
import { NETWORK_CASES } from './network-cases.js'
import { calm, full, hot, lonely, missed, CASES as PATH_CASES, rps } from './verdict-cases.js'

const CASES = [...PATH_CASES, ...ANSWER_CASES, ...NETWORK_CASES, ...LINK_CASES]

for (const [index, { rule, document, plan: from, says, sets }] of CASES.entries()) {
  test(`${rule} (${index}) is found, worded and answered`, () => {
    const verdict = diagnose(document, from)
    const lossless = document.packets.dropped === 0 && !['line_rate', 'queues_growing'].includes(rule)
    assert.is(verdict.bottleneck, lossless ? 'none' : rule)
    assert.is(findAll(document, from)[0]!.rule.name, rule)
    assert.match(verdict.sentences.join(' '), says)
    assert.equal(
      verdict.remedies.map(({ set }) => set),
      sets,
    )
    assert.ok(verdict.sentences.length >= 2 && verdict.sentences.length <= 3)
    for (const sentence of verdict.sentences) assert.match(sentence, /^[\w].*[.]$/)
    for (const { why } of verdict.remedies) assert.ok(why.length > 5)
  })
}

test('every rule has a case, and none fires on a host that copes', () => {
  const healthy = diagnose(result(hostResult()), plan(hostPlan(4), [calm]))
  for (const { name } of DIAGNOSIS_RULES) {
    assert.ok(
      CASES.some(({ rule }) => rule === name),
      `no case for ${name}`,
    )
  }
  assert.equal(findAll(result(hostResult()), plan(hostPlan(4), [calm])), [])
  assert.is(healthy.bottleneck, 'none')
  assert.equal(healthy.remedies, [])
  assert.match(
    healthy.sentences.join(' '),
    /100,000 offered, 100,000 delivered.*cpu0, is 20\.0 % busy.*nothing needs to change/,
  )
})

test('queues that are full but have stopped growing are no overload', () => {
  assert.is(diagnose(steadyQueues, steadyPlan).bottleneck, 'none')
})

const SCENARIO: ScenarioInput = {
  hosts: {
    server: {
      cpus: 4,
      devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 4 } } },
      apps: { sink: { kind: 'udp_sink', cpus: [2] } },
    },
  },
  traffic: { load: { kind: 'open', rate: '1Mpps' } },
}

/** The server is on a switch, and sent to from another host. */
const ON_SWITCH: ScenarioInput = {
  hosts: { ...SCENARIO.hosts, client: { devices: { eth0: { link: '100Gbit' }, eth1: {} } } },
  switches: { lan: { ports: ['client/eth0', 'server/eth0'] } },
  traffic: { load: { to: 'client/eth1' } },
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}

test('what is advised is a setting the scenario takes', () => {
  const sets = new Set(CASES.flatMap(({ sets: own }) => own))
  for (const set of sets) {
    const at = set.indexOf('=')
    const given = set.slice(at + 1)
    const overrides = [{ path: set.slice(0, at), value: parsed(given), given }]
    // The driver's remedy is for a card with one queue, the others need several.
    if (set.includes('driver=')) overrides.push({ path: 'eth0.channels.combined', value: 1, given: '1' })
    const isOnSwitch = set.startsWith('switches.') || set.startsWith('hosts.server.devices.eth0.link')
    const compiled = compileScenario(isOnSwitch ? ON_SWITCH : SCENARIO, { source: 'test', overrides })
    assert.ok(compiled.ok, `${set}: ${JSON.stringify(compiled)}`)
  }
})

test('a second cause is told when it loses a good part', () => {
  const document = result(
    hostResult({
      cpus: lonely,
      queues: [queue(0, 0, hot)],
      sockets: [socket({ drops: 30_000 })],
      rcvbufErrors: 30_000,
    }),
    [missed(50_000), drop('udp_queue_rcv_one_skb', 'SOCKET_RCVBUFF', 30_000)],
  )
  const verdict = diagnose(document, plan(hostPlan(4), [calm]))
  assert.is(verdict.bottleneck, 'one_queue')
  assert.match(verdict.sentences[2]!, /^Besides, 30,000 datagrams/)
  assert.ok(verdict.remedies.some(({ set }) => set.startsWith('apps.sink.sockets.SO_RCVBUF=')))
})

test('a squeeze beside a loss is not blamed for it', () => {
  const cpus = [cpu(0, full, { time_squeeze: 400, squeeze_budget: 400 }), cpu(1), cpu(2), cpu(3)]
  const verdict = diagnose(
    result(hostResult({ cpus, queues: [queue(0, 0, hot)] }), [missed(50_000)]),
    plan(hostPlan(4), [calm]),
  )
  assert.is(verdict.bottleneck, 'one_queue')
  assert.not.ok(verdict.remedies.some(({ set }) => set.includes('netdev_budget')))
})

test('a source that starts late does not make a full CPU look idle', () => {
  const timeline = Array.from({ length: 10 }, (_, i) => ({
    t_ns: i * 1e7,
    offered: i < 5 ? 0 : 100,
    delivered: 0,
    dropped: 0,
  }))
  const host = hostResult({
    cpus: [cpu(0, { softirq: 49.9 }), cpu(1), cpu(2, { task: 15 }), cpu(3)],
    queues: [queue(0, 0, hot)],
  })
  const verdict = diagnose(result(host, [missed(50_000)], { timeline }), plan(hostPlan(4), [calm]))
  assert.is(verdict.bottleneck, 'one_queue')
})

test('loss that no rule knows is told as it was counted', () => {
  const verdict = diagnose(
    result(hostResult(), [drop('udp_destroy_sock', 'SOCKET_CLOSE', 7)]),
    plan(hostPlan(4), [calm]),
  )
  assert.is(verdict.bottleneck, 'socket_close')
  assert.match(
    verdict.sentences[0]!,
    /7 frames \(<0\.1 %\) were lost, 7 of them in udp_destroy_sock with reason SOCKET_CLOSE/,
  )
})

test('nothing offered is said so', () => {
  const verdict = diagnose(
    result(hostResult(), [], { offered: 0, latency_ns: null, latency_histogram: [] }),
    plan(hostPlan(4), [calm]),
  )
  assert.is(verdict.bottleneck, 'none')
  assert.is(verdict.sentences[0], 'No packet was offered.')
})

test('with several hosts paths are written whole', () => {
  const from = plan(hostPlan(4), [calm])
  const two: Plan = { ...from, hosts: [...from.hosts, hostPlan(4, { name: 'other' })] }
  const document = result(hostResult({ cpus: lonely, queues: [queue(0, 0, hot)] }), [missed(50_000)])
  assert.is(diagnose(document, two).remedies[0]!.set, 'hosts.server.devices.eth0.channels.combined=4')
})

test('a mask that would read as a number is written as a list', () => {
  const host = hostResult({ cpus: [cpu(0, full), cpu(1), cpu(2), cpu(3), cpu(4)], queues: [queue(0, 0, hot)] })
  const from = plan(hostPlan(5, { devices: [device([0], { queues: rps([0, 4]) })], sysctl }), [calm])
  assert.is(diagnose(result(host, [missed(50_000)]), from).remedies[0]!.set, 'eth0.queues.rps_cpus=[4]')
})

test.run()
