/** A fenced block of a Markdown page. */
export interface Block {
  /** Word after the fence, empty if there is none. */
  readonly language: string
  readonly text: string
  /** Line of the opening fence, counted from 1. */
  readonly line: number
  /** What the comment above it says its text is the output of, null if there is none. */
  readonly source: OutputSource | null
}

/** A command and which lines of its output a page shows. */
export interface OutputSource {
  readonly command: string
  /** File that the command writes and the text is of; null where it is what the command prints. */
  readonly file: string | null
  /** Lines of the output that begin with one of these, or of the file that hold one; empty: all of them. */
  readonly labels: readonly string[]
}

const FENCE = /^```(\w*)$/
const SOURCE = /^<!-- (?:output|file (\S+)) of: ([^|]+?)(?: \| (.+))? -->$/

function sourceOf([, file, command, labels]: RegExpExecArray): OutputSource {
  return { command: command as string, file: file ?? null, labels: labels?.split(', ') ?? [] }
}

/** Fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const lines = page.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const fence = FENCE.exec(lines[at] as string)
    if (fence === null) continue
    const end = lines.indexOf('```', at + 1)
    if (end < 0) throw new Error(`the block in line ${at + 1} has no end`)
    const source = at > 0 ? SOURCE.exec(lines[at - 1] as string) : null
    blocks.push({
      language: fence[1] as string,
      text: lines.slice(at + 1, end).join('\n'),
      line: at + 1,
      source: source === null ? null : sourceOf(source),
    })
    at = end
  }
  return blocks
}

/** The page with the text of one block replaced. */
export function replaceBlock(page: string, line: number, text: string): string {
  const lines = page.split('\n')
  const end = lines.indexOf('```', line)
  return [...lines.slice(0, line), text, ...lines.slice(end)].join('\n')
}

/** Lines of the page's console and shell blocks, comments aside. */
export function commandLinesOf(page: string): string[] {
  return blocksOf(page)
    .filter(({ language }) => language === 'console' || language === 'sh')
    .flatMap(({ text }) => text.split('\n'))
    .map((line) => line.replace(/^\$ /, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

const OWN = /^(npx softnet|npm) /

/** Those that can be run from the root: `npx softnet …` and `npm …`. */
export const commandsOf = (page: string): string[] => commandLinesOf(page).filter((line) => OWN.test(line))

/** The others. */
export const otherCommandsOf = (page: string): string[] => commandLinesOf(page).filter((line) => !OWN.test(line))

/** The lines of an output that a page shows: those that begin with a label, or hold it where that begins with `…`. */
export function shownLines(output: string, labels: readonly string[]): string {
  const lines = output.trimEnd().split('\n')
  if (labels.length === 0) return lines.join('\n')
  const shown = lines.filter((line) => {
    const words = line.trim().replace(/ +/g, ' ')
    return labels.some(
      (label) =>
        words.startsWith(label) ||
        (label.startsWith('…') && words.includes(label.slice(1))) ||
        (/^(ns|µs|ms)$/.test(label) && isTimesRow(words, label)),
    )
  })
  return shown.join('\n')
}

/** The lines of a file that a page shows: those that hold one of the labels. */
export function fileLines(text: string, labels: readonly string[]): string {
  const lines = text.trimEnd().split('\n')
  const shown = lines.filter((line) => labels.length === 0 || labels.some((label) => line.includes(label)))
  return shown.map((line) => line.trim()).join('\n')
}

/** A row of nothing but times, such as latency's percentiles, that has one in the unit asked for. */
function isTimesRow(words: string, unit: string): boolean {
  return /^([\d.]+ (ns|µs|ms|s) ?){3,}$/.test(words) && words.includes(` ${unit}`)
}

/** An output without what differs from run to run: wall times, and where the first line wraps because of its length. */
export function withoutWallTime(output: string): string {
  return output
    .replace(/simulated in [\d.]+ \S+(?: · |\n +)digest (\w+)/, 'simulated in … · digest $1')
    .replace(/(?: · |\n +)(\d+ of \d+ runs? done) in [\d.]+ \S+/, ' · $1 in …')
}

/** Relative links of a page, without their anchors. */
export function linksOf(page: string): string[] {
  const prose = page.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => (target as string).replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
}
