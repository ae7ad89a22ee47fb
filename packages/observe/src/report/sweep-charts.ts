/** Curves of a sweep: every measure over one setting, a curve for each combination of the others. */

import { type SweepAxis, type SweepDocument, type SweepPoint, settingText } from '../sweep/document.js'
import { MEASURES, type Measure } from '../sweep/measures.js'
import { type ChartAxis, type ChartSeries, type ChartSpec, seriesColor } from './chart-spec.js'

const CURVE_HEIGHT = 220

/** A plain number or a number with a unit, in units of its kind's base; null for anything else. */
export function numberOf(value: unknown): { readonly number: number; readonly unit: string } | null {
  if (typeof value === 'number') return Number.isFinite(value) ? { number: value, unit: '' } : null
  const found = typeof value === 'string' ? /^(-?\d+(?:\.\d+)?)\s*([A-Za-zµ%]*)$/.exec(value) : null
  if (found === null) return null
  return { number: Number(found[1]), unit: found[2] ?? '' }
}

/** Along x a scale of numbers where all values have one unit, otherwise the values as names in their order. */
function axisOf({ path, values }: SweepAxis): {
  readonly axis: ChartAxis
  readonly x: (value: unknown) => number | string
} {
  const numbers = values.map(numberOf)
  const [first] = numbers
  const isOne = first !== null && first !== undefined && numbers.every((each) => each?.unit === first.unit)
  if (!isOne || values.length < 2) {
    const domain = values.map(settingText)
    return { axis: { label: path, kind: 'name', scale: 'point', domain }, x: settingText }
  }
  const sorted = numbers.map((each) => each?.number ?? 0).sort((a, b) => a - b)
  const [low = 0] = sorted
  const high = sorted.at(-1) ?? 0
  // Values that double or more from one to the next are written on a scale that doubles.
  const isLog = low > 0 && high / low >= 8
  const label = first.unit === '' ? path : `${path}, ${first.unit}`
  const axis: ChartAxis = { label, kind: 'number', scale: isLog ? 'log' : 'linear', domain: [low, high], ticks: sorted }
  return { axis, x: (value) => numberOf(value)?.number ?? 0 }
}

/** The axis with most values is x; the first one of them where several have. */
function mainAxis(axes: readonly SweepAxis[]): SweepAxis | undefined {
  return [...axes].sort((a, b) => b.values.length - a.values.length)[0]
}

/** Text of the settings that are not on the x axis. */
function curveName(axes: readonly SweepAxis[], main: SweepAxis, point: SweepPoint): string {
  const others = axes.filter((axis) => axis !== main)
  return others.map((axis) => `${axis.path}=${settingText(point.settings[axis.canonical])}`).join(' ')
}

function curveChart(sweep: SweepDocument, main: SweepAxis, measure: Measure): ChartSpec | null {
  const { axis, x } = axisOf(main)
  const names = [...new Set(sweep.points.map((point) => curveName(sweep.vary, main, point)))]
  const series = names.flatMap((name): ChartSeries[] => {
    const points = sweep.points.filter((point) => curveName(sweep.vary, main, point) === name)
    const told = points.flatMap((point) => {
      const value = point.measures[measure.name] ?? null
      return value === null ? [] : [{ at: x(point.settings[main.canonical]), value, point }]
    })
    if (told.length === 0) return []
    const shown = name === '' ? measure.label : name
    const bands = told.map(({ at, value: { mean, ci95 } }) => [at, mean - (ci95 ?? 0), mean + (ci95 ?? 0)])
    const dots = told.flatMap(({ at, point }) =>
      point.runs.flatMap((run) => {
        const own = run.measures[measure.name] ?? null
        return own === null ? [] : [[at, own]]
      }),
    )
    return [
      { name: shown, shape: 'band', points: bands },
      { name: shown, shape: 'line', points: told.map(({ at, value }) => [at, value.mean]) },
      { name: shown, shape: 'dots', points: dots },
    ]
  })
  if (series.length === 0) return null
  const legend = [...new Set(series.map(({ name }) => name))]
  return {
    id: `sweep-${measure.name}`,
    title: measure.description.replace(/(, ns)?\.$/, ''),
    height: CURVE_HEIGHT,
    x: axis,
    y: { label: measure.label, kind: measure.kind, scale: 'linear' },
    colors: legend.map((name, index) => ({ name, color: seriesColor(index) })),
    series,
  }
}

/** A chart for each measure that has values. */
export function sweepCharts(sweep: SweepDocument): ChartSpec[] {
  const main = mainAxis(sweep.vary)
  if (main === undefined) return []
  return MEASURES.flatMap((measure) => curveChart(sweep, main, measure) ?? [])
}
