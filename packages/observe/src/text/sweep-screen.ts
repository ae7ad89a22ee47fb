/** The text result of a sweep: a table of its points, a chart, and the runs that failed. */
import { formatTime } from '../format.js'
import { type SweepAxis, type SweepDocument, type SweepPoint, settingText } from '../sweep/document.js'
import { estimateText } from '../sweep/measure-text.js'
import { MEASURES, type Measure } from '../sweep/measures.js'
import { clip, plainName, tableLines, textWidth } from './layout.js'
import { createPaint, type Paint } from './paint.js'
import type { RenderOptions } from './render-text.js'
import { sweepChartLines } from './sweep-chart.js'

const MIN_COLUMNS = 72
const MAX_COLUMNS = 160
const MAX_ROWS = 100
const MAX_FAILURES = 10
const HEADING_COLUMNS = 18
const VALUE_COLUMNS = 28

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

function titleLines(sweep: SweepDocument, columns: number, paint: Paint): string[] {
  const { runs, seeds } = sweep
  const first = seeds[0] ?? 0
  const seedText = seeds.length === 1 ? `seed ${first}` : `${seeds.length} seeds from ${first}`
  const took = `in ${formatTime(Math.round(sweep.wall_ms) * 1e6)}`
  const resumed = runs.resumed > 0 ? `, ${runs.resumed} of them from before` : ''
  const parts = [
    plural(sweep.points.length, 'point'),
    seedText,
    `${runs.done} of ${plural(runs.all, 'run')} done${resumed} ${took}`,
  ]
  const lines: string[] = []
  let line = paint.bold(paint.cyan(clip(plainName(sweep.scenario), Math.floor(columns / 2))))
  for (const part of parts) {
    const longer = `${line} ${paint.dim('·')} ${part}`
    if (textWidth(longer) <= columns) line = longer
    else {
      lines.push(line)
      line = `  ${part}`
    }
  }
  lines.push(line)
  if (sweep.status === 'interrupted') lines.push(paint.yellow('  interrupted: means are of the runs that are done'))
  return lines
}

/** The end of a path, as much as there is room for; the whole of one that has no short end. */
function shortPath(path: string): string {
  const parts = plainName(path).split('.')
  while (parts.length > 1 && parts.join('.').length > HEADING_COLUMNS) parts.shift()
  return parts.join('.')
}

/** Headings of the settings: their ends, unless two of them would be the same. */
function headingsOf(axes: readonly SweepAxis[]): string[] {
  const short = axes.map((axis) => shortPath(axis.path))
  return new Set(short).size === axes.length ? short : axes.map((axis) => plainName(axis.path))
}

function cells(sweep: SweepDocument, measures: readonly Measure[], points: readonly SweepPoint[]): string[][] {
  const wanted = sweep.seeds.length
  const partial = points.some((point) => point.runs.length < wanted)
  const header = [...headingsOf(sweep.vary), ...measures.map((measure) => measure.label)]
  const rows = points.map((point) => [
    ...sweep.vary.map((axis) => clip(plainName(settingText(point.settings[axis.canonical])), VALUE_COLUMNS)),
    ...measures.map((measure) => estimateText(measure.kind, point.measures[measure.name] ?? null)),
    ...(partial ? [`${point.runs.length}/${wanted}`] : []),
  ])
  return [partial ? [...header, 'runs'] : header, ...rows]
}

function tableOf(sweep: SweepDocument, measures: readonly Measure[], points: readonly SweepPoint[]): string[] {
  const rows = cells(sweep, measures, points)
  return tableLines(
    rows,
    (rows[0] ?? []).map(() => 'right' as const),
  )
}

/** The table with as many of the measures as the width has room for, at least one. */
function tableThatFits(sweep: SweepDocument, measures: readonly Measure[], columns: number, paint: Paint): string[] {
  const points = sweep.points.slice(0, MAX_ROWS)
  let shown = measures
  let lines = tableOf(sweep, shown, points)
  while (shown.length > 1 && lines.some((line) => textWidth(line) > columns)) {
    shown = shown.slice(0, -1)
    lines = tableOf(sweep, shown, points)
  }
  const [header = '', ...rows] = lines
  const notes = [
    ...(sweep.points.length > points.length
      ? [`${sweep.points.length - points.length} more points are not shown`]
      : []),
    ...(shown.length < measures.length
      ? [
          `not shown for lack of width: ${measures
            .slice(shown.length)
            .map((measure) => measure.name)
            .join(', ')}`,
        ]
      : []),
    ...(sweep.seeds.length > 1 ? [`± is the 95 % confidence interval of the mean`] : []),
  ]
  return [paint.bold(header), ...rows, ...notes.map((note) => paint.dim(`  ${note}`))]
}

function failureLines(sweep: SweepDocument, paint: Paint): string[] {
  const { failures } = sweep
  if (failures.length === 0) return []
  const lines = failures.slice(0, MAX_FAILURES).map(({ settings, seed, message }) => {
    const where = sweep.vary.map((axis) => `${axis.path}=${settingText(settings[axis.canonical])}`)
    return paint.red(`  ${plainName([...where, `seed=${seed}`].join(' '))}: ${plainName(message)}`)
  })
  const more = failures.length - lines.length
  return [`${plural(failures.length, 'run')} failed`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])]
}

/** A sweep as text: title, table, chart of the first measure, failures; `measures` are names of {@link MEASURES}. */
export function renderSweep(sweep: SweepDocument, measures: readonly string[], options: RenderOptions = {}): string {
  const columns = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, Math.floor(options.columns ?? MIN_COLUMNS)))
  const paint = createPaint(options.color ?? false)
  const chosen = measures.flatMap((name) => MEASURES.filter((measure) => measure.name === name))
  const [first] = chosen
  const sections = [
    titleLines(sweep, columns, paint),
    tableThatFits(sweep, chosen, columns, paint),
    first === undefined ? [] : sweepChartLines(sweep, first, columns),
    failureLines(sweep, paint),
  ].filter((section) => section.length > 0)
  return `${sections.map((section) => section.join('\n')).join('\n\n')}\n`
}
