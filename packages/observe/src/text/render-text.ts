/** The text result: one screen. */
import type { ResultDocument } from '@softnet/scenario/plan'
import { cpuLines } from './cpu-bars.js'
import { DENSITIES, type Density } from './density.js'
import { latencyLines } from './latency-picture.js'
import { clip } from './layout.js'
import { linkLines } from './link-lines.js'
import { networkLines } from './network-lines.js'
import { createPaint, type Paint } from './paint.js'
import { pathLines } from './path-picture.js'
import { pluginLines } from './plugin-lines.js'
import { programLines } from './program-lines.js'
import { counterLines, queueLines } from './queue-table.js'
import { titleLines, totalLines } from './totals.js'
import { verdictLines } from './verdict-lines.js'

/** Size and look of the text result. */
export interface RenderOptions {
  /** Width of the terminal; kept in [72, 100] (default 100). */
  readonly columns?: number
  /** Colours by escape sequences (default no). */
  readonly color?: boolean
}

/** Greatest number of lines of the text result. */
export const SCREEN_LINES = 46

const MIN_COLUMNS = 72
const MAX_COLUMNS = 100

function screen(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const queues = queueLines(result, columns, density, paint)
  const counters = counterLines(result, columns, density, paint)
  const sections = [
    titleLines(result, columns, paint),
    totalLines(result, columns, paint),
    pathLines(result, columns, density, paint),
    cpuLines(result, columns, density, paint),
    [...queues, ...counters],
    networkLines(result, columns, density, paint),
    programLines(result, columns, density, paint),
    latencyLines(result, columns, density, paint),
    linkLines(result, columns, density, paint),
    pluginLines(result, columns, density, paint),
    verdictLines(result.verdict, columns, density, paint),
  ].filter((section) => section.length > 0)
  return sections.flatMap((section, i) => (density.blankLines && i > 0 ? ['', ...section] : section))
}

/** The run on one screen, at most `SCREEN_LINES` lines, ending in a newline. */
export function renderText(result: ResultDocument, options: RenderOptions = {}): string {
  const columns = Math.min(MAX_COLUMNS, Math.max(MIN_COLUMNS, Math.floor(options.columns ?? MAX_COLUMNS)))
  const paint = createPaint(options.color ?? false)
  let lines: string[] = []
  for (const density of DENSITIES) {
    lines = screen(result, columns, density, paint)
    if (lines.length <= SCREEN_LINES) break
  }
  return `${lines.map((line) => clip(line, columns)).join('\n')}\n`
}
