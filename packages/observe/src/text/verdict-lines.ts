/** The verdict in words, and the settings to try. */
import type { Verdict } from '@softnet/scenario'
import type { Density } from './density.js'
import { clip, wrap } from './layout.js'
import type { Paint } from './paint.js'

/** `--set` argument as it is typed in a shell: in quotes where a bracket or quote would be taken by the shell. */
function typed(set: string): string {
  return /[^\w.=,:%/+@-]/.test(set) ? `--set '${set}'` : `--set ${set}`
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
    ...remedies.map(({ set, why }) => {
      const argument = typed(set)
      return clip(`  ${paint.cyan(argument)}${' '.repeat(Math.max(2, width - argument.length + 2))}${why}`, columns)
    }),
  ]
}
