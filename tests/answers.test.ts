/** What a host does for others by itself: neighbours, ICMP errors and translation, with one CPU or several. */
import { builtinScenario, compileScenario, type HostResult, type Plan } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { atOnce, drawnOrder, inRounds, ordered, type Report, runModel } from './support/run-model.js'

const answers = suite('what a host does by itself')

function planOf(document: unknown, set: Readonly<Record<string, unknown>> = {}): Plan {
  const overrides = Object.entries(set).map(([path, value]) => ({ path, value, given: String(value) }))
  const compiled = compileScenario(document, { source: 'answers', overrides })
  if (!compiled.ok) throw new Error(compiled.errors.map(({ path, accepted }) => `${path}: ${accepted}`).join('; '))
  return compiled.plan
}

function hostOf(report: Report): HostResult {
  const { offered, created, delivered, consumed, sent, dropped, in_flight } = report.packets
  assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
  return Object.values(report.hosts)[0] as HostResult
}

const counter = (host: HostResult, name: string): number => host.netns.init?.snmp.Icmp?.[name] ?? 0

/** A scan of closed ports from 500 addresses, over as many queues and CPUs as asked for. */
const scanned = (cpus: number) => ({
  duration: '250ms',
  hosts: {
    h: {
      cpus,
      cstates: 'none',
      devices: {
        eth0: {
          driver: 'ixgbe',
          address: '192.0.2.1/24',
          channels: { combined: cpus },
          coalesce: { 'adaptive-rx': false, 'rx-usecs': 1000 },
        },
      },
    },
  },
  traffic: { t: { rate: '20kpps', flows: { count: 500, 'src-count': 500, dport: 7 } } },
})

for (const cpus of [1, 4]) {
  answers(`${cpus} CPUs send about fifty errors at once and a thousand a second`, () => {
    const host = hostOf(runModel(planOf(scanned(cpus))).report)
    const told = counter(host, 'OutDestUnreachs')
    // Each takes 0, 1 or 2 of 50 + 250.
    assert.ok(told > 250 && told < 360, `${told} answers`)
    const held = counter(host, 'OutRateLimitGlobal') + counter(host, 'OutRateLimitHost')
    assert.is(told + held, host.netns.init?.snmp.Udp?.NoPorts)
  })
}

answers('a peer is told six times, then once a second, whichever CPU its packets reach', () => {
  // One address, ports over all queues.
  const document = {
    ...scanned(4),
    duration: '2500ms',
    traffic: { t: { rate: '200pps', flows: { count: 64, dport: 7 } } },
  }
  const set = { 'eth0.rx-flow-hash.udp4': 'sdfn' }
  const host = hostOf(runModel(planOf(document, set)).report)
  assert.ok(host.queues.filter(({ frames }) => frames > 50).length === 4)
  assert.is(counter(host, 'OutDestUnreachs'), 6 + 2)
})

/** Two CPUs that pass on to neighbours of one device, each of which answers. */
const ROUTER = {
  duration: '20ms',
  hosts: {
    r: {
      cpus: 2,
      cstates: 'none',
      sysctl: { 'net.ipv4.ip_forward': 1 },
      devices: {
        eth0: {
          driver: 'ixgbe',
          address: '192.0.2.1/24',
          channels: { combined: 2 },
          'rx-flow-hash': { udp4: 'sdfn' },
        },
        eth1: { driver: 'ixgbe', address: '198.18.0.1/16', channels: { combined: 1 }, arp: true },
      },
    },
  },
  traffic: {
    load: { to: 'r/eth0', rate: '100kpps', flows: { count: 400, dst: '198.18.1.0', 'dst-count': 40 } },
    hosts: {
      to: 'r/eth1',
      protocol: 'arp',
      arp: 'reply',
      rate: '40kpps',
      flows: { count: 40, src: '198.18.1.0', 'src-count': 40 },
    },
  },
}

answers('a neighbour is asked for once, by whichever CPU needs it first', () => {
  const { report } = runModel(planOf(ROUTER))
  const host = hostOf(report)
  assert.ok(host.queues.filter(({ dev, frames }) => dev === 'eth0' && frames > 500).length === 2)
  assert.is(report.packets.created, 40, 'requests')
  const [row] = host.netns.init?.arp_cache ?? []
  assert.is(row?.entries, 40)
  assert.is(report.packets.dropped, 0)
})

answers('the shared table does not depend on the order of partitions', () => {
  const plan = planOf(ROUTER)
  const once = runModel(plan, atOnce).report.digest
  for (const advance of [ordered(drawnOrder(5)), inRounds]) {
    assert.is(runModel(plan, advance).report.digest, once)
  }
})

const scenario = (name: string) => builtinScenario(name)?.scenario

answers('arp-storm: a larger table lets the hosts that answer be reached', () => {
  const before = runModel(planOf(scenario('arp-storm'))).report
  const after = runModel(planOf(scenario('arp-storm'), { 'net.ipv4.neigh.default.gc_thresh3': 8192 })).report
  assert.ok((hostOf(before).netns.init?.arp_cache?.[0]?.table_fulls ?? 0) > 10_000)
  assert.is(hostOf(after).netns.init?.arp_cache?.[0]?.table_fulls, 0)
  // 57 ms of 200 packets per ms, less those still waiting for their neighbour.
  assert.ok(after.packets.sent - before.packets.sent > 11_000, `${before.packets.sent}, then ${after.packets.sent}`)
})

answers('nat-gateway: with room for every flow all packets and all answers pass', () => {
  const set = { duration: '40ms', 'traffic.inside.flows.count': 4000, 'traffic.answers.flows.count': 4000 }
  const plan = (max: number) => planOf(scenario('nat-gateway'), { ...set, 'net.netfilter.nf_conntrack_max': max })
  const small = runModel(plan(1024)).report
  const large = runModel(plan(16_384)).report
  const full = hostOf(small).netns.init?.netfilter?.conntrack
  assert.ok((full?.count ?? 0) <= 1024)
  assert.ok((full?.stat.reduce((sum, { early_drop }) => sum + early_drop, 0) ?? 0) > 100)
  assert.ok(small.packets.dropped > 5000)
  // Answers that come before the first packet of their flow are not translated.
  assert.ok(large.packets.dropped < 600, `${large.packets.dropped} dropped`)
})

answers('icmp-flood: every request is answered that the ring took, errors are not', () => {
  const { report } = runModel(planOf(scenario('icmp-flood'), { duration: '20ms' }))
  const host = hostOf(report)
  assert.is(counter(host, 'OutEchoReps'), counter(host, 'InEchos'))
  assert.ok(counter(host, 'InEchos') > 10_000)
  assert.ok(counter(host, 'OutDestUnreachs') < 110)
  assert.ok(counter(host, 'OutRateLimitGlobal') > 500)
})

answers('gratuitous messages make no neighbours, requests for the host do', () => {
  const count = (arp: string) => {
    const traffic = {
      t: { protocol: 'arp', arp, rate: '100kpps', flows: { count: 50, src: '192.0.2.50', 'src-count': 50 } },
    }
    const { report } = runModel(planOf({ ...scanned(1), duration: '5ms', traffic }))
    const [row] = hostOf(report).netns.init?.arp_cache ?? []
    return [row?.entries, row?.lookups, report.packets.created]
  }
  const [none, heard = 0, silent] = count('gratuitous')
  assert.equal([none, silent], [0, 0])
  assert.ok(heard > 300, 'looked up')
  const [known, asked, replies] = count('request')
  assert.is(known, 50)
  assert.is(replies, asked)
})

answers.run()
