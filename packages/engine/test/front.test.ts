import fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { BlockFront, createFront, HeapFront, ScanFront } from '../src/front.js'

test('all fronts find the same partitions, whatever changes', () => {
  const change = fc.record({
    at: fc.nat(),
    time: fc.oneof(fc.nat(20), fc.constant(Number.POSITIVE_INFINITY)),
    out: fc.boolean(),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.nat(),
      fc.array(change, { maxLength: 60 }),
      (size, wires, changes) => {
        const times = new Float64Array(size).fill(Number.POSITIVE_INFINITY)
        const bounded = Uint8Array.from(times, (_, p) => (p >= size - (wires % size) ? 1 : 0))
        const fronts = [HeapFront, ScanFront, BlockFront].map((Front) => new Front(times, bounded))
        const out = new Set<number>()
        for (const { at, time, out: isOut } of changes) {
          const p = at % size
          times[p] = time
          if (isOut) out.add(p)
          else out.delete(p)
          for (const front of fronts) {
            front.update(p)
            front.include(p, !isOut)
          }
          const known = [...times.keys()].filter((q) => !out.has(q) && times[q] !== Number.POSITIVE_INFINITY)
          const least = known.reduce(
            (best, q) => (best < 0 || (times[q] as number) < (times[best] as number) ? q : best),
            -1,
          )
          const plain = [...times].filter((_, q) => bounded[q] === 0 && q !== p)
          for (const front of fronts) {
            assert.is(front.find(), least)
            front.findOther(p)
            assert.is(front.otherPlainPs[0], Math.min(Number.POSITIVE_INFINITY, ...plain))
          }
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('few partitions are looked at one by one, some in blocks, many are kept in heaps', () => {
  assert.instance(createFront(new Float64Array(5), new Uint8Array(5)), ScanFront)
  assert.instance(createFront(new Float64Array(65), new Uint8Array(65)), BlockFront)
  assert.instance(createFront(new Float64Array(300), new Uint8Array(300)), HeapFront)
})

test.run()
