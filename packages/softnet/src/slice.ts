/** Length of the next stretch of simulated time, so that one stretch takes about as long on the wall as is wanted. */

/** Wall time between two looks at the stop word, ms. */
export const SLICE_WALL_MS = 50

const FIRST_SLICE_PS = 10_000_000
const GROWTH_MAX = 8
const SHRINK_MAX = 1 / 16

/** Simulated ps of the first slice: short, since nothing is known of the speed. */
export function firstSlicePs(): number {
  return FIRST_SLICE_PS
}

/** Simulated ps of the slice after one of `slicePs` that took `tookMs` of wall time; an integer of at least 1. */
export function nextSlicePs(slicePs: number, tookMs: number): number {
  const wanted = tookMs > 0 ? SLICE_WALL_MS / tookMs : GROWTH_MAX
  const factor = Math.min(GROWTH_MAX, Math.max(SHRINK_MAX, wanted))
  return Math.max(1, Math.floor(slicePs * factor))
}
