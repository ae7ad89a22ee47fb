/** Faults of a scenario: what is wrong, where, and what would be right. */
import { nearestName } from './nearest.js'

/** Where a value is: keys and positions from the root of the scenario. */
export type FaultPath = readonly (string | number)[]

/** What was found at the path: the value itself if it is simple, else its text cut short; null if nothing. */
export type Given = string | number | boolean | null

/** One thing that is wrong with a scenario. */
export interface ScenarioFault {
  /** Path in the user's document, `hosts.server.devices.eth0.rings.rx` or `…sockets[1].bind`. */
  readonly path: string
  readonly given: Given
  /** What is accepted there, in words. */
  readonly accepted: string
  /** The known name that was probably meant, or null. */
  readonly nearest: string | null
}

const MAX_TEXT = 200

/** Writes a path with dots and brackets; an empty path is `(root)`. */
export function formatPath(path: FaultPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += (text === '' ? '' : '.') + printable(part, 80)
  }
  return text === '' ? '(root)' : text
}

/** Simple form of any value for a fault. */
export function givenValue(value: unknown): Given {
  if (value === undefined || value === null) return null
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string') return printable(value, MAX_TEXT)
  if (typeof value === 'object') {
    try {
      return printable(JSON.stringify(value) ?? 'object', MAX_TEXT)
    } catch {
      return Array.isArray(value) ? 'array' : 'object'
    }
  }
  return `a ${typeof value}`
}

function printable(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is made visible
  return cut.replace(/[\u0000-\u001f\u007f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Value at a path of plain data; undefined if there is none. */
export function valueAt(root: unknown, path: FaultPath): unknown {
  let value = root
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string | number, unknown>)[part]
  }
  return value
}

/** Collects faults and warnings while a scenario is compiled. */
export class Report {
  readonly faults: ScenarioFault[] = []
  readonly warnings: string[] = []
  readonly #root: unknown
  readonly #hidden: readonly FaultPath[]

  /** `hidden` are places already reported; faults there or that contain them follow from those and are left out. */
  constructor(root: unknown, hidden: readonly FaultPath[] = []) {
    this.#root = root
    this.#hidden = hidden
  }

  /** The plain document that is compiled. */
  get root(): unknown {
    return this.#root
  }

  /** Whether something below a path was left out because of a fault, so that what is there is not what was written. */
  isPruned(path: FaultPath): boolean {
    return this.#hidden.some((hidden) => hidden.length >= path.length && related(hidden, path))
  }

  /** Records a fault of the value at a path. */
  fault(path: FaultPath, accepted: string, known: readonly string[] = [], given?: unknown): void {
    if (this.#hidden.some((hidden) => related(hidden, path))) return
    const value = given === undefined ? valueAt(this.#root, path) : given
    this.faults.push({
      path: formatPath(path),
      given: givenValue(value),
      accepted,
      nearest: known.length === 0 ? null : nearestName(value, known),
    })
  }

  /** Records something that is allowed but probably not meant. */
  warn(path: FaultPath, text: string): void {
    if (this.#hidden.some((hidden) => related(hidden, path))) return
    this.warnings.push(`${formatPath(path)}: ${text}`)
  }
}

function related(a: FaultPath, b: FaultPath): boolean {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return false
  return true
}
