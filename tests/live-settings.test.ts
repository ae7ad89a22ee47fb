import { compileScenario, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { settingsChange } from './support/live-settings.js'
import { type Report, runModel } from './support/run-model.js'

const live = suite('settings changed in a run')

type Events = NonNullable<ScenarioInput['events']>
type Host = ScenarioInput['hosts'][string]

const run = (scenario: ScenarioInput): Report => runModel(planOf(scenario, 'live')).report

function lost(report: Report, where: string): number {
  return report.drops.filter((drop) => drop.where === where).reduce((sum, { count }) => sum + count, 0)
}

/** One CPU that is overloaded by one flow that RPS sends to the other one. */
function overload(events: Events, host: Partial<Host> = {}): ScenarioInput {
  return {
    duration: '3ms',
    hosts: {
      h: {
        cpus: 2,
        cstates: 'none',
        devices: { eth0: { channels: { combined: 1 }, queues: { rps_cpus: '2' } } },
        apps: { sink: { cpus: [1] } },
        ...host,
      },
    },
    traffic: { t: { rate: '3Mpps', flows: { count: 16 } } },
    events,
  }
}

live('sysctl -w: budget and backlog are what they are set to, from then on', () => {
  const before = run(overload([]))
  const narrow = run(overload([{ at: '1500us', do: 'sysctl -w net.core.netdev_max_backlog=10' }]))
  const squeezed = run(overload([{ at: '1500us', do: 'sysctl -w net.core.netdev_budget=32' }]))
  const sum = (report: Report, name: 'dropped' | 'time_squeeze') =>
    report.hosts.h?.cpus.reduce((total, { softnet_stat }) => total + softnet_stat[name], 0) ?? 0
  const start = run({ ...overload([]), hosts: overload([], { sysctl: { 'net.core.netdev_budget': 32 } }).hosts })
  assert.ok(sum(narrow, 'dropped') > sum(before, 'dropped'), `${sum(narrow, 'dropped')} ${sum(before, 'dropped')}`)
  assert.ok(sum(squeezed, 'time_squeeze') > sum(before, 'time_squeeze') + 10)
  assert.ok(sum(squeezed, 'time_squeeze') < sum(start, 'time_squeeze'))
  const [entry] = squeezed.hosts.h?.link_log ?? []
  assert.equal(
    { ...entry, t_ns: Math.round((entry?.t_ns ?? 0) / 1e5) },
    {
      t_ns: 15,
      dev: '',
      what: 'sysctl -w',
      detail: 'net.core.netdev_budget=32',
    },
  )
})

live('a setting that is written as it is changes nothing, and one at time 0 is as good as one from the start', () => {
  const at = (value: number, sysctl = {}) =>
    run(overload([{ at: 0, do: `sysctl -w net.core.netdev_max_backlog=${value}` }], { sysctl })).packets
  assert.equal(at(1000), run(overload([])).packets)
  const late = at(20)
  const from = run(overload([], { sysctl: { 'net.core.netdev_max_backlog': 20 } })).packets
  assert.ok(Math.abs(late.dropped - from.dropped) < from.dropped / 50, `${late.dropped} ${from.dropped}`)
})

/** A router with one queue each way. */
function router(events: Events, out: object = {}): ScenarioInput {
  const one = { channels: { combined: 1 } }
  return {
    duration: '20ms',
    hosts: {
      r: {
        cpus: 2,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        routes: ['203.0.113.0/24 dev eth1'],
        devices: {
          eth0: { ...one, address: '192.0.2.1/24' },
          eth1: { ...one, address: '198.18.0.1/24', ...out },
        },
      },
    },
    traffic: { t: { to: 'r/eth0', rate: '100kpps', frame: 500, flows: { count: 8, dst: '203.0.113.9' } } },
    events,
  }
}

live('ethtool -G: the rings are closed and opened with another size, and what comes meanwhile is lost', () => {
  const report = run(router([{ at: '10ms', do: 'ethtool -G eth0 rx 128' }]))
  const [queue] = report.hosts.r?.queues ?? []
  assert.is(queue?.ring_size, 128)
  const what = (report.hosts.r?.link_log ?? []).map((row) => row.what)
  const off = ['netif_carrier_off', 'dev_deactivate', 'NETDEV_CHANGE']
  assert.equal(what, ['ethtool -G', ...off, 'netif_carrier_on', 'dev_activate', 'NETDEV_CHANGE'])
  const { offered, sent, dropped } = report.packets
  assert.ok(dropped >= 1 && dropped <= 20, `${dropped} dropped`)
  assert.ok(sent > offered - 30)
})

live('a ring that is made smaller overflows where the larger one did not', () => {
  const burst = (events: Events) => {
    const eth0 = { channels: { combined: 1 }, 'packet-buffer': 2000 }
    const scenario = overload(events, { devices: { eth0 } })
    const t = { pattern: 'burst' as const, count: 120, every: '1ms', flows: { count: 16 } }
    return run({ ...scenario, traffic: { t } })
  }
  assert.is(burst([]).packets.dropped, 0)
  assert.ok(burst([{ at: '1500us', do: 'ethtool -G eth0 rx 64' }]).packets.dropped > 20)
})

live('ethtool -K gro off: packets go up one by one', () => {
  const tcp = (events: Events) => {
    const scenario = overload(events, { devices: { eth0: { channels: { combined: 1 } } } })
    const t = { rate: '200kpps' as const, protocol: 'tcp' as const, train: 32, frame: 1514, flows: { count: 2 } }
    return run({ ...scenario, duration: '4ms', traffic: { t } })
  }
  const processed = (report: Report) =>
    report.hosts.h?.cpus.reduce((total, { softnet_stat }) => total + softnet_stat.processed, 0) ?? 0
  const [on, half, off] = [
    processed(tcp([])),
    processed(tcp([{ at: '2ms', do: 'ethtool -K eth0 gro off' }])),
    processed(tcp([{ at: 0, do: 'ethtool -K eth0 gro off' }])),
  ]
  assert.ok(on * 2 < half && half < off * 0.8, `${on} ${half} ${off}`)
  const back = processed(
    tcp([
      { at: 0, do: 'ethtool -K eth0 gro off' },
      { at: '2ms', do: 'ethtool -K eth0 gro on' },
    ]),
  )
  assert.ok(Math.abs(back - half) < half / 3, `${back} ${half}`)
})

live('tc qdisc replace: what waited is freed, and the new discipline counts from nothing', () => {
  const slow = { link: '100Mbit', qdisc: { kind: 'pfifo', limit: 500 } }
  const report = run(router([{ at: '15ms', do: 'tc qdisc replace dev eth1 root fq_codel limit 50 noecn' }], slow))
  const [row] = (report.hosts.r?.qdiscs ?? []).filter(({ dev }) => dev === 'eth1')
  assert.is(row?.kind, 'fq_codel')
  // 25 packets a millisecond leave: 500 are in the queue by then.
  assert.ok(lost(report, 'qdisc_reset') >= 450, `${lost(report, 'qdisc_reset')}`)
  assert.ok((row?.packets ?? 0) < 5 * 25 + 20, `${row?.packets} sent by the new one`)
  assert.ok((row?.dropped ?? 0) > 100)
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
})

live('echo MASK > rps_cpus: packets go to other CPUs from then on', () => {
  const processed = (report: Report, cpu: number) => report.hosts.h?.cpus[cpu]?.softnet_stat.processed ?? 0
  const files = '/sys/class/net/eth0/queues'
  const events: Events = [
    { at: '1ms', do: `echo 4 > ${files}/rx-0/rps_cpus` },
    { at: '2ms', do: `echo 0 > ${files}/rx-0/rps_cpus` },
  ]
  const scenario = overload(events, { cpus: 3, apps: { sink: { cpus: [1] } } })
  const report = run({ ...scenario, traffic: { t: { rate: '300kpps', flows: { count: 16 } } } })
  // A third of the run each: CPU 1, then CPU 2, then where they come in.
  const counts = [0, 1, 2].map((cpu) => processed(report, cpu))
  for (const count of counts) assert.ok(Math.abs(count - 300) <= 30, `${counts}`)
})

live('echo MASK > xps_cpus: a CPU sends on another queue from then on', () => {
  const files = '/sys/class/net/eth0/queues'
  const scenario: ScenarioInput = {
    duration: '2ms',
    hosts: {
      h: {
        cpus: 2,
        devices: { eth0: { channels: { combined: 2 } } },
        apps: { load: { kind: 'udp_sender', cpus: [0], to: '192.0.2.9:9000', rate: '100kpps' } },
      },
    },
    events: [
      { at: '1ms', do: `echo 0 > ${files}/tx-0/xps_cpus` },
      { at: '1ms', do: `echo 3 > ${files}/tx-1/xps_cpus` },
    ],
  }
  const queues = run(scenario).hosts.h?.tx_queues?.map(({ packets }) => packets) ?? []
  for (const packets of queues) assert.ok(Math.abs(packets - 100) <= 8, `${queues}`)
})

function faultsOf(what: string, scenario: ScenarioInput = router([])): string {
  const compiled = compileScenario({ ...scenario, events: [{ at: 0, do: what }] }, { source: 'test' })
  return compiled.ok ? '' : compiled.errors.map(({ accepted, nearest }) => `${accepted}; ${nearest}`).join('\n')
}

live('what cannot be set is refused', () => {
  assert.match(
    faultsOf('sysctl -w net.core.netdev_bugdet=3'),
    /a setting that a run may change: .*; net.core.netdev_budget/,
  )
  assert.match(faultsOf('sysctl -w net.core.netdev_budget=0'), /netdev_budget=VALUE with an integer from 1/)
  assert.match(faultsOf('sysctl -w net.core.netdev_budget_usecs=2'), /at least 8000, two jiffies at HZ 250/)
  assert.match(faultsOf('ethtool -G eth0 rx 3'), /64 to 4096 for ixgbe/)
  assert.match(faultsOf('ethtool -K eth0 gor on'), /ethtool -K DEV gro on\|off/)
  assert.match(faultsOf('ethtool -K eth7 gro on'), /a device of r: eth0, eth1; eth0/)
  assert.match(faultsOf('tc qdisc replace dev eth1 root fq_codle'), /fq_codel/)
  assert.match(faultsOf('tc qdisc replace dev eth1 root fq_codel limt 3'), /one of limit, flows, .*; limit/)
  assert.match(faultsOf('tc qdisc replace dev eth1 root pfifo limit 0'), /limit an integer from 1/)
  assert.match(faultsOf('tc qdisc replace dev eth1 root tbf rate 1Mbit'), /burst/)
  const rps = 'echo f > /sys/class/net/eth0/queues/rx-0/rps_cpus'
  assert.match(faultsOf(rps), /CPUs 0 to 1; the host has no CPU 2-3/)
  assert.match(faultsOf(rps.replace('rx-0', 'rx-1')), /a queue of eth0: 0 to 0/)
  assert.match(faultsOf(rps.replace('rx-0', 'tx-0')), /echo MASK > /)
  const many = router([], { channels: { combined: 2 } })
  assert.match(faultsOf('tc qdisc replace dev eth1 root pfifo', many), /a device with one transmit queue/)
  assert.is(faultsOf('tc qdisc replace dev eth1 root tbf rate 1Mbit burst 10kB latency 50ms'), '')
  assert.ok(settingsChange().events?.every(({ do: what }) => faultsOf(what, settingsChange()) === ''))
})

live.run()
