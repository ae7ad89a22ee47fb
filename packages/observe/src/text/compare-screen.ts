/** A comparison as text: what is compared, then for each variant what differs from the first. */
import type { CompareDocument, ComparedQuantity, ComparedValue, Judgement, Variant } from '../compare/document.js'
import { formatTime } from '../format.js'
import { settingText } from '../sweep/document.js'
import { changeText, estimateText } from '../sweep/measure-text.js'
import { clip, plainName, tableLines, textWidth } from './layout.js'
import { createPaint, type Paint } from './paint.js'
import type { RenderOptions } from './render-text.js'

const MIN_COLUMNS = 72
const MAX_COLUMNS = 120
const MAX_DIFFERENCES = 12
const MAX_DROPS = 8
const MAX_STAGES = 6
const LABEL_COLUMNS = 44
const NARROW_LABEL_COLUMNS = 24

/** Letter of a variant: A for the first. */
export function variantLetter(index: number): string {
  return index < 26 ? String.fromCharCode(65 + index) : `#${index + 1}`
}

const valueText = (value: unknown): string => (value === undefined ? '(not set)' : settingText(value))

function variantLines(variant: Variant, index: number, columns: number, paint: Paint): string[] {
  const heading = `  ${paint.bold(variantLetter(index))}  ${plainName(variant.label)}`
  const changes = variant.differences.map(({ path, from, to }) =>
    clip(`     ${plainName(path)}: ${plainName(valueText(from))} → ${plainName(valueText(to))}`, columns),
  )
  const shown = changes.slice(0, MAX_DIFFERENCES)
  const more = changes.length - shown.length
  const nothing = index > 0 && changes.length === 0 ? ['     the same scenario as A'] : []
  const rest = more > 0 ? [`     and ${more} more differences (--format json has them all)`] : []
  const failed = variant.failures.map(({ seed, message }) =>
    paint.red(`     seed ${seed} failed: ${plainName(message)}`),
  )
  return [clip(heading, columns), ...shown, ...rest, ...nothing, ...failed]
}

const WORDS: Readonly<Record<Judgement, string>> = {
  same: 'the same',
  noise: 'within noise',
  better: 'better',
  worse: 'worse',
  changed: 'changed',
  unknown: 'one run: not known',
}

/** What a judgement is called, in the colour of its kind. */
export function judgementText(judgement: Judgement, paint: Paint): string {
  const word = WORDS[judgement]
  if (judgement === 'better') return paint.green(word)
  if (judgement === 'worse') return paint.red(word)
  return judgement === 'changed' ? paint.yellow(word) : paint.dim(word)
}

const percentText = (change: number, base: number): string =>
  `${change > 0 ? '+' : ''}${((change / base) * 100).toFixed(1)} %`

/** A change with its interval and, unless the line is `narrow`, in percent of what it was where that says more. */
export function changeCell(
  { kind }: ComparedQuantity,
  { change }: ComparedValue,
  before: ComparedValue,
  narrow: boolean,
): string {
  if (change === null) return '-'
  if (change.mean === 0 && change.ci95 === 0) return '0'
  const base = before.value?.mean ?? 0
  const isPlain = narrow || kind === 'share' || base === 0
  return `${changeText(kind, change)}${isPlain ? '' : `  (${percentText(change.mean, base)})`}`
}

/** Quantities worth a line: all measures, what is lost most, and the stages that changed most beyond noise. */
function shownQuantities(document: CompareDocument, index: number): ComparedQuantity[] {
  const at = (quantity: ComparedQuantity): ComparedValue => quantity.values[index] as ComparedValue
  const ofGroup = (group: ComparedQuantity['group']) => document.quantities.filter((each) => each.group === group)
  const occurs = (each: ComparedQuantity) => (each.values[0]?.value?.mean ?? 0) > 0 || (at(each).value?.mean ?? 0) > 0
  const told = ofGroup('stage').filter((each) => at(each).judgement === 'changed')
  const size = (each: ComparedQuantity) => Math.abs(at(each).change?.mean ?? 0)
  const stages = told.sort((a, b) => size(b) - size(a)).slice(0, MAX_STAGES)
  return [...ofGroup('measure'), ...ofGroup('drop').filter(occurs).slice(0, MAX_DROPS), ...stages]
}

const HEADINGS: Readonly<Record<ComparedQuantity['group'], string>> = {
  measure: '',
  drop: 'lost, share of offered',
  stage: 'CPU time by stage, per offered frame',
}

/** The table of one variant; `narrow` leaves out what is told twice. */
function changeTable(document: CompareDocument, index: number, narrow: boolean, paint: Paint): string[] {
  const letter = variantLetter(index)
  const rows: string[][] = [['', 'A', letter, `${letter} − A`, '']]
  const headings = new Map<number, string>()
  let group: ComparedQuantity['group'] = 'measure'
  for (const quantity of shownQuantities(document, index)) {
    if (quantity.group !== group) headings.set(rows.length, HEADINGS[quantity.group])
    group = quantity.group
    const [before, after] = [quantity.values[0], quantity.values[index]] as [ComparedValue, ComparedValue]
    if (before.value === null && after.value === null) continue
    rows.push([
      clip(plainName(quantity.label), narrow ? NARROW_LABEL_COLUMNS : LABEL_COLUMNS),
      estimateText(quantity.kind, before.value),
      estimateText(quantity.kind, after.value),
      changeCell(quantity, after, before, narrow),
      judgementText(after.judgement ?? 'unknown', paint),
    ])
  }
  const lines = tableLines(rows, ['left', 'right', 'right', 'right', 'left'])
  return lines.flatMap((line, row) => {
    const heading = headings.get(row)
    const shown = row === 0 ? paint.bold(line) : line
    return heading === undefined ? [shown] : [paint.dim(`  ${heading}`), shown]
  })
}

function changeLines(document: CompareDocument, index: number, columns: number, paint: Paint): string[] {
  const lines = changeTable(document, index, false, paint)
  if (lines.every((line) => textWidth(line) <= columns)) return lines
  return changeTable(document, index, true, paint).map((line) => clip(line, columns))
}

/** Why seed noise is known or not. */
function noteLines({ seeds, variants }: CompareDocument, paint: Paint): string[] {
  if (seeds.length < 2) return [paint.dim('  one run each: what of this is chance is not known; --runs 5 tells')]
  const same = variants.every(({ runs }) => runs.every(({ digest }) => digest === variants[0]?.runs[0]?.digest))
  if (same && variants.length > 1) return [paint.dim('  every run is the same: neither seed nor setting has an effect')]
  return [
    paint.dim(
      '  ± is the 95 % confidence interval; both sides of a difference have the same seed. Beyond noise is what',
    ),
    paint.dim('  that interval does not explain, which about one in twenty is that has not changed at all.'),
  ]
}

/** A comparison as text. */
export function renderCompare(document: CompareDocument, options: RenderOptions = {}): string {
  const columns = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, Math.floor(options.columns ?? MIN_COLUMNS)))
  const paint = createPaint(options.color ?? false)
  const { variants, seeds } = document
  const done = variants.reduce((sum, { runs }) => sum + runs.length, 0)
  const all = variants.length * seeds.length
  const seedText = seeds.length === 1 ? `seed ${seeds[0]}` : `${seeds.length} seeds from ${seeds[0]}`
  const took = `${done} of ${all} runs done in ${formatTime(Math.round(document.wall_ms) * 1e6)}`
  const title = `${paint.bold(paint.cyan('compare'))} · ${variants.length} variants · ${seedText} · ${took}`
  const sections = [
    document.status === 'interrupted'
      ? [title, paint.yellow('  interrupted: means are of the runs that are done')]
      : [title],
    variants.flatMap((variant, index) => variantLines(variant, index, columns, paint)),
    ...variants.slice(1).map((_variant, index) => changeLines(document, index + 1, columns, paint)),
    noteLines(document, paint),
  ]
  return `${sections.map((section) => section.join('\n')).join('\n\n')}\n`
}
