/** Tables, chains and sets while a text is read, and the checks that need all of it. */
import { checkTables } from './check.js'
import type { Cursor } from './cursor.js'
import { isInterval, sortElements } from './parse-value.js'
import type { NftBase, NftElement, NftFamily, NftRule, NftRuleset, NftSet, NftStatement } from './ruleset.js'
import type { Token } from './token.js'
import type { NftTypeName } from './types.js'

/** A rule as it was read. */
export interface RuleDraft {
  readonly statements: readonly NftStatement[]
  readonly comment: string | null
  /** Its first token. */
  readonly token: Token
}

/** A chain as it was read. */
export interface ChainDraft {
  readonly name: string
  readonly token: Token
  base: NftBase | null
  readonly rules: RuleDraft[]
}

/** A set as it was read. */
export class SetDraft {
  readonly name: string
  readonly type: NftTypeName
  interval = false
  elements: readonly NftElement[] = []

  constructor(name: string, type: NftTypeName) {
    this.name = name
    this.type = type
  }

  /** Adds elements; `token` is where they stand. */
  add(cursor: Cursor, token: Token, elements: readonly NftElement[]): void {
    if (!this.interval && elements.some(isInterval)) {
      cursor.failAt(token, 'single values: ranges and prefixes need `flags interval` before `elements`')
    }
    const distinct = new Map([...this.elements, ...elements].map((element) => [JSON.stringify(element), element]))
    const all = sortElements([...distinct.values()])
    const clash = all.some((element, index) => {
      const before = all[index - 1]
      return before !== undefined && !('name' in element) && !('name' in before) && element.from <= before.to
    })
    if (clash) cursor.failAt(token, 'elements that do not overlap those of the set')
    this.elements = all
  }
}

/** A table as it was read. */
export class TableDraft {
  readonly family: NftFamily
  readonly name: string
  readonly chains: ChainDraft[] = []
  readonly sets: SetDraft[] = []

  constructor(family: NftFamily, name: string) {
    this.family = family
    this.name = name
  }

  get chainNames(): string[] {
    return this.chains.map((chain) => chain.name)
  }

  get setNames(): string[] {
    return this.sets.map((set) => set.name)
  }

  findChain(name: string): ChainDraft | undefined {
    return this.chains.find((chain) => chain.name === name)
  }

  findSet(name: string): SetDraft | undefined {
    return this.sets.find((set) => set.name === name)
  }

  /** The chain of that name, made if there is none: a chain may be opened again. */
  chain(token: Token): ChainDraft {
    const found = this.findChain(token.text)
    if (found !== undefined) return found
    const chain: ChainDraft = { name: token.text, token, base: null, rules: [] }
    this.chains.push(chain)
    return chain
  }

  /** The set of that name, made if there is none. */
  set(token: Token, type: NftTypeName): SetDraft {
    const found = this.findSet(token.text)
    if (found !== undefined && found.type === type) return found
    const set = new SetDraft(token.text, type)
    if (found === undefined) this.sets.push(set)
    return set
  }

  rule(chain: ChainDraft, rule: RuleDraft, first: boolean): void {
    if (first) chain.rules.unshift(rule)
    else chain.rules.push(rule)
  }
}

/** All tables of a text. */
export class TableDrafts {
  readonly #cursor: Cursor
  #tables: TableDraft[] = []

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  get names(): string[] {
    return this.#tables.map((table) => table.name)
  }

  clear(): void {
    this.#tables = []
  }

  find(family: NftFamily, name: string): TableDraft | undefined {
    return this.#tables.find((table) => table.family === family && table.name === name)
  }

  /** The table of that name, made if there is none: a table may be opened again. */
  add(family: NftFamily, name: string): TableDraft {
    const found = this.find(family, name)
    if (found !== undefined) return found
    const table = new TableDraft(family, name)
    this.#tables.push(table)
    return table
  }

  /** Checks what needs the whole text, and makes the ruleset. */
  finish(): NftRuleset {
    checkTables(this.#cursor, this.#tables)
    return { tables: this.#tables.map(finishTable) }
  }
}

/** Sets of a rule that have no name and take a handle. */
function anonymousSets(statements: readonly NftStatement[]): number {
  return statements.filter((each) => each.kind === 'vmap' || (each.kind === 'match' && each.operand.kind === 'set'))
    .length
}

/** Handles are given as nft does: chains, then sets, then rules with their sets without name before them. */
function finishTable(table: TableDraft): NftRuleset['tables'][number] {
  let handle = 1
  const chainHandles = table.chains.map(() => handle++)
  const sets: NftSet[] = table.sets.map(({ name, type, interval, elements }) => {
    return { name, handle: handle++, type, interval, elements }
  })
  const chains = table.chains.map(({ name, base, rules }, index) => ({
    name,
    handle: chainHandles[index] as number,
    base,
    rules: rules.map(({ statements, comment, token }): NftRule => {
      handle += anonymousSets(statements)
      return { handle: handle++, line: token.line, comment, statements }
    }),
  }))
  return { family: table.family, name: table.name, sets, chains }
}
