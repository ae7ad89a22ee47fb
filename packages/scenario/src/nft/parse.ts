/** Reads a ruleset in nft's language: blocks as `nft list ruleset` prints them, and single commands. */
import { Cursor } from './cursor.js'
import type { ChainDraft, SetDraft, TableDraft } from './draft.js'
import { TableDrafts } from './draft.js'
import type { NftFault } from './fault.js'
import { NFT_KEYS, nftKey } from './keys.js'
import { parseRule } from './parse-rule.js'
import { parseElements } from './parse-value.js'
import { NFT_PRIORITIES } from './priority.js'
import { NFT_HOOKS, type NftBase, type NftHook, type NftRuleset } from './ruleset.js'
import { NFT_TYPES, type NftTypeName } from './types.js'

/** A ruleset, or what is wrong with its text; a text with faults gives no ruleset. */
export interface NftParseResult {
  readonly ruleset: NftRuleset
  readonly faults: readonly NftFault[]
}

const COMMANDS = ['table', 'add', 'create', 'insert', 'flush', 'define', 'chain', 'rule', 'set', 'element']
const NO_FAMILIES = ['ip6', 'arp', 'bridge', 'netdev']
const HOOK_PRIORITY_MAX = 2_147_483_647
const SET_TYPES: readonly NftTypeName[] = [
  'ipv4_addr',
  'inet_service',
  'inet_proto',
  'ifname',
  'ether_addr',
  'mark',
  'icmp_type',
  'icmp_code',
  'dscp',
  'ct_state',
]

/** Parses a text of nft's language. Never throws: what is wrong is a list of faults with line and column. */
export function parseNft(text: string): NftParseResult {
  const cursor = new Cursor(text)
  const tables = new TableDrafts(cursor)
  for (;;) {
    let ended = false
    cursor.recover(() => {
      cursor.skipLines()
      while (cursor.accept(';')) cursor.skipLines()
      ended = cursor.next.kind === 'end'
      if (!ended) parseCommand(cursor, tables)
    })
    if (ended) break
    if (cursor.is('}')) {
      // The closing brace of a block whose head was wrong.
      if (cursor.faults.length === 0) cursor.fault(cursor.next, `a command: ${COMMANDS.join(', ')}`)
      cursor.take()
    }
  }
  const ruleset = tables.finish()
  const faults = [...cursor.faults].sort((a, b) => a.line - b.line || a.column - b.column)
  return { ruleset, faults }
}

function parseCommand(cursor: Cursor, tables: TableDrafts): void {
  cursor.accept('nft')
  const token = cursor.next
  if (cursor.accept('define')) {
    cursor.define()
    return
  }
  if (cursor.accept('flush')) {
    cursor.expect('ruleset')
    tables.clear()
    endStatement(cursor)
    return
  }
  const inserts = cursor.is('insert')
  const adds = cursor.accept('add') || cursor.accept('create') || cursor.accept('insert')
  const what = cursor.next
  if (inserts && !cursor.is('rule')) cursor.fail('`rule` behind `insert`')
  if (cursor.accept('table')) {
    parseTable(cursor, tables)
    return
  }
  if (adds && cursor.accept('chain')) {
    parseChain(cursor, tableOf(cursor, tables))
    return
  }
  if (adds && cursor.accept('set')) {
    parseSet(cursor, tableOf(cursor, tables))
    return
  }
  if (adds && cursor.accept('element')) {
    parseAddElement(cursor, tableOf(cursor, tables))
    return
  }
  if (adds) {
    cursor.accept('rule')
    parseAddRule(cursor, tableOf(cursor, tables), inserts)
    return
  }
  const simulated = 'a command that is simulated: table, add, create, insert, flush ruleset, define'
  cursor.failAt(adds ? what : token, simulated, COMMANDS)
}

/** Takes what separates statements; a closing brace may follow at once. */
function endStatement(cursor: Cursor): void {
  if (!cursor.atEnd) cursor.fail('the end of the statement: `;` or a new line')
  if (cursor.is('}')) return
  if (cursor.next.kind !== 'end') cursor.take()
}

/** Family and name of a table. */
function parseTableName(cursor: Cursor): { family: 'ip' | 'inet'; name: string } {
  const token = cursor.next
  if (NO_FAMILIES.includes(token.text)) cursor.fail('a family that is simulated: ip or inet', ['ip', 'inet'])
  const family = cursor.is('inet') ? 'inet' : 'ip'
  if (cursor.is('ip') || cursor.is('inet')) cursor.take()
  return { family, name: cursor.name('the name of a table').text }
}

function tableOf(cursor: Cursor, tables: TableDrafts): TableDraft {
  const token = cursor.next
  const { family, name } = parseTableName(cursor)
  const table = tables.find(family, name)
  if (table === undefined) cursor.failAt(token, 'a table that was added before', tables.names)
  return table
}

function parseTable(cursor: Cursor, tables: TableDrafts): void {
  const { family, name } = parseTableName(cursor)
  const table = tables.add(family, name)
  if (!cursor.accept('{')) {
    endStatement(cursor)
    return
  }
  block(cursor, () => {
    if (cursor.accept('chain')) {
      parseChain(cursor, table)
      return
    }
    if (cursor.accept('set')) {
      parseSet(cursor, table)
      return
    }
    if (cursor.accept('define')) {
      cursor.define()
      return
    }
    cursor.fail('`chain`, `set`, `define` or `}`; maps, objects and flags of tables are not simulated', [
      'chain',
      'set',
    ])
  })
}

/** Statements up to the closing brace; each may have faults of its own. */
function block(cursor: Cursor, statement: () => void): void {
  for (;;) {
    let closed = false
    cursor.recover(() => {
      cursor.skipLines()
      if (cursor.accept(';')) return
      closed = cursor.accept('}')
      if (closed) return
      if (cursor.next.kind === 'end') {
        closed = true
        cursor.fail('`}`')
      }
      statement()
    })
    if (closed) return
  }
}

function parseChain(cursor: Cursor, table: TableDraft): void {
  const token = cursor.name('the name of a chain')
  const chain = table.chain(token)
  if (!cursor.accept('{')) {
    endStatement(cursor)
    return
  }
  block(cursor, () => {
    if (cursor.is('type')) {
      parseBase(cursor, chain)
      return
    }
    if (cursor.is('policy')) {
      parsePolicy(cursor, chain)
      return
    }
    if (cursor.is('comment')) {
      cursor.take()
      if (cursor.next.kind !== 'string') cursor.fail('a comment in quotes')
      cursor.take()
      endStatement(cursor)
      return
    }
    parseRuleInto(cursor, table, chain, false)
  })
}

function parseRuleInto(cursor: Cursor, table: TableDraft, chain: ChainDraft, first: boolean): void {
  const token = cursor.next
  const { statements, comment } = parseRule(cursor)
  table.rule(chain, { statements, comment, token }, first)
  endStatement(cursor)
}

function parseAddRule(cursor: Cursor, table: TableDraft, first: boolean): void {
  const token = cursor.name('the name of a chain')
  const chain = table.findChain(token.text)
  if (chain === undefined) cursor.failAt(token, 'a chain that was added before', table.chainNames)
  for (const word of ['position', 'handle', 'index']) {
    if (cursor.is(word)) cursor.fail('a rule: places within a chain are not simulated, write rules in their order')
  }
  parseRuleInto(cursor, table, chain, first)
}

/** `type filter hook input priority 0`, with `policy drop` before or behind the semicolon. */
function parseBase(cursor: Cursor, chain: ChainDraft): void {
  const head = cursor.expect('type')
  const type = cursor.is('nat') ? 'nat' : 'filter'
  if (!cursor.is('nat') && !cursor.is('filter')) cursor.fail('filter or nat', ['filter', 'nat'])
  cursor.take()
  cursor.expect('hook')
  const hookToken = cursor.next
  const hook = NFT_HOOKS.find((name) => name === hookToken.text)
  if (hook === undefined) cursor.fail(`a hook: ${NFT_HOOKS.join(', ')}`, NFT_HOOKS)
  cursor.take()
  if (type === 'nat' && hook === 'forward') cursor.failAt(hookToken, 'a hook of nat chains: all but forward')
  if (cursor.is('device')) cursor.fail('`priority`: only chains of netdev tables have a device')
  cursor.expect('priority')
  const priorityToken = cursor.next
  const priority = parsePriority(cursor, hook)
  if (type === 'nat' && priority <= -200)
    cursor.failAt(priorityToken, 'a priority above -200, behind connection tracking')
  if (chain.base !== null) cursor.failAt(head, 'one type of a chain')
  const base: NftBase = { type, hook, priority, policy: 'accept' }
  chain.base = base
  endStatement(cursor)
}

function parsePriority(cursor: Cursor, hook: NftHook): number {
  const token = cursor.next
  const names = Object.entries(NFT_PRIORITIES).filter(([, { hooks }]) => hooks.includes(hook))
  const known = names.map(([name]) => name)
  const found = names.find(([name]) => name === token.text)
  if (token.kind === 'name' && found !== undefined) {
    cursor.take()
    const sign = cursor.accept('+') ? 1 : cursor.accept('-') ? -1 : 0
    return sign === 0 ? found[1].value : found[1].value + sign * cursor.number('an offset', 0, HOOK_PRIORITY_MAX)
  }
  const words = `a whole number, or one of ${known.join(', ')} with + or - and a number`
  const negative = cursor.accept('-')
  if (cursor.next.kind !== 'number') cursor.fail(words, known)
  const value = cursor.number(words, 0, HOOK_PRIORITY_MAX)
  return negative ? 0 - value : value
}

function parsePolicy(cursor: Cursor, chain: ChainDraft): void {
  const token = cursor.expect('policy')
  const policy = cursor.is('drop') ? 'drop' : 'accept'
  if (!cursor.is('drop') && !cursor.is('accept')) cursor.fail('accept or drop', ['accept', 'drop'])
  cursor.take()
  if (chain.base === null) cursor.failAt(token, 'a policy behind `type … hook … priority …` only')
  if (chain.base.type === 'nat' && policy === 'drop') cursor.failAt(token, 'policy accept: nat chains may not drop')
  chain.base = { ...chain.base, policy }
  endStatement(cursor)
}

function parseSetType(cursor: Cursor): NftTypeName {
  if (cursor.accept('typeof')) {
    const first = cursor.name('a field')
    const key = nftKey(first.text, cursor.name('a field').text)
    if (key === undefined) cursor.failAt(first, 'a field that is simulated')
    return NFT_KEYS[key].type
  }
  cursor.expect('type', '`type` or `typeof`')
  const token = cursor.next
  const type = SET_TYPES.find((name) => name === token.text)
  if (type === undefined) cursor.fail(`a type of sets that is simulated: ${SET_TYPES.join(', ')}`, SET_TYPES)
  cursor.take()
  if (cursor.is('.')) cursor.fail('the end of the type: joined fields are not simulated')
  return type
}

function parseSet(cursor: Cursor, table: TableDraft): void {
  const token = cursor.name('the name of a set')
  cursor.expect('{')
  let draft: SetDraft | null = null
  let interval = false
  const faultsBefore = cursor.faults.length
  block(cursor, () => {
    if (cursor.is('type') || cursor.is('typeof')) {
      draft = table.set(token, parseSetType(cursor))
      draft.interval = interval
    } else if (cursor.accept('flags')) {
      do {
        const flag = cursor.name('a flag of the set')
        if (flag.text !== 'interval' && flag.text !== 'constant') {
          cursor.failAt(flag, 'interval or constant: sets that change in the run are not simulated', ['interval'])
        }
        if (flag.text === 'interval') interval = true
      } while (cursor.accept(','))
      if (draft !== null) draft.interval = interval
    } else if (cursor.accept('elements')) {
      const at = cursor.expect('=')
      if (draft === null) cursor.failAt(at, '`type` before `elements`')
      addElements(cursor, draft)
    } else if (cursor.accept('auto-merge')) {
      cursor.failAt(token, 'a set without auto-merge: write elements that do not overlap')
    } else if (cursor.accept('size')) cursor.number('a size', 1, HOOK_PRIORITY_MAX)
    else if (cursor.accept('comment')) cursor.take()
    else cursor.fail('type, typeof, flags, elements, size or comment', ['type', 'flags', 'elements'])
    endStatement(cursor)
  })
  if (draft === null && cursor.faults.length === faultsBefore) cursor.failAt(token, 'a set with a type')
}

function addElements(cursor: Cursor, draft: SetDraft): void {
  const token = cursor.next
  const elements = parseElements(cursor, draft.type, NFT_TYPES[draft.type].max)
  draft.add(cursor, token, elements)
}

function parseAddElement(cursor: Cursor, table: TableDraft): void {
  const token = cursor.name('the name of a set')
  const set = table.findSet(token.text)
  if (set === undefined) cursor.failAt(token, 'a set that was added before', table.setNames)
  addElements(cursor, set)
  endStatement(cursor)
}
