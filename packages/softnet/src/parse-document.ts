/** Text of a scenario file to plain data; every syntax fault with its line and column. */
import { type Document, isScalar, isSeq, LineCounter, parseDocument, Scalar, type YAMLError } from 'yaml'
import { type InputFault, ScenarioError } from './input-fault.js'

/** After so many syntax faults the others follow from the first. */
const MAX_FAULTS = 20
/** Aliases that a file may expand to; a legitimate file has a handful. */
const MAX_ALIASES = 1000

/** Brackets open at once, and columns before the first word of a line; a scenario needs about ten and thirty. */
const MAX_OPEN_BRACKETS = 200
const MAX_INDENT_COLUMNS = 400

/**
 * True for text that would take the parser's recursion to the end of the stack. It has to be known before: an engine
 * that compiles a regular expression there ends the process, which nothing can catch.
 */
function nestsTooDeep(text: string): boolean {
  let open = 0
  let indent = 0
  let isIndent = true
  for (let i = 0; i < text.length; i++) {
    const char = text[i]
    if (char === '\n') {
      indent = 0
      isIndent = true
      continue
    }
    if (isIndent && (char === ' ' || char === '\t' || char === '-' || char === '?')) indent++
    else isIndent = false
    if (char === '[' || char === '{') open++
    else if ((char === ']' || char === '}') && open > 0) open--
    if (open > MAX_OPEN_BRACKETS || indent > MAX_INDENT_COLUMNS) return true
  }
  return false
}

function syntaxFault(file: string, lines: LineCounter, error: YAMLError): InputFault {
  const { line, col } = lines.linePos(error.pos[0])
  const [reason = ''] = error.message.split('\n')
  return {
    path: `${file}:${line}:${col}`,
    given: null,
    accepted: `valid syntax (${reason.replace(/ at line \d+, column \d+:?$/, '')})`,
    nearest: null,
  }
}

interface Parsed {
  readonly document: Document
  readonly lines: LineCounter
}

function parsed(file: string, text: string): Parsed {
  if (nestsTooDeep(text)) throw new ScenarioError([tooDeep(file)])
  const lines = new LineCounter()
  try {
    // A list as a key is refused as a key of an odd name; the library would warn of it past our terminal.
    return { document: parseDocument(text, { uniqueKeys: true, lineCounter: lines, logLevel: 'error' }), lines }
  } catch {
    throw new ScenarioError([tooDeep(file)])
  }
}

function tooDeep(file: string): InputFault {
  return { path: file, given: null, accepted: 'fewer levels of nesting', nearest: null }
}

/** Parses YAML 1.2; throws a {@link ScenarioError} with every syntax fault. */
export function parseYaml(file: string, text: string): unknown {
  const { document, lines } = parsed(file, text)
  const faults = [...document.errors, ...document.warnings].map((error) => syntaxFault(file, lines, error))
  if (document.errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) throw new ScenarioError([tooDeep(file)])
  if (faults.length > 0) throw new ScenarioError(faults.slice(0, MAX_FAULTS))
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (thrown) {
    if (!(thrown instanceof ReferenceError)) throw new ScenarioError([tooDeep(file)])
    const accepted = `aliases that expand to at most ${MAX_ALIASES} values and name an anchor before them`
    throw new ScenarioError([{ path: file, given: null, accepted, nearest: null }])
  }
}

/** One entry of a list, and whether it was written without quotes. */
export interface ListEntry {
  readonly value: unknown
  readonly plain: boolean
}

/** Parses what stands between the brackets of a YAML list, `1, [2, 3], "x"`; throws a {@link ScenarioError}. */
export function parseYamlEntries(file: string, text: string): readonly ListEntry[] {
  const list = `[${text}]`
  const values = parseYaml(file, list)
  const { contents } = parsed(file, list).document
  if (!Array.isArray(values) || !isSeq(contents)) return []
  return values.map((value: unknown, index) => {
    const node = contents.items[index]
    return { value, plain: isScalar(node) && node.type === Scalar.PLAIN }
  })
}

/** Parses JSON; throws a {@link ScenarioError} for a syntax fault or a key given twice. */
export function parseJson(file: string, text: string): unknown {
  // The YAML parser reads JSON too; it alone knows lines, and it alone objects to a key given twice.
  const { document, lines } = parsed(file, text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (thrown) {
    const [first] = document.errors
    const path = first === undefined ? file : syntaxFault(file, lines, first).path
    const accepted = `valid JSON (${thrown instanceof Error ? thrown.message : String(thrown)})`
    throw new ScenarioError([{ path, given: null, accepted, nearest: null }])
  }
  const twice = document.errors.filter((error) => error.code === 'DUPLICATE_KEY')
  if (twice.length > 0) throw new ScenarioError(twice.map((error) => syntaxFault(file, lines, error)))
  return value
}
