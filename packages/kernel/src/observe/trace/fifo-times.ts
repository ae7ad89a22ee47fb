/** More than any queue holds. */
const KEPT = 1 << 17

/** When packets left a queue, to tell how many were before one that is now at its head. */
export class FifoTimes {
  #times: number[] = []

  /** The first packet leaves at `nowPs`. */
  take(nowPs: number): void {
    this.#times.push(nowPs)
    if (this.#times.length > 2 * KEPT) this.#times = this.#times.slice(KEPT)
  }

  /** Packets that have left after `fromPs`. */
  since(fromPs: number): number {
    let low = 0
    let high = this.#times.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#times[middle] as number) > fromPs) high = middle
      else low = middle + 1
    }
    return this.#times.length - low
  }
}
