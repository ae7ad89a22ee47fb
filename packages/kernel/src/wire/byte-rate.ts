/** Picoseconds per byte at a bit rate, as whole + rest / denominator: exact, so that no rate drifts. */
export interface ByteRate {
  readonly whole: number
  readonly rest: number
  readonly denominator: number
}

const PS_TIMES_BITS = 8e12

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** `numerator / denominator` in lowest terms, split into whole and rest; the remainder of a division of doubles is exact. */
export function splitRatio(numerator: number, denominator: number): ByteRate {
  const whole = Math.floor(numerator / denominator)
  const rest = numerator - whole * denominator
  if (rest === 0) return { whole, rest: 0, denominator: 1 }
  if (!Number.isSafeInteger(denominator)) return { whole, rest: numerator % denominator, denominator }
  const divisor = greatestCommonDivisor(denominator, numerator % denominator)
  return { whole, rest: (numerator % denominator) / divisor, denominator: denominator / divisor }
}

/** Picoseconds per byte of a link or bus of `bitsPerSec` bits per second. */
export function byteRate(bitsPerSec: number): ByteRate {
  return splitRatio(PS_TIMES_BITS, bitsPerSec)
}
