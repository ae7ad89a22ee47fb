const BLOCK = 8

/**
 * Finds the entry with the least time among many that change one at a time: the least of each block of eight is kept,
 * so that a change looks at eight entries and a question at one per block.
 */
export class FirstOf {
  readonly #times: Float64Array
  readonly #counts: Uint8Array
  readonly #blockFirst: Int32Array

  /** `times` is read in place; entries that `includes` refuses never come first. */
  constructor(times: Float64Array, includes: (index: number) => boolean = () => true) {
    this.#times = times
    this.#counts = Uint8Array.from(times, (_, index) => (includes(index) ? 1 : 0))
    this.#blockFirst = new Int32Array(Math.ceil(times.length / BLOCK)).fill(-1)
  }

  /** Looks at every entry anew. */
  rebuild(): void {
    for (let index = 0; index < this.#times.length; index += BLOCK) this.update(index)
  }

  /** The time of one entry has changed. */
  update(index: number): void {
    const block = (index / BLOCK) | 0
    this.#blockFirst[block] = this.#leastOf(block, -1)
  }

  /** Leaves an entry out, or takes it in again. */
  include(index: number, included: boolean): void {
    this.#counts[index] = included ? 1 : 0
    this.update(index)
  }

  /** Entry with the least time, the lowest of equal ones; −1 if all are Infinity. */
  first(): number {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    for (let block = 0; block < this.#blockFirst.length; block++) {
      const candidate = this.#blockFirst[block] as number
      if (candidate < 0) continue
      const time = this.#times[candidate] as number
      if (time < least) {
        least = time
        best = candidate
      }
    }
    return best
  }

  /** As `first`, leaving one entry out. */
  firstBut(without: number): number {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    const its = (without / BLOCK) | 0
    for (let block = 0; block < this.#blockFirst.length; block++) {
      let candidate = this.#blockFirst[block] as number
      if (block === its && candidate === without) candidate = this.#leastOf(block, without)
      if (candidate < 0) continue
      const time = this.#times[candidate] as number
      if (time < least) {
        least = time
        best = candidate
      }
    }
    return best
  }

  #leastOf(block: number, without: number): number {
    let best = -1
    let least = Number.POSITIVE_INFINITY
    const end = Math.min(this.#times.length, (block + 1) * BLOCK)
    for (let index = block * BLOCK; index < end; index++) {
      const time = this.#times[index] as number
      if (time < least && this.#counts[index] === 1 && index !== without) {
        least = time
        best = index
      }
    }
    return best
  }
}
