/** Lines of a fixed width: tables without borders, wrapping, clipping. */
import Table from 'cli-table3'
import stringWidth from 'string-width'

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

const ESCAPE = String.fromCharCode(27)
const COLOR_OR_CHARACTER = new RegExp(`${ESCAPE}\\[[0-9;]*m|[^]`, 'gu')

/** Horizontal alignment of one column. */
export type Align = 'left' | 'right'

/** Columns under each other, two spaces apart, indented by two; colours do not count as width. */
export function tableLines(rows: readonly (readonly string[])[], aligns: readonly Align[]): string[] {
  if (rows.length === 0) return []
  const table = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: [...aligns],
  })
  for (const row of rows) table.push([...row])
  return table
    .toString()
    .split('\n')
    .map((line) => `  ${line}`.trimEnd())
}

/** The lines of a table whose first line is its heading, which is not indented. */
export function heading(lines: readonly string[]): string[] {
  const [first = '', ...rest] = lines
  // The two columns taken in front go back behind the first word, so that the columns stay where they are.
  return [first.replace(/^ {2}(\S+)/, '$1  ').trimEnd(), ...rest]
}

/** Width on a terminal, columns; colours count nothing. */
export function textWidth(text: string): number {
  return stringWidth(text)
}

/** Text of at most `columns` columns, ending in `…` where it was cut; colours are kept and closed. */
export function clip(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text
  let out = ''
  let width = 0
  let full = false
  for (const [token] of text.matchAll(COLOR_OR_CHARACTER)) {
    if (token.startsWith(ESCAPE)) {
      out += token
      continue
    }
    if (full) continue
    const next = stringWidth(token)
    if (width + next > columns - 1) {
      out += '…'
      full = true
      continue
    }
    out += token
    width += next
  }
  return out
}

/** Names from outside, without characters that move the cursor. */
export function plainName(name: string): string {
  return name.replace(/\p{Cc}/gu, '?')
}

/** Words of a text on lines of at most `columns` columns. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > columns) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  if (line !== '') lines.push(line)
  return lines
}

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Bar of `share` of `columns`, to an eighth of a column; something that is not zero shows at least one eighth. */
export function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8)
  const shown = share > 0 ? Math.max(1, eighths) : 0
  return '█'.repeat(Math.floor(shown / 8)) + EIGHTHS[shown % 8]
}

/** Middle value of numbers; 0 of none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return 0
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
