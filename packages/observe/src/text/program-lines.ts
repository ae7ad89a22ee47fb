/** Programs that send by themselves, a line each: what they sent, what failed, and how long replies took. */
import type { ProgramRow, ResultDocument } from '@softnet/scenario/plan'
import { formatBitRate, formatCount, formatRate, formatTime } from '../format.js'
import type { Density } from './density.js'
import { type Align, clip, heading, plainName, tableLines } from './layout.js'
import type { Paint } from './paint.js'

const ALIGNS: readonly Align[] = ['left', 'right', 'right', 'right', 'right', 'right', 'left']

function cells(label: string, row: ProgramRow, seconds: number, paint: Paint): string[] {
  const trips = row.round_trip_ns
  const errors = Object.entries(row.errors).map(([name, count]) => `${name} ${formatCount(count)}`)
  const perSec = (count: number) => (seconds > 0 ? count / seconds : 0)
  return [
    clip(label, 16),
    formatCount(row.datagrams),
    formatRate(perSec(row.datagrams)),
    formatBitRate(8 * perSec(row.bytes)),
    row.replies === undefined ? '' : formatCount(row.replies),
    trips === undefined || trips === null ? '' : `${formatTime(trips.p50)} ${formatTime(trips.p99)}`,
    paint.red(errors.join('  ')),
  ]
}

/** Heading and one line per program; nothing where none sends by itself. */
export function programLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const seconds = result.simulated_ns / 1e9
  const hosts = Object.keys(result.hosts).sort()
  const rows = hosts.flatMap((name) =>
    (result.hosts[name]?.programs ?? []).map((row) => {
      const label = hosts.length > 1 ? `${plainName(name)}/${plainName(row.app)}` : plainName(row.app)
      return cells(label, row, seconds, paint)
    }),
  )
  const told = [...pingLines(result, hosts), ...captureLines(result, hosts)]
  if (rows.length === 0) return told.map((line) => clip(line, columns))
  const titles = ['PROGRAM', 'sent', 'rate', 'payload', 'replies', 'p50 p99', 'failed']
  const table = [
    titles.map((cell, i) => (i === 0 ? paint.bold(cell) : paint.dim(cell))),
    ...rows.slice(0, density.queueRows),
  ]
  const lines = heading(tableLines(table, ALIGNS))
  if (rows.length > density.queueRows) lines.push(`  ${paint.dim(`of ${rows.length} programs`)}`)
  return [...lines, ...told].map((line) => clip(line, columns))
}

/** What each ping says at its end. */
function pingLines(result: ResultDocument, hosts: readonly string[]): string[] {
  return hosts.flatMap((name) =>
    (result.hosts[name]?.programs ?? []).flatMap(({ app, ping }) => {
      if (ping === undefined) return []
      return [`${plainName(name)}/${plainName(app)}: ping ${ping.to}`, ...ping.text.map((line) => `  ${line}`)]
    }),
  )
}

/** What each capture says at its end. */
function captureLines(result: ResultDocument, hosts: readonly string[]): string[] {
  return hosts.flatMap((name) =>
    (result.hosts[name]?.captures ?? []).flatMap(({ app, dev, text }) => [
      `${plainName(name)}/${plainName(app)}: capture of ${plainName(dev)}`,
      ...text.map((line) => `  ${line}`),
    ]),
  )
}
