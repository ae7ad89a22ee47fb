import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { faultsOf, full, planOf, smallest, warningsOf, withValues } from './scenarios.js'

const test = suite('faults')

type Values = Readonly<Record<string, unknown>>
type Row = readonly [name: string, values: Values, path: string, accepted: RegExp, nearest?: string | null]

const server = 'hosts.server'
const eth0 = `${server}.devices.eth0`
const sink = `${server}.apps.sink`

/** Each is the smallest scenario with values that make exactly one fault. */
const FAULTS: readonly Row[] = [
  ['duration without unit', { duration: 50 }, 'duration', /a time with unit/],
  ['duration beyond 2.5 hours', { duration: '9001s' }, 'duration', /2\.5 hours/],
  ['duration zero', { duration: 0 }, 'duration', /above 0/],
  ['warmup as long as the run', { duration: '1ms', warmup: '1ms' }, 'warmup', /less than the duration/],
  ['unknown profile', { profile: 'modern-sever' }, 'profile', /one of xeon/, 'modern-server'],
  ['unknown kernel', { kernel: '5.10' }, 'kernel', /"6\.18"/],
  ['seed below 0', { seed: -1 }, 'seed', /0 to 4294967295/],
  ['seed with a fraction', { seed: 1.5 }, 'seed', /an integer/],
  ['hz', { hz: 200 }, `${server}.hz`, /100, 250, 300, 1000/],
  ['no CPUs', { 'server.cpus': 0 }, `${server}.cpus`, /1 to 8192/],
  ['more CPUs than the limit', { 'server.cpus': 2000 }, `${server}.cpus`, /limits\.cpus-per-host/],
  [
    'threads that do not divide',
    { 'server.cpus': { count: 5, 'threads-per-core': 2 } },
    `${server}.cpus.threads-per-core`,
    /divisor of the 5/,
  ],
  [
    'nodes that do not divide',
    { 'server.cpus': { count: 4, 'numa-nodes': 3 } },
    `${server}.cpus.numa-nodes`,
    /divisor/,
  ],
  [
    'caches that do not divide',
    { 'server.cpus': { count: 4, 'llc-per-node': 3 } },
    `${server}.cpus.llc-per-node`,
    /divisor/,
  ],
  [
    'budget_usecs below two jiffies',
    { 'net.core.netdev_budget_usecs': 100 },
    `${server}.sysctl.net.core.netdev_budget_usecs`,
    /8000/,
  ],
  [
    'flow_limit_table_len',
    { 'net.core.flow_limit_table_len': 100 },
    `${server}.sysctl.net.core.flow_limit_table_len`,
    /power of two/,
  ],
  [
    'flow limit of a CPU that does not exist',
    { 'net.core.flow_limit_cpu_bitmap': 'ff' },
    `${server}.sysctl.net.core.flow_limit_cpu_bitmap`,
    /no CPU 4-7/,
  ],
  ['udp_mem out of order', { 'net.ipv4.udp_mem': [3, 2, 1] }, `${server}.sysctl.net.ipv4.udp_mem`, /ascending/],
  [
    'reserve beyond the limit',
    { 'server.skb-limit': 10, 'server.pfmemalloc-reserve': 10 },
    `${server}.pfmemalloc-reserve`,
    /skb-limit/,
  ],
  ['small head on 4.14', { kernel: '4.14', 'server.small-head': 576 }, `${server}.small-head`, /no small-head/],
  ['tap of an unknown device', { 'server.taps': ['eth1'] }, `${server}.taps[0]`, /eth0/, 'eth0'],
  ['raw protocol twice', { 'server.raw-protocols': [1, 1] }, `${server}.raw-protocols[1]`, /once/],
  ['unknown driver', { 'eth0.driver': 'ixgb' }, `${eth0}.driver`, /virtio_net/, 'ixgbe'],
  ['bad address', { 'eth0.address': '192.0.2.300/24' }, `${eth0}.address`, /IPv4/],
  ['address twice', { 'eth0.address': ['192.0.2.1/24', '192.0.2.1/25'] }, `${eth0}.address[1]`, /once/],
  ['group MAC', { 'eth0.mac': '01:00:5e:00:00:01' }, `${eth0}.mac`, /first byte even/],
  ['ring below the driver’s range', { 'rings.rx': 16 }, `${eth0}.rings.rx`, /64 to 4096 for ixgbe/],
  ['ring above the driver’s range', { 'rings.rx': 8192 }, `${eth0}.rings.rx`, /64 to 4096 for ixgbe/],
  ['ring NaN', { 'rings.rx': '512k' }, `${eth0}.rings.rx`, /an integer/],
  ['queues above the CPUs', { 'channels.combined': 8 }, `${eth0}.channels.combined`, /1 to 4/],
  [
    'queues above the driver',
    { 'eth0.driver': 'e1000e', 'channels.combined': 2 },
    `${eth0}.channels.combined`,
    /1 to 1 for e1000e/,
  ],
  ['vectors above the queues', { 'irq.vectors': 9 }, `${eth0}.irq.vectors`, /1 to 4/],
  [
    'affinity to a CPU that does not exist',
    { 'irq.smp_affinity': [[0], [1], [2], [7]] },
    `${eth0}.irq.smp_affinity[3]`,
    /no CPU 7/,
  ],
  ['affinity mask beyond the CPUs', { 'irq.smp_affinity': 'f0' }, `${eth0}.irq.smp_affinity`, /no CPU 4-7/],
  ['empty affinity', { 'irq.smp_affinity': ['0', '1', '1', '1'] }, `${eth0}.irq.smp_affinity[0]`, /at least one/],
  [
    'affinity for too few vectors',
    { 'irq.smp_affinity': [[0]] },
    `${eth0}.irq.smp_affinity`,
    /4 entries, one per vector/,
  ],
  [
    'affinity given twice',
    { 'irq.smp_affinity': '1', 'irq.smp_affinity_list': ['0'] },
    `${eth0}.irq.smp_affinity_list`,
    /only one/,
  ],
  ['rps mask beyond the CPUs', { 'queues.rps_cpus': '10' }, `${eth0}.queues.rps_cpus`, /no CPU 4/],
  ['rps mask as a number that YAML has read', { 'queues.rps_cpus': 10 }, `${eth0}.queues.rps_cpus`, /in quotes/],
  ['queue list of the wrong length', { 'eth0.queues': [{}] }, `${eth0}.queues`, /4 entries, one per queue/],
  ['indirection to a missing queue', { 'rxfh.indir': [0, 9] }, `${eth0}.rxfh.indir[1]`, /0 to 3/],
  ['indirection of odd length', { 'rxfh.indir': [0, 1, 2] }, `${eth0}.rxfh.indir`, /128 entries/],
  ['equal above the queues', { 'rxfh.equal': 5 }, `${eth0}.rxfh.equal`, /1 to 4/],
  ['all weights 0', { 'rxfh.weight': [0, 0] }, `${eth0}.rxfh.weight`, /above 0/],
  ['two kinds of spreading', { 'rxfh.equal': 2, 'rxfh.weight': [1, 1] }, `${eth0}.rxfh`, /only one of/],
  ['short key', { 'rxfh.hkey': '6d:5a' }, `${eth0}.rxfh.hkey`, /40 bytes/],
  ['RSS where there is none', { 'eth0.driver': 'e1000e', 'rxfh.equal': 1 }, `${eth0}.rxfh`, /no receive-side scaling/],
  [
    'rule to a missing queue',
    { 'eth0.ntuple': [{ 'flow-type': 'udp4', action: 4 }] },
    `${eth0}.ntuple[0].action`,
    /0 to 3/,
  ],
  [
    'rules while ntuple is off',
    { 'eth0.ntuple': [{ 'flow-type': 'udp4', action: 0 }], 'features.ntuple': 'off' },
    `${eth0}.features.ntuple`,
    /on/,
  ],
  [
    'rules of a card without',
    { 'eth0.driver': 'e1000e', 'eth0.ntuple': [{ 'flow-type': 'udp4', action: 0 }] },
    `${eth0}.ntuple`,
    /e1000e/,
  ],
  [
    'moderation both 0',
    { 'eth0.driver': 'mlx5', 'coalesce.rx-usecs': 0, 'coalesce.rx-frames': 0 },
    `${eth0}.coalesce`,
    /above 0/,
  ],
  ['rx-frames of Intel', { 'coalesce.rx-frames': 8 }, `${eth0}.coalesce.rx-frames`, /ixgbe/],
  [
    'adaptive where there is none',
    { 'eth0.driver': 'e1000', 'coalesce.adaptive-rx': 'on' },
    `${eth0}.coalesce.adaptive-rx`,
    /off/,
  ],
  ['cqe mode of Intel', { 'coalesce.cqe-mode-rx': 'on' }, `${eth0}.coalesce.cqe-mode-rx`, /off/],
  ['negative time', { 'eth0.gro_flush_timeout': -1 }, `${eth0}.gro_flush_timeout`, /an integer in ns/],
  ['threads without NAPI', { 'eth0.driver': 'tulip', 'eth0.threaded': 1 }, `${eth0}.threaded`, /no NAPI/],
  ['native XDP without', { 'eth0.driver': 'e1000e', 'eth0.xdp': { mode: 'native' } }, `${eth0}.xdp.mode`, /generic/],
  ['native XDP with jumbo frames', { 'eth0.xdp': { mode: 'native' }, 'eth0.mtu': 9000 }, `${eth0}.mtu`, /native XDP/],
  ['node that does not exist', { 'eth0.numa-node': 1 }, `${eth0}.numa-node`, /one node/],
  ['packet buffer below a frame', { 'eth0.packet-buffer': '1KiB' }, `${eth0}.packet-buffer`, /1518/],
  ['VLAN id', { 'eth0.vlans': [4095] }, `${eth0}.vlans[0]`, /1 to 4094/],
  ['task on a CPU that does not exist', { 'sink.cpus': [0, 4] }, `${sink}.cpus[1]`, /CPUs 0 to 3/],
  ['task list as text', { 'sink.cpus': '0-9' }, `${sink}.cpus`, /no CPU 4-9/],
  ['unknown wait', { 'sink.wait': 'epol_wait' }, `${sink}.wait`, /recvmmsg/, 'epoll_wait'],
  [
    'unknown kind of program',
    { 'sink.kind': 'udp_ecco' },
    `${sink}.kind`,
    /udp_sink, udp_echo, udp_sender, udp_client, ping, packet_capture, spin/,
    'udp_echo',
  ],
  [
    'same address without reuseport',
    { 'sink.sockets': [{ bind: 9000 }, { bind: 9000 }] },
    `${sink}.sockets[1].bind`,
    /EADDRINUSE/,
  ],
  [
    'any address and a given one',
    { 'sink.sockets': [{ bind: 9000 }, { bind: '192.0.2.1:9000' }] },
    `${sink}.sockets[1].bind`,
    /EADDRINUSE/,
  ],
  [
    'reuseport against reuseaddr',
    {
      'sink.sockets': [
        { bind: 9000, reuseport: 1 },
        { bind: 9000, reuseaddr: 1 },
      ],
    },
    `${sink}.sockets[1].bind`,
    /EADDRINUSE/,
  ],
  [
    'reuseport off',
    { 'sink.cpus': [0, 1], 'sink.sockets': { 'port-step': 0, reuseport: 'off' } },
    `${sink}.sockets.bind`,
    /EADDRINUSE/,
  ],
  [
    'filter that loads what one way through it has not stored',
    {
      'sink.sockets.SO_ATTACH_FILTER': [
        [0x30, 0, 0, 0],
        [0x15, 1, 0, 7],
        [0x02, 0, 0, 3],
        [0x60, 0, 0, 3],
        [0x16, 0, 0, 0],
      ],
    },
    `${sink}.sockets.SO_ATTACH_FILTER`,
    /instruction 3: a memory word that was stored before/,
  ],
  ['address that is not local', { 'sink.sockets.bind': '192.0.2.9:9000' }, `${sink}.sockets.bind`, /EADDRNOTAVAIL/],
  [
    'ports beyond 65535',
    { 'sink.sockets.bind': 65_000, 'sink.sockets.count': 1000 },
    `${sink}.sockets.count`,
    /room for 536/,
  ],
  [
    'more sockets than the limit',
    { 'sink.sockets.count': 300_000, 'sink.sockets.port-count': 1 },
    `${sink}.sockets.count`,
    /limits\.sockets-per-host/,
  ],
  [
    'device of SO_BINDTODEVICE',
    { 'sink.sockets.SO_BINDTODEVICE': 'eth9' },
    `${sink}.sockets.SO_BINDTODEVICE`,
    /eth0/,
    'eth0',
  ],
  ['CPU of SO_INCOMING_CPU', { 'sink.sockets.SO_INCOMING_CPU': 4 }, `${sink}.sockets.SO_INCOMING_CPU`, /0 to 3/],
  [
    'two receive buffers',
    { 'sink.sockets.SO_RCVBUF': 4096, 'sink.sockets.SO_RCVBUFFORCE': 4096 },
    `${sink}.sockets.SO_RCVBUFFORCE`,
    /only one/,
  ],
  ['socket of a missing task', { 'sink.sockets.tasks': [1] }, `${sink}.sockets.tasks[0]`, /0 to 0/],
  ['unknown host', { 'load.to': 'sever/eth0' }, 'traffic.load.to', /server\/eth0/, 'server/eth0'],
  ['unknown device', { 'load.to': 'eth00' }, 'traffic.load.to', /server\/eth0/, 'eth0'],
  ['rate 0', { 'load.rate': 0 }, 'traffic.load.rate', /above 0/],
  ['rate in time', { 'load.rate': '4ms' }, 'traffic.load.rate', /Mpps/],
  ['rate that is not a number', { 'load.rate': 'NaN' }, 'traffic.load.rate', /Mpps/],
  ['huge rate', { 'load.rate': 1e300 }, 'traffic.load.rate', /2 Gpps/],
  ['frame below 64', { 'load.frame': 60 }, 'traffic.load.frame', /from 64/],
  ['frame above the MTU', { 'load.frame': 1519 }, 'traffic.load.frame', /64 to 1518/],
  [
    'weighted frame above the MTU',
    { 'load.frame': [{ bytes: 9000, weight: 1 }] },
    'traffic.load.frame[0].bytes',
    /64 to 1518/,
  ],
  ['ramp from 0 to 0', { 'load.pattern': 'ramp', 'load.rate-to': 0 }, 'traffic.load.rate-to', /above 0/],
  ['stop before start', { 'load.start': '2ms', 'load.stop': '1ms' }, 'traffic.load.stop', /after start/],
  [
    'ports beyond the end',
    { 'load.flows.dport': 65_535, 'load.flows.dport-count': 2 },
    'traffic.load.flows.dport-count',
    /end at 65535/,
  ],
  [
    'more flows than the limit',
    { 'limits.flows': 10, 'load.flows.count': 11 },
    'traffic.load.flows.count',
    /limits\.flows/,
  ],
  ['Zipf exponent', { 'load.flows.zipf-exponent': 5 }, 'traffic.load.flows.zipf-exponent', /0\.01 to 4/],
  [
    'capture without a reader',
    { traffic: { load: { kind: 'replay', capture: 'x.pcap' } } },
    'traffic.load.capture',
    /captures can only/,
  ],
  ['limit out of range', { 'limits.mailbox-slots': 1 }, 'limits.mailbox-slots', /64 to/],
]

for (const [name, values, path, accepted, nearest] of FAULTS) {
  test(name, () => {
    const faults = faultsOf(withValues(smallest(), values))
    assert.equal(
      faults.map((fault) => fault.path),
      [path],
    )
    assert.match(faults[0]?.accepted ?? '', accepted)
    if (nearest !== undefined) assert.is(faults[0]?.nearest, nearest)
  })
}

const UNKNOWN_KEYS: readonly (readonly [object, string, string | null])[] = [
  [{ nmae: 'x' }, 'nmae', 'name'],
  [{ limits: { mailbox_slots: 64 } }, 'limits.mailbox_slots', 'mailbox-slots'],
  [{ zzzzzz: 1 }, 'zzzzzz', null],
]

for (const [more, path, nearest] of UNKNOWN_KEYS) {
  test(`unknown key ${path}`, () => {
    const faults = faultsOf({ ...smallest(), ...more })
    assert.is(faults.length, 1)
    assert.is(faults[0]?.path, path)
    assert.is(faults[0]?.nearest, nearest)
  })
}

test('unknown keys inside a host name the nearest', () => {
  const input = structuredClone(smallest()) as unknown as { hosts: { server: Record<string, unknown> } }
  input.hosts.server.sysctls = {}
  input.hosts.server.sysctl = { 'net.core.netdev_budge': 1, netdev_max_backlog: 5 }
  const faults = faultsOf(input)
  assert.equal(
    faults.map((fault) => [fault.path, fault.nearest]),
    [
      ['hosts.server.sysctl.net.core.netdev_budge', 'net.core.netdev_budget'],
      ['hosts.server.sysctl.netdev_max_backlog', 'net.core.netdev_max_backlog'],
      ['hosts.server.sysctls', 'sysctl'],
    ],
  )
})

test('two devices or hosts must not share addresses', () => {
  const input = full()
  input.hosts.server = {
    ...input.hosts.server,
    devices: {
      eth0: { address: '192.0.2.1/24', mac: '02:00:00:00:00:09' },
      eth1: { address: '192.0.2.1/24', mac: '02:00:00:00:00:09' },
    },
  } as (typeof input.hosts)[string]
  assert.equal(
    faultsOf(input).map((fault) => fault.path),
    ['hosts.server.devices.eth1.address', 'hosts.server.devices.eth1.mac'],
  )
})

test('all faults are found at once: of spelling, of value and of meaning', () => {
  const input = {
    nme: 'x',
    duration: '1 parsec',
    hosts: {
      server: {
        cpus: 4,
        devices: { eth0: { driver: 'ixgb', rings: { rx: 9 }, irq: { smp_affinity: [[9], [0], [1], [2]] } } },
        apps: { sink: { cpus: [7], sockets: { bind: '10.9.9.9:80' } } },
      },
    },
    traffic: { load: { to: 'server/eth1', rate: -4 }, other: { kind: 'opne' } },
  }
  assert.equal(
    faultsOf(input)
      .map((fault) => fault.path)
      .sort(),
    [
      'duration',
      'hosts.server.apps.sink.cpus[0]',
      'hosts.server.apps.sink.sockets.bind',
      'hosts.server.devices.eth0.driver',
      'hosts.server.devices.eth0.irq.smp_affinity[0]',
      'hosts.server.devices.eth0.rings.rx',
      'nme',
      'traffic.load.rate',
      'traffic.load.to',
      'traffic.other.kind',
    ],
  )
})

test('one fault does not make others out of what depends on it', () => {
  const input = structuredClone(full()) as unknown as { hosts: Record<string, { devices: Record<string, unknown> }> }
  ;(input.hosts.server as { devices: Record<string, unknown> }).devices.eth1 = 'mlx5'
  assert.equal(
    faultsOf(input).map((fault) => fault.path),
    ['hosts.server.devices.eth1'],
  )
})

const HOSTILE: readonly (readonly [string, () => unknown, RegExp])[] = [
  ['null', () => null, /object with keys/],
  ['text', () => 'four-cpus', /object with keys/],
  ['a list', () => [], /object with keys/],
  ['a number', () => 5, /object with keys/],
  ['nothing', () => undefined, /object with keys/],
  ['a function', () => () => 1, /plain data/],
  ['a big integer', () => ({ ...smallest(), seed: 1n }), /plain data/],
  ['a class instance', () => ({ ...smallest(), hosts: new Map() }), /plain object/],
  ['a date', () => ({ ...smallest(), name: new Date(0) }), /plain object/],
  ['NaN', () => ({ ...smallest(), seed: Number.NaN }), /finite/],
  ['infinity', () => ({ ...smallest(), seed: Number.POSITIVE_INFINITY }), /finite/],
  ['__proto__', () => JSON.parse('{"__proto__":{"a":1},"hosts":{},"traffic":{}}'), /__proto__/],
  ['constructor', () => JSON.parse('{"constructor":{"prototype":{}},"hosts":{},"traffic":{}}'), /__proto__/],
  ['a huge sparse list', () => ({ ...smallest(), hosts: new Array(4e9) }), /at most/],
  ['an empty host list', () => ({ hosts: {}, traffic: {} }), /at least one/],
]

for (const [name, make, accepted] of HOSTILE) {
  test(`hostile input: ${name}`, () => {
    const faults = faultsOf(make())
    assert.ok(faults.length > 0)
    assert.ok(
      faults.some((fault) => accepted.test(fault.accepted)),
      JSON.stringify(faults),
    )
    assert.is(({} as Record<string, unknown>).a, undefined)
  })
}

test('a cycle, a deep object and an object that throws are faults', () => {
  const cyclic: Record<string, unknown> = { ...smallest() }
  cyclic.limits = cyclic
  assert.match(faultsOf(cyclic)[0]?.given as string, /cycle/)
  let deep: unknown = 1
  for (let level = 0; level < 10_000; level++) deep = { a: deep }
  assert.ok(faultsOf({ ...smallest(), limits: deep }).some((fault) => /levels/.test(fault.accepted)))
  const throwing = Object.defineProperty({}, 'hosts', {
    enumerable: true,
    get: () => {
      throw new Error('no')
    },
  })
  assert.ok(faultsOf(throwing).length > 0)
})

test('an expansion bomb ends', () => {
  let bomb: unknown = ['x']
  for (let level = 0; level < 25; level++) bomb = [bomb, bomb]
  assert.ok(faultsOf({ ...smallest(), hosts: bomb }).length > 0)
})

const WARNINGS: readonly (readonly [string, Values, RegExp | null])[] = [
  ['none', {}, null],
  ['defer without timeout', { 'eth0.napi_defer_hard_irqs': 2 }, /without gro_flush_timeout/],
  ['timeout without defer', { 'eth0.gro_flush_timeout': 20_000 }, /without napi_defer_hard_irqs/],
  ['both', { 'eth0.gro_flush_timeout': 20_000, 'eth0.napi_defer_hard_irqs': 2 }, null],
  ['deferral on 4.14', { kernel: '4.14', 'eth0.napi_defer_hard_irqs': 2 }, /4\.14 has no such/],
  ['more than the link', { 'load.rate': '20Mpps' }, /link carries: 14880952/],
  ['SO_RCVBUF above rmem_max', { kernel: '6.5', 'sink.sockets.SO_RCVBUF': 1_000_000 }, /rmem_max, 212992/],
  ['key of another pattern', { 'load.on': '1ms' }, /no effect with pattern: constant/],
  ['batch of recvfrom', { 'sink.wait': 'recvfrom', 'sink.batch': 8 }, /recvfrom/],
  ['traffic for someone else', { 'load.flows.dst': '203.0.113.1' }, /not an address of server/],
  ['flows that repeat', { 'load.flows.count': 16, 'load.flows.sport-count': 4 }, /4 different flows/],
  ['VLAN without device', { 'load.vlan': 7 }, /no VLAN device 7/],
]

for (const [name, values, expected] of WARNINGS) {
  test(`warning: ${name}`, () => {
    const warnings = warningsOf(withValues(smallest(), values))
    assert.is(warnings.length, expected === null ? 0 : 1, warnings.join('\n'))
    if (expected !== null) assert.match(warnings[0] ?? '', expected)
  })
}

test('settings that a version does not have are not in its plan', () => {
  const plan = planOf(withValues(smallest(), { kernel: '4.14', 'eth0.napi_defer_hard_irqs': 2, 'eth0.threaded': 'on' }))
  assert.is(plan.hosts[0]?.devices[0]?.napiDeferHardIrqs, 0)
  assert.is(plan.hosts[0]?.devices[0]?.threaded, false)
})

test('the full scenario is sound', () => {
  assert.equal(faultsOf(full()), [])
})

test.run()
