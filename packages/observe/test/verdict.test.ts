import {
  compileScenario,
  type HostPlan,
  type HostResult,
  type Plan,
  type ResultDocument,
  type ScenarioInput,
} from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DIAGNOSIS_RULES, diagnose, findAll } from '../src/verdict/diagnose.js'
import {
  app,
  cpu,
  device,
  drop,
  e1000,
  flows,
  hostPlan,
  hostResult,
  latency,
  openTraffic,
  plan,
  queue,
  result,
  socket,
  sysctl,
  task,
  tulip,
} from './fixtures.js'

interface Case {
  readonly rule: string
  readonly document: ResultDocument
  readonly plan: Plan
  /** What the sentences must say. */
  readonly says: RegExp
  /** `--set` arguments, all of them. */
  readonly sets: readonly string[]
}

const missed = (count: number) => drop('nic_packet_buffer', 'NIC_RX_MISSED', count)
const full = { softirq: 99.5 }
const hot = { frames: 50_000, dropped: 50_000, ring_max: 511 }
const calm = openTraffic({ arrival: { kind: 'constant', packetsPerSec: 1e6 } })

function ring(
  rule: string,
  result_: Partial<HostResult>,
  host: Partial<HostPlan>,
  says: RegExp,
  sets: string[],
  traffic = calm,
): Case {
  return {
    rule,
    document: result(hostResult(result_), [missed(50_000)]),
    plan: plan(hostPlan(4, host), [traffic]),
    says,
    sets,
  }
}

const fourQueues = (cpus: readonly number[], frames: readonly number[]) =>
  frames.map((count, i) =>
    queue(i, cpus[i]!, { frames: count, dropped: i === 0 ? 50_000 : 0, ring_max: i === 0 ? 511 : 20 }),
  )
const lonely = [cpu(0, full), cpu(1), cpu(2, { task: 15 }), cpu(3)]
const oneFlow = { ...flows, count: 1, saddrCount: 1, sportCount: 1 }
const sameAddresses = { ...flows, saddrCount: 1 }
const rps = (rpsCpus: readonly number[]) => [{ vectorIndex: 0, rpsCpus, rpsFlowCnt: 0 }]

const RING_CASES: readonly Case[] = [
  ring(
    'one_queue',
    { cpus: lonely, queues: [queue(0, 0, hot)] },
    { apps: [app([2])] },
    /one queue, and so one CPU.*99\.5 %/,
    ['eth0.channels.combined=4', 'eth0.queues.rps_cpus=e'],
  ),
  ring(
    'one_queue',
    { cpus: lonely, queues: [queue(0, 0, hot)] },
    { devices: [device([0], { driver: e1000 })] },
    /e1000 has no more queues/,
    ['eth0.queues.rps_cpus=e'],
  ),
  ring(
    'one_flow',
    { cpus: lonely, queues: fourQueues([0, 1, 2, 3], [50_000, 0, 0, 0]) },
    { devices: [device([0, 1, 2, 3])] },
    /one flow has one hash: 100\.0 %/,
    ['eth0.queues.rps_cpus=2'],
    openTraffic({ arrival: calm.arrival, flows: oneFlow }),
  ),
  ring(
    'hash_addresses_only',
    { cpus: lonely, queues: fourQueues([0, 1, 2, 3], [50_000, 0, 0, 0]) },
    { devices: [device([0, 1, 2, 3], { hashFields: { tcp4: 'sdfn', udp4: 'sd' } })] },
    /addresses only, and 64 flows/,
    ['eth0.rx-flow-hash.udp4=sdfn'],
    openTraffic({ arrival: calm.arrival, flows: sameAddresses }),
  ),
  ring(
    'uneven_queues',
    { cpus: lonely, queues: fourQueues([0, 1, 2, 3], [50_000, 100, 100, 100]) },
    { devices: [device([0, 1, 2, 3], { indirection: Array.from({ length: 128 }, () => 0) })] },
    /99\.7 % of the frames hash to queue 0 of 4/,
    ['eth0.rxfh={"equal":4}'],
  ),
  ring(
    'vectors_on_one_cpu',
    { cpus: lonely, queues: fourQueues([0, 0, 0, 0], [50_000, 50_000, 50_000, 50_000]) },
    { devices: [device([0, 0, 0, 0])] },
    /4 of 4 queues interrupt the same CPU, cpu0/,
    ['eth0.irq={"vectors":4,"smp_affinity_list":[0,1,2,3]}'],
  ),
  ring(
    'cpu_saturated',
    {
      cpus: [0, 1, 2, 3].map((n) => cpu(n, { softirq: 80, task: 19 })),
      queues: [0, 1, 2, 3].map((n) => queue(n, n, { dropped: 12_500, ring_max: 511 })),
      tasks: [],
    },
    { devices: [device([0, 1, 2, 3])], apps: [] },
    /the 4 CPUs that poll eth0 can take no more.*No CPU is idle enough/,
    [],
  ),
  ring(
    'app_on_irq_cpu',
    {
      cpus: [cpu(0, { softirq: 52, ksoftirqd: 4, task: 44 }), cpu(1), cpu(2), cpu(3)],
      queues: [queue(0, 0, hot)],
      tasks: [task('sink', 0, 44e6)],
    },
    { apps: [app([0])] },
    /cpu0 shares its time between softirq \(56\.0 %\) and sink \(44\.0 %\)/,
    ['apps.sink.cpus=[1]'],
  ),
  ring(
    'rps_includes_irq_cpu',
    { cpus: lonely, queues: [queue(0, 0, hot)] },
    { devices: [device([0], { queues: rps([0, 1, 2, 3]) })] },
    /cpu0 takes the interrupts and is in rps_cpus too/,
    ['eth0.queues.rps_cpus=e'],
  ),
  ring(
    'ring_too_small',
    { queues: [queue(0, 0, { ...hot, ring_max: 511 })] },
    {},
    /too small for the bursts.*80\.0 % idle.*bursts of 3,000 frames/,
    ['eth0.rings.rx=4096'],
    openTraffic({ arrival: { kind: 'burst', count: 3000, everyPs: 1e10 } }),
  ),
  {
    rule: 'interrupt_livelock',
    document: result(
      hostResult({
        cpus: [cpu(0, { hardirq: 97, softirq: 2.9 }, { dropped: 30_000 }), cpu(1), cpu(2), cpu(3)],
        queues: [queue(0, 0, { ...hot, irqs: 60_000, polls: 0 })],
      }),
      [drop('rx_ring', 'NIC_RX_NO_BUFFER', 20_000), drop('enqueue_to_backlog', 'CPU_BACKLOG', 30_000)],
    ),
    plan: plan(hostPlan(4, { devices: [device([0], { driver: tulip })] }), [calm]),
    says: /livelock.*97\.0 % of its time in hard interrupts \(600 kirq\/s\).*30,000 of them at the backlog/,
    sets: ['eth0.driver=e1000'],
  },
  {
    rule: 'pcie_rate',
    document: result(hostResult({ queues: [queue(0, 0, { frames: 100_000, bytes: 150_000_000 })] }), [missed(40_000)]),
    plan: plan(hostPlan(4, { devices: [device([0], { pcieBitsPerSec: 12e9 })] }), [calm]),
    says: /bus of eth0 is the limit: 40,000 frames.*12\.2 Gbit\/s of the 12\.0 Gbit\/s/,
    sets: ['eth0.pcie=none'],
  },
]

const backlog = (cpus: HostResult['cpus'], rpsCpus: readonly number[], where = 'enqueue_to_backlog') => ({
  document: result(hostResult({ cpus }), [drop(where, 'CPU_BACKLOG', 40_000)]),
  plan: plan(hostPlan(4, { devices: [device([0], { queues: rps(rpsCpus) })], apps: [app([3])] }), [calm]),
})

const BACKLOG_CASES: readonly Case[] = [
  {
    rule: 'backlog_cpu_saturated',
    ...backlog(
      [cpu(0, { softirq: 60 }), cpu(1, full, { dropped: 40_000, input_qlen_max: 1001 }), cpu(2), cpu(3, { task: 20 })],
      [1],
    ),
    says: /netdev_max_backlog = 1,000 because cpu1.*99\.5 % busy.*only add latency/,
    sets: ['eth0.queues.rps_cpus=e'],
  },
  {
    rule: 'rps_target_is_irq_cpu',
    ...backlog([cpu(0, full, { dropped: 40_000, input_qlen_max: 1001 }), cpu(1), cpu(2), cpu(3)], [0, 1]),
    says: /takes the interrupts of eth0 and is an RPS target as well/,
    sets: ['eth0.queues.rps_cpus=2'],
  },
  {
    rule: 'backlog_too_short',
    ...backlog(
      [cpu(0, { softirq: 30 }), cpu(1, { softirq: 35 }, { dropped: 40_000, input_qlen_max: 1001 }), cpu(2), cpu(3)],
      [1],
    ),
    says: /in bursts: the CPU is not busy on average.*35\.0 % busy.*reached 1,001/,
    sets: ['net.core.netdev_max_backlog=2048'],
  },
  {
    rule: 'flow_limit',
    ...backlog(
      [cpu(0, { softirq: 30 }), cpu(1, full, { dropped: 40_000, flow_limit_count: 40_000 }), cpu(2), cpu(3)],
      [1],
      'skb_flow_limit',
    ),
    says: /flow limit dropped 40,000 of 40,000/,
    sets: [],
  },
]

const rcvbuf = (result_: Parameters<typeof hostResult>[0], host: Partial<HostPlan>) => ({
  document: result(
    hostResult({ sockets: [socket({ drops: 30_000, rmem_max_used: 213_000 })], rcvbufErrors: 30_000, ...result_ }),
    [drop('udp_queue_rcv_one_skb', 'SOCKET_RCVBUFF', 30_000)],
  ),
  plan: plan(hostPlan(4, host), [calm]),
})

const SOCKET_CASES: readonly Case[] = [
  {
    rule: 'cpu_shared',
    ...rcvbuf(
      {
        cpus: [cpu(0, { softirq: 40 }), cpu(1, { task: 100 }), cpu(2), cpu(3)],
        tasks: [task('sink', 1, 2e6), task('batch', 1, 98e6)],
      },
      { apps: [app([1]), { ...app([1]), name: 'batch', kind: 'spin', sockets: [] }] },
    ),
    says: /sink waits for its CPU: on cpu1 batch has 98\.0 % of the time and sink 2\.0 %/,
    sets: ['apps.sink.cpus=[2]'],
  },
  {
    rule: 'app_starved',
    ...rcvbuf(
      { cpus: [cpu(0, { softirq: 88, task: 12 }), cpu(1), cpu(2), cpu(3)], tasks: [task('sink', 0, 12e6)] },
      { apps: [app([0])] },
    ),
    says: /softirq starves the program: on cpu0 the kernel takes 88\.0 % of the time and leaves sink 12\.0 %/,
    sets: ['apps.sink.cpus=[1]'],
  },
  {
    rule: 'app_too_slow',
    ...rcvbuf(
      {
        cpus: [cpu(0, { softirq: 40 }), cpu(1), cpu(2, { hardirq: 0.5, task: 99.5 }), cpu(3)],
        tasks: [task('sink', 2, 99.5e6, { messages: 70_000, syscalls: 70_000 })],
      },
      {},
    ),
    says: /reads too slowly: it has 99\.5 % of cpu2.*costs it 1\.42 µs \(1\.00 system calls each, 200 ns.*703,518 messages/,
    sets: ['apps.sink.cpus=[1,2]', 'apps.sink.wait=recvmmsg'],
  },
  {
    rule: 'rcvbuf_too_small',
    ...rcvbuf({}, {}),
    says: /receive buffer is too small.*85\.0 % idle.*213,000 of 212,992/,
    sets: ['apps.sink.sockets.SO_RCVBUF=524288', 'net.core.rmem_max=524288'],
  },
  {
    rule: 'udp_memory',
    document: result(hostResult(), [drop('__udp_enqueue_schedule_skb', 'PROTO_MEM', 500)]),
    plan: plan(hostPlan(4), [calm]),
    says: /500 datagrams.*udp_mem \(3,000 pages\)/,
    sets: ['net.ipv4.udp_mem=[1000,2000,12000]'],
  },
]

const refused = (rule: string, where: string, reason: string, says: RegExp, sets: string[] = []): Case => ({
  rule,
  document: result(hostResult(), [drop(where, reason, 1234)]),
  plan: plan(hostPlan(4), [calm]),
  says,
  sets,
})

const PROTOCOL_CASES: readonly Case[] = [
  refused('wire_errors', 'wire', 'NIC_WIRE_ERROR', /1,234 frames \(1\.2 % of those offered\) arrived with a bad FCS/),
  refused('no_socket', '__udp4_lib_rcv', 'NO_SOCKET', /nobody reads/),
  refused('bad_checksum', 'ip_rcv_core', 'IP_CSUM', /IP_CSUM in ip_rcv_core/),
  refused('bad_header', 'ip_rcv_core', 'IP_INHDR', /malformed/),
  refused('other_host', 'ip_rcv_core', 'OTHERHOST', /another host/),
  refused('reverse_path', 'ip_rcv_finish_core', 'IP_RPFILTER', /reverse path/, ['net.ipv4.conf.all.rp_filter=2']),
  refused('bad_address', 'ip_error', 'IP_INADDRERRORS', /InAddrErrors/),
  refused('no_protocol', 'ip_local_deliver_finish', 'IP_NOPROTO', /InUnknownProtos/),
  refused('xdp_drop', 'do_xdp_generic', 'NOT_SPECIFIED', /XDP program/),
  refused('ntuple_drop', 'nic_ntuple', 'NIC_RX_MISSED', /ntuple rule with action -1/),
  refused('no_memory', '__alloc_skb', 'NOMEM', /no sk_buff/, ['hosts.server.skb-limit=2000000']),
]

const squeezed = (stat: Parameters<typeof cpu>[2]) => ({
  document: result(hostResult({ cpus: [cpu(0, { softirq: 60 }, stat), cpu(1), cpu(2, { task: 15 }), cpu(3)] })),
  plan: plan(hostPlan(4), [calm]),
})

const LOSSLESS_CASES: readonly Case[] = [
  {
    rule: 'time_squeeze',
    ...squeezed({ time_squeeze: 412, squeeze_budget: 400, squeeze_time: 12 }),
    says: /No packet was lost.*412 times of 5,100 runs.*400 by packets, 12 by time.*netdev_budget = 300.*no reason for alarm/,
    sets: ['net.core.netdev_budget=600'],
  },
  {
    rule: 'time_squeeze',
    ...squeezed({ time_squeeze: 31, squeeze_time: 31 }),
    says: /0 by packets, 31 by time, so netdev_budget_usecs = 8,000/,
    sets: ['net.core.netdev_budget_usecs=16000'],
  },
  {
    rule: 'run_queue',
    document: result(
      hostResult({
        cpus: [cpu(0, { softirq: 40 }), cpu(1, { task: 100 }), cpu(2), cpu(3)],
        tasks: [task('sink', 1, 2e6, { messages: 1000 }), task('batch', 1, 98e6)],
      }),
      [],
      latency(2_000_000),
    ),
    plan: plan(hostPlan(4, { apps: [app([1]), { ...app([1]), name: 'batch', kind: 'spin', sockets: [] }] }), [calm]),
    says: /waiting for cpu1: batch has 98\.0 % of it.*sink needs only 2\.0 % of the CPU/,
    sets: ['apps.sink.cpus=[2]'],
  },
  {
    rule: 'moderation',
    document: result(hostResult({ queues: [queue(0, 0, { irqs: 1000 })] }), [], latency(60_000)),
    plan: plan(hostPlan(4, { devices: [device([0], { rxUsecs: 100 })] }), [calm]),
    says: /interrupt moderation: rx-usecs = 100.*interrupts every 100 µs and brings 100\.0 frames/,
    sets: ['eth0.coalesce.rx-usecs=25'],
  },
  {
    rule: 'cstate_exit',
    document: result(
      hostResult({ cpus: [cpu(0, { hardirq: 30, softirq: 20 }, {}, { cstate_exit: 30e6 }), cpu(1), cpu(2), cpu(3)] }),
    ),
    plan: plan(hostPlan(4, { cstates: [{ name: 'C6', exitLatencyPs: 133e6, targetResidencyPs: 4e8 }] }), [calm]),
    says: /6\.00 µs of C-state exit per interrupt.*C6 takes 133 µs/,
    sets: ['hosts.server.cstates=none'],
  },
  {
    rule: 'queueing',
    document: result(
      hostResult({
        cpus: [cpu(0, { softirq: 93 }), cpu(1), cpu(2), cpu(3)],
        queues: [queue(0, 0, { packets_per_poll: 41.5, ring_max: 300 })],
      }),
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /waiting in queues.*cpu0 is 93\.0 % busy, a poll finds 41\.5 packets and the ring reached 300 of 512/,
    sets: [],
  },
  {
    rule: 'line_rate',
    document: result(hostResult()),
    plan: plan(hostPlan(4), [openTraffic({ arrival: { kind: 'constant', packetsPerSec: 20e6 } })]),
    says: /carries at most 14\.9 Mpps.*ask for 20\.0 Mpps \(13\.4 Gbit\/s.*134\.4 % of the link/,
    sets: ['eth0.link=15Gbit'],
  },
]

const CASES = [...RING_CASES, ...BACKLOG_CASES, ...SOCKET_CASES, ...PROTOCOL_CASES, ...LOSSLESS_CASES]

for (const [index, { rule, document, plan: from, says, sets }] of CASES.entries()) {
  test(`${rule} (${index}) is found, worded and answered`, () => {
    const verdict = diagnose(document, from)
    const lossless = document.packets.dropped === 0 && rule !== 'line_rate'
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
    const compiled = compileScenario(SCENARIO, { source: 'test', overrides })
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
