/** What became of links, a line for each time. */
import type { LinkLogRow, ResultDocument } from '@softnet/scenario/plan'
import type { Density } from './density.js'
import { clip } from './layout.js'
import type { Paint } from './paint.js'

const NS_PER_SECOND = 1e9
/** What the kernel does within this time is one line, ns. */
const TOGETHER_NS = 1000

interface Line {
  readonly row: LinkLogRow
  readonly host: string
  readonly whats: string[]
}

function wordsOf({ what, detail }: LinkLogRow): string {
  return detail === undefined ? what : `${what} ${detail}`
}

function linesOf(host: string, log: readonly LinkLogRow[]): Line[] {
  const lines: Line[] = []
  for (const row of log) {
    const last = lines.at(-1)
    if (last !== undefined && last.row.dev === row.dev && row.t_ns - last.row.t_ns < TOGETHER_NS)
      last.whats.push(wordsOf(row))
    else lines.push({ row, host, whats: [wordsOf(row)] })
  }
  return lines
}

/** What became of the devices of all hosts in order of time, as many lines as there is room for. */
export function linkLines(result: ResultDocument, columns: number, density: Density, paint: Paint): string[] {
  const hosts = Object.entries(result.hosts)
  const lines = hosts
    .flatMap(([name, { link_log }]) => linesOf(name, link_log ?? []))
    .sort((a, b) => a.row.t_ns - b.row.t_ns)
  if (lines.length === 0) return []
  const shown = lines.slice(0, density.pluginRows).map(({ row, host, whats }) => {
    // A setting of a host is of no device.
    const dev = hosts.length === 1 ? row.dev : row.dev === '' ? host : `${host}/${row.dev}`
    return clip(
      `  ${(row.t_ns / NS_PER_SECOND).toFixed(6)} s  ${dev === '' ? '' : `${dev}  `}${whats.join(', ')}`,
      columns,
    )
  })
  const more = lines.length - shown.length
  const all = more > 0 ? [...shown, `  and ${more} more: --format json, link_log`] : shown
  return density.blankLines ? [paint.bold('LINK'), ...all] : all
}
