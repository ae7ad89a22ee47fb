/** The verdict in words, and the settings to try. */
import type { Verdict } from '@softnet/scenario/plan'
import type { Density } from './density.js'
import { clip, wrap } from './layout.js'
import type { Paint } from './paint.js'

/** `--set` argument as it is typed in a shell: in quotes where a bracket or quote would be taken by the shell. */
export function typed(set: string): string {
  return /[^\w.=,:%/+@-]/.test(set) ? `--set '${set}'` : `--set ${set}`
}

const ARGUMENT_LINES = 4

/**
 * The argument over several lines where one cannot hold it. It breaks behind commas inside its quotes, where a shell
 * and the reader of the value take a line end for a space, so that it can be copied.
 */
function argumentLines(argument: string, columns: number, most: number): string[] | null {
  const lines: string[] = []
  for (let rest = argument; rest !== ''; ) {
    const at = rest.length <= columns ? rest.length : rest.lastIndexOf(',', columns - 1) + 1
    if (at === 0 || lines.length === most) return null
    lines.push(rest.slice(0, at))
    rest = rest.slice(at)
  }
  return lines
}

function remedyLines(
  { set, why }: Verdict['remedies'][number],
  width: number,
  columns: number,
  most: number,
  paint: Paint,
): string[] {
  const argument = typed(set)
  const inner = columns - 4
  const lines = argumentLines(argument, inner, most)
  if (lines === null) {
    const path = set.slice(0, set.indexOf('=') + 1)
    return [clip(`  ${paint.cyan(`--set ${path}…`)}  ${why}; the whole list: --format json`, columns)]
  }
  const last = lines.pop()!
  const shown = lines.map((line, i) => `${i === 0 ? '  ' : '    '}${paint.cyan(line)}`)
  const gap = ' '.repeat(Math.max(2, lines.length > 0 ? 2 : width - last.length + 2))
  const before = `${lines.length > 0 ? '    ' : '  '}${paint.cyan(last)}`
  return [...shown, clip(`${before}${gap}${why}`, columns)]
}

/** Heading, sentences, and one line per setting as it is typed. */
export function verdictLines(verdict: Verdict, columns: number, density: Density, paint: Paint): string[] {
  const color = verdict.bottleneck === 'none' ? paint.green : paint.yellow
  const heading = `${paint.bold('VERDICT')}  ${color(verdict.bottleneck)}`
  const sentences = wrap(verdict.sentences.join(' '), columns - 2)
  const kept = sentences.slice(0, density.sentenceRows)
  if (kept.length < sentences.length) kept[kept.length - 1] = `${clip(kept[kept.length - 1]!, columns - 4)} …`
  const remedies = verdict.remedies.slice(0, density.remedyRows)
  const width = Math.min(Math.max(0, ...remedies.map(({ set }) => typed(set).length)), Math.floor(columns * 0.6))
  return [
    heading,
    ...kept.map((line) => `  ${line}`),
    ...remedies.flatMap((each) =>
      remedyLines(each, width, columns, density.remedyRows > 2 ? ARGUMENT_LINES : 1, paint),
    ),
  ]
}
