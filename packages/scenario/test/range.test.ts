import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseQuantity } from '../src/quantity.js'
import { expandRange, looksLikeRange, MAX_RANGE_VALUES } from '../src/range.js'

const test = suite('range')

const EXPANDED: readonly (readonly [string, readonly (number | string)[]])[] = [
  ['1..4', [1, 2, 3, 4]],
  ['5..5', [5]],
  ['-2..2:+2', [-2, 0, 2]],
  ['1..64:x2', [1, 2, 4, 8, 16, 32, 64]],
  ['1..60:x4', [1, 4, 16]],
  ['10..55:+20', [10, 30, 50]],
  ['0.1..0.5:+0.1', [0.1, 0.2, 0.3, 0.4, 0.5]],
  ['1..3:x1.5', [1, 1.5, 2.25]],
  ['1..1.2:x1.0625', [1, 1.0625, 1.128906, 1.199463]],
  ['16us..256us:x2', ['16us', '32us', '64us', '128us', '256us']],
  ['16us..18us', ['16us', '17us', '18us']],
  ['500us..2ms:+500us', ['500us', '1000us', '1500us', '2000us']],
  ['500ns..2us:x2', ['500ns', '1000ns', '2000ns']],
  ['1us..4us:x1.5', ['1us', '1.5us', '2.25us', '3.375us']],
  ['1ps..4ps:x1.5', ['1ps', '2ps', '2ps', '3ps']],
  ['0.5Mpps..2Mpps:+500kpps', ['0.5Mpps', '1Mpps', '1.5Mpps', '2Mpps']],
  ['1Gbit..10Gbit:x10', ['1Gbit', '10Gbit']],
  ['1KiB..4KiB:x1.5', ['1KiB', '1536B', '2304B', '3456B']],
  ['1kB..2KiB:+0.5kB', ['1kB', '1.5kB', '2kB']],
]

test('a range stands for its values, both ends included where the steps meet them', () => {
  for (const [text, values] of EXPANDED) assert.equal(expandRange(text), { ok: true, values }, text)
})

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['1..', /a range a\.\.b/],
  ['1...4', /a range a\.\.b/],
  ['1..4:2', /a range a\.\.b/],
  ['1..4:*2', /a range a\.\.b/],
  ['4..1', /rises/],
  ['1..4:+0', /step above 0/],
  ['1..4:x1', /factor above 1/],
  ['0..4:x2', /start above 0/],
  ['-4..4:x2', /start above 0/],
  ['1us..4kpps', /one kind/],
  ['1..4us', /known unit/],
  ['1ux..4ux', /known unit/],
  ['1us..4us:+1', /step with a unit/],
  ['1us..4us:+1kB', /step with a unit/],
  ['1us..4us:x2us', /without a unit/],
  ['1..1000000', /at most 1000 values/],
  ['1..4:x1.000000000001', /at most 1000 values/],
]

test('what is no range is refused with what would be one', () => {
  for (const [text, accepted] of REFUSED) {
    const result = expandRange(text)
    assert.not(result.ok, text)
    if (!result.ok) assert.match(result.accepted, accepted, text)
  }
})

test('names with dots are no ranges', () => {
  for (const text of ['../a.pcap', 'a..b', '10.0.0.1', '4Mpps', '']) assert.not(looksLikeRange(text), text)
  for (const text of ['1..4', '-1..4', '10.0.0.1..10.0.0.9', '16us..']) assert.ok(looksLikeRange(text), text)
})

test('times of a range are whole ps, rise, and stay inside', () => {
  const unit = fc.constantFrom('ns', 'us', 'ms')
  const number = fc.integer({ min: 1, max: 10_000 })
  const factor = fc.integer({ min: 1_010, max: 9_999 }).map((thousandths) => `x${thousandths / 1000}`)
  fc.assert(
    fc.property(number, unit, fc.integer({ min: 1, max: 100 }), factor, (from, name, times, step) => {
      const result = expandRange(`${from}${name}..${from * times}${name}:${step}`)
      if (!result.ok) return assert.match(result.accepted, `${MAX_RANGE_VALUES}`)
      const read = result.values.map((value) => parseQuantity('time', value))
      const ps = read.map((parsed) => (parsed.ok ? parsed.value : Number.NaN))
      const [least, most] = [`${from}${name}`, `${from * times}${name}`].map((text) => parseQuantity('time', text))
      assert.equal(ps[0], least?.ok === true ? least.value : null)
      assert.ok(ps.every((value, index) => index === 0 || value > (ps[index - 1] as number)))
      assert.ok((ps.at(-1) as number) <= (most?.ok === true ? most.value : 0))
    }),
  )
})

test.run()
