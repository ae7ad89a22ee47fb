import type { RunnerColumns } from './runner-columns.js'
import { MAX_WORKERS, TICKET, WORD } from './runner-columns.js'

/** The right to run one partition of the open round, handed out to the workers of a run. */
export interface Tickets {
  /** Opens the planned round of `size` partitions to `workers` workers: each has tickets for what it ran last. */
  open(size: number, workers: number): void
  /** Takes one of this worker's own tickets, or else one of another's; position in the round, −1: there is none. */
  claim(): number
  /** True if there is a ticket to be claimed. */
  isAny(): boolean
}

/** Binds the tickets of a run for one worker. `yieldAt` is called where another thread may overtake. */
export function createTickets(columns: RunnerColumns, worker: number, yieldAt: (() => void) | null): Tickets {
  const { control, round, homeBase, home, tickets } = columns
  const sorted = new Int32Array(round.length)
  const filled = new Int32Array(MAX_WORKERS)
  const owned = new Int32Array(MAX_WORKERS)

  function open(size: number, workers: number): void {
    sortByHome(size, workers)
    Atomics.store(control, WORD.left, size)
    // Once the last ticket is out the round may end and the next one be planned, while this loop still runs: it must look
    // at nothing shared then.
    for (let w = 0; w < workers; w++) {
      const own = owned[w] as number
      if (own !== 0) Atomics.add(tickets, w * TICKET.words + TICKET.limit, own)
    }
  }

  /** Puts the partitions of the round in the order of their homes; those of workers that have left come to the lead. */
  function sortByHome(size: number, workers: number): void {
    homeBase.fill(0)
    for (let i = 0; i < size; i++) {
      const p = round[i] as number
      if ((home[p] as number) >= workers) home[p] = 0
      const slot = (home[p] as number) + 1
      homeBase[slot] = (homeBase[slot] as number) + 1
      sorted[i] = p
    }
    for (let w = 0; w < workers; w++) homeBase[w + 1] = (homeBase[w + 1] as number) + (homeBase[w] as number)
    for (let w = 0; w < workers; w++) {
      filled[w] = homeBase[w] as number
      owned[w] = (homeBase[w + 1] as number) - (homeBase[w] as number)
    }
    for (let i = 0; i < size; i++) {
      const w = home[sorted[i] as number] as number
      round[filled[w] as number] = sorted[i] as number
      filled[w] = (filled[w] as number) + 1
    }
  }

  /** Takes a ticket of worker w in the open round; −1: there is none. None is given twice: a late worker does no harm. */
  function claimOf(w: number): number {
    const at = w * TICKET.words
    for (;;) {
      const ticket = Atomics.load(tickets, at + TICKET.claim)
      const left = (Atomics.load(tickets, at + TICKET.limit) - ticket) | 0
      if (left <= 0) return -1
      yieldAt?.()
      if (Atomics.compareExchange(tickets, at + TICKET.claim, ticket, (ticket + 1) | 0) !== ticket) continue
      return (homeBase[w + 1] as number) - left
    }
  }

  function claim(): number {
    const workers = Atomics.load(control, WORD.workers)
    for (let i = 0; i < workers; i++) {
      const index = claimOf((worker + i) % workers)
      if (index >= 0) return index
    }
    return -1
  }

  function isAny(): boolean {
    const workers = Atomics.load(control, WORD.workers)
    for (let w = 0; w < workers; w++) {
      const at = w * TICKET.words
      const left = (Atomics.load(tickets, at + TICKET.limit) - Atomics.load(tickets, at + TICKET.claim)) | 0
      if (left > 0) return true
    }
    return false
  }

  return { open, claim, isAny }
}
