/** Sections of a report that are tables: queues, sockets, and what plugins counted. */
import type { HistogramSummary, ResultDocument } from '@softnet/scenario/plan'
import { formatBytes, formatCount, formatTime } from '../format.js'
import { type Html, html, table } from './html.js'
import type { NamedRun } from './run-charts.js'
import { eachRun, type Section } from './run-sections.js'

/** What the devices of a host are called: with its name where there are several. */
function deviceNamer({ hosts }: ResultDocument): (host: string, dev: string) => string {
  return Object.keys(hosts).length > 1 ? (host, dev) => `${host}/${dev}` : (_host, dev) => dev
}

function queueTable({ result }: NamedRun): Html {
  const named = deviceNamer(result)
  const rows = Object.entries(result.hosts).flatMap(([host, { queues }]) =>
    queues.map((row) => [
      `${named(host, row.dev)} rx-${row.queue}`,
      String(row.irq),
      String(row.cpu),
      formatCount(row.frames),
      formatCount(row.irqs),
      row.packets_per_poll.toFixed(1),
      `${formatCount(row.ring_max)} of ${formatCount(row.ring_size)}`,
      formatCount(row.dropped),
    ]),
  )
  const headings = ['queue', 'irq', 'CPU', 'frames', 'interrupts', 'packets per poll', 'ring, most', 'lost']
  return table('Receive queues', headings, rows)
}

const MAX_SOCKETS = 64

function socketTable({ result }: NamedRun): Html | null {
  const all = Object.values(result.hosts).flatMap(({ netns }) => Object.values(netns).flatMap(({ sockets }) => sockets))
  const shown = [...all].sort((a, b) => b.drops - a.drops || b.received - a.received).slice(0, MAX_SOCKETS)
  const rows = shown.map((row) => [
    `${row.proto} ${row.local}`,
    row.app,
    formatCount(row.received),
    formatCount(row.drops),
    `${formatBytes(row.rmem_max_used)} of ${formatBytes(row.rcvbuf)}`,
  ])
  const more = all.length - shown.length
  if (all.length === 0) return null
  return html`${table('Sockets', ['socket', 'program', 'received', 'drops', 'memory, most'], rows, [0, 1])}
${more > 0 ? html`<p>${formatCount(more)} more sockets lost no more than these.</p>` : null}`
}

/** Transmit queues and their disciplines; null where nothing leaves. */
function wayOutTables({ result }: NamedRun): Html | null {
  const named = deviceNamer(result)
  const hosts = Object.entries(result.hosts)
  const rows = hosts.flatMap(([host, { tx_queues = [] }]) =>
    tx_queues.map((row) => [
      `${named(host, row.dev)} tx-${row.queue}`,
      String(row.cpu),
      formatCount(row.packets),
      formatBytes(row.bytes),
      formatCount(row.stops),
      `${formatCount(row.ring_max)} of ${formatCount(row.ring_size)}`,
      formatBytes(row.bql_limit),
    ]),
  )
  if (rows.length === 0) return null
  const disciplines = hosts.flatMap(([host, { qdiscs = [] }]) =>
    qdiscs.map((row) => [
      `${named(host, row.dev)} ${row.parent}`,
      row.kind,
      formatCount(row.packets),
      formatCount(row.dropped),
      formatCount(row.requeues),
      formatCount(row.qlen_max),
      formatCount(row.backlog_packets),
    ]),
  )
  const queueHeadings = ['queue', 'CPU', 'packets', 'bytes', 'stops', 'ring, most', 'byte queue limit']
  const headings = ['qdisc at', 'kind', 'packets', 'dropped', 'requeues', 'waiting, most', 'waiting at the end']
  return html`${table('Transmit queues', queueHeadings, rows)}${table('Queueing disciplines', headings, disciplines, [0, 1])}`
}

/** Queues and sockets. */
export function tableSection(runs: readonly NamedRun[]): Section {
  const body = eachRun(runs, 'beside', (run) => html`${queueTable(run)}${wayOutTables(run)}${socketTable(run)}`)
  return { id: 'queues', title: 'Queues and sockets', body, charts: [] }
}

function histogramRow(plugin: string, name: string, histogram: HistogramSummary): string[] {
  const { unit, count, min, p50, p90, p99, max } = histogram
  const text = (value: number) => (unit === 'ns' ? formatTime(value) : `${formatCount(value)} ${unit}`.trimEnd())
  return [`${plugin} ${name}`, formatCount(count), ...[min, p50, p90, p99, max].map(text)]
}

function pluginTables({ result: { plugins = {} } }: NamedRun): Html {
  const counters = Object.entries(plugins).flatMap(([plugin, { counters: components }]) =>
    Object.values(components).flatMap((each) =>
      Object.entries(each).map(([name, { total }]) => [`${plugin} ${name}`, formatCount(total)]),
    ),
  )
  const histograms = Object.entries(plugins).flatMap(([plugin, { histograms: all }]) =>
    Object.entries(all).flatMap(([name, each]) => (each === null ? [] : [histogramRow(plugin, name, each)])),
  )
  const headings = ['plugin and histogram', 'values', 'min', 'p50', 'p90', 'p99', 'max']
  return html`${counters.length === 0 ? null : table('Counters of plugins', ['plugin and counter', 'count'], counters)}
${histograms.length === 0 ? null : table('Histograms of plugins', headings, histograms)}`
}

/** What plugins counted and measured; null where no run has plugins. */
export function pluginSection(runs: readonly NamedRun[]): Section | null {
  const isThere = ({ result: { plugins = {} } }: { result: Pick<ResultDocument, 'plugins'> }) =>
    Object.keys(plugins).length > 0
  if (!runs.some(isThere)) return null
  return { id: 'plugins', title: 'Plugins', body: eachRun(runs, 'beside', pluginTables), charts: [] }
}
