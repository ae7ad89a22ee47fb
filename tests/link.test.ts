import { readFileSync } from 'node:fs'
import { builtinScenario, compileScenario, type LinkLogRow, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { eventful } from './support/random-events.js'
import { type Report, runModel } from './support/run-model.js'
import { sharedCells } from './support/shared-cells.js'

const link = suite('links that come and go')

type Events = NonNullable<ScenarioInput['events']>
type Device = ScenarioInput['hosts'][string]['devices'][string]

const igb: Device = { driver: 'igb', channels: { combined: 1 } }

/** A router with two links to one network, whose first comes and goes. */
function router(events: Events, conf: Device['conf'] = {}, duration = '100ms'): ScenarioInput {
  return {
    duration,
    hosts: {
      r: {
        cpus: 2,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        routes: ['203.0.113.0/24 dev eth1 metric 10', '203.0.113.0/24 dev eth2 metric 20', '198.51.100.0/24 dev eth0'],
        devices: {
          eth0: { ...igb, address: '192.0.2.1/24' },
          eth1: { ...igb, address: '198.18.0.1/24', conf, irq: { smp_affinity_list: ['1'] } },
          eth2: { ...igb, address: '198.19.0.1/24' },
        },
      },
    },
    traffic: { t: { to: 'r/eth0', rate: '10kpps', flows: { dst: '203.0.113.9' } } },
    events,
  }
}

function run(scenario: ScenarioInput): Report {
  return runModel(planOf(scenario, 'link')).report
}

function lost(report: Report, where: string): number {
  return report.drops.find((drop) => drop.where === where)?.count ?? 0
}

function device(report: Report, name: string) {
  return Object.values(report.hosts)[0]?.devices.find((row) => row.name === name)
}

interface Recording {
  readonly name: string
  readonly carrier: readonly (readonly [number, string, boolean])[]
  readonly newlink: readonly (readonly [number, string, boolean])[]
  readonly counts: Readonly<Record<string, { readonly up: number; readonly down: number }>>
}

const RECORDED = new URL('../data/link/link-watch.json', import.meta.url)
const recordings = JSON.parse(readFileSync(RECORDED, 'utf8')) as Recording[]
/** Jiffies of the second level of the timer wheel, ms, at HZ 250; and how late a busy kernel's work may be. */
const WHEEL_MS = 36
const LATE_MS = 100

for (const { name, carrier, newlink, counts } of recordings) {
  link(`as recorded: ${name}`, () => {
    const T = 1
    const events: Events = [
      { at: `${T}ms`, do: 'unplug eth1' },
      ...carrier.map(([ms, dev, on]) => ({ at: `${(T + ms).toFixed(3)}ms`, do: `${on ? 'plug' : 'unplug'} ${dev}` })),
    ]
    const devices = { eth0: { ...igb, address: '192.0.2.1/24' }, eth1: { ...igb, address: '198.18.0.1/24' } }
    const report = run({
      duration: '4s',
      hosts: { h: { cpus: 1, devices } },
      traffic: { t: { to: 'h/eth0', rate: '10pps', stop: '10ms' } },
      events,
    })
    const log = report.hosts.h?.link_log ?? []
    const state = new Map<string, boolean>()
    const heard: [number, string, boolean][] = []
    for (const { t_ns, dev, what } of log) {
      if (what === 'netif_carrier_off') state.set(dev, false)
      if (what === 'netif_carrier_on') state.set(dev, true)
      if (what === 'NETDEV_CHANGE') heard.push([t_ns / 1e6 - T, dev, state.get(dev) ?? true])
    }
    const [first, ...rest] = heard
    assert.equal(first?.slice(1), ['eth1', false])
    assert.equal(
      rest.map(([, dev, on]) => [dev, on]),
      newlink.map(([, dev, on]) => [dev, on]),
    )
    rest.forEach(([ms], i) => {
      const [recorded = 0] = newlink[i] ?? []
      assert.ok(ms < recorded + WHEEL_MS && ms > recorded - LATE_MS, `${ms} ms, recorded ${recorded} ms`)
    })
    for (const [dev, { up, down }] of Object.entries(counts)) {
      const row = device(report, dev)
      const own = dev === 'eth1' ? 1 : 0
      assert.is(row?.carrier_up_count, up)
      assert.is(row?.carrier_down_count, down + own)
      assert.is(row?.carrier_changes, up + down + own)
    }
  })
}

const FLAP: Events = [
  { at: '20ms', do: 'unplug eth1' },
  { at: '40ms', do: 'plug eth1' },
  { at: '60ms', do: 'unplug eth1' },
]

link('a device without carrier drops what is sent on it, and says so', () => {
  const report = run(router(FLAP))
  // From 20 to 40 ms in noop; from 60 ms on into the card, since linkwatch waits.
  assert.ok(Math.abs(lost(report, '__dev_xmit_skb') - 200) <= 2, `${lost(report, '__dev_xmit_skb')} in noop`)
  assert.ok(Math.abs(lost(report, 'wire_tx') - 400) <= 2, `${lost(report, 'wire_tx')} on the wire`)
  assert.is(device(report, 'eth1')?.tx_dropped, lost(report, '__dev_xmit_skb'))
  assert.is(device(report, 'eth1')?.operstate, 'up')
  assert.is(device(report, 'eth2')?.tx_packets, 0)
  const whats = (report.hosts.r?.link_log ?? []).map(({ what }: LinkLogRow) => what)
  const handled = ['dev_deactivate', 'NETDEV_CHANGE', 'netif_carrier_on', 'dev_activate', 'NETDEV_CHANGE']
  assert.equal(whats, ['netif_carrier_off', ...handled, 'netif_carrier_off'])
})

link('routes of a device without carrier are passed over where that is asked for', () => {
  const report = run(router(FLAP, { ignore_routes_with_linkdown: 1 }))
  assert.is(lost(report, '__dev_xmit_skb'), 0)
  assert.ok(Math.abs((device(report, 'eth2')?.tx_packets ?? 0) - 200) <= 2)
})

link('what waits in a discipline when the carrier goes is freed, whatever the discipline', () => {
  for (const kind of ['pfifo_fast', 'fq_codel', 'fq'] as const) {
    const scenario = router([{ at: '20ms', do: 'unplug eth1' }], {})
    const eth1 = scenario.hosts.r?.devices.eth1 as Device
    const slow = { ...eth1, link: '1Mbit' as const, qdisc: kind, rings: { tx: 64 } }
    const host = scenario.hosts.r as ScenarioInput['hosts'][string]
    const report = run({ ...scenario, hosts: { r: { ...host, devices: { ...host.devices, eth1: slow } } } })
    assert.ok(lost(report, 'qdisc_reset') > 50, `${kind}: ${lost(report, 'qdisc_reset')} freed`)
    const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
    assert.is(offered + created, delivered + consumed + sent + dropped + in_flight, kind)
  }
})

link('frames that come while the cable is out are lost, those under way when it is pulled too', () => {
  const report = run(
    router([
      { at: '20ms', do: 'unplug eth0' },
      { at: '30ms', do: 'plug eth0' },
    ]),
  )
  assert.ok(Math.abs(lost(report, 'wire_rx') - 100) <= 1, `${lost(report, 'wire_rx')}`)
  const [unplugged] = (report.hosts.r?.link_log ?? []).map(({ t_ns }) => t_ns)
  assert.ok((unplugged ?? 0) > 20e6 && (unplugged ?? 0) < 20.2e6)
})

link('neighbours of a device that loses its carrier are forgotten, with what waits for them', () => {
  const arp = (evict: 0 | 1): ScenarioInput => ({
    duration: '30ms',
    hosts: {
      h: {
        cpus: 1,
        devices: { eth0: { ...igb, address: '192.0.2.1/24', arp: true, conf: { arp_evict_nocarrier: evict } } },
        apps: { e: { kind: 'udp_echo' } },
      },
    },
    traffic: { t: { rate: '10kpps', flows: { count: 1, src: '192.0.2.7' } } },
    events: [{ at: '20ms', do: 'unplug eth0' }],
  })
  assert.ok(lost(run(arp(1)), 'neigh_flush_dev') > 100)
  assert.is(lost(run(arp(0)), 'neigh_flush_dev'), 0)
})

link('a transmit queue that hangs is reset by the watchdog, at the second after five', () => {
  const until = (duration: string): Report => {
    const scenario = router([{ at: '1s', do: 'stall eth1 tx 0' }], {}, duration)
    return run({ ...scenario, traffic: { t: { to: 'r/eth0', rate: '100pps', flows: { dst: '203.0.113.9' } } } })
  }
  const queue = (report: Report) => report.hosts.r?.tx_queues?.find(({ dev }) => dev === 'eth1')
  const hung = until('5900ms')
  assert.is(queue(hung)?.tx_timeout, undefined)
  assert.ok(Math.abs(hung.packets.sent - 100) <= 1, `${hung.packets.sent} sent before it hung`)
  const after = until('6400ms')
  assert.is(queue(after)?.tx_timeout, 1)
  // What the card had not fetched is lost, what waited in the discipline is sent.
  const dropped = lost(after, 'ndo_tx_timeout')
  assert.ok(dropped >= 1 && dropped <= 20, `${dropped} in the ring`)
  assert.is(after.packets.dropped, dropped)
  assert.is(after.packets.sent + dropped + after.packets.in_flight, 640)
})

const DOWN_UP: Events = [
  { at: '10ms', do: 'ip link set eth0 down' },
  { at: '20ms', do: 'ip link set dev eth0 up' },
]

/** A program that answers two clients, one on its subnet and one behind a route that somebody has added. */
function answering(conf: Device['conf'] = {}): ScenarioInput {
  const e = { kind: 'udp_echo' as const, sockets: { bind: '0.0.0.0:9000' } }
  return {
    duration: '30ms',
    hosts: {
      h: {
        cpus: 2,
        routes: ['203.0.113.0/24 dev eth0'],
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 2 }, conf, vlans: [7] } },
        apps: { e },
      },
    },
    traffic: {
      near: { to: 'h/eth0', rate: '10kpps', flows: { count: 1, src: '192.0.2.7', dport: 9000 } },
      far: { to: 'h/eth0', rate: '10kpps', flows: { count: 1, src: '203.0.113.7', dport: 9000 } },
    },
    events: DOWN_UP,
  }
}

link('a device that was down comes back without the routes that were added to it', () => {
  const report = run(answering())
  const closed = lost(report, 'ndo_stop')
  assert.ok(Math.abs(closed - 200) <= 4, `${closed} lost while it was closed`)
  // From 20 ms on only the client on the subnet is answered.
  assert.ok(Math.abs(report.packets.sent - 300) <= 6, `${report.packets.sent} answers`)
  assert.ok(Math.abs((report.hosts.h?.netns.init?.snmp.Ip?.OutNoRoutes ?? 0) - 100) <= 4)
  const eth0 = device(report, 'eth0')
  assert.equal([eth0?.carrier_up_count, eth0?.carrier_down_count, eth0?.operstate], [1, 1, 'up'])
  const log = (report.hosts.h?.link_log ?? []).filter(({ dev }) => dev === 'eth0').map(({ what }) => what)
  assert.equal(log.slice(0, 4), ['NETDEV_GOING_DOWN', 'dev_deactivate', 'netif_carrier_off', 'NETDEV_DOWN'])
  assert.equal(log.slice(4), ['NETDEV_UP', 'netif_carrier_on', 'dev_activate', 'NETDEV_CHANGE'])
  assert.is(device(report, 'eth0.7')?.operstate, 'up')
})

link('arp_notify announces an address when its device comes up; a card has no carrier by then', () => {
  const plain = run(answering())
  const announced = run(answering({ arp_notify: 1 }))
  assert.is(announced.packets.created, plain.packets.created + 1)
  assert.is(lost(announced, '__dev_xmit_skb'), lost(plain, '__dev_xmit_skb') + 1)
})

link('groups are reported again when their device comes up', () => {
  const joined = (events: Events): number => {
    const scenario = answering()
    const host = scenario.hosts.h as ScenarioInput['hosts'][string]
    const sockets = { bind: '0.0.0.0:9000', IP_ADD_MEMBERSHIP: [{ group: '239.1.2.3', device: 'eth0' }] }
    const apps = { e: { kind: 'udp_echo' as const, sockets } }
    const traffic = { t: { to: 'h/eth0', rate: '10pps', stop: '1ms' } }
    return run({ ...scenario, duration: '3s', hosts: { h: { ...host, apps } }, traffic, events }).packets.created
  }
  const once = joined([{ at: '2999ms', do: 'unplug eth0' }])
  const twice = joined([
    { at: '1500ms', do: 'ip link set eth0 down' },
    { at: '1501ms', do: 'ip link set eth0 up' },
  ])
  // Two reports each time.
  assert.is(twice, once + 2)
})

link('moderation changes when ethtool says so', () => {
  const scenario = (events: Events): ScenarioInput => ({
    duration: '20ms',
    hosts: {
      h: {
        cpus: 2,
        devices: {
          eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 2 }, coalesce: { 'rx-usecs': 8 } },
        },
        apps: { s: { cpus: [0, 1] } },
      },
    },
    traffic: { t: { rate: '200kpps', flows: { count: 8 } } },
    events,
  })
  const irqs = (report: Report) => (report.hosts.h?.queues ?? []).reduce((sum, row) => sum + row.irqs, 0)
  const before = irqs(run(scenario([])))
  const after = irqs(run(scenario([{ at: '10ms', do: 'ethtool -C eth0 rx-usecs 200 rx-frames 100' }])))
  assert.ok(after < before * 0.65 && after > before * 0.4, `${before} interrupts, ${after} with the change`)
})

link('partitions touch only their own rows', () => {
  assert.equal(sharedCells(planOf(eventful(), 'link')), [])
})

link('the built-in flap loses what the second of linkwatch costs', () => {
  const { report } = runModel(planOf(builtinScenario('link-flap')?.scenario as ScenarioInput, 'link-flap'))
  // The second loss is at 0.9 s, a second after the first is at 1.5 s, and the timer wheel is 32 ms coarse.
  const wire = lost(report, 'wire_tx')
  assert.ok(wire >= 600 && wire <= 632, `${wire} frames at 1 kpps`)
  assert.is(report.packets.dropped, wire)
})

const FAULTS: readonly (readonly [Events[number], string, RegExp])[] = [
  [{ at: '1ms', do: 'pull eth0' }, 'events[0].do', /unplug DEV, plug DEV/],
  [{ at: '1ms', do: 'unplug eth9' }, 'events[0].do', /a device of r: eth0, eth1, eth2/],
  [{ at: '1ms', do: 'unplug eth0', host: 'q' }, 'events[0].host', /one of the hosts r/],
  [{ at: 'soon', do: 'unplug eth0' }, 'events[0].at', /a time/],
  [{ at: '1ms', do: 'stall eth0 tx 4' }, 'events[0].do', /a queue of eth0: 0 to 0/],
  [{ at: '1ms', do: 'ip link set eth0' }, 'events[0].do', /ip link set DEV down/],
  [{ at: '1ms', do: 'ethtool -C eth0 rx-usecs -1' }, 'events[0].do', /ethtool -C DEV rx-usecs N/],
  [{ at: '1ms', do: 'ethtool -C eth0 rx-frames 3' }, 'events[0].do', /igb has no such limit/],
]

for (const [event, path, accepted] of FAULTS) {
  link(`${JSON.stringify(event)} is refused`, () => {
    const compiled = compileScenario(router([event]), { source: 'link' })
    assert.is(compiled.ok, false)
    const [fault] = compiled.ok ? [] : compiled.errors
    assert.is(fault?.path, path)
    assert.match(fault?.accepted ?? '', accepted)
  })
}

link('an event behind the end of the run is said not to happen', () => {
  const compiled = compileScenario(router([{ at: '1s', do: 'unplug eth0' }]), { source: 'link' })
  assert.ok(compiled.ok)
  if (compiled.ok) assert.match(compiled.warnings.join(), /events\[0\]\.at: the run ends before, at 100 ?ms/)
})

link.run()
