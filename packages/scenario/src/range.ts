/**
 * Ranges of values, as a sweep varies them: `1..64:x2`, `10..50:+10`, `16us..256us:x2`.
 *
 * All arithmetic is on exact fractions, so that `0.1..0.5:+0.1` ends with 0.5 and every unit keeps its meaning.
 */
import { type Unit, unitNamed } from './quantity.js'

/** Values of a range in rising order, a number where the range has no unit; or what is accepted instead. */
export type ExpandedRange =
  | { readonly ok: true; readonly values: readonly (number | string)[] }
  | { readonly ok: false; readonly accepted: string }

/** Most values that one range may stand for. */
export const MAX_RANGE_VALUES = 1000

/** Digits after the point of a value without a unit, or with one that may have any fraction. */
const FRACTION_DIGITS = 6

const FORM = 'a range a..b, a..b:+step or a..b:xfactor, such as 1..64:x2 or 16us..256us:x2'
const RANGE =
  /^(-?\d{1,15}(?:\.\d{1,12})?)([a-zA-Zµμ/]*)\.\.(-?\d{1,15}(?:\.\d{1,12})?)([a-zA-Zµμ/]*)(?::([+x])(\d{1,15}(?:\.\d{1,12})?)([a-zA-Zµμ/]*))?$/

/** An exact number: `over / under`, `under` positive. */
interface Fraction {
  readonly over: bigint
  readonly under: bigint
}

const ONE: Fraction = { over: 1n, under: 1n }

function fraction(text: string): Fraction {
  const [whole = '', digits = ''] = text.split('.')
  return { over: BigInt(whole + digits), under: 10n ** BigInt(digits.length) }
}

const times = (a: Fraction, b: Fraction): Fraction => ({ over: a.over * b.over, under: a.under * b.under })
const plus = (a: Fraction, b: Fraction): Fraction => ({
  over: a.over * b.under + b.over * a.under,
  under: a.under * b.under,
})
/** Negative, zero or positive as `a` is less than, equal to or more than `b`. */
const compared = (a: Fraction, b: Fraction): bigint => a.over * b.under - b.over * a.under

/** Decimal text, rounded half away from zero to at most `digits` digits after the point. */
function decimalText(value: Fraction, digits: number): string {
  const scaled = value.over * 10n ** BigInt(digits)
  const magnitude = ((scaled < 0n ? -scaled : scaled) * 2n + value.under) / (2n * value.under)
  const text = String(magnitude).padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  const rest = text.slice(text.length - digits).replace(/0+$/, '')
  return `${scaled < 0n && magnitude > 0n ? '-' : ''}${whole}${rest === '' ? '' : `.${rest}`}`
}

const sizeOf = (unit: Unit): Fraction => ({ over: 10n ** BigInt(unit.decimal) * 2n ** BigInt(unit.binary), under: 1n })

/** What a number in one unit is in another, both of one kind. */
function converted(value: Fraction, from: Unit, to: Unit): Fraction {
  const size = sizeOf(to)
  return times(times(value, sizeOf(from)), { over: size.under, under: size.over })
}

/** A value in its unit; one that its unit has no exact text for is written in the base unit. */
function valueText(value: Fraction, unit: Unit): string {
  if (!unit.whole) return decimalText(value, FRACTION_DIGITS) + unit.name
  if (unit.binary === 0) return decimalText(value, unit.decimal) + unit.name
  if (value.over % value.under === 0n) return decimalText(value, 0) + unit.name
  return `${decimalText(times(value, sizeOf(unit)), 0)}${unit.base}`
}

/** Whether a text was meant as a range: a number and two points. File names such as `../a.pcap` are none. */
export function looksLikeRange(text: string): boolean {
  return /^-?\d.*\.\./.test(text)
}

const refused = (accepted: string): ExpandedRange => ({ ok: false, accepted })

/**
 * The values of a range, both ends included where the steps meet them.
 *
 * Without a step, the step is 1 in the unit of the start. Values are rounded to six digits after the point, or to what
 * the unit can express (whole ps, whole bytes).
 */
export function expandRange(text: string): ExpandedRange {
  const match = RANGE.exec(text.trim())
  if (match === null) return refused(FORM)
  const [, fromText = '', fromUnit = '', toText = '', toUnit = '', how = '+', stepText = '1', stepUnit = ''] = match
  const unitless = fromUnit === '' && toUnit === '' && stepUnit === ''
  if (unitless) {
    return steps(fraction(fromText), fraction(toText), how, fraction(stepText), (value) =>
      Number(decimalText(value, FRACTION_DIGITS)),
    )
  }
  const [start, end] = [unitNamed(fromUnit), unitNamed(toUnit)]
  if (start === null || end === null || start.kind !== end.kind) {
    return refused('a range with a known unit of one kind at both ends, such as 16us..1ms:x2')
  }
  if (how === 'x' && stepUnit !== '') return refused('a factor without a unit, such as x2')
  const step = stepUnit === '' ? start : unitNamed(stepUnit)
  const bareStep = match[5] === '+' && stepUnit === ''
  if (bareStep || step === null || step.kind !== start.kind) {
    return refused('a step with a unit of the same kind as both ends, such as 16us..64us:+16us')
  }
  const to = converted(fraction(toText), end, start)
  const by = how === 'x' ? fraction(stepText) : converted(fraction(stepText), step, start)
  return steps(fraction(fromText), to, how, by, (value) => valueText(value, start))
}

function steps(
  from: Fraction,
  to: Fraction,
  how: string,
  by: Fraction,
  write: (value: Fraction) => number | string,
): ExpandedRange {
  if (compared(from, to) > 0n) return refused('a range that rises: its end is less than its start')
  if (how === '+' && by.over <= 0n) return refused('a step above 0')
  if (how === 'x' && compared(by, ONE) <= 0n) return refused('a factor above 1')
  if (how === 'x' && from.over <= 0n) return refused('a start above 0, since it is multiplied')
  const values: (number | string)[] = []
  for (let value = from; compared(value, to) <= 0n; value = how === 'x' ? times(value, by) : plus(value, by)) {
    if (values.length === MAX_RANGE_VALUES) return refused(`a range of at most ${MAX_RANGE_VALUES} values`)
    values.push(write(value))
  }
  return { ok: true, values }
}
