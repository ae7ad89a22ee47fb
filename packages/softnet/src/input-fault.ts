/** One thing that is wrong with what the user gave. */
export interface InputFault {
  /** Where: a path in the scenario (`hosts.a.cpus`), an option (`--seed`), or a file with line and column. */
  readonly path: string
  /** What was given there; null where something is missing. */
  readonly given: unknown
  /** What is accepted there, in words. */
  readonly accepted: string
  /** Nearest known name, null where none is near. */
  readonly nearest: string | null
}

/** What `--format json` prints for a refusal or a failed run. */
export interface ErrorDocument {
  readonly schema: 'softnet.error/1'
  readonly errors: readonly InputFault[]
  /** Why a run failed; only where the input was right. */
  readonly message?: string
}

/** Thrown for wrong input, with every fault that was found. */
export class ScenarioError extends Error {
  readonly errors: readonly InputFault[]

  constructor(errors: readonly InputFault[]) {
    super(errors.map(faultToText).join('\n'))
    this.name = 'ScenarioError'
    this.errors = errors
  }
}

/** Thrown when a run that was rightly asked for fails; its message is all a user needs. */
export class RunError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'RunError'
  }
}

const GIVEN_LENGTH_MAX = 120

function givenToText(given: unknown): string {
  let text: string | undefined
  try {
    text = typeof given === 'string' ? `'${given}'` : JSON.stringify(given)
  } catch {
    text = undefined
  }
  text ??= String(given)
  // Control characters of a hostile file must not reach the terminal.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  text = text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·')
  return text.length > GIVEN_LENGTH_MAX ? `${text.slice(0, GIVEN_LENGTH_MAX)}…` : text
}

/** One line for one fault. */
export function faultToText(fault: InputFault): string {
  const given = fault.given === null || fault.given === undefined ? '' : ` given ${givenToText(fault.given)};`
  const nearest = fault.nearest === null ? '' : `; did you mean ${fault.nearest}?`
  return `${fault.path}:${given} accepted: ${fault.accepted}${nearest}`
}
