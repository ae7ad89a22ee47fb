/** Where a command writes, and how. */
import type { ErrorDocument, InputFault } from './input-fault.js'
import { faultToText } from './input-fault.js'

/** Form of what a command prints on stdout. */
export type Format = 'text' | 'json'

/** What a stream says of itself if it is a terminal. */
interface Screen {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Where a command line writes; `process` has both. */
export interface Streams {
  readonly stdout: NodeJS.WritableStream & Screen
  readonly stderr: NodeJS.WritableStream
}

/** The two streams of a command and what they can show. */
export interface Terminal {
  readonly format: Format
  /** Colour on stdout. */
  readonly color: boolean
  /** Width of stdout, columns. */
  readonly columns: number
  /** Prints the one result of the command: the text, or the document as JSON; `json` is its text where that has a form of its own. */
  print(text: string, document: unknown, json?: string): void
  /** Prints every fault of wrong input: text on stderr, or one document on stdout. */
  refuse(faults: readonly InputFault[]): void
  /** Prints why a run failed, likewise. */
  fail(message: string): void
  /** Tells the user something beside the result. */
  note(line: string): void
}

const DEFAULT_COLUMNS = 100
const MIN_COLUMNS = 40

/** Width of a stream: that of its terminal, or else what COLUMNS says, as a pipe into a pager has it. */
function columnsOf(stream: Screen): number {
  const given = /^\d{1,5}$/.test(process.env.COLUMNS ?? '') ? Number(process.env.COLUMNS) : 0
  return Math.max(MIN_COLUMNS, stream.columns ?? (given > 0 ? given : DEFAULT_COLUMNS))
}

function wantsColor(stream: Screen): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env
  if (NO_COLOR !== undefined && NO_COLOR !== '') return false
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return stream.isTTY === true && TERM !== 'dumb'
}

/** A terminal on two streams. */
export function createTerminal(format: Format, streams: Streams): Terminal {
  const { stdout, stderr } = streams
  const json = (document: unknown) => stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  return {
    format,
    color: wantsColor(stdout),
    columns: columnsOf(stdout),
    print(text, document, jsonText) {
      if (format === 'text') stdout.write(text.endsWith('\n') ? text : `${text}\n`)
      else if (jsonText === undefined) json(document)
      else stdout.write(jsonText)
    },
    refuse(faults) {
      const document: ErrorDocument = { schema: 'softnet.error/1', errors: faults }
      if (format === 'json') json(document)
      else for (const fault of faults) stderr.write(`error: ${faultToText(fault)}\n`)
    },
    fail(message) {
      const document: ErrorDocument = { schema: 'softnet.error/1', errors: [], message }
      if (format === 'json') json(document)
      else stderr.write(`error: ${message}\n`)
    },
    note(line) {
      stderr.write(`${line}\n`)
    },
  }
}
