interface Entry<Item> {
  readonly timePs: number
  readonly owner: number
  readonly item: Item
}

/**
 * Events that have been seen and not yet been written, in the order in which they were seen; taken in the order of time.
 * How far CPUs had run ahead of each other does not show in what is taken.
 */
export class EventLog<Item> {
  #entries: Entry<Item>[] = []

  /** Adds an event of `owner` (whose own events of one time stay in order) at `timePs`. */
  add(timePs: number, owner: number, item: Item): void {
    this.#entries.push({ timePs, owner, item })
  }

  /** Events that wait. */
  get waiting(): number {
    return this.#entries.length
  }

  /** Removes every event strictly before `upToPs` and hands it over, by time, then owner. */
  take(upToPs: number, visit: (item: Item, timePs: number) => void): void {
    const due = this.#entries.filter(({ timePs }) => timePs < upToPs)
    this.#entries = due.length === this.#entries.length ? [] : this.#entries.filter(({ timePs }) => timePs >= upToPs)
    due.sort((a, b) => a.timePs - b.timePs || a.owner - b.owner)
    for (const { item, timePs } of due) visit(item, timePs)
  }
}
