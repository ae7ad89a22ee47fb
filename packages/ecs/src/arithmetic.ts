/**
 * Functions made of + − × ÷ alone, so that every machine gives the same bits (Math.log and Math.pow may differ in the
 * last place between builds of the engine).
 */

const LN2 = Math.LN2

/** Natural logarithm of a positive finite number, within 2 ulp or so; the same bits on every machine. */
export function naturalLog(x: number): number {
  let exponent = 0
  let m = x
  while (m >= Math.SQRT2) {
    m *= 0.5
    exponent++
  }
  while (m < Math.SQRT1_2) {
    m *= 2
    exponent--
  }
  const z = (m - 1) / (m + 1)
  const z2 = z * z
  let term = z
  let sum = 0
  for (let k = 1; k <= 27; k += 2) {
    sum += term / k
    term *= z2
  }
  return 2 * sum + exponent * LN2
}

/** e to the power x, for |x| < 700. */
export function exponential(x: number): number {
  const n = Math.floor(x / LN2 + 0.5)
  const r = x - n * LN2
  let term = 1
  let sum = 1
  for (let k = 1; k <= 20; k++) {
    term = (term * r) / k
    sum += term
  }
  let scale = 1
  for (let i = 0; i < Math.abs(n); i++) scale *= 2
  return n < 0 ? sum / scale : sum * scale
}

/** x to the power y for positive x. */
export function power(x: number, y: number): number {
  return exponential(y * naturalLog(x))
}
