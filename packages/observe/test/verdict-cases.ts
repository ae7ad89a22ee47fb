import type {
  ConntrackResult,
  HostPlan,
  HostResult,
  NetfilterResult,
  NetnsResult,
  Plan,
  ResultDocument,
} from '@softnet/scenario'
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
  task,
  tulip,
} from './fixtures.js'
import { GROWING_CASES } from './growing-cases.js'

/** A finding: what leads to it and what is said and advised. */
export interface Case {
  readonly rule: string
  readonly document: ResultDocument
  readonly plan: Plan
  /** What the sentences must say. */
  readonly says: RegExp
  /** `--set` arguments, all of them. */
  readonly sets: readonly string[]
}

/** Frames lost in the packet buffer. */
export const missed = (count: number) => drop('nic_packet_buffer', 'NIC_RX_MISSED', count)
/** A CPU that softirqs fill. */
export const full = { softirq: 99.5 }
/** A queue that loses half of its frames. */
export const hot = { frames: 50_000, dropped: 50_000, ring_max: 511 }
/** A million packets per second, evenly. */
export const calm = openTraffic({ arrival: { kind: 'constant', packetsPerSec: 1e6 } })

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
/** Four CPUs of which the first is full. */
export const lonely = [cpu(0, full), cpu(1), cpu(2, { task: 15 }), cpu(3)]
const oneFlow = { ...flows, count: 1, saddrCount: 1, sportCount: 1 }
const sameAddresses = { ...flows, saddrCount: 1 }
/** One queue steered to the given CPUs. */
export const rps = (rpsCpus: readonly number[]) => [{ vectorIndex: 0, rpsCpus, rpsFlowCnt: 0 }]

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
    says: /500 datagrams.*first number of udp_mem \(1,000 pages\).*4,096 bytes.*beyond 3,000 pages none; no counter/,
    sets: ['net.ipv4.udp_mem=[4000,8000,12000]'],
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
  refused('qdisc_full', '__dev_xmit_skb', 'QDISC_OVERLIMIT', /queueing discipline/),
  refused('no_memory', '__alloc_skb', 'NOMEM', /no sk_buff/, ['hosts.server.skb-limit=2000000']),
]

const squeezed = (stat: Parameters<typeof cpu>[2]) => ({
  document: result(hostResult({ cpus: [cpu(0, { softirq: 60 }, stat), cpu(1), cpu(2, { task: 15 }), cpu(3)] })),
  plan: plan(hostPlan(4), [calm]),
})

/** Fragments refused on a host whose reassembly memory reached so much, with so many timeouts. */
const memoryFull = (memory: number): Pick<Case, 'document' | 'plan'> => {
  const base = hostResult()
  const init = base.netns.init as NonNullable<typeof base.netns.init>
  const snmp = { ...init.snmp, Ip: { ...init.snmp.Ip, ReasmTimeout: 500, ReasmOKs: 40 } }
  const sockstat = { FRAG: { inuse: 0, memory: 0, memory_max: memory } }
  const host = { ...base, netns: { init: { ...init, snmp, sockstat } } }
  return { document: result(host, [drop('ip_defrag', 'NOT_SPECIFIED', 1234)]), plan: plan(hostPlan(4), [calm]) }
}

const FRAGMENT_CASES: readonly Case[] = [
  {
    rule: 'fragment_memory',
    ...memoryFull(4_196_000),
    says: /1,234 fragments \(1\.2 % of the frames offered\).*filled ipfrag_high_thresh.*500 datagrams timed out after ipfrag_time = 30 s/,
    sets: ['net.ipv4.ipfrag_high_thresh=16777216', 'net.ipv4.ipfrag_time=1'],
  },
  { rule: 'fragment_contradiction', ...memoryFull(5000), says: /contradicted others of their datagram/, sets: [] },
  refused('fragment_timeout', 'ip_expire', 'FRAG_REASM_TIMEOUT', /waited 30 s for the rest, which never came/),
  refused('fragment_distance', 'inet_frag_rbtree_purge', 'FRAG_TOO_FAR', /more than ipfrag_max_dist \(64\)/, [
    'net.ipv4.ipfrag_max_dist=1024',
  ]),
  refused('fragment_duplicate', 'ip_defrag', 'DUP_FRAG', /were there already/),
]

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

/** One case per rule and remedy, and more where a rule has several. */
const rules = (perPacket: number, dropped: number): NetfilterResult => ({
  hook_packets: 1000,
  rules_evaluated: 1000 * perPacket,
  tables: [
    {
      family: 'ip',
      name: 't',
      sets: [],
      chains: [
        {
          name: 'i',
          base: 'type filter hook input priority filter; policy drop;',
          rules: [
            { handle: 4, line: 3, text: 'udp dport 5000 drop', packets: dropped, dropped },
            { handle: 5, line: 4, text: 'udp dport 53 accept', packets: 10, dropped: 0 },
          ],
          policy: { packets: 20, dropped: 20 },
        },
      ],
    },
  ],
})
const withRules = (netfilter: NetfilterResult, change: Parameters<typeof hostResult>[0] = {}): HostResult => {
  const host = hostResult(change)
  return { ...host, netns: { init: { ...(host.netns.init as NetnsResult), netfilter } } }
}
const full4k: ConntrackResult = {
  count: 4096,
  max: 4096,
  buckets: 262_144,
  stat: [
    {
      entries: 4096,
      clashres: 0,
      found: 0,
      invalid: 0,
      chainlength: 0,
      insert_failed: 0,
      drop: 700,
      early_drop: 12,
      icmp_error: 0,
    },
  ],
  entries: [],
}
const inRules = { nft_do_chain: 60e6, ip_rcv: 20e6 }

const NETFILTER_CASES: readonly Case[] = [
  {
    rule: 'dropped_by_rule',
    document: result(withRules(rules(2, 900)), [drop('nft_do_chain', 'NETFILTER_DROP', 920)]),
    plan: plan(hostPlan(4), [calm]),
    says: /920 frames.*dropped by netfilter, 900 of them by rule `udp dport 5000 drop` \(handle 4, chain i of table ip t\).*Next is the policy of chain i.* with 20/,
    sets: [],
  },
  {
    rule: 'conntrack_full',
    document: result(withRules({ ...rules(2, 0), conntrack: full4k }), [drop('nf_hook_slow', 'NETFILTER_DROP', 700)]),
    plan: plan(hostPlan(4), [calm]),
    says: /700 frames.*no room for: it tracks 4,096 and may track 4,096.*12 connections were evicted/,
    sets: ['net.netfilter.nf_conntrack_max=32768'],
  },
  {
    rule: 'long_ruleset',
    document: result(
      withRules(rules(800, 0), {
        cpus: [cpu(0, { softirq: 99.5 }, {}, inRules), cpu(1), cpu(2), cpu(3)],
        queues: [queue(0, 0, hot)],
      }),
      [missed(50_000)],
    ),
    plan: plan(hostPlan(4), [calm]),
    says: /50,000 frames found no descriptor: each packet is compared with 800 rules, which takes 60\.0 µs and 75\.0 % of the busy time of cpu0.*800,000 rules for 1,000 packets.*verdict map/,
    sets: ['eth0.queues.rps_cpus=a'],
  },
]

export const CASES: readonly Case[] = [
  ...NETFILTER_CASES,
  ...RING_CASES,
  ...BACKLOG_CASES,
  ...SOCKET_CASES,
  ...PROTOCOL_CASES,
  ...FRAGMENT_CASES,
  ...LOSSLESS_CASES,
  ...GROWING_CASES,
]
