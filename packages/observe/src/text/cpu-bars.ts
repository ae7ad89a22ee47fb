/** Where each CPU's time went, one bar per CPU. */
import type { CpuRow, ResultDocument } from '@softnet/scenario/plan'
import { formatPercent } from '../format.js'
import type { Density } from './density.js'
import { clip, heading, median, plainName, tableLines, textWidth } from './layout.js'
import type { Paint } from './paint.js'

/** With more CPUs than this only the busiest have a row. */
const ALL_CPUS_SHOWN = 16

const CONTEXTS = [
  { key: 'hardirq', glyph: '█', color: 'red' },
  { key: 'softirq', glyph: '▓', color: 'yellow' },
  { key: 'ksoftirqd', glyph: '▒', color: 'magenta' },
  { key: 'task', glyph: '░', color: 'green' },
  { key: 'idle', glyph: '·', color: 'dim' },
] as const

interface LabelledCpu {
  readonly label: string
  readonly row: CpuRow
  readonly busy: number
}

function totalNs(row: CpuRow): number {
  const { hardirq, softirq, ksoftirqd, task, idle } = row.time_ns
  return hardirq + softirq + ksoftirqd + task + idle
}

function labelledCpus(result: ResultDocument): LabelledCpu[] {
  const hosts = Object.keys(result.hosts).sort()
  return hosts.flatMap((name) =>
    result.hosts[name]!.cpus.map((row) => {
      const total = totalNs(row)
      const label = hosts.length > 1 ? `${clip(plainName(name), 10)}/cpu${row.cpu}` : `cpu${row.cpu}`
      return { label, row, busy: total > 0 ? 1 - row.time_ns.idle / total : 0 }
    }),
  )
}

/** Cells of a bar in whole columns: largest remainder, and a context that ran at all keeps one column if it can. */
export function barCells(times: readonly number[], columns: number): number[] {
  const total = times.reduce((sum, time) => sum + time, 0)
  if (total <= 0) return times.map((_, i) => (i === times.length - 1 ? columns : 0))
  const exact = times.map((time) => (time / total) * columns)
  const cells = exact.map((value) => Math.floor(value))
  const order = exact.map((_, i) => i).sort((a, b) => exact[b]! - cells[b]! - (exact[a]! - cells[a]!) || a - b)
  let left = columns - cells.reduce((sum, value) => sum + value, 0)
  for (const i of order) {
    if (left-- <= 0) break
    cells[i] = cells[i]! + 1
  }
  for (let i = 0; i < cells.length; i++) {
    if (cells[i] !== 0 || times[i]! / total < 0.005) continue
    const widest = cells.indexOf(Math.max(...cells))
    if (cells[widest]! > 1) {
      cells[widest] = cells[widest]! - 1
      cells[i] = 1
    }
  }
  return cells
}

function cpuBar(row: CpuRow, columns: number, paint: Paint): string {
  const cells = barCells(
    CONTEXTS.map(({ key }) => row.time_ns[key]),
    columns,
  )
  return CONTEXTS.map(({ glyph, color }, i) => (cells[i]! > 0 ? paint[color](glyph.repeat(cells[i]!)) : '')).join('')
}

/** A share as a table cell; nothing at all is an empty cell, so that the numbers that matter stand out. */
function shareCell(part: number, total: number): string {
  return part > 0 && total > 0 ? formatPercent(part / total).replace(' %', '') : ''
}

function fullTable(cpus: readonly LabelledCpu[], columns: number, paint: Paint): string[] {
  const labelColumns = Math.max(3, ...cpus.map(({ label }) => textWidth(label)))
  const legend = CONTEXTS.map(({ key, glyph, color }) => `${paint[color](glyph)} ${key}`)
  const numberColumns = legend.reduce((sum, cell) => sum + Math.max(5, textWidth(cell)) + 2, 0)
  const barColumns = Math.max(8, Math.min(50, columns - 4 - labelColumns - numberColumns))
  const rows = [
    [paint.bold('CPU'), paint.dim('% of its time'), ...legend],
    ...cpus.map(({ label, row }) => {
      const total = totalNs(row)
      return [label, cpuBar(row, barColumns, paint), ...CONTEXTS.map(({ key }) => shareCell(row.time_ns[key], total))]
    }),
  ]
  return heading(tableLines(rows, ['left', 'left', 'right', 'right', 'right', 'right', 'right']))
}

function pairTable(cpus: readonly LabelledCpu[], columns: number, paint: Paint): string[] {
  const legend = CONTEXTS.map(({ key, glyph, color }) => `${paint[color](glyph)} ${key}`).join('  ')
  const labelColumns = Math.max(...cpus.map(({ label }) => textWidth(label)))
  const barColumns = Math.max(6, Math.floor((columns - 2 - 2 * (labelColumns + 2 + 2 + 7) - 2) / 2))
  const half = Math.ceil(cpus.length / 2)
  const cells = (cpu: LabelledCpu | undefined): string[] =>
    cpu === undefined ? ['', '', ''] : [cpu.label, cpuBar(cpu.row, barColumns, paint), formatPercent(cpu.busy)]
  const rows = cpus.slice(0, half).map((cpu, i) => [...cells(cpu), ...cells(cpus[half + i])])
  return [`${paint.bold('CPU')}  ${legend}`, ...tableLines(rows, ['left', 'left', 'right', 'left', 'left', 'right'])]
}

/** Heading with the legend, a bar per CPU; on a large host the busiest and a summary of all. */
export function cpuLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const cpus = labelledCpus(result)
  if (cpus.length === 0) return []
  const all = cpus.length <= ALL_CPUS_SHOWN
  const shown = all
    ? cpus
    : cpus
        .map((cpu, i) => ({ cpu, i }))
        .sort((a, b) => b.cpu.busy - a.cpu.busy || a.i - b.i)
        .slice(0, density.cpuRows)
        .map(({ cpu }) => cpu)
  const pairs = density.cpuColumns === 2 || (all && shown.length > density.cpuRows)
  const lines = pairs && shown.length > 1 ? pairTable(shown, columns, paint) : fullTable(shown, columns, paint)
  if (!all) {
    const busy = cpus.map((cpu) => cpu.busy)
    const summary = `all ${cpus.length} CPUs busy: min ${formatPercent(Math.min(...busy))}   median ${formatPercent(median(busy))}   max ${formatPercent(Math.max(...busy))}`
    lines.push(`  ${paint.dim(summary)}`)
  }
  return lines.map((line) => clip(line, columns))
}
