import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compareVariants, type MeasuredVariant } from '../src/compare/document.js'
import { quantitiesOf } from '../src/compare/quantities.js'
import { explainResult, rankTrials, trialsOf } from '../src/explain/document.js'
import { renderExplain } from '../src/text/explain-screen.js'
import { drop, hostResult, result } from './fixtures.js'

const REMEDIES = [
  { set: 'eth0.rings.rx=1024', why: 'a ring that holds a burst' },
  { set: 'eth0.x=[1, 2]', why: 'does nothing' },
]

function variant(lost: readonly number[], bottleneck: string): MeasuredVariant {
  const results = lost.map((count) => result(hostResult(), [drop('rx_ring', 'NIC_RX_NO_BUFFER', count)]))
  return {
    label: 'v',
    scenario: 's',
    differences: [],
    runs: lost.map((_count, seed) => ({ seed, digest: `${seed}`, bottleneck })),
    failures: [],
    quantities: new Map(results.map((run, seed) => [seed, quantitiesOf(run)])),
  }
}

const verdict = { bottleneck: 'ring_too_small', sentences: ['The ring is full.'], remedies: REMEDIES }

test('trials are each remedy alone, and all together where there are several', () => {
  assert.equal(
    trialsOf(verdict).map(({ set }) => set),
    [['eth0.rings.rx=1024'], ['eth0.x=[1, 2]'], ['eth0.rings.rx=1024', 'eth0.x=[1, 2]']],
  )
  assert.is(trialsOf({ ...verdict, remedies: REMEDIES.slice(0, 1) }).length, 1)
  assert.equal(trialsOf({ ...verdict, remedies: [] }), [])
})

test('what helps most comes first, noise after it, harm last', () => {
  const variants = [
    variant([900, 1000, 1100], 'ring_too_small'),
    variant([910, 985, 1106], 'ring_too_small'),
    variant([100, 110, 130], 'none'),
    variant([2900, 3000, 3100], 'app_too_slow'),
  ]
  const comparison = compareVariants(variants, [0, 1, 2], 'done', 5)
  const tries = rankTrials(verdict, trialsOf(verdict), comparison)
  assert.is(tries.ranked_by, 'delivered_pps')
  assert.equal(
    tries.ranked.map(({ variant: index, effect }) => [index, effect.judgement]),
    [
      [2, 'better'],
      [1, 'noise'],
      [3, 'worse'],
    ],
  )
  assert.equal(tries.ranked[0]?.bottlenecks, ['none'])
  const own = explainResult(result(hostResult(), [drop('rx_ring', 'NIC_RX_NO_BUFFER', 1000)], { verdict }), null)
  const lines = renderExplain({ ...own, tries }, { columns: 110 }).split('\n')
  assert.ok(lines.includes("  1  --set 'eth0.x=[1, 2]'  does nothing"))
  assert.ok(lines.some((line) => /^ {2}2 +≈ [-+].* ring_too_small$/.test(line)))
  assert.ok(lines.some((line) => /^ {2}1,000 +1\.0 % +NIC_RX_NO_BUFFER +rx_ring +server$/.test(line)))
})

test('where nothing is lost the tail of latency ranks', () => {
  const none = { ...verdict, bottleneck: 'none' }
  const comparison = compareVariants([variant([0], 'none'), variant([0], 'none')], [0], 'done', 5)
  assert.is(
    rankTrials(none, trialsOf({ ...none, remedies: REMEDIES.slice(0, 1) }), comparison).ranked_by,
    'latency_p99_ns',
  )
})

test.run()
