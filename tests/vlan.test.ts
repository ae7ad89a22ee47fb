import { compileScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { type Report, runModel } from './support/run-model.js'
import { answerer, type Device, pair, routerOnAStick } from './support/vlan-scenarios.js'

const vlan = suite('VLAN devices')

const TAG = 4
const ETH = 14

const run = (scenario: ScenarioInput): Report => runModel(planOf(scenario, 'vlan')).report

function device(report: Report, host: string, name: string) {
  const row = report.hosts[host]?.devices.find((each) => each.name === name)
  if (row === undefined) throw new Error(`no ${host}/${name}`)
  return row
}

function replies(report: Report): number {
  return Object.values(report.hosts).flatMap(({ programs }) => programs ?? [])[0]?.replies ?? 0
}

function lost(report: Report, where: string): number {
  return report.drops.filter((drop) => drop.where === where).reduce((sum, { count }) => sum + count, 0)
}

vlan('two hosts talk over a cable, and ask for hardware addresses on the VLAN', () => {
  const report = run(pair())
  assert.ok(replies(report) > 20, `${replies(report)} replies`)
  assert.is(report.packets.dropped, 0)
  const [above, below] = [device(report, 'a', 'eth0.100'), device(report, 'a', 'eth0')]
  // One ARP request of 42 bytes, and datagrams of 142: what a card puts the tag into is counted without it.
  assert.is(above.tx_bytes, ETH + 28 + (above.tx_packets - 1) * (ETH + 128))
  assert.is(below.tx_bytes, above.tx_bytes)
  assert.is(below.tx_packets, above.tx_packets)
  assert.is(above.tx_dropped, 0)
  // vlan_do_receive counts what is behind the Ethernet header: 42 bytes of the ARP reply, which came as a shortest frame.
  const got = device(report, 'a', 'eth0.100')
  assert.is(got.rx_bytes, 42 + (got.rx_packets - 1) * 128)
})

vlan('a driver whose card puts no tags in counts them', () => {
  const report = run(pair({ driver: 'virtio_net' }, { driver: 'virtio_net' }))
  assert.ok(replies(report) > 20)
  const [above, below] = [device(report, 'a', 'eth0.100'), device(report, 'a', 'eth0')]
  assert.is(below.tx_bytes, above.tx_bytes + TAG * above.tx_packets)
})

vlan('a switch carries tagged frames, and VLANs do not meet', () => {
  const { hosts } = pair()
  const c = answerer({ address: '10.9.0.3/24', vlans: { 200: { address: '10.0.1.2/24' } } })
  const lan = { ports: ['a/eth0', 'b/eth0', 'c/eth0'] }
  const report = run({ duration: '2ms', hosts: { ...hosts, c }, switches: { lan } })
  assert.ok(replies(report) > 20)
  assert.is(device(report, 'c', 'eth0.200').rx_packets, 0)
  // The request for 10.0.1.2 was flooded to it with tag 100, which is nobody's there.
  assert.is(device(report, 'c', 'eth0').rx_packets, 1)
})

vlan('a router on a stick passes on from one VLAN to another', () => {
  const report = run(routerOnAStick())
  assert.ok(replies(report) > 20, `${replies(report)} replies`)
  const r = report.hosts.r
  // All but ARP messages.
  const others = device(report, 'r', 'eth0').rx_packets - (r?.netns.init?.snmp.Ip?.ForwDatagrams ?? 0)
  assert.ok(others >= 2 && others <= 8, `${others} not passed on`)
  assert.is(device(report, 'r', 'eth0.20').mtu, 1000)
})

vlan('a VLAN over a veth pair', () => {
  const veth = { driver: 'veth' as const }
  const report = run({
    duration: '2ms',
    hosts: {
      h: {
        cpus: 1,
        devices: { eth0: {}, v0: { ...veth, peer: 'c/v1', vlans: { 7: { address: '10.0.7.1/24' } } } },
        netns: { c: { devices: { v1: { ...veth, vlans: { 7: { address: '10.0.7.2/24' } } } } } },
        apps: {
          ask: { kind: 'udp_client', cpus: [0], to: '10.0.7.2:9000' },
          answer: { kind: 'udp_echo', cpus: [0], netns: 'c', sockets: { bind: '10.0.7.2:9000' } },
        },
      },
    },
  })
  assert.ok(replies(report) > 20)
  // At the end one may be in a backlog.
  const under = device(report, 'h', 'v0.7').tx_packets - device(report, 'h', 'c/v1.7').rx_packets
  assert.ok(under === 0 || under === 1, `${under} on their way`)
  assert.is(device(report, 'h', 'c/v1').rx_bytes, device(report, 'h', 'v0').tx_bytes)
})

vlan('a VLAN device that is down takes nothing, and comes up with the device below', () => {
  const load = { to: 'h/eth0', rate: '10kpps', vlan: 100 }
  const report = run({
    duration: '40ms',
    hosts: { h: answerer({ vlans: { 100: { address: '10.0.1.1/24' } } }) },
    traffic: { load },
    events: [
      { at: '10ms', do: 'ip link set eth0.100 down' },
      { at: '20ms', do: 'ip link set dev eth0.100 up' },
      { at: '25ms', do: 'ip link set eth0.100 down' },
      { at: '30ms', do: 'ip link set eth0 down' },
      { at: '30100us', do: 'ip link set eth0 up' },
    ],
  } as ScenarioInput)
  assert.ok(Math.abs(lost(report, 'vlan_do_receive') - 150) <= 2, `${lost(report, 'vlan_do_receive')} lost`)
  assert.is(device(report, 'h', 'eth0.100').operstate, 'up')
  const said = (report.hosts.h?.link_log ?? []).filter(({ dev }) => dev === 'eth0.100').map(({ what }) => what)
  const down = ['NETDEV_GOING_DOWN', 'dev_deactivate', 'netif_carrier_off', 'NETDEV_DOWN']
  assert.equal(said.slice(0, 4), down)
  assert.equal(said.slice(4, 7), ['netif_carrier_on', 'dev_activate', 'NETDEV_UP'])
})

function faultsOf(scenario: object): string {
  const compiled = compileScenario(scenario as ScenarioInput, { source: 'test' })
  return compiled.ok ? '' : compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('\n')
}

vlan('VLAN devices that cannot be are refused', () => {
  const fault = (a: object, pattern: RegExp, rest: object = {}) =>
    assert.match(faultsOf({ ...pair(a as Device), ...rest }), pattern)
  assert.is(faultsOf(pair()), '')
  fault({ vlans: { 100: { mtu: 1501 } } }, /eth0\.vlans\.100\.mtu: at most 1500/)
  fault({ vlans: { 4095: {} } }, /eth0\.vlans.*a VLAN id from 1 to 4094/)
  fault({ vlans: { 100: { rings: {} } } }, /eth0\.vlans\.100\.rings: one of the keys address, mtu, conf/)
  fault({ vlans: { 1: { address: '10.9.0.1/24' } } }, /eth0\.vlans\.1\.address: .* 10\.9\.0\.1 is on eth0/)
  fault({}, /a device of a: eth0, eth0\.100/, { events: [{ at: 0, host: 'a', do: 'ip link set eth0.101 up' }] })
  fault({}, /eth0\.100 is a VLAN device/, { events: [{ at: 0, host: 'a', do: 'unplug eth0.100' }] })
})

vlan.run()
