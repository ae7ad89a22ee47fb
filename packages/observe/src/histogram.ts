/** Reading a latency histogram: quantiles, summary and the rows of a result. */
import { bucketIndex, bucketUpperNs, LATENCY_BUCKETS, type LatencySummary } from '@softnet/scenario/plan'

/** Counts per bucket, `LATENCY_BUCKETS` long, in the layout of `latency-buckets.ts`. */
export type LatencyBuckets = Float64Array | Uint32Array

/** What is kept beside the buckets, exact: number of values, their sum, least and greatest, ns. */
export interface LatencySums {
  readonly count: number
  readonly sumNs: number
  readonly minNs: number
  readonly maxNs: number
}

/** Empty buckets for one histogram. */
export function latencyBuckets(): Float64Array {
  return new Float64Array(LATENCY_BUCKETS)
}

/** Counts one latency, ns. */
export function recordLatency(buckets: LatencyBuckets, ns: number): void {
  const index = bucketIndex(ns)
  buckets[index] = buckets[index]! + 1
}

/** Adds the counts of one histogram to another of the same layout. */
export function addLatencyBuckets(into: LatencyBuckets, from: LatencyBuckets): void {
  for (let i = 0; i < LATENCY_BUCKETS; i++) into[i] = into[i]! + from[i]!
}

/** Adds exact sums of two histograms. */
export function addLatencySums(a: LatencySums, b: LatencySums): LatencySums {
  if (a.count === 0) return b
  if (b.count === 0) return a
  return {
    count: a.count + b.count,
    sumNs: a.sumNs + b.sumNs,
    minNs: Math.min(a.minNs, b.minNs),
    maxNs: Math.max(a.maxNs, b.maxNs),
  }
}

/**
 * Nearest-rank quantile in ns, at most 1 % above the exact one, less than 1 ns below it (fractions are cut): the upper edge
 * of the bucket that holds the value of rank ⌈count · perMille / 1000⌉. `perMille` in (0, 1000]; NaN when nothing was counted.
 */
export function latencyQuantileNs(buckets: LatencyBuckets, perMille: number): number {
  let count = 0
  for (let i = 0; i < LATENCY_BUCKETS; i++) count += buckets[i]!
  if (count === 0) return Number.NaN
  const rank = Math.max(1, Math.ceil((count * perMille) / 1000))
  let seen = 0
  for (let i = 0; i < LATENCY_BUCKETS; i++) {
    seen += buckets[i]!
    if (seen >= rank) return bucketUpperNs(i)
  }
  return bucketUpperNs(LATENCY_BUCKETS - 1)
}

/** `latency_ns` of a result: percentiles from the buckets kept inside [min, max], the rest exact; null if empty. */
export function summarizeLatency(buckets: LatencyBuckets, sums: LatencySums): LatencySummary | null {
  if (sums.count === 0) return null
  const quantile = (perMille: number): number =>
    Math.min(sums.maxNs, Math.max(sums.minNs, latencyQuantileNs(buckets, perMille)))
  return {
    count: sums.count,
    min: sums.minNs,
    mean: sums.sumNs / sums.count,
    p50: quantile(500),
    p90: quantile(900),
    p99: quantile(990),
    p999: quantile(999),
    max: sums.maxNs,
  }
}

/** `latency_histogram` of a result: upper edge in ns and count of each bucket that is not empty, ascending. */
export function latencyHistogramRows(buckets: LatencyBuckets): (readonly [number, number])[] {
  const rows: (readonly [number, number])[] = []
  for (let i = 0; i < LATENCY_BUCKETS; i++) {
    if (buckets[i]! > 0) rows.push([bucketUpperNs(i), buckets[i]!])
  }
  return rows
}
