/**
 * Layout of the latency histogram: log-linear buckets, shared by the kernel (which counts) and by observe (which reads).
 *
 * Every power of two from 256 ns up is cut into 128 buckets of equal width, so a bucket is at most 1/128 of its lower
 * edge wide; below 256 ns each nanosecond has a bucket of its own. A value is cut to whole nanoseconds first.
 */

/** Buckets per power of two. */
export const LATENCY_SUB_BUCKETS = 128

/** Smallest value that falls past the layout, ns (2^43, about 2.4 simulated hours); larger ones go to the last bucket. */
export const LATENCY_LIMIT_NS = 8_796_093_022_208

/** Number of buckets of one histogram. */
export const LATENCY_BUCKETS = 37 * LATENCY_SUB_BUCKETS

const TWO_POW_24 = 16_777_216
const TWO_POW_32 = 4_294_967_296

/** Bucket of a latency in ns (fractions are cut off), in [0, `LATENCY_BUCKETS`). */
export function bucketIndex(ns: number): number {
  // Written so that NaN goes to the first bucket too.
  if (!(ns >= 1)) return 0
  if (ns < TWO_POW_32) {
    const whole = ns >>> 0
    if (whole < 2 * LATENCY_SUB_BUCKETS) return whole
    const shift = 24 - Math.clz32(whole)
    return (shift << 7) + (whole >>> shift)
  }
  if (ns >= LATENCY_LIMIT_NS) return LATENCY_BUCKETS - 1
  // The top 19 bits keep the leading eight that choose the bucket: 24 powers of two further up.
  const high = (ns / TWO_POW_24) >>> 0
  const shift = 24 - Math.clz32(high)
  return ((shift + 24) << 7) + (high >>> shift)
}

/** Smallest whole ns of a bucket. */
export function bucketLowerNs(index: number): number {
  if (index < 2 * LATENCY_SUB_BUCKETS) return index
  const shift = (index >>> 7) - 1
  const lead = index - (shift << 7)
  return shift < 24 ? lead * (1 << shift) : lead * TWO_POW_24 * (1 << (shift - 24))
}

/** Greatest whole ns of a bucket; at most 1/128 above any value counted in it, and less than 1 ns below. */
export function bucketUpperNs(index: number): number {
  return bucketLowerNs(index + 1) - 1
}
