/**
 * Finds the entry with the least time among many that change one at a time: a binary heap of those that have something
 * to do. The others cost nothing, however many there are.
 */
export class FirstOf {
  readonly #times: Float64Array
  readonly #counts: Uint8Array
  /** The heap: times as they were last told, and whose they are. */
  readonly #heapTimes: Float64Array
  readonly #heap: Int32Array
  /** Where each entry is in the heap; −1: its time is Infinity or it is left out. */
  readonly #place: Int32Array
  #size = 0

  /** `times` is read when a change is told; entries that `includes` refuses never come first. */
  constructor(times: Float64Array, includes: (index: number) => boolean = () => true) {
    this.#times = times
    this.#counts = Uint8Array.from(times, (_, index) => (includes(index) ? 1 : 0))
    this.#heapTimes = new Float64Array(times.length)
    this.#heap = new Int32Array(times.length)
    this.#place = new Int32Array(times.length).fill(-1)
  }

  /** The time of one entry has changed. */
  update(index: number): void {
    const at = this.#place[index] as number
    if (this.#counts[index] === 0 || this.#times[index] === Number.POSITIVE_INFINITY) {
      if (at >= 0) this.#remove(index, at)
    } else this.#settle(index, at < 0 ? this.#size++ : at, this.#times[index] as number)
  }

  /** Leaves an entry out, or takes it in again. */
  include(index: number, included: boolean): void {
    this.#counts[index] = included ? 1 : 0
    this.update(index)
  }

  /** Entry with the least time, the lowest of equal ones; −1 if all are Infinity. */
  first(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number)
  }

  /** As `first`, leaving one entry out. */
  firstBut(without: number): number {
    const size = this.#size
    if (size === 0 || this.#heap[0] !== without) return this.first()
    if (size < 3) return size === 2 ? (this.#heap[1] as number) : -1
    return this.#heap[this.#isBefore(2, 1) ? 2 : 1] as number
  }

  #remove(index: number, at: number): void {
    this.#place[index] = -1
    const last = --this.#size
    if (at !== last) this.#settle(this.#heap[last] as number, at, this.#heapTimes[last] as number)
  }

  /** Puts an entry where it belongs, from a place that is free for it: up or down. */
  #settle(index: number, from: number, time: number): void {
    const heap = this.#heap
    const heapTimes = this.#heapTimes
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      const parentTime = heapTimes[parent] as number
      if (parentTime < time || (parentTime === time && (heap[parent] as number) < index)) break
      this.#move(parent, at)
      at = parent
    }
    const size = this.#size
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && this.#isBefore(child + 1, child)) child++
      const childTime = heapTimes[child] as number
      if (time < childTime || (time === childTime && index < (heap[child] as number))) break
      this.#move(child, at)
      at = child
    }
    heap[at] = index
    heapTimes[at] = time
    this.#place[index] = at
  }

  #move(from: number, to: number): void {
    const index = this.#heap[from] as number
    this.#heap[to] = index
    this.#heapTimes[to] = this.#heapTimes[from] as number
    this.#place[index] = to
  }

  #isBefore(one: number, other: number): boolean {
    const oneTime = this.#heapTimes[one] as number
    const otherTime = this.#heapTimes[other] as number
    return oneTime < otherTime || (oneTime === otherTime && (this.#heap[one] as number) < (this.#heap[other] as number))
  }
}
