/** A small chart of one measure over the values of one setting. */
import { plot } from 'simple-ascii-chart'
import type { SweepAxis, SweepDocument, SweepPoint } from '../sweep/document.js'
import { settingText } from '../sweep/document.js'
import { tickText } from '../sweep/measure-text.js'
import type { Measure } from '../sweep/measures.js'
import { clip, plainName } from './layout.js'

const HEIGHT = 9
const SYMBOLS: readonly string[] = ['●', '○', '■', '□']
/** Drawn where marks of several series fall into one place. */
const SHARED = '◉'
const LABEL_COLUMNS = 10
/** Columns that the ticks of the vertical axis can take. */
const SIDE_COLUMNS = 14
const MIN_VALUES = 2

/** Points that differ in the horizontal setting only. */
interface Series {
  readonly name: string
  readonly points: readonly SweepPoint[]
}

/** The setting with the most values goes along the horizontal axis. */
function horizontal(axes: readonly SweepAxis[]): SweepAxis | undefined {
  return axes.reduce<SweepAxis | undefined>(
    (best, axis) => (best === undefined || axis.values.length > best.values.length ? axis : best),
    undefined,
  )
}

function seriesOf(sweep: SweepDocument, across: SweepAxis): Series[] {
  const others = sweep.vary.filter((axis) => axis !== across)
  const found = new Map<string, SweepPoint[]>()
  for (const point of sweep.points) {
    const name = others.map((axis) => `${axis.path}=${settingText(point.settings[axis.canonical])}`).join(', ')
    const points = found.get(name)
    if (points === undefined) found.set(name, [point])
    else points.push(point)
  }
  return [...found].map(([name, points]) => ({ name, points }))
}

/** Numbers from 0 to about the largest value at which the axis has a tick: steps of 1, 2 or 5 times a power of ten. */
function ticksUpTo(largest: number): number[] {
  const rough = largest / 3
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
  return Array.from({ length: Math.floor(largest / step + 1e-9) + 1 }, (_entry, index) => index * step)
}

interface Mark {
  readonly x: number
  readonly mean: number
  readonly half: number
  readonly symbol: string
}

function marksOf(series: readonly Series[], across: SweepAxis, measure: Measure): Mark[] {
  const texts = across.values.map(settingText)
  return series.flatMap(({ points }, index) =>
    points.flatMap((point) => {
      const value = point.measures[measure.name]
      if (value === null || value === undefined) return []
      const x = texts.indexOf(settingText(point.settings[across.canonical]))
      return [{ x, mean: value.mean, half: value.ci95 ?? 0, symbol: SYMBOLS[index] as string }]
    }),
  )
}

/** Columns that values can be labelled at without touching: all, or every second, third … */
function labelled(across: SweepAxis, columns: number): ReadonlySet<number> {
  const count = across.values.length
  const longest = across.values.reduce<number>((most, value) => Math.max(most, settingText(value).length), 1)
  const room = Math.max(1, Math.floor(columns / (Math.min(longest, LABEL_COLUMNS) + 2)))
  const every = Math.max(1, Math.ceil(count / room))
  return new Set(across.values.flatMap((_value, index) => (index % every === 0 ? [index] : [])))
}

function draw(marks: readonly Mark[], across: SweepAxis, measure: Measure, columns: number): string[] {
  const alone = marks.every((mark) => mark.symbol === SYMBOLS[0])
  const largest = marks.reduce((most, mark) => Math.max(most, alone ? mark.mean + mark.half : mark.mean), 0)
  const top = largest > 0 ? largest : 1
  const rowOf = (value: number) => Math.round((1 - Math.max(0, value) / top) * (HEIGHT - 1))
  const width = Math.min(columns - SIDE_COLUMNS, Math.max(20, across.values.length * 9))
  const shown = labelled(across, width)
  const text = plot(
    // The ends without a value keep their place by marks that are drawn as nothing.
    [
      [0, 0] as [number, number],
      ...marks.map((mark): [number, number] => [mark.x, mark.mean]),
      [across.values.length - 1, 0],
    ],
    {
      width,
      height: HEIGHT,
      yRange: [0, top],
      customXAxisTicks: [...shown],
      customYAxisTicks: ticksUpTo(top),
      formatter: (value, { axis }) =>
        axis === 'y'
          ? tickText(measure.kind, value, top)
          : clip(plainName(settingText(across.values[value] ?? '')), LABEL_COLUMNS),
      lineFormatter: ({ x, y, plotX, plotY }) => {
        const here = marks.filter((mark) => mark.x === x && mark.mean === y)
        const whisker = here.flatMap(({ mean, half }) => {
          if (!alone || half === 0) return []
          const [from, to] = [rowOf(mean + half) - rowOf(mean), rowOf(mean - half) - rowOf(mean)]
          return Array.from({ length: to - from + 1 }, (_row, index) => ({
            x: plotX,
            y: plotY + from + index,
            symbol: '│',
          }))
        })
        const inPlace = marks.filter((mark) => mark.x === x && rowOf(mark.mean) === rowOf(y))
        const symbol = inPlace.length > 1 ? SHARED : here[0]?.symbol
        return symbol === undefined ? [] : [...whisker, { x: plotX, y: plotY, symbol }]
      },
    },
  )
  return text
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
    .filter((line) => line !== '')
}

/** The chart and its heading; no lines where there is nothing to draw. */
export function sweepChartLines(sweep: SweepDocument, measure: Measure, columns: number): string[] {
  const across = horizontal(sweep.vary)
  if (across === undefined || across.values.length < MIN_VALUES) return []
  const all = seriesOf(sweep, across)
  const series = all.slice(0, SYMBOLS.length)
  const marks = marksOf(series, across, measure)
  if (marks.length === 0) return []
  const drawn = draw(marks, across, measure, columns)
  const shared = drawn.some((line) => line.includes(SHARED)) ? [`  ${SHARED} several of them`] : []
  const names = series.map(({ name }, index) => `  ${SYMBOLS[index]} ${plainName(name)}`)
  const legend = series.length < 2 ? [] : [...names, ...shared]
  const more = all.length > series.length ? [`  ${all.length - series.length} more combinations are not drawn`] : []
  const heading = `${measure.name} over ${plainName(across.path)}`
  return [heading, ...drawn, ...legend, ...more]
}
