import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FirstOf } from '../src/first-of.js'

/** What `FirstOf` must find, by looking at everything. */
function leastOf(times: Float64Array, without: number, out: ReadonlySet<number>): number {
  let best = -1
  times.forEach((time, index) => {
    if (index === without || out.has(index) || time === Number.POSITIVE_INFINITY) return
    if (best < 0 || time < (times[best] as number)) best = index
  })
  return best
}

test('the least of 1 to 700 entries that change, come and go is found, with and without one of them', () => {
  const change = fc.record({
    at: fc.nat(),
    time: fc.oneof(fc.nat(20), fc.constant(Number.POSITIVE_INFINITY)),
    out: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 700 }), fc.array(change, { maxLength: 60 }), (size, changes) => {
      const times = new Float64Array(size).fill(Number.POSITIVE_INFINITY)
      const first = new FirstOf(times)
      const out = new Set<number>()
      for (const { at, time, out: isOut } of changes) {
        const index = at % size
        times[index] = time
        if (isOut) out.add(index)
        else out.delete(index)
        first.include(index, !isOut)
        assert.is(first.first(), leastOf(times, -1, out))
        assert.is(first.firstBut(index), leastOf(times, index, out))
        const least = first.first()
        if (least >= 0) assert.is(first.firstBut(least), leastOf(times, least, out))
      }
    }),
    { numRuns: 200 },
  )
})

test('times that were all changed at once are found once each was told of', () => {
  const times = new Float64Array(300)
  const first = new FirstOf(times, (index) => index % 3 !== 0)
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < times.length; index++) times[index] = ((index + 1) * (round + 7) * 7919) % 1009
    for (let index = 0; index < times.length; index++) first.update(index)
    const out = new Set(Array.from({ length: 100 }, (_, i) => i * 3))
    assert.is(first.first(), leastOf(times, -1, out))
    assert.is(first.firstBut(first.first()), leastOf(times, first.first(), out))
  }
})

test.run()
