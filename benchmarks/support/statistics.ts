/** What a row of repeated measurements comes to. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Median of at least one value; of an even number of values the mean of the two in the middle. */
export function median(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) throw new Error('no values to take a median of')
  const half = sorted.length >> 1
  const upper = sorted[half] as number
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] as number) + upper) / 2
}

/** Median, least and greatest of at least one value. */
export function spread(values: readonly number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}
