/** Links and switches: what reached each port, and what became of the rest. */
import type { LinkPortRow, ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatRate } from '../format.js'
import type { Density } from './density.js'
import { type Align, clip, heading, plainName, tableLines } from './layout.js'
import type { Paint } from './paint.js'

/** Columns that are shown only where one of their cells is not 0, and whether that is a loss. */
const COUNTS: readonly (readonly [string, (row: LinkPortRow) => number, boolean])[] = [
  ['lost', (row) => row.lost, true],
  ['no room', (row) => row.overflow, true],
  ['twice', (row) => row.duplicated, false],
  ['late', (row) => row.reordered, false],
  ['flooded', (row) => row.flooded, false],
  ['not for it', (row) => row.foreign, false],
]

/** Heading and one line per direction of a link, or port of a switch; those with most frames where there are many. */
export function networkLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const all = Object.entries(result.links ?? {}).flatMap(([name, { ports }]) => ports.map((row) => ({ name, row })))
  if (all.length === 0) return []
  const shown =
    all.length <= density.linkRows
      ? all
      : all
          .map((each, i) => ({ each, i }))
          .sort((a, b) => b.each.row.frames - a.each.row.frames || a.i - b.i)
          .slice(0, density.linkRows)
          .map(({ each }) => each)
  const seconds = result.simulated_ns / 1e9
  const counts = COUNTS.filter(([, of]) => all.some(({ row }) => of(row) > 0))
  const titles = ['LINK', 'to', 'frames', 'rate', 'load', ...counts.map(([title]) => title)]
  const rows = [
    titles.map((cell, i) => (i === 0 ? paint.bold(cell) : paint.dim(cell))),
    ...shown.map(({ name, row }) => [
      clip(plainName(name), 20),
      clip(plainName(row.to), 24),
      formatCount(row.frames),
      seconds > 0 && row.frames > 0 ? formatRate(row.frames / seconds) : '',
      `${(row.load * 100).toFixed(1)} %`,
      ...counts.map(([, of, isLoss]) => {
        const count = of(row)
        return count === 0 ? '' : isLoss ? paint.red(formatCount(count)) : formatCount(count)
      }),
    ]),
  ]
  const aligns = titles.map((_, i): Align => (i < 2 ? 'left' : 'right'))
  const lines = heading(tableLines(rows, aligns))
  if (shown.length < all.length) lines.push(`  ${paint.dim(`of ${all.length} directions`)}`)
  return lines.map((line) => clip(line, columns))
}
