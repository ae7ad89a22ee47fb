/** Reads traces in the text form of tracefs, by what a real kernel said of its own: formats, header and lines. */
import { readFileSync } from 'node:fs'

interface Recorded {
  readonly header: readonly string[]
  /** `print fmt` of each event. */
  readonly formats: Readonly<Record<string, string>>
  readonly lines: readonly string[]
}

export interface FtraceEvent {
  readonly comm: string
  readonly pid: number
  readonly cpu: number
  readonly flags: string
  readonly seconds: number
  readonly event: string
  /** Values of `name=value` in the event's text. */
  readonly fields: Readonly<Record<string, string>>
  readonly text: string
}

export function recordedFormats(): Recorded {
  return JSON.parse(readFileSync(new URL('../../../../../tests/data/tracefs/6.18.json', import.meta.url), 'utf8'))
}

const ESCAPED = /[.*+?^${}()|[\]\\]/g
/** What each conversion of a `print fmt` prints. */
const CONVERSIONS: readonly (readonly [RegExp, string])[] = [
  [/^%pISpc/, String.raw`\d+\.\d+\.\d+\.\d+:\d+`],
  [/^%pS/, String.raw`\S+\+0x[0-9a-f]+/0x[0-9a-f]+`],
  [/^%p/, '[0-9a-f]{16}'],
  [/^%#x/, '0x[0-9a-f]+'],
  [/^%04x/, '[0-9a-f]{4,}'],
  [/^%08x/, '[0-9a-f]{8,}'],
  [/^%03d/, String.raw`-?\d{3,}`],
  [/^%d/, String.raw`-?\d+`],
  [/^%u/, String.raw`\d+`],
  [/^%s/, '[^ ]*'],
]

/** What was written to trace_marker has this in the place of an event's name; this is the form of a mark at one moment. */
const MARK = 'tracing_mark_write'
const MARK_TEXT = /^I\|\d+\|.+$/

/** The regular expression of all that a `print fmt` can print. */
export function formatPattern(format: string): RegExp {
  let pattern = ''
  for (let rest = format; rest !== ''; ) {
    const found = CONVERSIONS.find(([conversion]) => conversion.test(rest))
    const length = found === undefined ? 1 : (found[0].exec(rest)?.[0].length ?? 1)
    pattern += found === undefined ? rest.slice(0, 1).replace(ESCAPED, String.raw`\$&`) : found[1]
    rest = rest.slice(length)
  }
  return new RegExp(`^${pattern}$`)
}

/** As perf's and others' scripts do: comm, pid, CPU, latency letters, time, event, rest. */
const LINE = /^ *(.{1,16}?)-(\d+) +\[(\d{3,})\] ([dbD.][NnpL.][hsH.Z][0-9a-f.][0-9a-f.]) +(\d+\.\d{6}): (\w+): (.*)$/

/** Parses one line; an error says what is wrong with it. */
export function readFtraceLine(line: string, patterns: ReadonlyMap<string, RegExp>): FtraceEvent {
  const found = LINE.exec(line)
  if (found === null) throw new Error(`not a line of a trace: ${line}`)
  const [, comm = '', pid, cpu, flags = '', seconds, event = '', text = ''] = found
  const pattern = event === MARK ? MARK_TEXT : patterns.get(event)
  if (pattern === undefined) throw new Error(`no event of Linux: ${line}`)
  if (!pattern.test(text)) throw new Error(`not as ${event} prints: ${line}`)
  const fields = Object.fromEntries([...text.matchAll(/(\w+)=(\S+)/g)].map(([, name, value]) => [name, value]))
  const reason = /reason: (\w+)$/.exec(text)?.[1]
  return {
    ...{ comm, pid: Number(pid), cpu: Number(cpu), flags, seconds: Number(seconds), event, text },
    fields: reason === undefined ? fields : { ...fields, reason },
  }
}

/** Parses a whole trace: the header must be the kernel's, but for its counts. */
export function readFtrace(text: string): FtraceEvent[] {
  const { header, formats } = recordedFormats()
  const patterns = new Map(Object.entries(formats).map(([event, format]) => [event, formatPattern(format)]))
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('the last line has no end')
  header.forEach((expected, index) => {
    const counts = /entries-written: (\d+)\/(\d+) +#P:(\d+)$/
    const line = lines[index] ?? ''
    if (counts.test(expected) ? !counts.test(line) : line !== expected) throw new Error(`header: ${line}`)
  })
  return lines.slice(header.length).map((line) => readFtraceLine(line, patterns))
}
