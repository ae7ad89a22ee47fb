/** Sections of a report that show runs, side by side where there are several. */
import { type ResultDocument, TIMELINE_CONTEXTS } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatRate, formatTime } from '../format.js'
import { conservation } from '../path-stages.js'
import { typed } from '../text/verdict-lines.js'
import { chartFigure } from './chart-figure.js'
import type { ChartSpec } from './chart-spec.js'
import { type Html, html, table } from './html.js'
import { pathFigure, pathTable } from './path-figure.js'
import { cpuChart, dropChart, latencyChart, MAX_CPU_ROWS, type NamedRun, rateChart } from './run-charts.js'

/** A part of the page with its heading, and the charts that are drawn in it. */
export interface Section {
  readonly id: string
  readonly title: string
  readonly body: Html
  readonly charts: readonly ChartSpec[]
}

const perSec = (count: number, { simulated_ns }: ResultDocument): string =>
  simulated_ns > 0 ? formatRate((count * 1e9) / simulated_ns) : '-'

const shareOf = (count: number, whole: number): string => (whole > 0 ? formatPercent(count / whole) : '-')

/** Each under the name of its run where there are several: side by side where the page is wide enough, or stacked. */
export function eachRun(runs: readonly NamedRun[], layout: 'beside' | 'stacked', body: (run: NamedRun) => Html): Html {
  if (runs.length === 1) return html`${runs.map(body)}`
  return html`<div class="${layout}">${runs.map((run) => html`<div><h3>${run.name}</h3>${body(run)}</div>`)}</div>`
}

function verdictOf({ result: { verdict, status } }: NamedRun): Html {
  const remedies = verdict.remedies.map(({ set, why }) => html`<li><code>${typed(set)}</code> ${why}</li>\n`)
  return html`${status === 'interrupted' ? html`<p class="warning">The run was interrupted: this is what it came to.</p>` : null}
<p class="bottleneck ${verdict.bottleneck === 'none' ? 'good' : 'bad'}">${verdict.bottleneck === 'none' ? 'no bottleneck' : verdict.bottleneck}</p>
<p>${verdict.sentences.join(' ')}</p>
${remedies.length === 0 ? null : html`<p>Settings to try:</p><ul>${remedies}</ul>`}`
}

/** What happened in words. */
export function verdictSection(runs: readonly NamedRun[]): Section {
  return { id: 'verdict', title: 'Verdict', body: eachRun(runs, 'beside', verdictOf), charts: [] }
}

function figuresOf({ result }: NamedRun): Html {
  const { packets, latency_ns } = result
  const tile = (label: string, value: string, note: string): Html =>
    html`<div><dt>${label}</dt><dd>${value}<small>${note}</small></dd></div>`
  const cpus = Object.values(result.hosts).flatMap((host) => host.cpus)
  const idle = cpus.reduce((least, { time_ns }) => Math.min(least, time_ns.idle), result.simulated_ns)
  const busiest = result.simulated_ns > 0 ? 1 - idle / result.simulated_ns : 0
  return html`<dl class="figures">
${tile('offered', formatCount(packets.offered), perSec(packets.offered, result))}
${tile('delivered', formatCount(packets.delivered), perSec(packets.delivered, result))}
${packets.sent === 0 ? null : tile('sent', formatCount(packets.sent), perSec(packets.sent, result))}
${tile('dropped', formatCount(packets.dropped), shareOf(packets.dropped, packets.offered))}
${tile('latency p50', latency_ns === null ? '-' : formatTime(latency_ns.p50), 'median')}
${tile('latency p99', latency_ns === null ? '-' : formatTime(latency_ns.p99), latency_ns === null ? '' : `p99.9 ${formatTime(latency_ns.p999)}`)}
${tile('busiest CPU', formatPercent(busiest), `of ${cpus.length}`)}
</dl>`
}

/** The numbers one looks at first, and the path with its losses. */
export function pathSection(runs: readonly NamedRun[]): Section {
  const body = eachRun(
    runs,
    'stacked',
    (run) => html`${figuresOf(run)}
${pathFigure(run.result, run.name)}
<p class="conservation">${conservation(run.result.packets, formatCount).text}</p>
<details><summary>Numbers</summary>${pathTable(run.result)}</details>`,
  )
  return { id: 'path', title: 'Path', body, charts: [] }
}

function timelineTable({ name, result }: NamedRun): Html {
  const rows = result.timeline.map(({ t_ns, offered, delivered, dropped, dropped_at = {} }) => [
    formatTime(t_ns),
    formatCount(offered),
    formatCount(delivered),
    formatCount(dropped),
    Object.entries(dropped_at)
      .map(([place, count]) => `${place} ${formatCount(count ?? 0)}`)
      .join(', '),
  ])
  const caption = `Frames by interval of simulated time${name === '' ? '' : `: ${name}`}`
  return table(caption, ['from', 'offered', 'delivered', 'dropped', 'where'], rows, [4])
}

/** Rates and drops over time. */
export function timeSection(runs: readonly NamedRun[]): Section {
  const rates = rateChart('rates', runs)
  const drops = dropChart('drops', runs)
  const numbers = html`${runs.map(timelineTable)}`
  const nothing = html`<p>No frame was dropped.</p>`
  const body = html`${chartFigure(rates, numbers)}${drops === null ? nothing : chartFigure(drops, null)}`
  return { id: 'time', title: 'Over time', body, charts: drops === null ? [rates] : [rates, drops] }
}

function cpuTable({ name, result }: NamedRun): Html {
  const severalHosts = Object.keys(result.hosts).length > 1
  const rows = Object.entries(result.hosts).flatMap(([host, { cpus }]) =>
    cpus.map(({ cpu, time_ns, stages_ns, softnet_stat }) => {
      const [stage] = Object.entries(stages_ns).sort((a, b) => b[1] - a[1])
      return [
        `${severalHosts ? `${host}/` : ''}cpu${cpu}`,
        ...TIMELINE_CONTEXTS.map((context) => shareOf(time_ns[context], result.simulated_ns)),
        shareOf(time_ns.idle, result.simulated_ns),
        formatCount(softnet_stat.processed),
        formatCount(softnet_stat.time_squeeze),
        stage === undefined ? '' : `${stage[0]} (${shareOf(stage[1], result.simulated_ns)})`,
      ]
    }),
  )
  const headings = ['CPU', ...TIMELINE_CONTEXTS, 'idle', 'processed', 'time_squeeze', 'largest stage']
  return table(`Share of time by CPU and context${name === '' ? '' : `: ${name}`}`, headings, rows, [0, 8])
}

/** What CPUs do, over time and in all. */
export function cpuSection(runs: readonly NamedRun[]): Section {
  const charts = runs.map((run, index) => cpuChart(`cpus-${index}`, run))
  const body = eachRun(runs, 'beside', (run) => {
    const chart = charts[runs.indexOf(run)]
    const cpus = Object.values(run.result.hosts).reduce((sum, host) => sum + host.cpus.length, 0)
    const note =
      cpus > MAX_CPU_ROWS
        ? html`<p>Of ${cpus} CPUs the ${MAX_CPU_ROWS} that are busiest; all are in the table.</p>`
        : null
    return html`${note}${chart === undefined ? null : chartFigure(chart, cpuTable(run))}`
  })
  return { id: 'cpus', title: 'CPUs', body, charts }
}

const PERCENTILES = ['min', 'p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const

/** How long packets took. */
export function latencySection(runs: readonly NamedRun[]): Section {
  const chart = latencyChart('latency', runs)
  if (chart === null) {
    const body = html`<p>Nothing was read by a program after the warm-up, so there is no latency to tell.</p>`
    return { id: 'latency', title: 'Latency', body, charts: [] }
  }
  const rows = runs.map(({ name, result: { latency_ns, scenario } }) => [
    name === '' ? scenario : name,
    latency_ns === null ? '0' : formatCount(latency_ns.count),
    ...PERCENTILES.map((key) => (latency_ns === null ? '-' : formatTime(latency_ns[key]))),
  ])
  const numbers = table('Latency', ['run', 'packets', 'min', 'p50', 'p90', 'p99', 'p99.9', 'max', 'mean'], rows)
  return { id: 'latency', title: 'Latency', body: html`${chartFigure(chart, null)}${numbers}`, charts: [chart] }
}
