/** The section of a report about what is between hosts, and the programs that send over it. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { formatBitRate, formatCount, formatPercent, formatTime } from '../format.js'
import { type Html, html, table } from './html.js'
import type { NamedRun } from './run-charts.js'
import { eachRun, type Section } from './run-sections.js'

const BITS = 8
const NS_PER_SEC = 1e9

function linkTable({ links = {} }: ResultDocument): Html | null {
  const rows = Object.entries(links).flatMap(([name, { ports }]) =>
    ports.map((row) => [
      name,
      row.to,
      formatCount(row.frames),
      formatPercent(row.load),
      formatCount(row.lost),
      formatCount(row.overflow),
      formatCount(row.duplicated),
      formatCount(row.reordered),
      formatCount(row.flooded),
      formatCount(row.foreign),
    ]),
  )
  if (rows.length === 0) return null
  const headings = ['link', 'to', 'frames', 'load', 'lost', 'no room', 'twice', 'late', 'flooded', 'not for it']
  return table('Links and switches', headings, rows, [0, 1])
}

function programTable(result: ResultDocument): Html | null {
  const { hosts, simulated_ns } = result
  const several = Object.keys(hosts).length > 1
  const rows = Object.entries(hosts).flatMap(([host, { programs = [] }]) =>
    programs.map((row) => [
      several ? `${host}/${row.app}` : row.app,
      row.kind,
      formatCount(row.datagrams),
      simulated_ns > 0 ? formatBitRate((BITS * row.bytes * NS_PER_SEC) / simulated_ns) : '-',
      row.replies === undefined ? '-' : formatCount(row.replies),
      row.round_trip_ns == null ? '-' : formatTime(row.round_trip_ns.p50),
      row.round_trip_ns == null ? '-' : formatTime(row.round_trip_ns.p99),
      Object.entries(row.errors)
        .map(([name, count]) => `${name} ${formatCount(count)}`)
        .join(', '),
    ]),
  )
  if (rows.length === 0) return null
  const headings = ['program', 'kind', 'sent', 'payload', 'replies', 'round trip p50', 'p99', 'failed']
  return table('Programs that send', headings, rows, [0, 1, 7])
}

/** Links, switches and programs that send; null where no run has any. */
export function networkSection(runs: readonly NamedRun[]): Section | null {
  const body = ({ result }: NamedRun) => html`${linkTable(result)}${programTable(result)}`
  if (!runs.some(({ result }) => linkTable(result) !== null || programTable(result) !== null)) return null
  return { id: 'network', title: 'Links and programs', body: eachRun(runs, 'stacked', body), charts: [] }
}
