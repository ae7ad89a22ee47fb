import {
  bucketIndex,
  bucketLowerNs,
  bucketUpperNs,
  LATENCY_BUCKETS,
  LATENCY_LIMIT_NS,
  LATENCY_SUB_BUCKETS,
} from '@softnet/scenario'
import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  addLatencyBuckets,
  addLatencySums,
  latencyBuckets,
  latencyHistogramRows,
  latencyQuantileNs,
  recordLatency,
  summarizeLatency,
} from '../src/histogram.js'

const anyNs = fc.oneof(
  fc.integer({ min: 0, max: 4096 }),
  fc.integer({ min: 0, max: 4_294_967_295 }),
  fc.maxSafeInteger().map((value) => Math.abs(value) % LATENCY_LIMIT_NS),
)

test('every bucket starts where the one before ends, and knows its own edges', () => {
  for (let i = 0; i < LATENCY_BUCKETS; i++) {
    assert.is(bucketIndex(bucketLowerNs(i)), i)
    assert.is(bucketIndex(bucketUpperNs(i)), i)
    if (i > 0) assert.is(bucketLowerNs(i), bucketUpperNs(i - 1) + 1)
  }
  assert.is(bucketUpperNs(LATENCY_BUCKETS - 1), LATENCY_LIMIT_NS - 1)
  assert.is(LATENCY_SUB_BUCKETS, 128)
})

test('a value is inside its bucket and at most 1 % below its upper edge', () => {
  fc.assert(
    fc.property(anyNs, (ns) => {
      const index = bucketIndex(ns)
      const upper = bucketUpperNs(index)
      assert.ok(bucketLowerNs(index) <= ns && ns <= upper, `${ns} in bucket ${index}`)
      assert.ok(upper - ns <= ns / 100, `${ns} is told as ${upper}`)
    }),
    { numRuns: 2000 },
  )
})

test('fractions are cut off, nothing and less goes to the first bucket, too much to the last', () => {
  assert.is(bucketIndex(999.9), bucketIndex(999))
  assert.is(bucketIndex(4_294_967_295.5), bucketIndex(4_294_967_295))
  assert.is(bucketIndex(0), 0)
  assert.is(bucketIndex(0.5), 0)
  assert.is(bucketIndex(-5), 0)
  assert.is(bucketIndex(Number.NaN), 0)
  assert.is(bucketIndex(LATENCY_LIMIT_NS), LATENCY_BUCKETS - 1)
  assert.is(bucketIndex(Number.POSITIVE_INFINITY), LATENCY_BUCKETS - 1)
})

test('quantiles are those of sorting, at most 1 % above', () => {
  fc.assert(
    fc.property(
      fc.array(anyNs, { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 1000 }),
      (values, perMille) => {
        const buckets = latencyBuckets()
        for (const value of values) recordLatency(buckets, value)
        const sorted = [...values].sort((a, b) => a - b)
        const exact = sorted[Math.max(1, Math.ceil((perMille * values.length) / 1000)) - 1]!
        const told = latencyQuantileNs(buckets, perMille)
        assert.ok(told >= exact && told <= exact * 1.01, `${perMille}: exact ${exact}, told ${told}`)
      },
    ),
  )
})

test('a summary keeps least, greatest and mean exact and percentiles between them', () => {
  const buckets = latencyBuckets()
  const values = [1000, 1001, 5000, 123_457, 9_000_001]
  for (const value of values) recordLatency(buckets, value)
  const summary = summarizeLatency(buckets, { count: 5, sumNs: 9_130_459, minNs: 1000, maxNs: 9_000_001 })!
  assert.is(summary.min, 1000)
  assert.is(summary.max, 9_000_001)
  assert.is(summary.p999, 9_000_001)
  assert.is(summary.mean, 9_130_459 / 5)
  assert.ok(summary.p50 >= 5000 && summary.p50 <= 5050)
  assert.is(summarizeLatency(latencyBuckets(), { count: 0, sumNs: 0, minNs: 0, maxNs: 0 }), null)
  assert.ok(Number.isNaN(latencyQuantileNs(latencyBuckets(), 500)))
})

test('two histograms add up to the one of all values', () => {
  const [a, b, all] = [latencyBuckets(), latencyBuckets(), latencyBuckets()]
  for (let i = 1; i < 500; i++) {
    recordLatency(i % 3 === 0 ? a : b, i * i)
    recordLatency(all, i * i)
  }
  addLatencyBuckets(a, b)
  assert.equal(latencyHistogramRows(a), latencyHistogramRows(all))
  const empty = { count: 0, sumNs: 0, minNs: 0, maxNs: 0 }
  const one = { count: 2, sumNs: 30, minNs: 10, maxNs: 20 }
  assert.equal(addLatencySums(empty, one), one)
  assert.equal(addLatencySums(one, empty), one)
  assert.equal(addLatencySums(one, { count: 1, sumNs: 5, minNs: 5, maxNs: 5 }), {
    count: 3,
    sumNs: 35,
    minNs: 5,
    maxNs: 20,
  })
})

test('rows of a result are upper edges with counts, ascending, empty ones left out', () => {
  const buckets = latencyBuckets()
  for (const ns of [300, 300, 301, 70_000]) recordLatency(buckets, ns)
  assert.equal(latencyHistogramRows(buckets), [
    [301, 3],
    [70_143, 1],
  ])
})

test.run()
