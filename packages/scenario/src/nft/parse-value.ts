/** Values and sets of values, by the type of the field they stand behind. */
import { parseIpv4 } from '../address.js'
import type { Cursor } from './cursor.js'
import type { NftElement, NftOperand, NftRange } from './ruleset.js'
import type { Token } from './token.js'
import { NFT_TYPES, type NftTypeName } from './types.js'

/** A hook that parses what stands behind the value of an element, such as the verdict of a map. */
export type ElementTail = (element: NftElement, token: Token) => void

const IFNAME_MAX = 15
const IPV4_BITS = 32

/** Whether values of a type are names of interfaces. */
export function isNameType(type: NftTypeName): boolean {
  return type === 'ifname' || type === 'iface_index'
}

/** One value of a type. */
export function parseScalar(cursor: Cursor, type: NftTypeName, max = NFT_TYPES[type].max): number {
  const { names, words } = NFT_TYPES[type]
  const token = cursor.next
  const known = Object.keys(names)
  if (token.kind === 'address' && type === 'ipv4_addr') {
    const address = parseIpv4(token.text)
    if (address !== null) {
      cursor.take()
      return address
    }
  }
  if (token.kind === 'mac' && type === 'ether_addr') {
    cursor.take()
    return Number.parseInt(token.text.replaceAll(':', ''), 16)
  }
  if (token.kind === 'number' && type !== 'ipv4_addr' && type !== 'ether_addr') {
    const value = Number(token.text)
    if (value <= max) {
      cursor.take()
      return value
    }
  }
  if ((token.kind === 'name' || token.kind === 'string') && Object.hasOwn(names, token.text)) {
    cursor.take()
    return names[token.text] as number
  }
  const range = known.length === 0 && type === 'integer' ? `${words} from 0 to ${max}` : words
  cursor.fail(range, known)
}

/** Several values of a type of bits, joined by commas or by `|`, or one number. */
export function parseBits(cursor: Cursor, type: NftTypeName): number {
  const closed = cursor.accept('(')
  let bits = parseScalar(cursor, type)
  while (cursor.accept('|') || cursor.accept('or') || (!closed && cursor.accept(','))) bits |= parseScalar(cursor, type)
  if (closed) cursor.expect(')')
  return bits
}

function parseName(cursor: Cursor, type: NftTypeName): NftElement {
  const token = cursor.next
  if (token.kind !== 'string' && token.kind !== 'name') cursor.fail(NFT_TYPES[type].words)
  const name = token.text
  const wildcard = name.endsWith('*') && type === 'ifname'
  if (name === '' || name === '*' || name.length > IFNAME_MAX + (wildcard ? 1 : 0)) cursor.fail(NFT_TYPES[type].words)
  cursor.take()
  return { name }
}

/** One value, prefix or range. */
export function parseElement(cursor: Cursor, type: NftTypeName, max?: number): NftElement {
  if (isNameType(type)) return parseName(cursor, type)
  const first = cursor.next
  const from = parseScalar(cursor, type, max)
  if (NFT_TYPES[type].bits === true && cursor.accept('|')) {
    const bits = from | parseBits(cursor, type)
    return { from: bits, to: bits }
  }
  if (type === 'ipv4_addr' && cursor.accept('/')) {
    const bits = cursor.number('a prefix length', 0, IPV4_BITS)
    const size = 2 ** (IPV4_BITS - bits)
    const base = from - (from % size)
    return { from: base, to: base + size - 1 }
  }
  if (!cursor.accept('-')) return { from, to: from }
  const to = parseScalar(cursor, type, max)
  if (to <= from) cursor.failAt(first, 'a range whose end is above its start')
  return { from, to }
}

function overlaps(elements: readonly NftElement[], index: number): boolean {
  const one = elements[index] as NftElement
  const before = elements[index - 1]
  if (before === undefined) return false
  if ('name' in one || 'name' in before) return 'name' in one && 'name' in before && one.name === before.name
  return one.from <= before.to
}

/** Sorts elements by value. */
export function sortElements<T extends NftElement>(elements: readonly T[]): T[] {
  return [...elements].sort((a, b) => {
    if ('name' in a || 'name' in b) {
      const [x, y] = ['name' in a ? a.name : '', 'name' in b ? b.name : '']
      return x < y ? -1 : x > y ? 1 : 0
    }
    return a.from - b.from
  })
}

/** Whether an element stands for more than one value. */
export function isInterval(element: NftElement): boolean {
  return 'name' in element ? element.name.endsWith('*') : element.from !== element.to
}

/** Elements between braces, sorted. Elements that are given twice are taken once; others may not overlap. */
export function parseElements(cursor: Cursor, type: NftTypeName, max?: number, tail?: ElementTail): NftElement[] {
  const open = cursor.expect('{')
  const found: { readonly element: NftElement; readonly token: Token }[] = []
  for (;;) {
    cursor.skipLines()
    if (cursor.accept('}')) break
    const token = cursor.next
    const element = parseElement(cursor, type, max)
    cursor.skipLines()
    tail?.(element, token)
    found.push({ element, token })
    cursor.skipLines()
    if (cursor.accept(',')) continue
    cursor.skipLines()
    cursor.expect('}', '`,` or `}`')
    break
  }
  if (found.length === 0) cursor.failAt(open, 'at least one element')
  const distinct = new Map(found.map(({ element }) => [JSON.stringify(element), element]))
  const sorted = sortElements([...distinct.values()])
  sorted.forEach((element, index) => {
    if (!overlaps(sorted, index)) return
    const token = found.find((each) => each.element === element)?.token ?? open
    cursor.failAt(token, 'elements that do not overlap')
  })
  return sorted
}

/** What a field is compared with: a value, a set between braces, or a named set. */
export function parseOperand(cursor: Cursor, type: NftTypeName, max?: number): NftOperand {
  if (cursor.accept('@')) return { kind: 'named', set: cursor.name('the name of a set').text }
  if (!cursor.is('{')) return { kind: 'value', element: parseElement(cursor, type, max) }
  const elements = parseElements(cursor, type, max)
  // nft makes a plain comparison of a set with one element.
  if (elements.length === 1) return { kind: 'value', element: elements[0] as NftElement }
  return { kind: 'set', elements, interval: elements.some(isInterval) }
}

/** A port or a range of ports. */
export function parsePorts(cursor: Cursor): NftRange {
  const element = parseElement(cursor, 'inet_service')
  return 'name' in element ? { from: 0, to: 0 } : { from: element.from, to: element.to }
}
