/** Counters and steering of devices, over whole runs: what a VLAN tag, a multicast address and a driver decide. */
import { builtinScenario, costProfile, type ScenarioInput } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { runScenario } from './support/run-scenario.js'

type Device = ScenarioInput['hosts'][string]['devices'][string]
type Source = NonNullable<ScenarioInput['traffic']>[string]

function run(device: Partial<Device>, source: Partial<Source>, more: object = {}) {
  const { report } = runScenario({
    duration: '3ms',
    hosts: {
      host: {
        cpus: 1,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', ...device } as Device },
        apps: { sink: { sockets: { bind: '0.0.0.0:9000' } } },
        ...more,
      },
    },
    traffic: { t: { to: 'host/eth0', rate: '100kpps', stop: '2ms', ...source } as Source },
  })
  const { devices } = report.hosts.host!
  return { report, devices, drops: report.drops.map(({ where, reason, count }) => `${where} ${reason} ${count}`) }
}

test('a tag that no VLAN device has makes a frame somebody else’s, with VLAN devices or without', () => {
  for (const vlans of [undefined, [6]]) {
    const { report, drops, devices } = run(vlans === undefined ? {} : { vlans }, { vlan: 5 })
    assert.equal(drops, ['ip_rcv_core OTHERHOST 200'])
    assert.is(report.packets.delivered, 0)
    assert.is(devices[0]?.rx_otherhost_dropped, 200)
  }
})

test('a VLAN device counts its packets, without the tag and the Ethernet header', () => {
  const { report, devices } = run({ vlans: [5] }, { vlan: 5, frame: 128 })
  assert.is(report.packets.delivered, 200)
  assert.equal(
    devices.map(({ name, rx_packets, rx_bytes }) => [name, rx_packets, rx_bytes]),
    [
      ['eth0', 200, 200 * 124],
      ['eth0.5', 200, 200 * (124 - 18)],
    ],
  )
})

test('multicast frames are counted by the card, and by the VLAN device', () => {
  const plain = run({}, { flows: { dst: '224.0.0.1' } })
  assert.is(plain.devices[0]?.multicast, 200)
  assert.is(run({}, {}).devices[0]?.multicast, 0)
  const tagged = run({ vlans: [5] }, { vlan: 5, flows: { dst: '224.0.0.1' } })
  assert.equal(
    tagged.devices.map(({ multicast }) => multicast),
    [200, 200],
  )
})

test('accelerated RFS moves flows to the queue of their reader where the driver can', () => {
  const frames = (driver: 'mlx5' | 'ixgbe') => {
    const sockets = [0, 1].map((i) => ({
      bind: `0.0.0.0:${9000 + i}`,
      connect: `198.51.100.1:${10_000 + i}`,
      tasks: [1 - i],
    }))
    const { report } = run(
      {
        driver,
        channels: { combined: 2 },
        rxfh: { equal: 1 },
        features: { ntuple: true },
        queues: { rps_cpus: '3', rps_flow_cnt: 64 },
        irq: { smp_affinity_list: [0, 1] },
        'rx-flow-hash': { udp4: 'sdfn' },
      },
      { flows: { count: 2, 'dport-count': 2 } },
      { cpus: 2, sysctl: { 'net.core.rps_sock_flow_entries': 64 }, apps: { sink: { cpus: [0, 1], sockets } } },
    )
    return report.hosts.host!.queues.map((queue) => queue.frames)
  }
  const [first, second] = frames('mlx5')
  assert.ok(second! > 90 && first! + second! === 200, `${first} and ${second}`)
  assert.equal(frames('ixgbe'), [200, 0])
})

/** Time in `remote_skb` per packet, ns, of a reader or an RPS target (CPU 1) of packets that CPU 0 takes in. */
function remoteNs(cpus: object, rps: boolean): number {
  const { report } = run(
    {
      channels: { combined: 1 },
      irq: { smp_affinity_list: [0] },
      'numa-node': 0,
      queues: { rps_cpus: rps ? '2' : '0' },
    },
    {},
    { cpus, apps: { sink: { cpus: [1], sockets: { bind: '0.0.0.0:9000' } } } },
  )
  assert.is(report.packets.delivered, 200)
  return (report.hosts.host!.cpus[1]?.stages_ns.remote_skb ?? 0) / 200
}

test('a packet costs its reader or RPS target more the further it comes', () => {
  const { stages, latency, frequencyHz } = costProfile('xeon-e5-1650-v4')
  const threeLinesNs = (line: number) => (3 * line) / 1000
  const places: readonly (readonly [object, number])[] = [
    [{ count: 2, 'llc-per-node': 2 }, latency.lineNodePs],
    [{ count: 2, 'numa-nodes': 2 }, latency.lineRemotePs],
  ]
  const nearNs = (stages.remote_skb.cycles * 1e9) / frequencyHz
  assert.ok(Math.abs(remoteNs({ count: 2 }, false) - nearNs) < 0.01)
  assert.is(remoteNs({ count: 2 }, true), 0, 'within the cache it is part of process_backlog')
  for (const [cpus, line] of places) {
    for (const rps of [false, true]) assert.ok(Math.abs(remoteNs(cpus, rps) - threeLinesNs(line)) < 0.01)
  }
})

test('RPS sends one IPI to an idle target for all packets of a poll', () => {
  const { report } = run(
    {
      channels: { combined: 1 },
      irq: { smp_affinity_list: [0] },
      coalesce: { 'rx-usecs': 50 },
      queues: { rps_cpus: '2' },
    },
    { pattern: 'burst', rate: undefined, count: 10, every: '200us' },
    { cpus: 2, cstates: 'none', apps: { sink: { cpus: [1], sockets: { bind: '0.0.0.0:9000' } } } },
  )
  const [sender, target] = report.hosts.host!.cpus
  const { cycles } = costProfile('xeon-e5-1650-v4').stages.send_ipi
  const sent = ((sender?.stages_ns.send_ipi ?? 0) * costProfile('xeon-e5-1650-v4').frequencyHz) / 1e9 / cycles
  const polls = report.hosts.host!.softirqs.NET_RX?.[0]
  assert.is(report.packets.delivered, 100)
  assert.is(Math.round(sent), target?.softnet_stat.received_rps)
  assert.is(Math.round(sent), polls, `${polls} softirqs`)
})

test('before 6.6 a socket takes a datagram while it is not beyond its buffer, since then while it fits', () => {
  // Five datagrams of 2304 bytes fill the buffer to the byte; one more goes beyond it where that is allowed.
  const queued = (kernel: '6.5' | '6.18') => {
    const { report } = runScenario({
      kernel,
      duration: '3ms',
      hosts: {
        host: {
          cpus: 2,
          devices: {
            eth0: {
              driver: 'ixgbe',
              address: '192.0.2.1/24',
              channels: { combined: 1 },
              irq: { smp_affinity_list: [0] },
            },
          },
          // The program takes the first datagram and is busy with it beyond the end.
          apps: { sink: { cpus: [1], work: '1s', sockets: { bind: '0.0.0.0:9000', SO_RCVBUFFORCE: 5760 } } },
        },
      },
      traffic: { t: { to: 'host/eth0', rate: '100kpps', packets: 100 } },
    })
    const [socket] = report.hosts.host!.netns.init!.sockets
    assert.is(socket?.rcvbuf, 5 * 2304)
    return [socket?.drops, report.waiting.socket]
  }
  assert.equal(queued('6.5'), [93, 6])
  assert.equal(queued('6.18'), [94, 5])
})

test('time_squeeze tells which limit ended net_rx_action', () => {
  const causes = (name: string) => {
    const { report } = runScenario(builtinScenario(name)!.scenario, ['duration=10ms', 'warmup=0s'])
    const { squeeze_budget, squeeze_time } = report.hosts.server!.cpus[0]!.softnet_stat
    return [squeeze_budget > 0, squeeze_time > 0]
  }
  assert.equal(causes('time-squeeze-packets'), [true, false])
  assert.equal(causes('time-squeeze-time'), [false, true])
})

test.run()
