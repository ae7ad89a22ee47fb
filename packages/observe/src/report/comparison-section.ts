/** Sections of a report that compare variants, and those of a sweep. */
import type { CompareDocument, ComparedQuantity, ComparedValue, Judgement } from '../compare/document.js'
import { type SweepDocument, settingText } from '../sweep/document.js'
import { changeText, estimateText } from '../sweep/measure-text.js'
import { MEASURES } from '../sweep/measures.js'
import { chartFigure } from './chart-figure.js'
import { type Html, html, table } from './html.js'
import type { Section } from './run-sections.js'
import { sweepCharts } from './sweep-charts.js'

const WORDS: Readonly<Record<Judgement, string>> = {
  same: 'the same',
  noise: 'within noise',
  better: 'better',
  worse: 'worse',
  changed: 'changed',
  unknown: 'not known',
}

const valueText = (value: unknown): string => (value === undefined ? '(not set)' : settingText(value))

function settingList({ variants }: CompareDocument, names: readonly string[]): Html {
  const rows = variants.map(({ label, differences, failures }, index) => {
    const changes = differences.map(
      ({ path, from, to }) => html`<li><code>${path}</code>: ${valueText(from)} → ${valueText(to)}</li>`,
    )
    const failed = failures.map(({ seed, message }) => html`<li class="warning">seed ${seed} failed: ${message}</li>`)
    const none = index > 0 && changes.length === 0 ? html`<li>the same scenario</li>` : null
    const name = names[index] ?? ''
    // A name that had no room for the label is its letter only.
    return html`<dt>${name}</dt><dd>${name.endsWith(label) ? null : label}<ul>${changes}${none}${failed}</ul></dd>\n`
  })
  return html`<dl class="variants">${rows}</dl>`
}

function changeCell({ kind }: ComparedQuantity, { value, change, judgement }: ComparedValue): Html {
  const text = estimateText(kind, value)
  if (change === null || judgement === null) return html`${text}`
  const word = WORDS[judgement]
  const shown = judgement === 'same' ? word : `${changeText(kind, change)}, ${word}`
  return html`${text}<br><span class="judged ${judgement}">${shown}</span>`
}

function isTold({ group, values }: ComparedQuantity): boolean {
  if (group !== 'stage') return values.some(({ value }) => value !== null)
  return values.some(({ judgement }) => judgement === 'changed')
}

const GROUPS: Readonly<Record<ComparedQuantity['group'], string>> = {
  measure: 'Measures',
  drop: 'Lost, as a share of what was offered',
  stage: 'CPU time by stage and offered frame, where it changed beyond noise',
}

/** Variants against the first. */
export function comparisonSection(document: CompareDocument, names: readonly string[]): Section {
  const { seeds, quantities } = document
  const rowsOf = (group: ComparedQuantity['group']): ComparedQuantity[] =>
    quantities.filter((each) => each.group === group && isTold(each))
  const tableOf = (caption: string, rows: readonly ComparedQuantity[]): Html | null => {
    const cells = rows.map((each) => [each.label, ...each.values.map((value) => changeCell(each, value))])
    return cells.length === 0 ? null : table(caption, ['', ...names], cells)
  }
  const stages = tableOf(GROUPS.stage, rowsOf('stage'))
  const tables = html`${tableOf(GROUPS.measure, rowsOf('measure'))}
${tableOf(GROUPS.drop, rowsOf('drop'))}
${stages === null ? null : html`<details><summary>${GROUPS.stage}</summary>${stages}</details>`}`
  const note =
    seeds.length < 2
      ? html`<p>One run each: what of the differences is chance is not known.</p>`
      : html`<p>Means of ${seeds.length} seeds from ${seeds[0] ?? 0} with their 95 % confidence intervals. Under each is the
difference to ${names[0] ?? ''}, seed by seed; it is beyond noise where its interval does not hold 0.</p>`
  const stopped =
    document.status === 'interrupted'
      ? html`<p class="warning">Interrupted: means are of the runs that are done.</p>`
      : null
  const body = html`${stopped}${settingList(document, names)}${note}${tables}`
  return { id: 'comparison', title: 'Comparison', body, charts: [] }
}

function pointTable(sweep: SweepDocument): Html {
  const measures = MEASURES.filter(({ name }) => sweep.points.some((point) => (point.measures[name] ?? null) !== null))
  const rows = sweep.points.map(({ settings, measures: values, runs }) => [
    sweep.vary.map((axis) => settingText(settings[axis.canonical])).join(' · '),
    ...measures.map(({ name, kind }) => estimateText(kind, values[name] ?? null)),
    `${runs.length} of ${sweep.seeds.length}`,
  ])
  const headings = [sweep.vary.map((axis) => axis.path).join(' · '), ...measures.map(({ label }) => label), 'runs']
  return table('Means of all points with their 95 % confidence intervals', headings, rows)
}

/** The curves of a sweep. */
export function sweepSection(sweep: SweepDocument): Section {
  const charts = sweepCharts(sweep)
  const failed = sweep.failures.map(({ settings, seed, message }) => {
    const where = sweep.vary.map((axis) => `${axis.path}=${settingText(settings[axis.canonical])}`).join(' ')
    return html`<li>${where}, seed ${seed}: ${message}</li>`
  })
  const stopped =
    sweep.status === 'interrupted'
      ? html`<p class="warning">Interrupted: means are of the runs that are done.</p>`
      : null
  const body = html`${stopped}
<p>Lines are means of ${sweep.seeds.length} ${sweep.seeds.length === 1 ? 'seed' : 'seeds'}, bands their 95 % confidence intervals, dots single runs.</p>
<div class="beside">${charts.map((chart) => chartFigure(chart, null))}</div>
${failed.length === 0 ? null : html`<p class="warning">Runs that failed:</p><ul>${failed}</ul>`}
${pointTable(sweep)}`
  return { id: 'curves', title: 'Curves', body, charts }
}
