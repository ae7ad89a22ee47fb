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
  /** Least next step of the partitions that are not bounded, without p, ps; to be asked after `find`. */
  otherPlainPs(p: number): number
}

/** For many partitions: heaps, so that those without anything to do cost nothing. */
export class HeapFront implements Front {
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

  otherPlainPs(p: number): number {
    const other = this.#plain.firstBut(p)
    return other < 0 ? NEVER : (this.#next[other] as number)
  }
}

/** For few partitions: one look at all of them costs less than keeping heaps. */
export class ScanFront implements Front {
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

  otherPlainPs(p: number): number {
    return this.#plainPs[p === this.#plainFirst ? 1 : 0] as number
  }
}

/** Partitions up to which looking at all of them is faster than heaps. */
const FEW = 160

/** The faster front for as many partitions as `next` has. */
export function createFront(next: Float64Array, bounded: Uint8Array): Front {
  return next.length <= FEW ? new ScanFront(next, bounded) : new HeapFront(next, bounded)
}
