import type { InputFault } from '../input-fault.js'

/** After so many faults the others say nothing new. */
const MAX_FAULTS = 20

/** One line of a file that a host's settings are in. */
export interface TextLine {
  /** File and line as a fault names them, `DIR/lscpu:5`. */
  readonly at: string
  readonly text: string
}

/** A file that was read. */
export interface HostText {
  /** Name below the directory. */
  readonly file: string
  /** Where it is, as the user gave the directory. */
  readonly path: string
  readonly lines: readonly TextLine[]
  /** Whether its last line ends as lines do; a file that was cut short has no such end. */
  readonly isWhole: boolean
}

/** Collects what could not be read in a host's files. */
export class TextFaults {
  readonly list: InputFault[] = []

  /** Records a line that is not as its format has it; of several faults of a line the first one counts. */
  add(at: string, given: string | null, accepted: string): void {
    if (this.list.some(({ path }) => path === at)) return
    if (this.list.length < MAX_FAULTS) this.list.push({ path: at, given, accepted, nearest: null })
  }
}

/** Splits a file into its lines. */
export function hostText(file: string, path: string, text: string): HostText {
  const lines = text.split('\n').map((line, index) => ({ at: `${path}:${index + 1}`, text: line.replace(/\r$/, '') }))
  const isWhole = text.endsWith('\n')
  if (isWhole) lines.pop()
  return { file, path, lines, isWhole }
}
