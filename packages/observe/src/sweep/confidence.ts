/**
 * Mean of replications and its 95 % confidence interval, by Student's t distribution.
 *
 * Source of the distribution: M. Abramowitz and I. A. Stegun (eds.), Handbook of Mathematical Functions, 1964, 26.7.3
 * and 26.7.4: finite sums that are exact for whole degrees of freedom. Source of the interval: A. M. Law, Simulation
 * Modeling and Analysis, 2015, chapter 9.4 (fixed sample size of independent replications).
 */

/** Mean of some numbers; `ci95` is half the width of the confidence interval of the mean, null for fewer than two. */
export interface Estimate {
  /** Numbers that the mean is of, 1 or more. */
  readonly n: number
  readonly mean: number
  readonly ci95: number | null
}

const CONFIDENCE = 0.95
const BISECTIONS = 60

/** Share of Student's distribution with `freedom` (1 or more, whole) between -t and t. */
function shareWithin(t: number, freedom: number): number {
  const angle = Math.atan(t / Math.sqrt(freedom))
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const odd = freedom % 2 === 1
  let term = odd ? cos : 1
  let sum = freedom === 1 ? 0 : term
  // The power of the cosine goes up by two per term, to `freedom - 2`.
  for (let power = odd ? 3 : 2; power <= freedom - 2; power += 2) {
    term *= (cos * cos * (power - 1)) / power
    sum += term
  }
  return odd ? (2 / Math.PI) * (angle + sin * sum) : sin * sum
}

/** The t that 95 % of Student's distribution with `freedom` degrees of freedom (1 or more, whole) is within. */
export function studentT95(freedom: number): number {
  let [low, high] = [1.9, 12.8]
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2
    if (shareWithin(middle, freedom) < CONFIDENCE) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** Mean and 95 % confidence interval of independent numbers; null of none. */
export function estimate(values: readonly number[]): Estimate | null {
  const n = values.length
  const [first] = values
  if (first === undefined) return null
  // Around the first of them, so that equal numbers have exactly their own mean.
  const mean = first + values.reduce((sum, value) => sum + (value - first), 0) / n
  if (n === 1) return { n, mean, ci95: null }
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return { n, mean, ci95: studentT95(n - 1) * Math.sqrt(squares / (n - 1) / n) }
}
