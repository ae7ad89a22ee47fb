/** A sweep as comma-separated values (RFC 4180): a line per point. */
import { type SweepAxis, type SweepPoint, settingText } from './document.js'
import { MEASURES } from './measures.js'

/** Digits that are written; the last of a float64 could differ between machines. */
const DIGITS = 12

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

function number(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(Number(value.toPrecision(DIGITS)))
}

/**
 * The points of a sweep as CSV text: its settings by full path, the runs done and failed, and for every measure the
 * mean and half the width of its 95 % confidence interval (empty for fewer than two runs).
 */
export function sweepCsv(axes: readonly SweepAxis[], points: readonly SweepPoint[]): string {
  const header = [
    'point',
    ...axes.map((axis) => axis.canonical),
    'runs',
    'failed',
    ...MEASURES.flatMap(({ name }) => [name, `${name}_ci95`]),
  ]
  const lines = points.map(({ point, settings, runs, failed, measures }) => [
    String(point),
    ...axes.map((axis) => settingText(settings[axis.canonical])),
    String(runs.length),
    String(failed),
    ...MEASURES.flatMap(({ name }) => [number(measures[name]?.mean), number(measures[name]?.ci95)]),
  ])
  return [header, ...lines].map((fields) => `${fields.map(field).join(',')}\n`).join('')
}
