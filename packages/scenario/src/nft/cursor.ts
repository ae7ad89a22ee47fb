/** Reads tokens one after another; variables are replaced where they stand. */
import { faultAt, type NftFault, NftSyntaxError } from './fault.js'
import { type Token, tokenize } from './token.js'

/** Replacements of variables in variables, before a text counts as going in circles. */
const MAX_REPLACED = 10_000

/** The tokens of a text and how far it is read. */
export class Cursor {
  readonly faults: NftFault[] = []
  readonly #defined = new Map<string, readonly Token[]>()
  readonly #tokens: Token[]
  #at = 0
  #replaced = 0

  constructor(text: string) {
    this.#tokens = tokenize(text)
  }

  /** The next token; a variable is replaced by what it stands for. */
  get next(): Token {
    this.#replaceVariable()
    return this.#tokens[this.#at] as Token
  }

  /** The token `ahead` places behind the next, without replacing variables. */
  peek(ahead: number): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)] as Token
  }

  /** Takes the next token. */
  take(): Token {
    const token = this.next
    if (token.kind !== 'end') this.#at++
    return token
  }

  /** Whether the next token is this word or sign. */
  is(text: string): boolean {
    const { kind, text: found } = this.next
    return (kind === 'name' || kind === 'symbol') && found === text
  }

  /** Takes the next token if it is this word or sign. */
  accept(text: string): boolean {
    if (!this.is(text)) return false
    this.#at++
    return true
  }

  /** Takes this word or sign, or leaves the statement. */
  expect(text: string, words = `\`${text}\``): Token {
    if (!this.is(text)) this.fail(words, /^\w/.test(text) ? [text] : [])
    return this.take()
  }

  /** Takes a name; `what` says of what. */
  name(what: string): Token {
    if (this.next.kind !== 'name') this.fail(what)
    return this.take()
  }

  /** Takes a whole number from `min` to `max`. */
  number(what: string, min: number, max: number): number {
    const token = this.next
    const value = token.kind === 'number' ? Number(token.text) : Number.NaN
    if (!(value >= min && value <= max)) this.fail(`${what} from ${min} to ${max}`)
    this.take()
    return value
  }

  /** Passes over ends of lines. */
  skipLines(): void {
    while (this.next.kind === 'newline') this.#at++
  }

  /** Whether the next token ends a statement. */
  get atEnd(): boolean {
    const { kind, text } = this.next
    return kind === 'end' || kind === 'newline' || (kind === 'symbol' && (text === ';' || text === '}'))
  }

  /** Leaves the statement with a fault at the next token. */
  fail(accepted: string, known: readonly string[] = []): never {
    throw new NftSyntaxError(faultAt(this.next, accepted, known))
  }

  /** Leaves the statement with a fault at a token. */
  failAt(token: Token, accepted: string, known: readonly string[] = []): never {
    throw new NftSyntaxError(faultAt(token, accepted, known))
  }

  /** Records a fault without leaving the statement. */
  fault(token: Token, accepted: string, known: readonly string[] = []): void {
    this.faults.push(faultAt(token, accepted, known))
  }

  /**
   * Runs a parser of one statement; after a fault it passes over the rest of that statement, braces included, so that
   * the next one is read as it stands.
   */
  recover(statement: () => void): void {
    try {
      statement()
    } catch (thrown) {
      if (!(thrown instanceof NftSyntaxError)) throw thrown
      this.faults.push(thrown.fault)
      this.#skipStatement()
    }
  }

  /** Gives a variable the tokens up to the end of the line; a set may go over several. */
  define(): void {
    const name = this.name('the name of a variable').text
    this.expect('=')
    const value: Token[] = []
    for (let depth = 0; depth > 0 || !this.atEnd; ) {
      const token = this.take()
      if (token.kind === 'end') this.fail('`}`')
      if (token.kind === 'newline') continue
      if (token.text === '{' && token.kind === 'symbol') depth++
      if (token.text === '}' && token.kind === 'symbol') depth--
      value.push(token)
    }
    if (value.length === 0) this.fail('the value of the variable')
    this.#defined.set(name, value)
  }

  #replaceVariable(): void {
    for (;;) {
      const sign = this.#tokens[this.#at] as Token
      if (sign.kind !== 'symbol' || sign.text !== '$') return
      const name = this.#tokens[this.#at + 1] as Token
      const value = this.#defined.get(name.text)
      if (value === undefined || this.#replaced++ > MAX_REPLACED) {
        this.#at++
        throw new NftSyntaxError(
          faultAt(name, 'the name of a variable that `define` gave a value before', [...this.#defined.keys()]),
        )
      }
      const { line, column } = sign
      this.#tokens.splice(this.#at, 2, ...value.map((token) => ({ ...token, line, column })))
    }
  }

  #skipStatement(): void {
    for (let depth = 0; ; this.#at++) {
      const { kind, text } = this.#tokens[this.#at] as Token
      if (kind === 'end') return
      if (depth === 0 && (kind === 'newline' || (kind === 'symbol' && (text === ';' || text === '}')))) return
      if (kind !== 'symbol') continue
      if (text === '{') depth++
      if (text === '}') depth--
    }
  }
}
