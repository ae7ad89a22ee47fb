/** What CPUs share through netfilter must not depend on how a run is cut or in which order partitions are advanced. */
import { compileScenario, type Plan } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type Advance,
  atOnce,
  drawnOrder,
  firstDifferences,
  inPieces,
  inRounds,
  ordered,
  runModel,
  shortOfHorizon,
} from './support/run-model.js'

const test = suite('netfilter in any order')

const RULES = `
table inet t {
  chain p { type nat hook prerouting priority dstnat; udp dport 9001 redirect to :9000; }
  chain i { type filter hook input priority 0; policy drop;
    ct state invalid drop
    limit rate over 200000/second burst 100 packets counter drop
    ct state new,established counter accept
  }
}`

/** Four queues on four CPUs, RPS to two more, a table that is too small. */
function planOf(seed: number): Plan {
  const compiled = compileScenario(
    {
      seed,
      duration: '3ms',
      hosts: {
        h: {
          cpus: 6,
          nftables: RULES,
          sysctl: { 'net.netfilter.nf_conntrack_max': 500, 'net.netfilter.nf_conntrack_buckets': 16_384 },
          devices: {
            eth0: {
              driver: 'ixgbe',
              address: '192.0.2.1/24',
              channels: { combined: 4 },
              'rx-flow-hash': { udp4: 'sdfn' },
              queues: { rps_cpus: '30' },
            },
          },
          apps: { app: { cpus: [0, 1], sockets: { bind: '0.0.0.0:9000' } } },
        },
      },
      traffic: { t: { to: 'h/eth0', rate: '900kpps', pattern: 'poisson', flows: { count: 2000, 'dport-count': 2 } } },
    },
    { source: 'order' },
  )
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors))
  return compiled.plan
}

const WAYS: readonly (readonly [string, Advance])[] = [
  ['in pieces', inPieces(3)],
  ['in other pieces', inPieces(4, shortOfHorizon(4))],
  ['in any order', ordered(drawnOrder(5))],
  ['in rounds', inRounds],
]

for (const seed of [1, 2]) {
  const plan = planOf(seed)
  const once = runModel(plan, atOnce)
  for (const [name, advance] of WAYS) {
    test(`seed ${seed}, ${name}`, () => {
      const other = runModel(plan, advance)
      assert.is(other.report.digest, once.report.digest, firstDifferences(once.model, other.model).join('; '))
    })
  }
  test(`seed ${seed}: nothing is lost without being counted, and every rule acts`, () => {
    const { packets, hosts } = once.report
    const { offered, created, delivered, consumed, sent, dropped, in_flight } = packets
    assert.is(offered + created, delivered + consumed + sent + dropped + in_flight)
    const { tables = [], conntrack } = hosts.h?.netns.init?.netfilter ?? {}
    const rules = tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules))
    const lost = rules.reduce((sum, rule) => sum + rule.dropped, 0)
    const full = conntrack?.stat.reduce((sum, row) => sum + row.drop, 0) ?? 0
    const filtered = once.report.drops.filter(({ reason }) => reason === 'NETFILTER_DROP')
    assert.is(
      filtered.reduce((sum, { count }) => sum + count, 0),
      lost + full,
    )
    assert.ok(lost > 100 && full > 0, `${lost} by rules, ${full} by a full table`)
    assert.ok((conntrack?.count ?? 0) <= 500)
  })
}

test.run()
