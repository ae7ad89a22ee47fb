import picocolors from 'picocolors'
import { listScenarios } from '../api.js'
import type { Terminal } from '../terminal.js'

const GAP = '  '

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines
}

/** `softnet list`: the built-in scenarios. */
export function listCommand(terminal: Terminal): number {
  const scenarios = listScenarios()
  const paint = picocolors.createColors(terminal.color)
  const nameWidth = Math.max(...scenarios.map((scenario) => scenario.name.length))
  const textWidth = Math.max(30, terminal.columns - nameWidth - GAP.length)
  const lines = scenarios.flatMap(({ name, description }) =>
    wrap(description, textWidth).map(
      (line, index) => (index === 0 ? paint.bold(name.padEnd(nameWidth)) : ' '.repeat(nameWidth)) + GAP + line,
    ),
  )
  terminal.print(lines.join('\n'), { schema: 'softnet.list/1', scenarios })
  return 0
}
