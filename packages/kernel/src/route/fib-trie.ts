import type { RouteEntry } from './fib-entries.js'
import { prefixMask } from './fib-entries.js'

/** A child as `FibChild` has it. */
type Child = number

/** The trie of one host as plain lists; rows count from 1, as in the columns. */
export interface BuiltTrie {
  /** Row of the root, 0 without any prefix. */
  readonly root: Child
  readonly nodes: { key: number; pos: number; bits: number; best: number; child: number }[]
  readonly children: Child[]
  readonly prefixes: { prefix: number; lengthBits: number; covering: number; routes: RouteEntry[] }[]
}

/** A node of more than 2^16 children is not made. */
const MAX_BITS = 16
/** A node grows while at least half of its children would lead somewhere. Kernel: net/ipv4/fib_trie.c, inflate_threshold */
const FILL_PERCENT = 50

/** Order of routes of one prefix. Kernel: net/ipv4/fib_trie.c, fib_insert_alias, fib_find_alias */
function preferred(a: RouteEntry, b: RouteEntry): number {
  return b.table - a.table || b.tos - a.tos || a.metric - b.metric
}

/** Routes grouped by prefix, ascending by address, then length. Of routes with equal table, tos and metric the first stays. */
function groupByPrefix(routes: readonly RouteEntry[]): BuiltTrie['prefixes'] {
  const sorted = routes.map((route, order) => ({ route, order }))
  sorted.sort(
    (a, b) =>
      a.route.prefix - b.route.prefix ||
      a.route.lengthBits - b.route.lengthBits ||
      preferred(a.route, b.route) ||
      a.order - b.order,
  )
  const prefixes: BuiltTrie['prefixes'] = []
  for (const { route } of sorted) {
    const last = prefixes.at(-1)
    if (last === undefined || last.prefix !== route.prefix || last.lengthBits !== route.lengthBits) {
      prefixes.push({ prefix: route.prefix, lengthBits: route.lengthBits, covering: 0, routes: [route] })
    } else if (preferred(last.routes.at(-1) as RouteEntry, route) !== 0) last.routes.push(route)
  }
  // Sorted like this, the prefixes that contain one form a stack.
  const stack: number[] = []
  prefixes.forEach((each, i) => {
    while (stack.length > 0) {
      const top = prefixes[(stack.at(-1) as number) - 1]
      if (((each.prefix ^ top.prefix) & prefixMask(top.lengthBits)) === 0) break
      stack.pop()
    }
    each.covering = stack.at(-1) ?? 0
    stack.push(i + 1)
  })
  return prefixes
}

/**
 * Builds a trie that is compressed both ways: a node skips the bits in which all its prefixes agree, and looks at as
 * many bits at once as keep half of its children in use. Prefixes are pushed down to the children, so a lookup never
 * turns back. Kernel: net/ipv4/fib_trie.c
 */
export function buildTrie(routes: readonly RouteEntry[]): BuiltTrie {
  const prefixes = groupByPrefix(routes)
  const nodes: BuiltTrie['nodes'] = []
  const children: Child[] = []

  /** First of [from, to) whose address is at least `address`. */
  function lowerBound(from: number, to: number, address: number): number {
    let low = from
    let high = to
    while (low < high) {
      const middle = (low + high) >>> 1
      if (prefixes[middle].prefix < address) low = middle + 1
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
      const part = (prefixes[i].prefix - key) >>> partShift
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
    const head = prefixes[from]
    const tail = prefixes[to - 1]
    const differing = Math.clz32(head.prefix ^ tail.prefix)
    const length = Math.min(head.lengthBits, differing)
    const key = (head.prefix & prefixMask(length)) >>> 0
    let first = from
    let inside = best
    if (head.lengthBits === length) {
      inside = from + 1
      first++
    }
    // All addresses have one answer: no node is needed.
    if (first === to && length === 0) return -inside
    const node = { key, pos: 32 - length, bits: 0, best, child: 0 }
    nodes.push(node)
    const row = nodes.length
    if (first === to) {
      node.child = children.length + 1
      children.push(-inside)
      return row
    }
    fillNode(node, first, to, length, inside)
    return row
  }

  function fillNode(node: BuiltTrie['nodes'][number], from: number, to: number, length: number, inside: number): void {
    const bits = chooseBits(from, to, node.key, length)
    const count = 2 ** bits
    const partLength = length + bits
    const partSize = 2 ** (32 - partLength)
    node.bits = bits
    node.pos = 32 - partLength
    node.child = children.length + 1
    for (let i = 0; i < count; i++) children.push(0)
    let at = from
    // Prefixes that cover whole children, innermost last.
    const covers: number[] = []
    for (let i = 0; i < count; i++) {
      const start = node.key + i * partSize
      while (covers.length > 0) {
        const { prefix, lengthBits } = prefixes[covers.at(-1) as number]
        if (start < prefix + 2 ** (32 - lengthBits)) break
        covers.pop()
      }
      while (at < to && prefixes[at].prefix === start && prefixes[at].lengthBits <= partLength) covers.push(at++)
      const end = lowerBound(at, to, start + partSize)
      const covered = covers.length > 0 ? (covers.at(-1) as number) + 1 : inside
      children[node.child - 1 + i] = build(at, end, covered)
      at = end
    }
  }

  const root = build(0, prefixes.length, 0)
  return { root, nodes, children, prefixes }
}
