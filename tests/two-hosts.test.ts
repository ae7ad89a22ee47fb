import type { ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Report } from './support/run-model.js'
import { runScenario } from './support/run-scenario.js'

const twoHosts = suite('two hosts that do not talk')

type Host = ScenarioInput['hosts'][string]
type Source = NonNullable<ScenarioInput['traffic']>[string]

/** Few CPUs, slow ticks, small limits: whatever is read from the wrong host shows. */
const small: Host = {
  cpus: { count: 2, frequency: '2.1GHz' },
  hz: 100,
  cstates: 'none',
  sysctl: {
    'net.core.netdev_budget': 64,
    'net.core.netdev_max_backlog': 40,
    'net.core.gro_normal_batch': 2,
    'net.core.skb_defer_max': 0,
    'net.core.rps_sock_flow_entries': 64,
    'net.core.flow_limit_cpu_bitmap': '3',
    'net.core.flow_limit_table_len': 8,
    'net.core.rmem_default': 50_000,
    'net.ipv4.udp_mem': [40, 40, 60],
    'net.ipv4.ipfrag_time': 1,
  },
  devices: {
    eth0: {
      driver: 'ixgbe',
      address: '192.0.2.1/24',
      mac: '02:00:00:00:00:01',
      channels: { combined: 2 },
      queues: { rps_cpus: '3', rps_flow_cnt: 32 },
      arp: false,
    },
  },
  apps: { sink: { kind: 'udp_sink', cpus: [0, 1], sockets: { bind: '0.0.0.0:9000', reuseport: true } } },
}

/** Many CPUs, fast ticks, deep sleep, busy polling and rules. */
const large: Host = {
  cpus: { count: 4, frequency: '3.6GHz' },
  hz: 1000,
  sysctl: {
    'net.core.netdev_budget': 300,
    'net.core.netdev_budget_usecs': 3000,
    'net.core.netdev_max_backlog': 1000,
    'net.core.rps_sock_flow_entries': 1024,
    'net.core.flow_limit_cpu_bitmap': '4',
    'net.core.flow_limit_table_len': 64,
    'net.ipv4.ip_forward': 1,
    'net.netfilter.nf_conntrack_udp_timeout': 7,
  },
  nftables: 'table ip t { chain in { type filter hook input priority filter; ct state new counter accept; }; }',
  devices: {
    eth0: {
      driver: 'e1000',
      address: '203.0.113.1/24',
      mac: '02:00:00:00:00:02',
      queues: { rps_cpus: 'c' },
    },
  },
  apps: {
    sink: { kind: 'udp_sink', cpus: [2, 3], wait: 'poll', sockets: { bind: '0.0.0.0:9000', reuseport: true } },
    other: { kind: 'spin', cpus: [2] },
  },
}

const toSmall: Source = { kind: 'open', to: 'small/eth0', rate: '2Mpps', flows: { count: 16, dport: 9000 } }
const toLarge: Source = { kind: 'open', to: 'large/eth0', rate: '900kpps', flows: { count: 8, dport: 9000 } }

function run(hosts: ScenarioInput['hosts'], traffic: NonNullable<ScenarioInput['traffic']>): Report {
  return runScenario({ name: 'two', duration: '12ms', hosts, traffic }).report
}

/** What a run says of one host. */
function partOf(report: Report, host: string) {
  return { result: report.hosts[host], drops: report.drops.filter((drop) => drop.host === host) }
}

/** The same host under another name and without traffic: the host behind it keeps its place and so its secrets. */
const idle = (host: Host): Host => ({
  ...host,
  devices: { eth0: { ...(host.devices.eth0 as Host['devices'][string]), mac: '02:00:00:00:00:03' } },
  apps: {},
})

const together = run({ small, large }, { a: toSmall, b: toLarge })

twoHosts('the first one does what it does alone', () => {
  const alone = run({ small }, { a: toSmall })
  assert.ok(alone.packets.dropped > 100)
  assert.equal(partOf(together, 'small'), partOf(alone, 'small'))
})

twoHosts('the second one does what it does behind an idle host that is set like itself', () => {
  const alone = run({ like: idle(large), large }, { b: toLarge })
  assert.ok(alone.packets.delivered > 1000)
  assert.equal(partOf(together, 'large'), partOf(alone, 'large'))
})

twoHosts('what a run says of both adds up', () => {
  const { packets, drops, hosts } = together
  assert.equal(Object.keys(hosts), ['small', 'large'])
  assert.is(
    packets.offered,
    packets.delivered + packets.dropped + packets.in_flight + packets.consumed + packets.sent - packets.created,
  )
  for (const host of ['small', 'large'])
    assert.ok(
      drops.some((drop) => drop.host === host),
      host,
    )
})

twoHosts.run()
