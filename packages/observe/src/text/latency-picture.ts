/** Latency percentiles and the shape of the distribution on a logarithmic axis. */
import { bucketIndex, type ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatTime } from '../format.js'
import type { Density } from './density.js'
import { clip, tableLines } from './layout.js'
import type { Paint } from './paint.js'

const LEVELS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const PICTURE_COLUMNS = 64

/** Counts of a histogram in at most `columns` columns of equal ratio; bucket numbers are the logarithmic axis. */
export function logColumns(rows: readonly (readonly [number, number])[], columns: number): number[] {
  if (rows.length === 0) return []
  const first = bucketIndex(rows[0]![0])
  const span = bucketIndex(rows[rows.length - 1]![0]) - first + 1
  const used = Math.min(columns, span)
  const counts = new Array<number>(used).fill(0)
  for (const [upper, count] of rows) {
    const column = Math.floor(((bucketIndex(upper) - first) * used) / span)
    counts[column] = counts[column]! + count
  }
  return counts
}

function pictureLines(counts: readonly number[], height: number): string[] {
  const peak = Math.max(...counts)
  const levels = counts.map((count) => (count > 0 ? Math.max(1, Math.round((count / peak) * height * 8)) : 0))
  const lines: string[] = []
  for (let line = height - 1; line >= 0; line--) {
    lines.push(
      levels
        .map((level) => LEVELS[Math.min(8, Math.max(0, level - line * 8))]!)
        .join('')
        .trimEnd(),
    )
  }
  return lines
}

/** Heading, percentiles and picture; a line saying so when nothing was measured. */
export function latencyLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const latency = result.latency_ns
  const title = paint.bold('LATENCY')
  if (latency === null) return [`${title}  ${paint.dim('nothing was read after the warm-up')}`]
  const about = paint.dim(`last bit at the port to recvmsg, ${formatCount(latency.count)} packets`)
  const table = tableLines(
    [
      ['min', 'p50', 'p90', 'p99', 'p99.9', 'max', 'mean'].map((name) => paint.dim(name)),
      [latency.min, latency.p50, latency.p90, latency.p99, latency.p999, latency.max, latency.mean].map(formatTime),
    ],
    ['right', 'right', 'right', 'right', 'right', 'right', 'right'],
  )
  const rows = result.latency_histogram
  const counts = logColumns(rows, Math.min(PICTURE_COLUMNS, columns - 26))
  const picture = counts.length > 1 ? pictureLines(counts, density.histogramRows) : []
  const low = formatTime(latency.min)
  const high = formatTime(latency.max)
  const labelled = picture.map((line, i) => {
    const last = i === picture.length - 1
    const left = (last ? low : '').padStart(low.length)
    return `  ${left} ${paint.cyan(line)}${last ? ` ${high}  ${paint.dim('log')}` : ''}`
  })
  return [`${title}  ${about}`, ...table, ...labelled].map((line) => clip(line, columns))
}
