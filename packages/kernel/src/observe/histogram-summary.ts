import { bucketUpperNs } from '@softnet/scenario/plan'

/** Percentiles of a histogram with the buckets of `bucketIndex`. */
export interface Percentiles {
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
}

/** Upper edges and counts of the buckets that hold something. */
export function filledBuckets(counts: ArrayLike<number>): [number, number][] {
  const filled: [number, number][] = []
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket]
    if (count > 0) filled.push([bucketUpperNs(bucket), count])
  }
  return filled
}

/**
 * Percentiles of `count` values in filled buckets, kept inside [min, max]: the upper edge of the bucket that holds the
 * value. Buckets hold whole numbers, so a percentile is less than 1 below the exact one, and at most 1 % above it.
 */
export function percentiles(
  filled: readonly (readonly [number, number])[],
  count: number,
  min: number,
  max: number,
): Percentiles {
  const quantile = (perMille: number): number => {
    const wanted = Math.ceil((count * perMille) / 1000)
    let seen = 0
    for (const [upper, n] of filled) {
      seen += n
      // The edge is a whole number: of values that share its bucket, all can lie a fraction above it.
      if (seen >= wanted) return Math.min(max, Math.max(min, upper))
    }
    return max
  }
  return { p50: quantile(500), p90: quantile(900), p99: quantile(990), p999: quantile(999) }
}
