import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { defaultSysctl } from '../src/compile/default-sysctl.js'
import { DRIVER_HARDWARE, DRIVER_NAMES, DRIVER_PROFILES, driverProfile } from '../src/drivers.js'
import { compileScenario } from '../src/index.js'
import { LIMITS } from '../src/limits.js'
import type { KernelVersion, Plan } from '../src/plan.js'
import { PROFILE_NAMES } from '../src/profile-names.js'
import { COST_PROFILES } from '../src/profiles/index.js'
import { KERNEL_VERSION_NAMES, KERNEL_VERSIONS } from '../src/versions.js'
import { planOf, smallest, withValues } from './scenarios.js'

const test = suite('defaults')

const device = (plan: Plan) => plan.hosts[0]?.devices[0] as Plan['hosts'][0]['devices'][0]
const app = (plan: Plan) => plan.hosts[0]?.apps[0] as Plan['hosts'][0]['apps'][0]

test('sysctl defaults are those of Linux 6.18', () => {
  const sysctl = defaultSysctl(KERNEL_VERSIONS['6.18'], 250)
  assert.is(sysctl['net.core.netdev_budget'], 300)
  assert.is(sysctl['net.core.netdev_budget_usecs'], 8000)
  assert.is(sysctl['net.core.dev_weight'], 64)
  assert.is(sysctl['net.core.dev_weight_rx_bias'], 1)
  assert.is(sysctl['net.core.netdev_max_backlog'], 1000)
  assert.is(sysctl['net.core.rmem_default'], 212_992)
  assert.is(sysctl['net.core.rmem_max'], 4_194_304)
  assert.is(sysctl['net.core.rps_sock_flow_entries'], 0)
  assert.equal(sysctl['net.core.flow_limit_cpu_bitmap'], [])
  assert.is(sysctl['net.core.flow_limit_table_len'], 4096)
  assert.is(sysctl['net.core.busy_read'], 0)
  assert.is(sysctl['net.core.busy_poll'], 0)
  assert.is(sysctl['net.core.gro_normal_batch'], 8)
  assert.is(sysctl['net.core.skb_defer_max'], 64)
  assert.is(sysctl['net.core.netdev_tstamp_prequeue'], 1)
  assert.is(sysctl['net.ipv4.udp_rmem_min'], 4096)
  const [min, pressure, max] = sysctl['net.ipv4.udp_mem']
  assert.is(min, (pressure * 3) / 4)
  assert.is(max, pressure * 1.5)
})

test('netdev_budget_usecs is two jiffies', () => {
  const usecs = (hz: number) => defaultSysctl(KERNEL_VERSIONS['6.18'], hz)['net.core.netdev_budget_usecs']
  assert.equal([100, 250, 300, 1000].map(usecs), [20_000, 8000, 6666, 2000])
})

test('versions differ where Linux does', () => {
  const of = <K extends keyof (typeof KERNEL_VERSIONS)['6.18']>(key: K) =>
    KERNEL_VERSION_NAMES.map((name: KernelVersion) => KERNEL_VERSIONS[name][key])
  assert.equal(of('version'), ['4.14', '4.18', '5.1', '6.5', '6.18'])
  assert.equal(of('softirqInlineWhileKsoftirqd'), [false, false, false, true, true])
  assert.equal(of('inNetRxAction'), [false, false, false, true, true])
  assert.equal(of('groBuckets'), [1, 1, 8, 8, 8])
  assert.equal(of('groTotal'), [8, 8, 64, 64, 64])
  assert.equal(of('groNormalBatch'), [1, 1, 1, 8, 8])
  assert.equal(of('udpRcvbufRule'), ['overshoot', 'overshoot', 'overshoot', 'overshoot', 'exact'])
  assert.equal(of('udpProducerQueue'), [false, false, false, false, true])
  assert.equal(of('udpMemErrors'), [false, false, false, true, false])
  assert.equal(of('udpMemNeedOnly'), [false, false, false, true, true])
  assert.equal(of('udpMemPerCpu'), [false, false, false, true, true])
  assert.equal(of('backlogHeadPerPacket'), [true, true, true, true, false])
  assert.equal(of('rfsSlot'), ['mask', 'mask', 'mask', 'mask', 'hash_32'])
  assert.equal(of('softnetColumns'), [11, 11, 11, 15, 15])
  assert.equal(of('scheduler'), ['cfs', 'cfs', 'cfs', 'cfs', 'eevdf'])
  assert.equal(of('rmemMax'), [212_992, 212_992, 212_992, 212_992, 4_194_304])
  assert.equal(of('skbDeferMax'), [0, 0, 0, 64, 64])
  assert.equal(of('smallHeadBytes'), [0, 0, 0, 640, 576])
})

test('the smallest scenario gets a whole host', () => {
  const plan = planOf(smallest())
  assert.is(plan.name, 'test')
  assert.is(plan.kernel, '6.18')
  assert.is(plan.profile, 'xeon-e5-1650-v4')
  assert.is(plan.seed, 1)
  assert.is(plan.durationPs, 50e9)
  const host = plan.hosts[0] as Plan['hosts'][0]
  assert.is(host.hz, 250)
  assert.is(host.cpus.length, 4)
  assert.is(host.cpus[0]?.frequencyHz, COST_PROFILES.find((profile) => profile.name === plan.profile)?.frequencyHz)
  assert.is(host.smallHeadBytes, 576)
  const eth0 = device(plan)
  assert.is(eth0.driver.name, 'ixgbe')
  assert.equal(eth0.addresses, ['192.0.2.1/24'])
  assert.is(eth0.mac, '02:00:00:00:00:01')
  assert.is(eth0.linkBitsPerSec, 1e10)
  assert.is(eth0.rxRing, 512)
  assert.is(eth0.frameOverheadBytes, 20)
  assert.equal(
    eth0.vectors.map((vector) => vector.affinity),
    [[0], [1], [2], [3]],
  )
  assert.is(eth0.indirection.length, 128)
  assert.equal(eth0.indirection.slice(0, 5), [0, 1, 2, 3, 0])
  assert.equal(eth0.hashFields, { tcp4: 'sdfn', udp4: 'sd' })
  assert.is(app(plan).kind, 'udp_sink')
  assert.is(app(plan).wait, 'epoll_wait')
  assert.equal(app(plan).tasks, [[0, 1, 2, 3]])
  assert.equal(
    app(plan).sockets.map((socket) => [socket.address, socket.port]),
    [[0, 9000]],
  )
  const load = plan.traffic[0]
  assert.ok(load?.kind === 'open')
  assert.equal(load.arrival, { kind: 'constant', packetsPerSec: 1e6 })
  assert.equal(load.frame, { kind: 'fixed', bytes: 60 })
  assert.is(load.flows.daddr, 0xc0000201)
  assert.is(load.flows.saddr, 0xc6336401)
  assert.is(load.flows.dport, 9000)
  assert.is(load.stopPs, plan.durationPs)
})

test('every limit has a default within its range, and reaches the plan', () => {
  const plan = planOf({ ...smallest(), limits: { flows: 5 } })
  for (const limit of LIMITS) {
    assert.ok(limit.default >= limit.min && limit.default <= limit.max, limit.name)
    assert.ok(limit.reason.length > 10, limit.name)
    assert.is(plan.limits[limit.name], limit.name === 'flows' ? 5 : limit.default)
  }
})

test('profile names are those of the profiles', () => {
  assert.equal(
    COST_PROFILES.map((profile) => profile.name),
    PROFILE_NAMES,
  )
})

const RINGS: Readonly<Record<string, readonly [number, number]>> = {
  'e1000-old': [256, 4096],
  e1000: [256, 4096],
  e1000e: [256, 4096],
  igb: [256, 4096],
  ixgbe: [512, 4096],
  i40e: [512, 4096],
  mlx5: [1024, 8192],
  ena: [1024, 16_384],
  virtio_net: [256, 1024],
}

test('drivers have the rings of their sources', () => {
  for (const [name, [fallback, max]] of Object.entries(RINGS)) {
    assert.is(driverProfile(name)?.rxRingDefault, fallback, name)
    assert.is(driverProfile(name)?.rxRingMax, max, name)
  }
  const tables = ['igb', 'ixgbe', 'i40e', 'mlx5', 'ena', 'virtio_net'].map((name) => driverProfile(name)?.rssTableSize)
  assert.equal(tables, [128, 128, 512, 256, 128, 128])
  assert.is(driverProfile('mlx5')?.rxUsecsDefault, 3)
  assert.is(driverProfile('mlx5')?.rxFramesDefault, 32)
  assert.is(driverProfile('i40e')?.refillBatch, 32)
  assert.is(driverProfile('i40e')?.rxUsecsDefault, 50)
  assert.is(driverProfile('virtio_net')?.copybreakBytes, 128)
})

test('driver profiles are consistent', () => {
  for (const driver of DRIVER_PROFILES) {
    assert.ok(driver.rxRingMin <= driver.rxRingDefault && driver.rxRingDefault <= driver.rxRingMax, driver.name)
    assert.is(driver.interruptQuota > 0, driver.rxMode === 'non-napi', driver.name)
    assert.ok(driver.maxQueues === 1 || driver.rssTableSize > 0 || driver.virtual, driver.name)
    assert.ok(driver.source.length > 20, driver.name)
    assert.ok(DRIVER_HARDWARE[driver.name] !== undefined, driver.name)
    const scenario = withValues(smallest(), { 'eth0.driver': driver.name })
    if (driver.virtual) {
      const result = compileScenario(scenario, { source: 'test' })
      assert.equal(result.ok ? [] : result.errors.map((fault) => fault.path), ['traffic.load.to'], 'nobody sends to it')
      continue
    }
    assert.is(device(planOf(scenario)).driver.name, driver.name)
  }
})

const VALUES: readonly (readonly [string, Readonly<Record<string, unknown>>, (plan: Plan) => unknown, unknown])[] = [
  ['kernel as a number', { kernel: 6.5 }, (plan) => plan.kernel, '6.5'],
  [
    'rx ring of mlx5 is a power of two',
    { 'eth0.driver': 'mlx5', 'rings.rx': 600 },
    (plan) => device(plan).rxRing,
    1024,
  ],
  ['rx ring of ixgbe is a multiple of 8', { 'rings.rx': 601 }, (plan) => device(plan).rxRing, 608],
  [
    'rps_sock_flow_entries',
    { 'net.core.rps_sock_flow_entries': 1000 },
    (plan) => plan.hosts[0]?.sysctl['net.core.rps_sock_flow_entries'],
    1024,
  ],
  [
    'one mask for all vectors',
    { 'irq.smp_affinity': '3' },
    (plan) => device(plan).vectors.map((vector) => vector.affinity),
    [
      [0, 1],
      [0, 1],
      [0, 1],
      [0, 1],
    ],
  ],
  [
    'one vector for four queues',
    { 'irq.vectors': 'single' },
    (plan) => device(plan).queues.map((queue) => queue.vectorIndex),
    [0, 0, 0, 0],
  ],
  [
    'two vectors for four queues',
    { 'irq.vectors': 2 },
    (plan) => device(plan).queues.map((queue) => queue.vectorIndex),
    [0, 1, 0, 1],
  ],
  [
    'queues of one setting',
    { 'queues.rps_cpus': 'e', 'queues.rps_flow_cnt': 100 },
    (plan) => device(plan).queues[3],
    { vectorIndex: 3, rpsCpus: [1, 2, 3], rpsFlowCnt: 128 },
  ],
  [
    'indirection by weight runs like ethtool',
    { 'rxfh.weight': [1, 3] },
    (plan) => device(plan).indirection.filter((queue) => queue === 0).length,
    32,
  ],
  ['indirection repeated', { 'rxfh.indir': [3, 1] }, (plan) => device(plan).indirection.slice(0, 3), [3, 1, 3]],
  [
    'rx-usecs by hand ends adaptive',
    { 'coalesce.rx-usecs': 50 },
    (plan) => [device(plan).rxUsecs, device(plan).adaptiveRx],
    [50, false],
  ],
  [
    'mlx5 counts from the completion',
    { 'eth0.driver': 'mlx5' },
    (plan) => [device(plan).driver.moderation, device(plan).rxUsecs],
    ['cqe', 3],
  ],
  [
    'cqe mode off',
    { 'eth0.driver': 'mlx5', 'coalesce.cqe-mode-rx': 'off' },
    (plan) => [device(plan).driver.moderation, device(plan).rxUsecs],
    ['eqe', 16],
  ],
  [
    '4.14 has eight queues at most',
    { kernel: '4.14', 'hosts.server.cpus': 16 },
    (plan) => device(plan).queues.length,
    8,
  ],
  [
    'frame with FCS',
    { 'load.frame': 1518 },
    (plan) => (plan.traffic[0] as { frame: unknown }).frame,
    { kind: 'fixed', bytes: 1514 },
  ],
  [
    'rate in bits',
    { 'load.rate': '80Mbit', 'load.frame': 1500 },
    (plan) => Math.round((plan.traffic[0] as unknown as { arrival: { packetsPerSec: number } }).arrival.packetsPerSec),
    6667,
  ],
  [
    'a socket per task shares its port',
    { 'sink.cpus': [0, 1] },
    (plan) => app(plan).sockets.map((socket) => [socket.taskIndex, socket.port, socket.reuseport]),
    [
      [0, 9000, true],
      [1, 9000, true],
    ],
  ],
  [
    'counted sockets have ports of their own',
    { 'sink.sockets.count': 3 },
    (plan) => app(plan).sockets.map((socket) => [socket.taskIndex, socket.port, socket.reuseport]),
    [
      [0, 9000, false],
      [0, 9001, false],
      [0, 9002, false],
    ],
  ],
  [
    'sockets read by given tasks',
    { 'sink.cpus': [0, 1], 'sink.sockets.count': 4, 'sink.sockets.tasks': [1, 0, 0] },
    (plan) => app(plan).sockets.map((socket) => socket.taskIndex),
    [1, 0, 0, 1],
  ],
  [
    'shared sockets',
    { 'sink.cpus': [0, 1], 'sink.sockets.shared': 'on' },
    (plan) => app(plan).sockets.map((socket) => socket.taskIndex),
    [-1],
  ],
  [
    'busy_read is the default of SO_BUSY_POLL',
    { 'net.core.busy_read': 50 },
    (plan) => app(plan).sockets[0]?.soBusyPollUsecs,
    50,
  ],
  ['cstates none', { cstates: 'none' }, (plan) => plan.hosts[0]?.cstates, []],
  [
    'arfs',
    {
      'eth0.driver': 'mlx5',
      'features.ntuple': 'on',
      'net.core.rps_sock_flow_entries': 64,
      'queues.rps_flow_cnt': 64,
    },
    (plan) => device(plan).arfs,
    true,
  ],
  [
    'no arfs where the driver has no ndo_rx_flow_steer',
    {
      'eth0.driver': 'ixgbe',
      'features.ntuple': 'on',
      'net.core.rps_sock_flow_entries': 64,
      'queues.rps_flow_cnt': 64,
    },
    (plan) => device(plan).arfs,
    false,
  ],
  [
    'gro_flush_timeout with unit',
    { 'eth0.gro_flush_timeout': '20us' },
    (plan) => device(plan).groFlushTimeoutNs,
    20_000,
  ],
  ['gro_flush_timeout in ns', { 'eth0.gro_flush_timeout': 20_000 }, (plan) => device(plan).groFlushTimeoutNs, 20_000],
  ['irq numbers go on', {}, (plan) => device(plan).vectors.map((vector) => vector.irq), [32, 33, 34, 35]],
]

for (const [name, values, read, expected] of VALUES) {
  test(name, () => {
    assert.equal(read(planOf(withValues(smallest(), values))), expected)
  })
}

test('the names written out are those of the profiles', () => {
  assert.equal(
    DRIVER_NAMES,
    DRIVER_PROFILES.map(({ name }) => name),
  )
  assert.equal(
    PROFILE_NAMES,
    COST_PROFILES.map(({ name }) => name),
  )
})

test('CPUs are numbered as Linux does', () => {
  const plan = planOf(
    withValues(smallest(), {
      'hosts.server.cpus': { count: 8, 'threads-per-core': 2, 'numa-nodes': 2, 'llc-per-node': 2 },
    }),
  )
  const cpus = plan.hosts[0]?.cpus ?? []
  assert.equal(
    cpus.map((cpu) => cpu.coreId),
    [0, 1, 2, 3, 0, 1, 2, 3],
  )
  assert.equal(
    cpus.map((cpu) => cpu.nodeId),
    [0, 0, 1, 1, 0, 0, 1, 1],
  )
  assert.equal(
    cpus.map((cpu) => cpu.llcId),
    [0, 1, 2, 3, 0, 1, 2, 3],
  )
})

test('a capture is read through the caller', () => {
  const bytes = new Uint8Array([1, 2, 3])
  const input = { ...smallest(), traffic: { replay: { kind: 'replay', capture: 'a.pcap', repeat: 2 } } }
  const plan = planOf(input, { readCapture: (path) => (path === 'a.pcap' ? bytes : { error: 'no such file' }) })
  const source = plan.traffic[0]
  assert.ok(source?.kind === 'replay')
  assert.is(source.capture, bytes)
  assert.is(source.repeat, 2)
})

test.run()
