/** Means with their confidence intervals, as people read them: `2.10 ±0.03 Mpps`. */
import type { Estimate } from './confidence.js'
import type { MeasureKind } from './measures.js'

const UNITS: Readonly<Record<Exclude<MeasureKind, 'share'>, readonly string[]>> = {
  'packet-rate': ['pps', 'kpps', 'Mpps', 'Gpps'],
  'event-rate': ['/s', 'k/s', 'M/s', 'G/s'],
  'time-ns': ['ns', 'µs', 'ms', 's'],
}

/** Unit for numbers up to `largest`, and what it divides by. */
function scaleOf(kind: MeasureKind, largest: number): { readonly unit: string; readonly divisor: number } {
  if (kind === 'share') return { unit: '%', divisor: 0.01 }
  const units = UNITS[kind]
  let scale = 0
  while (largest / 1000 ** scale >= 999.5 && scale < units.length - 1) scale++
  return { unit: units[scale] as string, divisor: 1000 ** scale }
}

/** Digits after the point that leave three significant ones; one for shares. */
function decimalsOf(kind: MeasureKind, shown: number): number {
  if (kind === 'share') return 1
  return shown >= 99.95 ? 0 : shown >= 9.995 ? 1 : 2
}

/** A mean with its interval, in the unit of the mean; `-` for none. */
export function estimateText(kind: MeasureKind, value: Estimate | null): string {
  if (value === null) return '-'
  const { unit, divisor } = scaleOf(kind, value.mean)
  const decimals = decimalsOf(kind, value.mean / divisor)
  const mean = (value.mean / divisor).toFixed(decimals)
  const half = value.ci95 === null ? '' : ` ±${(value.ci95 / divisor).toFixed(decimals)}`
  return `${mean}${half} ${unit}`
}

/** A value on an axis that goes up to `largest`: all ticks have one unit. */
export function tickText(kind: MeasureKind, value: number, largest: number): string {
  const { unit, divisor } = scaleOf(kind, largest)
  return `${(value / divisor).toFixed(decimalsOf(kind, largest / divisor))} ${unit}`
}

/** A difference with its interval, in a unit of its own: `+190 ±30 kpps`, `-8.2 ±1.0 points`. */
export function changeText(kind: MeasureKind, change: Estimate): string {
  const size = Math.max(Math.abs(change.mean), change.ci95 ?? 0)
  const { unit, divisor } = scaleOf(kind, size)
  const decimals = decimalsOf(kind, size / divisor)
  const mean = (change.mean / divisor).toFixed(decimals)
  const half = change.ci95 === null ? '' : ` ±${(change.ci95 / divisor).toFixed(decimals)}`
  return `${change.mean > 0 ? '+' : ''}${mean}${half} ${kind === 'share' ? 'points' : unit}`
}
