import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { firstSlicePs, nextSlicePs, SLICE_WALL_MS } from '../src/slice.js'

test('slices settle at the wanted wall time, from fast and from slow', () => {
  for (const psPerMs of [1e2, 1e6, 1e9, 1e12]) {
    let slicePs = firstSlicePs()
    for (let i = 0; i < 40; i++) slicePs = nextSlicePs(slicePs, slicePs / psPerMs)
    const tookMs = slicePs / psPerMs
    assert.ok(tookMs > SLICE_WALL_MS * 0.9 && tookMs <= SLICE_WALL_MS, `${tookMs} ms at ${psPerMs} ps/ms`)
  }
})

test('a slice is an integer of at least 1 ps whatever the clock says', () => {
  for (const tookMs of [0, -1, 1e-9, 3.7, 1e12]) {
    for (const slicePs of [1, 7, 1e6]) {
      const next = nextSlicePs(slicePs, tookMs)
      assert.ok(Number.isInteger(next) && next >= 1)
    }
  }
})

test.run()
