/** What is wrong with a text in nft's language, and where. */
import { nearestName } from '../nearest.js'
import type { Token } from './token.js'

/** One fault of a ruleset. */
export interface NftFault {
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
  /** What stands there; `end of text` behind the last character. */
  readonly given: string
  /** What is accepted there, in words. */
  readonly accepted: string
  /** The known name that was probably meant, or null. */
  readonly nearest: string | null
}

/** Thrown inside of the parser to leave a statement; never leaves it. */
export class NftSyntaxError extends Error {
  readonly fault: NftFault

  constructor(fault: NftFault) {
    super(fault.accepted)
    this.fault = fault
  }
}

/** Fault of a token. */
export function faultAt(token: Token, accepted: string, known: readonly string[] = []): NftFault {
  const given = token.kind === 'end' ? 'end of text' : token.kind === 'newline' ? 'end of line' : token.text
  return {
    line: token.line,
    column: token.column,
    given,
    accepted,
    nearest: known.length === 0 ? null : nearestName(token.text, known),
  }
}
