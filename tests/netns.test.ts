import { builtinScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { container, DNAT } from './support/container-scenario.js'
import { runScenario, verdictOf } from './support/run-scenario.js'

const netns = suite('network namespaces')

interface Space {
  readonly snmp: Record<string, Record<string, number>>
  readonly netstat: Record<string, Record<string, number>>
  readonly sockets: readonly { readonly received: number }[]
}

function count({ snmp, netstat }: Space, table: string, name: string): number {
  return (snmp[table] ?? netstat[table])?.[name] ?? 0
}

function received({ sockets: [first] }: Space): number {
  return first?.received ?? 0
}

function spaces(scenario: ScenarioInput, settings: readonly string[] = []) {
  const run = runScenario(scenario, settings)
  const { web } = run.report.hosts
  assert.ok(web)
  const { init, c1 } = web.netns
  assert.ok(init && c1)
  return { run, report: run.report, web, init, c1 }
}

netns('a container counts what it gets, and the host what it passes on', () => {
  const { report, web, init, c1 } = spaces(container())
  assert.is(count(init, 'Ip', 'InReceives'), count(init, 'Ip', 'ForwDatagrams') + count(init, 'Ip', 'InDelivers'))
  assert.is(count(c1, 'Ip', 'InReceives'), count(init, 'Ip', 'ForwDatagrams'))
  assert.equal([count(c1, 'Ip', 'ForwDatagrams'), count(c1, 'Ip', 'InDelivers')], [0, count(c1, 'Ip', 'InReceives')])
  assert.ok(count(c1, 'Ip', 'InReceives') > 700)
  assert.equal([c1.sockets[0]?.app, init.sockets[0]?.app], ['inside', 'outside'])
  assert.is(received(c1) + received(init), report.packets.delivered)
  const device = (name: string) => web.devices.find((each) => each.name === name)
  // One ARP request and its answer pass too.
  assert.is(device('veth0')?.tx_packets, count(init, 'Ip', 'ForwDatagrams') + 1)
  assert.equal(
    [device('c1/eth0')?.rx_packets, device('c1/eth0')?.rx_bytes, device('c1/eth0')?.tx_packets],
    [device('veth0')?.tx_packets, device('veth0')?.tx_bytes, 1],
  )
})

netns('a packet for a container costs the host more, in the stages of the way there', () => {
  const stages = (dst: string) => {
    const { web } = spaces({
      ...container(),
      traffic: { in: { kind: 'open', to: 'web/eth0', rate: '200kpps', flows: { count: 8, dport: 9000, dst } } },
    })
    const sum: Record<string, number> = {}
    for (const { stages_ns } of web.cpus)
      for (const [stage, ns] of Object.entries(stages_ns)) sum[stage] = (sum[stage] ?? 0) + ns
    return sum
  }
  const [there, here] = [stages('10.0.0.2'), stages('192.0.2.1')]
  for (const stage of ['ip_forward', 'ndo_start_xmit', 'enqueue_to_backlog', 'process_backlog'])
    assert.ok((there[stage] ?? 0) > 0 && here[stage] === undefined, stage)
  const ratio = (stage: string) => Math.round(((there[stage] ?? 0) / (here[stage] ?? 1)) * 10) / 10
  assert.equal([ratio('ip_rcv'), ratio('ip_route_input'), ratio('udp_rcv')], [2, 2, 1])
})

netns('a service in a container behind DNAT answers its clients under the address of the host', () => {
  const scenario = container({
    nftables: DNAT,
    apps: { echo: { kind: 'udp_echo', netns: 'c1', cpus: [2], sockets: { bind: '0.0.0.0:9000' } } },
  })
  const { report, init, c1 } = spaces({
    ...scenario,
    traffic: { clients: { kind: 'closed', to: 'web/eth0', clients: 4, flows: { count: 4, dport: 80 } } },
  })
  assert.ok(report.packets.delivered > 200, `${report.packets.delivered} requests`)
  assert.is(init.netfilter?.conntrack?.count, 4)
  assert.is(c1.netfilter, undefined)
  assert.ok(count(c1, 'Udp', 'OutDatagrams') > 200)
  assert.is(count(init, 'Udp', 'OutDatagrams'), 0)
})

netns('one datagram to a port nobody has: both ends count as Linux 6.18 does', () => {
  const { report } = runScenario({
    name: 'one',
    duration: '2ms',
    hosts: {
      h: {
        cpus: 1,
        devices: { eth0: { driver: 'veth', peer: 'b/eth0', address: '10.9.0.1/24' } },
        netns: { b: { devices: { eth0: { driver: 'veth', address: '10.9.0.2/24' } } } },
        apps: { s: { kind: 'udp_sender', cpus: [0], to: '10.9.0.2:9', payload: 18, rate: '1kpps', messages: 1 } },
      },
    },
  } as unknown as ScenarioInput)
  // ARP request and datagram one way, ARP reply and ICMP error the other; /proc/net/dev of both namespaces.
  const rows = report.hosts.h?.devices.map((each) => [each.rx_bytes, each.rx_packets, each.tx_bytes, each.tx_packets])
  assert.equal(rows, [
    [130, 2, 102, 2],
    [102, 2, 130, 2],
  ])
  const { init, b } = (report.hosts.h?.netns ?? {}) as unknown as { init: Space; b: Space }
  const ip = (space: Space) =>
    ['InReceives', 'InDelivers', 'OutRequests', 'OutTransmits'].map((name) => count(space, 'Ip', name))
  assert.equal(
    [ip(init), ip(b)],
    [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
  )
  assert.equal([count(b, 'Udp', 'NoPorts'), count(init, 'Icmp', 'InDestUnreachs')], [1, 1])
})

netns('settings, rules and taps of a namespace hold there alone', () => {
  const rules = 'table ip f { chain in { type filter hook input priority filter; udp dport 9000 drop; }; }'
  const filtered = spaces(container({}, { nftables: rules }))
  assert.is(received(filtered.c1), 0)
  assert.ok(received(filtered.init) > 300)
  assert.is(filtered.c1.netfilter?.hook_packets, count(filtered.c1, 'Ip', 'InReceives'))
  assert.is(filtered.init.netfilter, undefined)
  const strict = spaces(container({}, { sysctl: { 'net.ipv4.conf.all.rp_filter': 1 }, routes: [] }))
  assert.is(count(strict.c1, 'TcpExt', 'IPReversePathFilter'), count(strict.c1, 'Ip', 'InReceives'))
  assert.is(count(strict.init, 'TcpExt', 'IPReversePathFilter'), 0)
  const tapped = spaces(container({}, { taps: ['any'] }))
  const tap = ({ web }: typeof tapped) => web.cpus.reduce((sum, { stages_ns }) => sum + (stages_ns.tap ?? 0), 0)
  const everywhere = spaces(container({ taps: ['any'] }, { taps: ['any'] }))
  assert.ok(tap(tapped) > 0 && tap(everywhere) > 1.5 * tap(tapped))
})

netns('a namespace starts with the forwarding of its host, as Linux does it', () => {
  assert.is(count(spaces(container()).c1, 'Ip', 'Forwarding'), 1)
  assert.is(count(spaces(container({}, { sysctl: { 'net.ipv4.ip_forward': 0 } })).c1, 'Ip', 'Forwarding'), 2)
})

netns('a card in a namespace delivers there', () => {
  const scenario = container({
    devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24' } },
    netns: { c1: { devices: { eth0: { driver: 'e1000', address: '192.0.2.1/24' } } } },
  })
  const { c1, init, web } = spaces({
    ...scenario,
    traffic: { in: { kind: 'open', to: 'web/c1/eth0', rate: '100kpps', flows: { count: 8, dport: 9000 } } },
  })
  assert.ok(received(c1) > 300)
  assert.is(count(init, 'Ip', 'InReceives'), 0)
  assert.equal(
    web.queues.map(({ dev }) => dev),
    ['eth0', 'eth0', 'eth0', 'eth0', 'c1/eth0'],
  )
})

netns('RPS of the far end moves the work to other CPUs', () => {
  const { web } = spaces(
    container({}, { devices: { eth0: { driver: 'veth', address: '10.0.0.2/24', queues: { rps_cpus: '2' } } } }),
  )
  assert.ok((web.cpus[1]?.softnet_stat.processed ?? 0) > 700)
})

netns('a packet that RPS has sent to another CPU goes on from there through a pair', () => {
  const scenario = builtinScenario('container-veth')?.scenario
  assert.ok(scenario)
  const { packets, hosts } = runScenario(scenario, ['eth0.queues.rps_cpus=e', 'duration=3ms']).report
  assert.ok((hosts.server?.cpus[1]?.softnet_stat.received_rps ?? 0) > 0)
  assert.ok(packets.delivered > 0.9 * packets.offered, `${packets.delivered} of ${packets.offered}`)
})

netns('a full backlog is told to the sending end', () => {
  const { web, report } = spaces(
    {
      ...container({ sysctl: { 'net.ipv4.ip_forward': 1, 'net.core.netdev_max_backlog': 4 } }),
      traffic: {
        in: {
          kind: 'open',
          to: 'web/eth0',
          rate: '4Mpps',
          flows: { count: 1, dport: 9000, dst: '10.0.0.2' },
        },
      },
    },
    ['duration=1ms'],
  )
  const lost = report.drops.find(({ where }) => where === 'enqueue_to_backlog')?.count ?? 0
  const veth0 = web.devices.find(({ name }) => name === 'veth0') as { tx_dropped?: number } | undefined
  assert.ok(lost > 100)
  assert.is(veth0?.tx_dropped, lost)
})

netns('the verdict of a run with a container names settings by their paths', () => {
  const slow = { slow: { netns: 'c1', cpus: [2], work: '50us', sockets: { bind: '0.0.0.0:9000' } } }
  const scenario = { ...container({ apps: slow }), duration: '40ms' }
  const { bottleneck, remedies } = verdictOf(spaces(scenario).run)
  assert.is.not(bottleneck, 'none')
  for (const { set } of remedies) runScenario(scenario, [set, 'duration=1ms'])
})

netns.run()
