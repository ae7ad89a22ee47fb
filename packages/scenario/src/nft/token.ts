/** Cuts a text in nft's language into tokens. */

/** Kinds of token. `symbol`: one of the signs of the language. */
export type TokenKind = 'name' | 'number' | 'address' | 'mac' | 'string' | 'symbol' | 'newline' | 'end' | 'bad'

/** A token and where it stands, both from 1. */
export interface Token {
  readonly kind: TokenKind
  /** Text as written; strings without their quotes. */
  readonly text: string
  readonly line: number
  readonly column: number
}

const PATTERNS: readonly (readonly [TokenKind | 'skip', RegExp])[] = [
  ['skip', /[ \t\r]+|\\\r?\n|#[^\n]*/y],
  ['newline', /\n/y],
  ['string', /"([^"\n]*)"/y],
  ['mac', /[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}(?![0-9a-zA-Z:])/y],
  ['address', /\d+(?:\.\d+){3}(?![\w.])/y],
  ['number', /0[xX][0-9a-fA-F]+|\d+(?![A-Za-z_.])/y],
  ['name', /[A-Za-z_][\w./-]*\*?/y],
  ['symbol', /==|!=|<=|>=|<<|>>|[;{},()&|^/<>=@$:+*.!-]/y],
  ['bad', /\d[\w.]*|[^\n]/y],
]

/** All tokens of a text, with one of kind `end` behind the last. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  let lineStart = 0
  for (let at = 0; at < text.length; ) {
    for (const [kind, pattern] of PATTERNS) {
      pattern.lastIndex = at
      const found = pattern.exec(text)
      if (found === null) continue
      const whole = found[0]
      if (kind !== 'skip') tokens.push({ kind, text: found[1] ?? whole, line, column: at - lineStart + 1 })
      at += whole.length
      if (whole.endsWith('\n')) {
        line++
        lineStart = at
      }
      break
    }
  }
  tokens.push({ kind: 'end', text: '', line, column: text.length - lineStart + 1 })
  return tokens
}
