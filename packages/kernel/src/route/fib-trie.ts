import type { RouteEntry, RouteSource } from './fib-entries.js'
import { prefixMask } from './fib-entries.js'

/** A child as `FibChild` has it. */
type Child = number

/** Prefixes that have routes, ascending by address, then length; index from 0, numbers of prefixes from 1. */
export interface PrefixList {
  readonly count: number
  readonly prefix: Uint32Array
  readonly lengthBits: Uint8Array
  /** Number of the longest shorter prefix that contains it, 0 for none. */
  readonly covering: Int32Array
  /** Position of its first route in `order`; its last is before that of the next prefix. */
  readonly first: Int32Array
  /** Indexes of routes, most preferred first; what another one hides is left out. */
  readonly order: Uint32Array
  /** Next hops beyond the first ones of those routes. */
  readonly morePaths: number
}

/** Nodes as `FibNode` has them; index from 0, rows from 1. */
export interface NodeList {
  readonly count: number
  readonly key: Uint32Array
  readonly pos: Uint8Array
  readonly bits: Uint8Array
  readonly best: Int32Array
  readonly child: Int32Array
}

/** The trie of one host as plain lists; rows count from 1, as in the columns. */
export interface BuiltTrie {
  /** Row of the root, 0 without any prefix. */
  readonly root: Child
  readonly nodes: NodeList
  readonly children: Int32Array
  readonly prefixes: PrefixList
  readonly routes: RouteSource
}

/** A node of more than 2^16 children is not made. */
const MAX_BITS = 16
/** A node grows while at least half of its children would lead somewhere. Kernel: net/ipv4/fib_trie.c, inflate_threshold */
const FILL_PERCENT = 50

/** What routes are sorted by, in columns. */
function keysOf(routes: RouteSource) {
  const { length } = routes
  const keys = {
    prefix: new Uint32Array(length),
    lengthBits: new Uint8Array(length),
    table: new Uint32Array(length),
    tos: new Uint8Array(length),
    metric: new Uint32Array(length),
    morePaths: new Uint8Array(length),
  }
  for (let i = 0; i < length; i++) {
    const route = routes.at(i) as RouteEntry
    keys.prefix[i] = route.prefix
    keys.lengthBits[i] = route.lengthBits
    keys.table[i] = route.table
    keys.tos[i] = route.tos
    keys.metric[i] = route.metric
    keys.morePaths[i] = route.paths.length
  }
  return keys
}

/** Routes grouped by prefix. Of routes with equal table, tos and metric the first stays. */
function groupByPrefix(routes: RouteSource): PrefixList {
  const keys = keysOf(routes)
  const bits = keys.lengthBits
  // Order of routes of one prefix. Kernel: net/ipv4/fib_trie.c, fib_insert_alias, fib_find_alias
  const preferred = (a: number, b: number): number =>
    keys.table[b] - keys.table[a] || keys.tos[b] - keys.tos[a] || keys.metric[a] - keys.metric[b]
  const sorted = new Uint32Array(routes.length)
  for (let i = 0; i < sorted.length; i++) sorted[i] = i
  sorted.sort((a, b) => keys.prefix[a] - keys.prefix[b] || bits[a] - bits[b] || preferred(a, b) || a - b)
  const prefix = new Uint32Array(routes.length)
  const lengthBits = new Uint8Array(routes.length)
  const covering = new Int32Array(routes.length)
  const first = new Int32Array(routes.length + 1)
  const order = new Uint32Array(routes.length)
  let count = 0
  let kept = 0
  let morePaths = 0
  for (const index of sorted) {
    const isSame = count > 0 && prefix[count - 1] === keys.prefix[index] && lengthBits[count - 1] === bits[index]
    if (isSame && preferred(order[kept - 1], index) === 0) continue
    if (!isSame) {
      prefix[count] = keys.prefix[index]
      lengthBits[count] = bits[index]
      first[count++] = kept
    }
    order[kept++] = index
    morePaths += keys.morePaths[index]
  }
  first[count] = kept
  cover(prefix, lengthBits, covering, count)
  return { count, prefix, lengthBits, covering, first, order, morePaths }
}

/** Finds for each prefix the one that contains it: sorted like this, those that contain one form a stack. */
function cover(prefix: Uint32Array, lengthBits: Uint8Array, covering: Int32Array, count: number): void {
  const stack: number[] = []
  for (let i = 0; i < count; i++) {
    while (stack.length > 0) {
      const top = (stack.at(-1) as number) - 1
      if (((prefix[i] ^ prefix[top]) & prefixMask(lengthBits[top])) === 0) break
      stack.pop()
    }
    covering[i] = stack.at(-1) ?? 0
    stack.push(i + 1)
  }
}

/**
 * Builds a trie that is compressed both ways: a node skips the bits in which all its prefixes agree, and looks at as
 * many bits at once as keep half of its children in use. Prefixes are pushed down to the children, so a lookup never
 * turns back. Kernel: net/ipv4/fib_trie.c
 */
export function buildTrie(routes: RouteSource): BuiltTrie {
  const prefixes = groupByPrefix(routes)
  const { prefix, lengthBits } = prefixes
  // Columns, not objects: a million prefixes have as many nodes. Each branches or is where a prefix ends.
  const most = 2 * prefixes.count + 1
  const nodes = {
    count: 0,
    key: new Uint32Array(most),
    pos: new Uint8Array(most),
    bits: new Uint8Array(most),
    best: new Int32Array(most),
    child: new Int32Array(most),
  }
  let children = new Int32Array(most)
  let childCount = 0

  /** Index of the first of so many new children. */
  function addChildren(count: number): number {
    const first = childCount
    childCount += count
    if (childCount > children.length) {
      const longer = new Int32Array(2 * childCount)
      longer.set(children)
      children = longer
    }
    return first
  }

  /** First of [from, to) whose address is at least `address`. */
  function lowerBound(from: number, to: number, address: number): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >>> 1
      if (prefix[middle] < address) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * In how many of the 2^bits parts of a range a prefix begins. One that covers several parts counts once, as its leaf
   * does in Linux: so a node has at most twice as many children as prefixes.
   */
  function used(from: number, to: number, key: number, length: number, bits: number): number {
    const partShift = 32 - length - bits
    let count = 0
    let last = -1
    for (let i = from; i < to; i++) {
      const part = (prefix[i] - key) >>> partShift
      if (part !== last) count++
      last = part
    }
    return count
  }

  function chooseBits(from: number, to: number, key: number, length: number): number {
    let bits = 1
    while (bits < MAX_BITS && length + bits < 32) {
      if (used(from, to, key, length, bits + 1) * 100 < FILL_PERCENT * 2 ** (bits + 1)) break
      bits++
    }
    return bits
  }

  /** Child for the prefixes [from, to), all inside of one range, whose addresses have `best` otherwise. */
  function build(from: number, to: number, best: number): Child {
    if (from === to) return -best
    const differing = Math.clz32(prefix[from] ^ prefix[to - 1])
    const length = Math.min(lengthBits[from], differing)
    const key = (prefix[from] & prefixMask(length)) >>> 0
    let first = from
    let inside = best
    if (lengthBits[from] === length) {
      inside = from + 1
      first++
    }
    // All addresses have one answer: no node is needed.
    if (first === to && length === 0) return -inside
    const node = nodes.count++
    nodes.key[node] = key
    nodes.pos[node] = 32 - length
    nodes.best[node] = best
    if (first === to) {
      const only = addChildren(1)
      nodes.child[node] = only + 1
      children[only] = -inside
    } else fillNode(node, first, to, length, inside)
    return node + 1
  }

  function fillNode(node: number, from: number, to: number, length: number, inside: number): void {
    const key = nodes.key[node]
    const bits = chooseBits(from, to, key, length)
    const count = 2 ** bits
    const partLength = length + bits
    const partSize = 2 ** (32 - partLength)
    nodes.bits[node] = bits
    nodes.pos[node] = 32 - partLength
    const firstChild = addChildren(count)
    nodes.child[node] = firstChild + 1
    let at = from
    // Prefixes that cover whole children, innermost last.
    const covers: number[] = []
    for (let i = 0; i < count; i++) {
      const start = key + i * partSize
      while (covers.length > 0) {
        const last = covers.at(-1) as number
        if (start < prefix[last] + 2 ** (32 - lengthBits[last])) break
        covers.pop()
      }
      while (at < to && prefix[at] === start && lengthBits[at] <= partLength) covers.push(at++)
      const end = lowerBound(at, to, start + partSize)
      const covered = covers.length > 0 ? (covers.at(-1) as number) + 1 : inside
      const child = build(at, end, covered)
      children[firstChild + i] = child
      at = end
    }
  }

  const root = build(0, prefixes.count, 0)
  return { root, nodes, children: children.subarray(0, childCount), prefixes, routes }
}
