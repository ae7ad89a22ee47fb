/** Head of the text result: which run this was, and what became of its packets. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { formatCount, formatPercent, formatRate, formatTime } from '../format.js'
import { conservation } from '../path-stages.js'
import { clip, plainName, tableLines, textWidth, wrap } from './layout.js'
import type { Paint } from './paint.js'

const DIGEST_SHOWN = 8

/** Name, kernel, profile, seed, times and digest, on one line or two. */
export function titleLines(result: ResultDocument, columns: number, paint: Paint): string[] {
  const name = clip(plainName(result.scenario), Math.floor(columns / 2))
  const took = `${formatTime(result.simulated_ns)} simulated in ${formatTime(result.wall_ms * 1e6)}`
  const parts = [
    `Linux ${result.kernel}`,
    clip(plainName(result.profile), 28),
    `seed ${result.seed}`,
    result.workers > 1 ? `${took} by ${result.workers} workers` : took,
    `digest ${result.digest.slice(0, DIGEST_SHOWN)}`,
  ]
  const lines: string[] = []
  let line = paint.bold(paint.cyan(name))
  for (const part of parts) {
    if (textWidth(line) + 3 + textWidth(part) > columns) {
      lines.push(line)
      line = `  ${part}`
    } else {
      line = `${line} ${paint.dim('·')} ${part}`
    }
  }
  lines.push(line)
  if (result.status === 'interrupted') {
    lines.push(paint.yellow(`  interrupted: everything below is the run up to ${formatTime(result.simulated_ns)}`))
  }
  return lines
}

/** Offered, delivered, sent if anything was, and dropped, with rate and share, and the sum that must hold. */
export function totalLines(result: ResultDocument, columns: number, paint: Paint): string[] {
  const { packets } = result
  const seconds = result.simulated_ns / 1e9
  const row = (label: string, count: number, color: (text: string) => string): string[] => [
    color(label),
    color(formatCount(count)),
    seconds > 0 && count > 0 ? color(formatRate(count / seconds)) : '',
    packets.offered > 0 ? color(formatPercent(count / packets.offered)) : '',
  ]
  const rows = [
    row('offered', packets.offered, (text) => text),
    row('delivered', packets.delivered, paint.green),
    ...(packets.sent > 0 ? [row('sent', packets.sent, paint.green)] : []),
    row('dropped', packets.dropped, packets.dropped > 0 ? paint.red : paint.dim),
  ]
  const sum = conservation(packets, formatCount)
  return [
    ...tableLines(rows, ['left', 'right', 'right', 'right']),
    ...wrap(sum.holds ? sum.text : `${sum.text}, which does not add up`, columns - 2).map((line) =>
      sum.holds ? paint.dim(`  ${line}`) : paint.red(`  ${line}`),
    ),
  ]
}
