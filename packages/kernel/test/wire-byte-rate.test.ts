import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byteRate, splitRatio } from '../src/wire/byte-rate.js'

test('usual link rates are whole picoseconds per byte', () => {
  for (const [rate, ps] of [
    [100e6, 80_000],
    [1e9, 8000],
    [2.5e9, 3200],
    [10e9, 800],
    [25e9, 320],
    [40e9, 200],
    [100e9, 80],
    [400e9, 20],
  ] as const) {
    assert.equal(byteRate(rate), { whole: ps, rest: 0, denominator: 1 })
  }
})

test('other rates keep their rest in lowest terms', () => {
  assert.equal(byteRate(3e9), { whole: 2666, rest: 2, denominator: 3 })
  assert.equal(splitRatio(1e12, 7e6), { whole: 142_857, rest: 1, denominator: 7 })
  const odd = byteRate(999_999_937)
  assert.is(odd.whole * odd.denominator + odd.rest, 8e12)
})

test('a rate that is no whole number still adds up', () => {
  const { whole, rest, denominator } = splitRatio(1e12, 833_333.25)
  assert.ok(Math.abs(whole + rest / denominator - 1e12 / 833_333.25) < 1e-9)
  assert.ok(rest < denominator)
})

test.run()
