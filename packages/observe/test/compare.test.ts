import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { differencesOf } from '../src/compare/differences.js'
import { compareVariants, judge, type MeasuredVariant } from '../src/compare/document.js'
import { quantitiesOf } from '../src/compare/quantities.js'
import { renderCompare } from '../src/text/compare-screen.js'
import { drop, hostResult, result } from './fixtures.js'

const SEEDS = [7, 8, 9]

/** A variant whose runs lose as many frames as `lost` says, by seed. */
function variant(label: string, lost: readonly number[]): MeasuredVariant {
  const results = lost.map((count) =>
    result(hostResult(), count === 0 ? [] : [drop('rx_ring', 'NIC_RX_NO_BUFFER', count)]),
  )
  return {
    label,
    scenario: 's',
    differences: [],
    runs: results.map((_run, index) => ({
      seed: SEEDS[index] as number,
      digest: `${label}${index}`,
      bottleneck: 'none',
    })),
    failures: [],
    quantities: new Map(results.map((run, index) => [SEEDS[index] as number, quantitiesOf(run)])),
  }
}

const dropRow = (variants: readonly MeasuredVariant[], seeds = SEEDS) => {
  const { quantities } = compareVariants(variants, seeds, 'done', 0)
  const found = quantities.find(({ label }) => label === 'NIC_RX_NO_BUFFER rx_ring')
  assert.ok(found)
  return found
}

test('a difference is judged by the interval of the pairs, not by those of the two means', () => {
  // The seeds differ by far more than the variants; each pair differs by about the same.
  const [, row] = dropRow([variant('A', [1000, 5000, 9000]), variant('B', [900, 4890, 8905])]).values
  assert.is(row?.judgement, 'better')
  const change = row?.change
  const share = (frames: number) => frames / (result(hostResult(), []).packets.offered || 1)
  assert.is(change?.n, 3)
  assert.ok((change?.mean ?? 0) < 0 && Math.abs(change?.mean ?? 0) < share(1000))
})

test('judgements', () => {
  const of = (mean: number, ci95: number | null) => ({ n: ci95 === null ? 1 : 3, mean, ci95 })
  assert.is(judge(null, 'more'), 'unknown')
  assert.is(judge(of(5, null), 'more'), 'unknown')
  assert.is(judge(of(0, 0), 'more'), 'same')
  assert.is(judge(of(5, 5), 'more'), 'noise')
  assert.is(judge(of(5, 4), 'more'), 'better')
  assert.is(judge(of(5, 4), 'less'), 'worse')
  assert.is(judge(of(-5, 0), 'less'), 'better')
  assert.is(judge(of(-5, 4), null), 'changed')
})

test('what a run does not lose counts as nothing lost, also where only one variant loses it', () => {
  const [before, after] = dropRow([variant('A', [0, 0, 0]), variant('B', [100, 110, 120])]).values
  assert.is(before?.value?.mean, 0)
  assert.is(before?.value?.n, 3)
  assert.is(after?.judgement, 'worse')
})

test('a seed that failed in one variant is left out of the differences', () => {
  const short = variant('B', [10, 20, 30])
  const two = new Map([...short.quantities].filter(([seed]) => seed !== 8))
  const [, after] = dropRow([variant('A', [5, 5, 5]), { ...short, quantities: two }]).values
  assert.is(after?.change?.n, 2)
  assert.is(after?.value?.n, 2)
})

test('one run each has no noise to be judged by', () => {
  const variants = [variant('A', [5]), variant('B', [50])]
  const [, after] = dropRow(variants, [7]).values
  assert.is(after?.judgement, 'unknown')
  assert.match(renderCompare(compareVariants(variants, [7], 'done', 0)), /what of this is chance is not known/)
})

test('differences of scenarios', () => {
  const from = { name: 'a', seed: 1, hosts: { h: { cpus: 4, apps: { sink: { cpus: [1, 2] } } } } }
  const to = {
    name: 'b',
    seed: 1,
    hosts: { h: { cpus: 8, sysctl: { x: { y: 1 } }, apps: { sink: { cpus: [1, 3] } } } },
  }
  assert.equal(differencesOf(from, to), [
    { path: 'hosts.h.cpus', from: 4, to: 8 },
    { path: 'hosts.h.apps.sink.cpus', from: [1, 2], to: [1, 3] },
    { path: 'hosts.h.sysctl.x.y', from: undefined, to: 1 },
  ])
  assert.equal(differencesOf(from, from), [])
  assert.equal(differencesOf({ a: {} }, { a: [1] }), [{ path: 'a', from: {}, to: [1] }])
})

test('names from outside reach the screen without control characters', () => {
  const odd = { ...variant('A\u001b[2J', [1, 2, 3]), differences: [{ path: 'p\n', from: '\u0007', to: 'x' }] }
  const text = renderCompare(compareVariants([odd, odd], SEEDS, 'done', 0))
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.not.match(text, /[\u0000-\u0009\u000b-\u001f]/)
})

test.run()
