import { FirstOf } from './first-of.js'

const NEVER = Number.POSITIVE_INFINITY

/** Which partition is furthest behind, and how far the others are that could send to it. */
export interface Front {
  /** The next step of a partition has changed. */
  update(p: number): void
  /** Leaves a partition out of `find`, or takes it in again. */
  include(p: number, included: boolean): void
  /** Partition with the least next step, the lowest of equal ones; −1 if none has anything to do. */
  find(): number
  /** Writes the least next step of the partitions that are not bounded, without p, to `otherPlainPs`; to be asked after `find`. */
  findOther(p: number): void
  /** One entry, ps. In a column it is not boxed. */
  readonly otherPlainPs: Float64Array
}

/** For many partitions: heaps, so that those without anything to do cost nothing. */
export class HeapFront implements Front {
  readonly otherPlainPs = new Float64Array(1)
  readonly #next: Float64Array
  readonly #bounded: Uint8Array
  readonly #all: FirstOf
  readonly #plain: FirstOf

  constructor(next: Float64Array, bounded: Uint8Array) {
    this.#next = next
    this.#bounded = bounded
    this.#all = new FirstOf(next)
    this.#plain = new FirstOf(next, (p) => bounded[p] === 0)
  }

  update(p: number): void {
    this.#all.update(p)
    if (this.#bounded[p] === 0) this.#plain.update(p)
  }

  include(p: number, included: boolean): void {
    this.#all.include(p, included)
    if (this.#bounded[p] === 0) this.#plain.update(p)
  }

  find(): number {
    return this.#all.first()
  }

  findOther(p: number): void {
    const other = this.#plain.firstBut(p)
    this.otherPlainPs[0] = other < 0 ? NEVER : (this.#next[other] as number)
  }
}

/** For few partitions: one look at all of them costs less than keeping anything. */
export class ScanFront implements Front {
  readonly otherPlainPs = new Float64Array(1)
  readonly #next: Float64Array
  readonly #bounded: Uint8Array
  readonly #included: Uint8Array
  #plainFirst = -1
  /** Least next step of the plain ones, and of those but the first; in a column, so that nothing is boxed. */
  readonly #plainPs = new Float64Array(2)

  constructor(next: Float64Array, bounded: Uint8Array) {
    this.#next = next
    this.#bounded = bounded
    this.#included = new Uint8Array(next.length).fill(1)
  }

  update(_p: number): void {}

  include(p: number, included: boolean): void {
    this.#included[p] = included ? 1 : 0
  }

  find(): number {
    const next = this.#next
    const bounded = this.#bounded
    const included = this.#included
    let first = -1
    let least = NEVER
    let plainFirst = -1
    let plain = NEVER
    let plainSecond = NEVER
    for (let p = 0; p < next.length; p++) {
      const at = next[p] as number
      if (at < least && included[p] !== 0) {
        least = at
        first = p
      }
      if (at >= plainSecond || bounded[p] !== 0) continue
      if (at < plain) {
        plainSecond = plain
        plain = at
        plainFirst = p
      } else plainSecond = at
    }
    this.#plainFirst = plainFirst
    this.#plainPs[0] = plain
    this.#plainPs[1] = plainSecond
    return first
  }

  findOther(p: number): void {
    this.otherPlainPs[0] = this.#plainPs[p === this.#plainFirst ? 1 : 0] as number
  }
}

/** Partitions that are looked at together, as a power of two. */
const BLOCK_BITS = 3

/**
 * For some tens of partitions: they stand in blocks whose least times are kept, and only blocks in which something has changed are
 * looked at anew.
 */
export class BlockFront implements Front {
  readonly otherPlainPs = new Float64Array(1)
  readonly #next: Float64Array
  readonly #bounded: Uint8Array
  readonly #included: Uint8Array
  readonly #blocks: number
  /** Of each block: the least next step of those included, whose it is, and the least of the plain ones. */
  readonly #least: Float64Array
  readonly #first: Int32Array
  readonly #plain: Float64Array
  readonly #changed: Uint8Array

  constructor(next: Float64Array, bounded: Uint8Array) {
    this.#next = next
    this.#bounded = bounded
    this.#included = new Uint8Array(next.length).fill(1)
    this.#blocks = (next.length + (1 << BLOCK_BITS) - 1) >> BLOCK_BITS
    this.#least = new Float64Array(this.#blocks)
    this.#first = new Int32Array(this.#blocks)
    this.#plain = new Float64Array(this.#blocks)
    this.#changed = new Uint8Array(this.#blocks).fill(1)
  }

  update(p: number): void {
    this.#changed[p >> BLOCK_BITS] = 1
  }

  include(p: number, included: boolean): void {
    this.#included[p] = included ? 1 : 0
    this.#changed[p >> BLOCK_BITS] = 1
  }

  #look(block: number): void {
    const next = this.#next
    const bounded = this.#bounded
    const included = this.#included
    const from = block << BLOCK_BITS
    const whole = from + (1 << BLOCK_BITS)
    const end = whole < next.length ? whole : next.length
    let first = -1
    let least = NEVER
    let plain = NEVER
    for (let p = from; p < end; p++) {
      const at = next[p] as number
      if (at < plain && bounded[p] === 0) plain = at
      if (at < least && included[p] !== 0) {
        least = at
        first = p
      }
    }
    this.#least[block] = least
    this.#first[block] = first
    this.#plain[block] = plain
    this.#changed[block] = 0
  }

  find(): number {
    const least = this.#least
    const changed = this.#changed
    let block = 0
    let at = NEVER
    for (let b = 0; b < this.#blocks; b++) {
      if (changed[b] !== 0) this.#look(b)
      if ((least[b] as number) >= at) continue
      at = least[b] as number
      block = b
    }
    return this.#first[block] as number
  }

  findOther(p: number): void {
    const next = this.#next
    const bounded = this.#bounded
    const plain = this.#plain
    const own = p >> BLOCK_BITS
    let other = NEVER
    for (let b = 0; b < this.#blocks; b++) if (b !== own && (plain[b] as number) < other) other = plain[b] as number
    const from = own << BLOCK_BITS
    const whole = from + (1 << BLOCK_BITS)
    const end = whole < next.length ? whole : next.length
    for (let q = from; q < end; q++) {
      if (q !== p && (next[q] as number) < other && bounded[q] === 0) other = next[q] as number
    }
    this.otherPlainPs[0] = other
  }
}

/** Partitions up to which one look at all of them is fastest, and up to which blocks are faster than heaps. */
const FEW = 16
const SOME = 160

/** The fastest front for as many partitions as `next` has. */
export function createFront(next: Float64Array, bounded: Uint8Array): Front {
  if (next.length <= FEW) return new ScanFront(next, bounded)
  return next.length <= SOME ? new BlockFront(next, bounded) : new HeapFront(next, bounded)
}
