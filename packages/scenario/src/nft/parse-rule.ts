/** One rule: matches, statements and its verdict. */
import type { Cursor } from './cursor.js'
import { BARE_META, KEY_GROUPS, NFT_KEY_NAMES, NFT_KEYS, type NftKey, nftKey } from './keys.js'
import { parseBits, parseElement, parseElements, parseOperand, parsePorts, parseScalar } from './parse-value.js'
import type { NftElement, NftMatch, NftOperator, NftRange, NftRejectWith, NftStatement, NftVerdict } from './ruleset.js'
import { ICMP_CODES, NFT_TYPES } from './types.js'

/** What a parser of rules found in one. */
export interface ParsedRule {
  readonly statements: NftStatement[]
  readonly comment: string | null
}

const VERDICTS = ['accept', 'drop', 'return', 'continue', 'jump', 'goto'] as const
const STATEMENTS = [
  ...VERDICTS,
  'counter',
  'limit',
  'reject',
  'dnat',
  'snat',
  'masquerade',
  'redirect',
  'notrack',
  'comment',
]
const NOT_SIMULATED = ['log', 'queue', 'dup', 'fwd', 'tproxy', 'synproxy', 'meter', 'quota', 'flow', 'xt', 'osf']
const UNIT_SECONDS: Readonly<Record<string, number>> = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 }
const BYTE_UNITS: Readonly<Record<string, number>> = { bytes: 1, kbytes: 1024, mbytes: 1_048_576 }
const DEFAULT_BURST_PACKETS = 5
const U32_MAX = 4_294_967_295
const RATE_MAX = 1e12
const ICMPX_CODES: Readonly<Record<string, number>> = {
  'no-route': 0,
  'port-unreachable': 3,
  'host-unreachable': 1,
  'admin-prohibited': 13,
}

/** Statements up to the end of the rule. */
export function parseRule(cursor: Cursor): ParsedRule {
  const statements: NftStatement[] = []
  let comment: string | null = null
  if (cursor.atEnd) cursor.fail('a match or a statement')
  while (!cursor.atEnd) {
    if (cursor.accept('comment')) {
      if (cursor.next.kind !== 'string') cursor.fail('a comment in quotes')
      comment = cursor.take().text
      if (!cursor.atEnd) cursor.fail('the end of the rule: a comment stands last')
      break
    }
    const last = statements.at(-1)
    const ended = last !== undefined && (last.kind === 'verdict' || last.kind === 'reject' || last.kind === 'nat')
    if (ended) cursor.fail('the end of the rule: nothing is done behind a verdict')
    statements.push(parseStatement(cursor))
  }
  return { statements, comment }
}

function parseStatement(cursor: Cursor): NftStatement {
  const token = cursor.next
  if (token.kind === 'name' || (token.kind === 'symbol' && token.text === '!')) {
    if (VERDICTS.includes(token.text as never)) return { kind: 'verdict', verdict: parseVerdict(cursor) }
    switch (token.text) {
      case 'counter':
        cursor.take()
        return parseCounter(cursor)
      case 'limit':
        cursor.take()
        return parseLimit(cursor)
      case 'reject':
        cursor.take()
        return parseReject(cursor)
      case 'dnat':
      case 'snat':
      case 'redirect':
      case 'masquerade':
        cursor.take()
        return parseNat(cursor, token.text)
      case 'notrack':
        cursor.take()
        return { kind: 'notrack' }
    }
    if (NOT_SIMULATED.includes(token.text)) {
      cursor.fail(`a statement that is simulated: ${STATEMENTS.join(', ')}; \`${token.text}\` is not`)
    }
    const key = parseKey(cursor)
    if (key !== null) return parseComparison(cursor, key)
  }
  cursor.fail(`a match (${KEY_GROUPS.join(', ')}) or a statement (${STATEMENTS.join(', ')})`, [
    ...STATEMENTS,
    ...KEY_GROUPS,
    ...BARE_META,
  ])
}

/** A field of one or two words, or null if the next word begins none. */
function parseKey(cursor: Cursor): NftKey | null {
  const first = cursor.next.text
  if (BARE_META.includes(first)) {
    cursor.take()
    return nftKey('meta', first) as NftKey
  }
  if (!KEY_GROUPS.includes(first)) return null
  cursor.take()
  const second = cursor.next
  const key = second.kind === 'name' ? nftKey(first, second.text) : undefined
  const fields = NFT_KEY_NAMES.filter((name) => name.startsWith(`${first} `)).map((name) =>
    name.slice(first.length + 1),
  )
  if (key === undefined) cursor.fail(`a field of ${first} that is simulated: ${fields.join(', ')}`, fields)
  cursor.take()
  return key
}

/** A verdict word, with the chain it goes to. */
export function parseVerdict(cursor: Cursor): NftVerdict {
  const token = cursor.next
  const kind = VERDICTS.find((name) => name === token.text)
  if (token.kind !== 'name' || kind === undefined) cursor.fail(`a verdict: ${VERDICTS.join(', ')}`, VERDICTS)
  cursor.take()
  if (kind !== 'jump' && kind !== 'goto') return { kind }
  return { kind, chain: cursor.name('the name of a chain').text }
}

const OPERATORS: readonly (readonly [string, NftOperator])[] = [
  ['==', '=='],
  ['!=', '!='],
  ['<=', '<='],
  ['>=', '>='],
  ['<', '<'],
  ['>', '>'],
  ['eq', '=='],
  ['ne', '!='],
  ['lt', '<'],
  ['gt', '>'],
  ['le', '<='],
  ['ge', '>='],
]

function parseOperator(cursor: Cursor): NftOperator | null {
  for (const [text, operator] of OPERATORS) if (cursor.accept(text)) return operator
  return null
}

function parseComparison(cursor: Cursor, key: NftKey): NftStatement {
  if ((key === 'meta mark' || key === 'ct mark') && cursor.accept('set')) return parseSetMark(cursor, key)
  if (cursor.accept('vmap')) return parseVmap(cursor, key)
  const { type } = NFT_KEYS[key]
  let mask: number | null = null
  if (cursor.accept('&') || cursor.accept('and')) {
    mask = NFT_TYPES[type].bits === true ? parseBits(cursor, type) : parseScalar(cursor, type)
    if (!['==', '!='].some((text) => cursor.is(text))) cursor.fail('`==` or `!=` behind a mask')
  }
  if (mask === null && NFT_TYPES[type].bits === true && cursor.accept('!')) {
    return { kind: 'match', key, operator: '==', mask: parseBits(cursor, type), operand: NO_BITS }
  }
  const written = parseOperator(cursor)
  if (NFT_TYPES[type].bits === true && !cursor.is('{') && !cursor.is('@')) return bitMatch(cursor, key, mask, written)
  const operator = written ?? '=='
  const token = cursor.next
  const operand = parseOperand(cursor, type, maxOf(key))
  const ordered = operator !== '==' && operator !== '!='
  const single = operand.kind === 'value' && !('name' in operand.element) && operand.element.from === operand.element.to
  if (ordered && !single) cursor.failAt(token, `one number behind \`${operator}\``)
  if (mask !== null && !single) cursor.failAt(token, 'one value behind a mask')
  return { kind: 'match', key, operator, mask, operand }
}

const NO_BITS = { kind: 'value', element: { from: 0, to: 0 } } as const

function maxOf(key: NftKey): number | undefined {
  const info = NFT_KEYS[key]
  return 'max' in info ? info.max : undefined
}

/** A field of bits: `syn` any of them, `== syn` exactly, `& (a|b) == a`, `a / a,b` under a mask. */
function bitMatch(cursor: Cursor, key: NftKey, mask: number | null, written: NftOperator | null): NftMatch {
  const { type } = NFT_KEYS[key]
  const value = parseBits(cursor, type)
  const operand = { kind: 'value', element: { from: value, to: value } } as const
  if (mask === null && cursor.accept('/')) {
    if (written !== null && written !== '==' && written !== '!=') cursor.fail('`==` or `!=` before a mask')
    return { kind: 'match', key, operator: written ?? '==', mask: parseBits(cursor, type), operand }
  }
  if (mask === null && written === null) return { kind: 'match', key, operator: 'flags', mask: null, operand }
  if (written !== null && written !== '==' && written !== '!=') cursor.fail('`==` or `!=` with bits')
  return { kind: 'match', key, operator: written ?? '==', mask, operand }
}

function parseVmap(cursor: Cursor, key: NftKey): NftStatement {
  const entries: { element: NftElement; verdict: NftVerdict }[] = []
  const sorted = parseElements(cursor, NFT_KEYS[key].type, maxOf(key), (element, token) => {
    cursor.expect(':', '`:` and a verdict')
    const verdict = parseVerdict(cursor)
    if (entries.some((entry) => JSON.stringify(entry.element) === JSON.stringify(element)))
      cursor.failAt(token, 'each element once')
    entries.push({ element, verdict })
  })
  const order = new Map(sorted.map((element, index) => [JSON.stringify(element), index]))
  const place = (element: NftElement): number => order.get(JSON.stringify(element)) ?? 0
  return { kind: 'vmap', key, entries: entries.sort((a, b) => place(a.element) - place(b.element)) }
}

function parseSetMark(cursor: Cursor, key: 'meta mark' | 'ct mark'): NftStatement {
  for (const from of ['meta', 'ct'] as const) {
    if (cursor.is(from)) {
      cursor.take()
      cursor.expect('mark')
      const value = `${from} mark` as const
      if (value === key) cursor.fail('a mark other than the one that is set')
      return { kind: 'set', key, value }
    }
  }
  if (cursor.accept('mark')) return { kind: 'set', key, value: 'meta mark' }
  return { kind: 'set', key, value: parseScalar(cursor, 'mark') }
}

/** A counter, with the `packets N bytes N` that `nft list` writes. */
function parseCounter(cursor: Cursor): NftStatement {
  if (!cursor.accept('packets')) return { kind: 'counter', packets: 0, bytes: 0 }
  const packets = cursor.number('a count', 0, Number.MAX_SAFE_INTEGER)
  cursor.expect('bytes')
  return { kind: 'counter', packets, bytes: cursor.number('a count', 0, Number.MAX_SAFE_INTEGER) }
}

function parseLimit(cursor: Cursor): NftStatement {
  cursor.expect('rate')
  const over = cursor.accept('over')
  if (!over) cursor.accept('until')
  const amount = cursor.number('a rate', 1, RATE_MAX)
  let bytesPer = 0
  let unit: string
  if (cursor.accept('/')) unit = cursor.name('a unit of time').text
  else {
    const token = cursor.name('`/` and a unit of time, or a unit of bytes')
    const [size, time] = token.text.split('/')
    bytesPer = BYTE_UNITS[size ?? ''] ?? 0
    if (bytesPer === 0) cursor.failAt(token, `a unit: ${Object.keys(BYTE_UNITS).join(', ')}`, Object.keys(BYTE_UNITS))
    if (time === undefined) cursor.expect('/')
    unit = time ?? cursor.name('a unit of time').text
  }
  const unitSec = UNIT_SECONDS[unit]
  if (unitSec === undefined) cursor.fail(`a unit of time before this: ${Object.keys(UNIT_SECONDS).join(', ')}`)
  const of = bytesPer === 0 ? 'packets' : 'bytes'
  const rate = of === 'packets' ? amount : amount * bytesPer
  return { kind: 'limit', over, rate, unitSec, burst: parseBurst(cursor, of), of }
}

function parseBurst(cursor: Cursor, of: 'packets' | 'bytes'): number {
  if (!cursor.accept('burst')) return of === 'packets' ? DEFAULT_BURST_PACKETS : 0
  const amount = cursor.number('a burst', 0, U32_MAX)
  if (of === 'packets') {
    cursor.expect('packets')
    return amount === 0 ? DEFAULT_BURST_PACKETS : amount
  }
  const token = cursor.name('a unit of bytes')
  const size = BYTE_UNITS[token.text]
  if (size === undefined || amount * size > U32_MAX) {
    cursor.failAt(token, `a unit: ${Object.keys(BYTE_UNITS).join(', ')}, below 4 GiB in all`, Object.keys(BYTE_UNITS))
  }
  return amount * size
}

function parseReject(cursor: Cursor): NftStatement {
  const icmp = (code: number): NftRejectWith => ({ kind: 'icmp', code })
  if (!cursor.accept('with')) return { kind: 'reject', with: icmp(ICMP_CODES['port-unreachable']), written: 'plain' }
  if (cursor.accept('tcp')) {
    cursor.expect('reset')
    return { kind: 'reject', with: { kind: 'tcp reset' }, written: 'plain' }
  }
  const written = cursor.is('icmpx') ? 'icmpx' : 'icmp'
  if (!cursor.accept('icmpx')) cursor.expect('icmp', '`icmp`, `icmpx` or `tcp reset`')
  cursor.accept('type')
  const names: Readonly<Record<string, number>> = written === 'icmpx' ? ICMPX_CODES : ICMP_CODES
  const token = cursor.next
  const known = Object.keys(names)
  if (token.kind !== 'name' || !Object.hasOwn(names, token.text)) cursor.fail(`one of ${known.join(', ')}`, known)
  cursor.take()
  return { kind: 'reject', with: icmp(names[token.text] as number), written }
}

function parseNat(cursor: Cursor, nat: 'snat' | 'dnat' | 'masquerade' | 'redirect'): NftStatement {
  let address: NftRange | null = null
  let port: NftRange | null = null
  const takesAddress = nat === 'snat' || nat === 'dnat'
  if (takesAddress) cursor.accept('ip')
  if (takesAddress ? cursor.expect('to') : cursor.accept('to')) {
    if (takesAddress && !cursor.is(':')) {
      const element = parseElement(cursor, 'ipv4_addr')
      if (!('name' in element)) address = element
    }
    if (cursor.accept(':')) port = parsePorts(cursor)
    else if (address === null) cursor.fail('`:` and a port')
  }
  let random = false
  let persistent = false
  for (;;) {
    if (cursor.accept('random') || cursor.accept('fully-random')) random = true
    else if (cursor.accept('persistent')) persistent = true
    else break
    cursor.accept(',')
  }
  return { kind: 'nat', nat, address, port, random, persistent }
}
