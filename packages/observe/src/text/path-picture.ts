/** The path as a funnel: what got past each place, what was lost there, and why. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatRate } from '../format.js'
import { type PathStage, pathStages } from '../path-stages.js'
import type { Density } from './density.js'
import { type Align, bar, clip, heading, plainName, tableLines, textWidth } from './layout.js'
import type { Paint } from './paint.js'

const MIN_BAR_COLUMNS = 8
const MAX_BAR_COLUMNS = 26

const LABELS = {
  wire: 'wire',
  nic: 'NIC buffer',
  ring: 'RX ring',
  napi: 'NAPI softirq',
  backlog: 'backlog',
  core: 'netif_receive',
  ip: 'IP',
  socket: 'UDP, socket',
  app: 'application',
  out: 'way out',
} as const

function used(result: ResultDocument): { backlog: boolean; nonNapi: boolean; rings: number } {
  let backlog = false
  let nonNapi = false
  let rings = 0
  for (const host of Object.values(result.hosts)) {
    for (const { softnet_stat, stages_ns } of host.cpus) {
      if ((stages_ns.nonnapi_rx ?? 0) > 0) nonNapi = true
      if (softnet_stat.received_rps + softnet_stat.dropped + softnet_stat.input_qlen_max > 0) backlog = true
    }
    rings += host.queues.length
  }
  return { backlog, nonNapi, rings }
}

/** What a busy machine always has under way is no finding; a queue that holds a hundredth of the traffic is. */
function isWorthSaying(waiting: number, { packets }: ResultDocument): boolean {
  return waiting > 0 && waiting * 100 >= packets.offered
}

function shownStages(result: ResultDocument, short: boolean): PathStage[] {
  const { backlog } = used(result)
  return pathStages(result).filter((stage) => {
    if (stage.place === 'out') return stage.entered > 0
    if (stage.lost > 0 || stage.forwarded > 0 || stage.place === 'app' || isWorthSaying(stage.waiting, result))
      return true
    if (stage.place === 'core') return false
    if (stage.place === 'backlog') return backlog
    return short ? stage.place === 'wire' || stage.place === 'ring' || stage.place === 'socket' : true
  })
}

function label(stage: PathStage, result: ResultDocument): string {
  const { nonNapi, rings } = used(result)
  if (stage.place === 'ring' && rings > 1) return `RX rings ×${rings}`
  if (stage.place === 'napi' && nonNapi) return 'netif_rx'
  return LABELS[stage.place]
}

/** What the picture has room for. */
interface Picture {
  readonly barColumns: number
  readonly rate: boolean
  readonly percent: boolean
  /** Columns of the function name; 0 leaves it out. */
  readonly whereColumns: number
}

/** From all there is to what 72 columns hold; the first that fits is taken, its bars as wide as there is room. */
const PICTURES: readonly Omit<Picture, 'barColumns'>[] = [
  { rate: true, percent: true, whereColumns: 40 },
  { rate: true, percent: true, whereColumns: 14 },
  { rate: false, percent: true, whereColumns: 20 },
  { rate: false, percent: true, whereColumns: 0 },
  { rate: false, percent: false, whereColumns: 0 },
]

function stageBar(stage: PathStage, offered: number, barColumns: number, paint: Paint): string {
  if (offered === 0) return ''
  const passed = bar(stage.passed / offered, barColumns)
  const kept = Math.round((Math.min(stage.entered, stage.passed + stage.lost) / offered) * barColumns)
  const lost = stage.lost > 0 ? '░'.repeat(Math.max(0, kept - textWidth(passed))) : ''
  return paint.green(passed) + (lost === '' ? '' : paint.red(lost))
}

/** Frames that did not go on although nothing is wrong with them, as cells of a place's lines. */
function stayedCells(stage: PathStage, result: ResultDocument, picture: Picture, paint: Paint): string[][] {
  const { offered } = result.packets
  const cells: string[][] = []
  const add = (count: number, text: string) => {
    const share = picture.percent && offered > 0 ? [paint.dim(formatPercent(count / offered))] : []
    cells.push([paint.dim(formatCount(count)), ...share, paint.dim(text)])
  }
  if (stage.consumed > 0) add(stage.consumed, 'kept by the kernel')
  if (stage.forwarded > 0) add(stage.forwarded, 'forwarded')
  if (isWorthSaying(stage.waiting, result)) add(stage.waiting, 'still here')
  return cells
}

function lossCells(
  stage: PathStage,
  index: number,
  rows: number,
  offered: number,
  picture: Picture,
  paint: Paint,
): string[] {
  const drop = stage.drops[index]!
  const rest = stage.drops.length - rows
  const more = index === rows - 1 && rest > 0 ? ` +${rest}` : ''
  const where = picture.whereColumns > 0 ? ` ${paint.dim(clip(plainName(drop.where), picture.whereColumns))}` : ''
  const count = paint.red(`-${formatCount(drop.count)}`)
  const share = offered > 0 ? paint.red(formatPercent(drop.count / offered)) : ''
  const text = `${paint.bold(plainName(drop.reason))}${more}${where}`
  return picture.percent ? [count, share, text] : [count, text]
}

function pictureRows(result: ResultDocument, picture: Picture, density: Density, paint: Paint): string[] {
  const { offered } = result.packets
  const seconds = result.simulated_ns / 1e9
  const rate = picture.rate ? ['rate'] : []
  const percent = picture.percent ? [''] : []
  const rows: string[][] = [
    [paint.bold('PATH'), '', paint.dim('passed'), ...rate.map(paint.dim), '', paint.dim('lost'), ...percent, ''],
  ]
  for (const stage of shownStages(result, density.shortPath)) {
    const reasons = Math.min(stage.drops.length, density.reasonRows)
    const stayed = stayedCells(stage, result, picture, paint)
    const lines = Math.max(1, reasons + stayed.length)
    for (let i = 0; i < lines; i++) {
      const first = i === 0
      const glyph = stage.place === 'app' ? '▼' : stage.drops.length > i ? '├' : '│'
      const none = picture.percent ? ['', '', ''] : ['', '']
      rows.push([
        first ? label(stage, result) : '',
        paint.dim(glyph),
        first ? formatCount(stage.passed) : '',
        ...rate.map(() => (first && seconds > 0 && stage.passed > 0 ? formatRate(stage.passed / seconds) : '')),
        first ? stageBar(stage, offered, picture.barColumns, paint) : '',
        ...(i < reasons ? lossCells(stage, i, reasons, offered, picture, paint) : (stayed[i - reasons] ?? none)),
      ])
    }
  }
  const right = (cells: readonly string[]): Align[] => cells.map(() => 'right')
  return heading(
    tableLines(rows, ['left', 'left', 'right', ...right(rate), 'left', 'right', ...right(percent), 'left']),
  )
}

/** Heading and one line per place; a place with several reasons has a line for each. */
export function pathLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  let lines: string[] = []
  for (const picture of PICTURES) {
    lines = pictureRows(result, { ...picture, barColumns: MIN_BAR_COLUMNS }, density, paint)
    const room = columns - Math.max(...lines.map(textWidth))
    if (room < 0) continue
    const barColumns = Math.min(MAX_BAR_COLUMNS, MIN_BAR_COLUMNS + room)
    return pictureRows(result, { ...picture, barColumns }, density, paint)
  }
  return lines.map((line) => clip(line, columns))
}
