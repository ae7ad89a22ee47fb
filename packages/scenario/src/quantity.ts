/**
 * Numbers with units, as people write them: `50ms`, `10Gbit`, `4Mpps`, `512KiB`.
 *
 * Decimal text is scaled as text, never by multiplying floats, so that `0.1us` is exactly 100,000 ps.
 */

/** A quantity that was read, or what is accepted instead. */
export type Parsed = { readonly ok: true; readonly value: number } | { readonly ok: false; readonly accepted: string }

/** Kinds of quantity that a scenario can hold. */
export type QuantityKind = 'time' | 'rate' | 'bits' | 'bytes' | 'frequency'

interface UnitTable {
  /** What the resulting number counts. */
  readonly result: string
  readonly example: string
  /** Power of ten by unit name. */
  readonly decimal: Readonly<Record<string, number>>
  /** Power of two by unit name. */
  readonly binary: Readonly<Record<string, number>>
  /** Whether the result must be a whole number. */
  readonly whole: boolean
  /** Whether a number without a unit means the base unit; 0 always does. */
  readonly bare: boolean
}

const TABLES: Readonly<Record<QuantityKind, UnitTable>> = {
  time: {
    result: 'a time with unit ps, ns, us, µs, ms or s',
    example: '50ms',
    decimal: { ps: 0, ns: 3, us: 6, µs: 6, μs: 6, ms: 9, s: 12 },
    binary: {},
    whole: true,
    bare: false,
  },
  rate: {
    result: 'a rate in pps, kpps or Mpps',
    example: '4Mpps',
    decimal: { pps: 0, kpps: 3, Mpps: 6, Gpps: 9 },
    binary: {},
    whole: false,
    bare: true,
  },
  bits: {
    result: 'a bit rate in bit, kbit, Mbit or Gbit per second',
    example: '10Gbit',
    decimal: unitsWithSuffixes(
      { bit: 0, kbit: 3, Mbit: 6, Gbit: 9, Tbit: 12, b: 0, kb: 3, Mb: 6, Gb: 9, Tb: 12 },
      ['', '/s'],
      { bps: 0, kbps: 3, Mbps: 6, Gbps: 9, Tbps: 12 },
    ),
    binary: {},
    whole: false,
    bare: false,
  },
  bytes: {
    result: 'a size in B, kB, MB, KiB, MiB or GiB',
    example: '512KiB',
    decimal: { B: 0, kB: 3, MB: 6, GB: 9 },
    binary: { KiB: 10, MiB: 20, GiB: 30 },
    whole: true,
    bare: true,
  },
  frequency: {
    result: 'a frequency in Hz, kHz, MHz or GHz',
    example: '3.6GHz',
    decimal: { Hz: 0, kHz: 3, MHz: 6, GHz: 9 },
    binary: {},
    whole: true,
    bare: false,
  },
}

function unitsWithSuffixes(
  base: Readonly<Record<string, number>>,
  suffixes: readonly string[],
  more: Readonly<Record<string, number>>,
): Record<string, number> {
  const out: Record<string, number> = { ...more }
  for (const [unit, power] of Object.entries(base)) for (const suffix of suffixes) out[unit + suffix] = power
  return out
}

/** One sentence saying what a quantity of this kind looks like, without its range. */
export function describeKind(kind: QuantityKind): string {
  const table = TABLES[kind]
  return `${table.result}, such as ${table.example}`
}

/** A unit by itself: what it counts and how large it is. */
export interface Unit {
  readonly name: string
  readonly kind: QuantityKind
  /** It is `10^decimal * 2^binary` of the base unit. */
  readonly decimal: number
  readonly binary: number
  /** Whether a quantity must be a whole number of the base unit. */
  readonly whole: boolean
  /** Name of the base unit. */
  readonly base: string
}

/** A unit by its name; null if there is none of that name. */
export function unitNamed(name: string): Unit | null {
  for (const [kind, table] of Object.entries(TABLES) as [QuantityKind, UnitTable][]) {
    const isDecimal = Object.hasOwn(table.decimal, name)
    if (!isDecimal && !Object.hasOwn(table.binary, name)) continue
    const base = Object.keys(table.decimal)[0] as string
    const [decimal, binary] = isDecimal ? [table.decimal[name] as number, 0] : [0, table.binary[name] as number]
    return { name, kind, decimal, binary, whole: table.whole, base }
  }
  return null
}

const QUANTITY = /^(\d+)(?:\.(\d+))?\s*([a-zA-Zµμ/]*)$/

/** Digits kept of a number; more cannot make a difference to a float64 and would only cost time. */
const MAX_DIGITS = 40

/**
 * Reads a quantity: time in ps, rate in packets per second, bits in bits per second, bytes, frequency in Hz.
 *
 * A number without a unit is refused where it could be misread (times, bit rates, frequencies), except zero.
 */
export function parseQuantity(kind: QuantityKind, given: unknown): Parsed {
  const table = TABLES[kind]
  const refuse: Parsed = { ok: false, accepted: describeKind(kind) }
  if (typeof given === 'number') {
    if (!Number.isFinite(given) || given < 0 || Object.is(given, -0)) return refuse
    if (given !== 0 && !table.bare) return refuse
    if (table.whole && !Number.isSafeInteger(given)) return refuse
    return { ok: true, value: given }
  }
  if (typeof given !== 'string') return refuse
  const match = QUANTITY.exec(given.trim())
  if (match === null) return refuse
  const whole = match[1] as string
  const fraction = (match[2] ?? '').replace(/0+$/, '')
  const unit = match[3] as string
  if (whole.length + fraction.length > MAX_DIGITS) return refuse
  if (unit === '') {
    const zero = /^0+$/.test(whole) && fraction === ''
    if (!zero && !table.bare) return refuse
    return scaled(whole, fraction, 0, table.whole, refuse)
  }
  if (Object.hasOwn(table.decimal, unit)) {
    return scaled(whole, fraction, table.decimal[unit] as number, table.whole, refuse)
  }
  if (Object.hasOwn(table.binary, unit)) {
    const value = Number(`${whole}.${fraction === '' ? '0' : fraction}`) * 2 ** (table.binary[unit] as number)
    return Number.isSafeInteger(value) ? { ok: true, value } : refuse
  }
  return refuse
}

function scaled(whole: string, fraction: string, power: number, wholeResult: boolean, refuse: Parsed): Parsed {
  if (wholeResult && fraction.length > power) return refuse
  const value = Number(`${whole}${fraction}e${power - fraction.length}`)
  if (!Number.isFinite(value)) return refuse
  if (wholeResult && !Number.isSafeInteger(value)) return refuse
  return { ok: true, value }
}

/** Picoseconds in one second. */
export const PS_PER_SEC = 1e12

const TIME_UNITS: readonly (readonly [string, number])[] = [
  ['s', 1e12],
  ['ms', 1e9],
  ['us', 1e6],
  ['ns', 1e3],
  ['ps', 1],
]

/** Writes ps with the largest unit that gives at most three digits after the point: `1.5ms`. */
export function formatTime(ps: number): string {
  if (ps === 0) return '0s'
  for (const [unit, size] of TIME_UNITS) {
    if (ps >= size) return `${Number((ps / size).toFixed(3))}${unit}`
  }
  return `${ps}ps`
}
