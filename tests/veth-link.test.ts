import { compileScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { type Report, runModel } from './support/run-model.js'

const veth = suite('carrier of veth pairs')

const end = { driver: 'veth' as const }

/** A program of the host that sends into a container, whose end of the pair is `far`. */
function container(events: ScenarioInput['events'], far: object = {}, first: object = {}): ScenarioInput {
  return {
    duration: '40ms',
    hosts: {
      h: {
        cpus: 1,
        // Else the neighbour is forgotten, and asked for a second later.
        devices: {
          ...first,
          v0: { ...end, peer: 'c/v1', address: '10.0.7.1/24', conf: { arp_evict_nocarrier: 0 } },
        },
        netns: { c: { devices: { v1: { ...end, address: '10.0.7.2/24', ...far } } } },
        apps: {
          load: { kind: 'udp_sender', cpus: [0], to: '10.0.7.2:9000', rate: '10kpps' },
          sink: { cpus: [0], netns: 'c', sockets: { bind: '10.0.7.2:9000' } },
        },
      },
    },
    events,
  }
}

const run = (scenario: ScenarioInput): Report => runModel(planOf(scenario, 'veth')).report

function lost(report: Report, where: string): number {
  return report.drops.filter((drop) => drop.where === where).reduce((sum, { count }) => sum + count, 0)
}

function state(report: Report, name: string) {
  const row = report.hosts.h?.devices.find((each) => each.name === name)
  return { up: row?.carrier_up_count, down: row?.carrier_down_count, operstate: row?.operstate, lost: row?.tx_dropped }
}

veth('both ends have a carrier while both are up, and the other end is told at once', () => {
  const report = run(
    container(
      [
        { at: '10ms', do: 'ip link set c/v1 down' },
        { at: '20ms', do: 'ip link set c/v1 up' },
        { at: '30ms', do: 'ip link set v0 down' },
      ],
      {},
      { eth0: {} },
    ),
  )
  const log = (report.hosts.h?.link_log ?? []).map(({ dev, what }) => `${dev} ${what}`)
  // As ip monitor shows it on Linux 6.18: the end that is closed, then its peer, which linkwatch handles.
  assert.equal(log.slice(0, 7), [
    'c/v1 NETDEV_GOING_DOWN',
    'c/v1 dev_deactivate',
    'c/v1 netif_carrier_off',
    'v0 netif_carrier_off',
    'c/v1 NETDEV_DOWN',
    'v0 dev_deactivate',
    'v0 NETDEV_CHANGE',
  ])
  assert.equal(log.slice(7, 14), [
    'c/v1 netif_carrier_on',
    'v0 netif_carrier_on',
    'c/v1 dev_activate',
    'c/v1 NETDEV_UP',
    'c/v1 NETDEV_CHANGE',
    'v0 dev_activate',
    'v0 NETDEV_CHANGE',
  ])
  assert.equal({ ...state(report, 'v0'), lost: 0 }, { up: 1, down: 2, operstate: 'down', lost: 0 })
  assert.equal({ ...state(report, 'c/v1'), lost: 0 }, { up: 1, down: 2, operstate: 'down', lost: 0 })
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  // From 10 to 20 ms, and from 30 ms on.
  assert.ok(Math.abs(lost(report, '__dev_xmit_skb') - 100) <= 2, `${lost(report, '__dev_xmit_skb')} in noop`)
  assert.is(state(report, 'v0').lost, lost(report, '__dev_xmit_skb') + lost(report, '____dev_forward_skb'))
})

veth(
  'an end whose index means itself to the other namespace waits for linkwatch, and is down, not lower layer down',
  () => {
    // Both ends are the first devices of their namespaces: index 2 in both, as `eth0@if2`.
    const twice: ScenarioInput['events'] = [
      { at: '5ms', do: 'ip link set c/v1 down' },
      { at: '10ms', do: 'ip link set c/v1 up' },
      { at: '15ms', do: 'ip link set c/v1 down' },
    ]
    const alone = run(container(twice))
    const log = (report: Report) =>
      (report.hosts.h?.link_log ?? []).filter(({ dev, what }) => dev === 'v0' && what === 'dev_deactivate').length
    assert.is(log(alone), 1)
    assert.is(log(run(container(twice, {}, { eth0: {} }))), 2)
    // Until then the closed end refuses what comes.
    assert.ok(lost(alone, '____dev_forward_skb') > 200, `${lost(alone, '____dev_forward_skb')}`)
  },
)

veth('what cannot be done to a pair is refused', () => {
  const faults = (scenario: ScenarioInput) => {
    const compiled = compileScenario(scenario, { source: 'test' })
    return compiled.ok ? '' : compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('\n')
  }
  const down = [{ at: '1ms', do: 'ip link set v0 down' }]
  assert.is(faults(container(down)), '')
  assert.match(
    faults(container(down, { features: { gro: true, 'rx-gro-list': true } })),
    /events\[0\]\.do: a veth pair without a ring that is polled; c\/v1 has gro on/,
  )
  assert.match(faults(container([{ at: 0, do: 'unplug v0' }])), /a device with a cable; v0 \(veth\) has none/)
  assert.match(faults(container([{ at: 0, do: 'ip link set d/v1 up' }])), /a device of h: v0, c\/v1/)
})

veth.run()
