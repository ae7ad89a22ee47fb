import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileScenario } from '../src/compile/compile.js'
import { applyOverride } from '../src/set-path.js'
import { full, smallest } from './scenarios.js'

const test = suite('set-path')

const PATHS: readonly (readonly [string, string])[] = [
  ['duration', 'duration'],
  ['hosts.server.devices.eth0.rings.rx', 'hosts.server.devices.eth0.rings.rx'],
  ['server.devices.eth0.rings.rx', 'hosts.server.devices.eth0.rings.rx'],
  ['devices.eth0.rings.rx', 'hosts.server.devices.eth0.rings.rx'],
  ['eth0.rings.rx', 'hosts.server.devices.eth0.rings.rx'],
  ['rings.rx', 'hosts.server.devices.eth0.rings.rx'],
  ['sysctl.net.core.netdev_budget', 'hosts.server.sysctl.net.core.netdev_budget'],
  ['net.core.netdev_budget', 'hosts.server.sysctl.net.core.netdev_budget'],
  ['net.core.netdev_budget_usecs', 'hosts.server.sysctl.net.core.netdev_budget_usecs'],
  ['net.ipv4.conf.all.rp_filter', 'hosts.server.sysctl.net.ipv4.conf.all.rp_filter'],
  ['cpus', 'hosts.server.cpus'],
  ['hz', 'hosts.server.hz'],
  ['apps.sink.batch', 'hosts.server.apps.sink.batch'],
  ['sink.batch', 'hosts.server.apps.sink.batch'],
  ['sink.sockets.SO_RCVBUF', 'hosts.server.apps.sink.sockets.SO_RCVBUF'],
  ['traffic.load.rate', 'traffic.load.rate'],
  ['load.rate', 'traffic.load.rate'],
  ['rate', 'traffic.load.rate'],
  ['load.flows.count', 'traffic.load.flows.count'],
  ['mailbox-slots', 'limits.mailbox-slots'],
  ['gro_flush_timeout', 'hosts.server.devices.eth0.gro_flush_timeout'],
]

for (const [path, canonical] of PATHS) {
  test(`${path} is ${canonical}`, () => {
    const result = applyOverride(smallest(), { path, value: 1, given: '1' })
    assert.is(result.ok ? result.canonical : JSON.stringify(result.fault), canonical)
  })
}

const UNKNOWN: readonly (readonly [string, string | null])[] = [
  ['eth0.ring.rx', 'eth0.rings.rx'],
  ['hosts.server.devices.eth0.rings.ry', 'hosts.server.devices.eth0.rings.rx'],
  ['net.core.netdev_budgt', 'net.core.netdev_budget'],
  ['netdev_max_backlog', 'net.core.netdev_max_backlog'],
  ['traffic.lod.rate', 'traffic.load.rate'],
  ['duratoin', 'duration'],
  ['', null],
  ['eth0.rings.rx.', 'eth0.rings.rx'],
  ['__proto__.x', null],
  ['hosts.server.constructor', null],
]

for (const [path, nearest] of UNKNOWN) {
  test(`${path || '(empty)'} is unknown`, () => {
    const result = applyOverride(smallest(), { path, value: 1, given: '1' })
    assert.is(result.ok, false)
    if (result.ok) return
    if (nearest !== null) assert.is(result.fault.nearest, nearest)
    assert.is(result.fault.given, '1')
  })
}

test('what could be several is refused with all of them', () => {
  const result = applyOverride(full(), { path: 'rings.rx', value: 1, given: '1' })
  assert.ok(!result.ok)
  assert.match(result.fault.accepted, /eth0\.rings\.rx, hosts\.server\.devices\.eth1\.rings\.rx/)
})

test('lists: one entry, or every entry', () => {
  const one = applyOverride(full(), { path: 'sink.sockets[1].bind', value: 9300, given: '9300' })
  assert.is(one.ok && one.canonical, 'hosts.server.apps.sink.sockets[1].bind')
  const dotted = applyOverride(full(), { path: 'sink.sockets.1.bind', value: 9300, given: '9300' })
  assert.equal(dotted.ok && dotted.document, one.ok && one.document)
  const every = applyOverride(full(), { path: 'sink.sockets.SO_RCVBUF', value: 8192, given: '8192' })
  assert.is(every.ok && every.canonical, 'hosts.server.apps.sink.sockets[*].SO_RCVBUF')
  const document = (every.ok ? every.document : {}) as { hosts: { server: { apps: { sink: { sockets: object[] } } } } }
  const { sockets } = document.hosts.server.apps.sink
  assert.equal(
    sockets.map((socket) => (socket as { SO_RCVBUF: number }).SO_RCVBUF),
    [8192, 8192],
  )
  assert.is(applyOverride(full(), { path: 'sink.sockets[2].bind', value: 1, given: '1' }).ok, false)
})

test('a count becomes an object when one of its keys is set', () => {
  const input = { ...smallest(), hosts: { server: { cpus: 8, devices: { eth0: {} } } } }
  const result = compileScenario(input, {
    source: 'test',
    overrides: [{ path: 'cpus.threads-per-core', value: 2, given: '2' }],
  })
  assert.ok(result.ok)
  assert.is(result.plan.hosts[0]?.cpus.length, 8)
  assert.is(result.plan.hosts[0]?.cpus[4]?.coreId, 0)
})

test('the document given is left as it was', () => {
  const input = smallest()
  const before = structuredClone(input)
  const result = applyOverride(input, { path: 'eth0.rings.rx', value: 4096, given: '4096' })
  assert.ok(result.ok)
  assert.equal(input, before)
})

test('overrides apply in order and are checked like the rest', () => {
  const sound = compileScenario(smallest(), {
    source: 'test',
    overrides: [
      { path: 'rings.rx', value: 1024, given: '1024' },
      { path: 'eth0.rings.rx', value: 4096, given: '4096' },
      { path: 'duration', value: '10ms', given: '10ms' },
    ],
  })
  assert.ok(sound.ok)
  assert.is(sound.plan.hosts[0]?.devices[0]?.rxRing, 4096)
  assert.is(sound.plan.durationPs, 10e9)
  assert.equal(sound.overrides[0], { path: 'rings.rx', canonical: 'hosts.server.devices.eth0.rings.rx' })
  const bad = compileScenario(smallest(), {
    source: 'test',
    overrides: [
      { path: 'rings.rx', value: 'many', given: 'many' },
      { path: 'rings.ry', value: 1, given: '1' },
    ],
  })
  assert.ok(!bad.ok)
  assert.equal(
    bad.errors.map((fault) => fault.path),
    ['rings.ry', 'hosts.server.devices.eth0.rings.rx'],
  )
})

test.run()
