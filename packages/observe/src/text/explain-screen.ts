/** An explanation as text: the verdict, what every rule found, and the remedies that were run. */
import type { ComparedQuantity, ComparedValue } from '../compare/document.js'
import type { ExplainDocument, ExplainedFinding, TriedRemedy, Tries } from '../explain/document.js'
import { formatCount, formatPercent, formatTime } from '../format.js'
import { changeText, estimateText } from '../sweep/measure-text.js'
import { changeCell } from './compare-screen.js'
import { type Align, clip, plainName, tableLines, textWidth, wrap } from './layout.js'
import { createPaint, type Paint } from './paint.js'
import type { RenderOptions } from './render-text.js'
import { typed } from './verdict-lines.js'

const MIN_COLUMNS = 72
const MAX_COLUMNS = 110
const MAX_FINDINGS = 6
const MAX_DROPS = 6

function indented(text: string, columns: number): string[] {
  return wrap(plainName(text), columns - 4).map((line) => `    ${line}`)
}

function verdictSection({ verdict }: ExplainDocument, columns: number, paint: Paint): string[] {
  const color = verdict.bottleneck === 'none' ? paint.green : paint.yellow
  const sentences = wrap(plainName(verdict.sentences.join(' ')), columns - 2).map((line) => `  ${line}`)
  const remedies = verdict.remedies.map(({ set, why }) => `  ${paint.cyan(typed(plainName(set)))}  ${plainName(why)}`)
  return [`${paint.bold('VERDICT')}  ${color(plainName(verdict.bottleneck))}`, ...sentences, ...remedies]
}

function lostText({ lost_frames }: ExplainedFinding, dropped: number): string {
  if (lost_frames === 0) return 'explains no loss'
  const share = dropped > 0 ? ` (${formatPercent(Math.min(1, lost_frames / dropped))})` : ''
  return `explains ${formatCount(lost_frames)} of ${formatCount(dropped)} lost frames${share}`
}

function findingSection({ findings, packets }: ExplainDocument, columns: number, paint: Paint): string[] {
  if (findings.length === 0) return []
  const shown = findings
    .slice(0, MAX_FINDINGS)
    .flatMap((finding) => [
      `  ${paint.bold(finding.name)}  ${paint.dim(`${finding.subject} of ${plainName(finding.host)}, ${lostText(finding, packets.dropped)}`)}`,
      ...indented(`${finding.claim} ${finding.evidence} ${finding.advice}`, columns),
    ])
  const more = findings.length - MAX_FINDINGS
  const alike = new Set(findings.map(({ subject }) => subject)).size < findings.length
  const notes = [
    ...(more > 0 ? [`and ${more} more (--format json has them all)`] : []),
    ...(alike ? ['Findings on one part of the path explain the same loss; the first one is the most particular.'] : []),
  ]
  return [paint.bold('EVIDENCE'), ...shown, ...notes.map((note) => paint.dim(`  ${note}`))]
}

function dropSection({ drops, packets }: ExplainDocument, paint: Paint): string[] {
  if (drops.length === 0) return []
  const rows = drops
    .slice(0, MAX_DROPS)
    .map(({ host, where, reason, count }) => [
      formatCount(count),
      packets.offered > 0 ? formatPercent(count / packets.offered) : '',
      plainName(reason),
      plainName(where),
      plainName(host),
    ])
  const lines = tableLines(rows, ['right', 'right', 'left', 'left', 'left'])
  const more = drops.length - rows.length
  return [paint.bold('LOST'), ...lines, ...(more > 0 ? [paint.dim(`  and ${more} more places`)] : [])]
}

const COLUMNS = ['drop_share', 'latency_p50_ns', 'latency_p99_ns', 'cpu_per_packet_ns']
/** What a narrow screen has room for. */
const NARROW_COLUMNS = ['drop_share', 'latency_p99_ns', 'cpu_per_packet_ns']

const shownColumns = (tries: Tries, narrow: boolean): string[] =>
  (narrow ? NARROW_COLUMNS : COLUMNS).filter((name) => name !== tries.ranked_by)

/** A change, with a sign in front where it is within noise. */
function priceText(quantity: ComparedQuantity, value: ComparedValue): string {
  const { change, judgement } = value
  // Where nothing was before, what is now is all there is to tell.
  if (change === null) return value.value === null ? '-' : `is ${estimateText(quantity.kind, value.value)}`
  if (judgement === 'same') return '0'
  const text = changeText(quantity.kind, change)
  return judgement === 'noise' ? `≈ ${text}` : text
}

function tryRow(tried: TriedRemedy, rank: number, tries: Tries, narrow: boolean, paint: Paint): string[] {
  const quantity = (name: string) => tries.comparison.quantities.find((each) => each.name === name)
  const effect = quantity(tries.ranked_by)
  const [base] = effect?.values ?? []
  const prices = shownColumns(tries, narrow).map((name) => {
    const found = quantity(name)
    return found === undefined ? '-' : priceText(found, tried.price[name] ?? found.values[0]!)
  })
  const told = effect === undefined || base === undefined ? '-' : changeCell(effect, tried.effect, base, narrow)
  const { judgement } = tried.effect
  const color = judgement === 'better' ? paint.green : judgement === 'worse' ? paint.red : paint.dim
  const noisy = judgement === 'noise' ? `≈ ${told}` : told
  return [String(rank), color(noisy), ...prices, tried.bottlenecks.map(plainName).join(' ')]
}

function trySection(tries: Tries, columns: number, paint: Paint): string[] {
  const { comparison, ranked, ranked_by } = tries
  const { seeds, variants } = comparison
  const done = variants.reduce((sum, { runs }) => sum + runs.length, 0)
  const title = `${seeds.length} seeds from ${seeds[0]} · ${done} of ${variants.length * seeds.length} runs done in ${formatTime(Math.round(comparison.wall_ms) * 1e6)}`
  const quantity = (name: string) => comparison.quantities.find((each) => each.name === name)
  const bottlenecks = [...new Set(variants[0]?.runs.map(({ bottleneck }) => plainName(bottleneck)))].join(' ')
  const tableOf = (narrow: boolean): string[] => {
    const names = [ranked_by, ...shownColumns(tries, narrow)]
    const now = names.map((name) => {
      const found = quantity(name)
      return found === undefined ? '-' : estimateText(found.kind, found.values[0]?.value ?? null)
    })
    const header = ['', ...names.map((name) => quantity(name)?.label ?? name), 'then']
    const rows = ranked.map((tried, index) => tryRow(tried, index + 1, tries, narrow, paint))
    const aligns = ['left', ...names.map(() => 'right'), 'left'] as const
    return tableLines([header, ['now', ...now, bottlenecks], ...rows], aligns as readonly Align[])
  }
  const wide = tableOf(false)
  const fits = wide.every((line) => textWidth(line) <= columns)
  const [head = '', ...lines] = (fits ? wide : tableOf(true)).map((line) => clip(line, columns))
  const remedies = ranked.flatMap(({ set, why }, index) => {
    const args = set.map((each) => paint.cyan(typed(plainName(each)))).join(' ')
    return clip(
      `  ${index + 1}  ${set.length > 1 ? paint.cyan(plainName(why)) : `${args}  ${plainName(why)}`}`,
      columns,
    )
  })
  return [
    `${paint.bold('TRY')}  ${title}`,
    ...remedies,
    '',
    paint.bold(head),
    ...lines,
    paint.dim(
      '  Changes are to the row «now», seed by seed; ± is the 95 % confidence interval, ≈ within the noise of seeds.',
    ),
  ]
}

/** An explanation as text. */
export function renderExplain(document: ExplainDocument, options: RenderOptions = {}): string {
  const columns = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, Math.floor(options.columns ?? MIN_COLUMNS)))
  const paint = createPaint(options.color ?? false)
  const { packets } = document
  const title = `${paint.bold(paint.cyan(clip(plainName(document.scenario), 50)))} · seed ${document.seed} · ${formatCount(packets.offered)} offered, ${formatCount(packets.delivered)} delivered, ${formatCount(packets.dropped)} dropped`
  const sections = [
    [title],
    verdictSection(document, columns, paint),
    findingSection(document, columns, paint),
    dropSection(document, paint),
    document.tries === null ? [] : trySection(document.tries, columns, paint),
  ].filter((section) => section.length > 0)
  return `${sections.map((section) => section.join('\n')).join('\n\n')}\n`
}
