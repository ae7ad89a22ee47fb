import type { Partition } from './partition.js'
import { type RunnerColumns, STATE, WORD } from './runner-columns.js'
import type { WaitFor } from './waiting.js'

/** Looks at shared memory before a worker without enough to do takes what little there is. */
const PATIENCE_LOOKS = 400
/** Looks without enough to do after which a worker takes over what belongs to another one. */
const STEAL_LOOKS = 8000

/**
 * Partitions that only bounded ones without inputs send to need no rounds: how far one may go follows from what its
 * senders have shown, whoever else runs meanwhile. A worker claims one, takes in what has come, runs it, shows what it
 * did, and releases it.
 */
export interface FreeRunning {
  /** False: partitions answer each other, or cannot be shown, so that they have to go in rounds. */
  readonly isPossible: boolean
  /** The lead, while nobody runs: opens a stretch. */
  open(): void
  /** Any worker: runs partitions until the stretch is over. */
  work(): void
  /** The lead, once the stretch is over: everything that was shown is published. */
  close(): void
}

/** What free running needs of its worker. */
export interface FreeWorker {
  readonly worker: number
  /** Runs a partition up to its horizon; false if it could do nothing. */
  runOne(p: number): boolean
  /** Tells those that wait that something has changed. */
  signal(): void
  readonly waitFor: WaitFor
  /** Called where another thread may overtake; for tests. */
  readonly yieldAt: (() => void) | null
}

/** True if nothing that is sent can come back: every sender is bounded and is sent nothing itself. */
function isFeedForward(partitions: readonly Partition[]): boolean {
  return partitions.every(({ inputs }) =>
    inputs.every(({ from }) => partitions[from]?.bounded === true && partitions[from]?.inputs.length === 0),
  )
}

/** Binds free running for one worker. */
export function createFreeRunning(
  partitions: readonly Partition[],
  columns: RunnerColumns,
  { worker, runOne, signal, waitFor, yieldAt }: FreeWorker,
): FreeRunning {
  const { control, next, bound, horizon, shown, shownTurn, busy, finished, home, doing, until } = columns
  const { reached, reachedCount } = columns
  const n = partitions.length
  const senders = partitions.map(({ inputs }) => Int32Array.from(inputs, ({ from }) => from))

  const sources = Int32Array.from(partitions.flatMap((_, p) => (senders[p]?.length === 0 ? [p] : [])))
  const sinks = Int32Array.from(partitions.flatMap((_, p) => (senders[p]?.length === 0 ? [] : [p])))
  /** Place in `sinks` of the one whose turn it is. */
  let turnOf = 0

  /** Workers that the partitions were dealt out to. */
  let dealtTo = 0

  /** Whoever sees the same even turn before and after has read what was shown in it. */
  function showBound(p: number): void {
    Atomics.add(shownTurn, p, 1)
    shown[p] = bound[p] as number
    Atomics.add(shownTurn, p, 1)
  }

  /** Lowers the horizon of p to what its sender q has shown. */
  function lookAt(p: number, q: number): void {
    for (;;) {
      const turn = Atomics.load(shownTurn, q)
      const sent = shown[q] as number
      if ((turn & 1) !== 0 || Atomics.load(shownTurn, q) !== turn) continue
      if (sent < (horizon[p] as number)) horizon[p] = sent
      return
    }
  }

  /** Sets the horizon of p; true if none of its senders will send anything more in this stretch. */
  function lookAtSenders(p: number): boolean {
    const from = senders[p] as Int32Array
    let isLast = true
    horizon[p] = until[0] as number
    for (let i = 0; i < from.length; i++) {
      const q = from[i] as number
      if (Atomics.load(finished, q) === 0) isLast = false
      lookAt(p, q)
    }
    return isLast
  }

  /** One turn of a claimed partition; false if nothing was done. */
  function turn(p: number): boolean {
    const partition = partitions[p] as Partition
    // First the bounds, then the messages: what is not among these takes effect behind those.
    const isLast = lookAtSenders(p)
    partition.take?.()
    const progress = (next[p] as number) < (horizon[p] as number) && runOne(p)
    if (progress) partition.show?.()
    yieldAt?.()
    if (partition.bounded) showBound(p)
    // Who sends may have found no room; who only receives has taken everything in.
    const isDone = (next[p] as number) >= (until[0] as number) || (!progress && !partition.bounded)
    if (isLast && isDone) {
      Atomics.store(finished, p, 1)
      Atomics.sub(control, WORD.left, 1)
      signal()
    } else if (progress) signal()
    return progress
  }

  /** Claims and runs a partition unless somebody else has it; false if nothing was done. */
  function attempt(p: number): boolean {
    if (Atomics.compareExchange(busy, p, 0, 1) !== 0) return false
    let progress = false
    if (Atomics.load(finished, p) === 0) {
      home[p] = worker
      yieldAt?.()
      progress = turn(p)
      doing[worker] = 0
    }
    Atomics.store(busy, p, 0)
    return progress
  }

  /**
   * One turn: of a sender, so that there is always something to receive, or else of what is this worker's own, one after
   * the other; false if nothing was done. `enough`: only where it is worth a turn.
   */
  function pass(enough: boolean): boolean {
    for (let i = 0; i < sources.length; i++) {
      const p = sources[i] as number
      if (isDue(p, enough) && attempt(p)) return true
    }
    for (let i = 0; i < sinks.length; i++) {
      const at = (turnOf + i) % sinks.length
      const p = sinks[at] as number
      if (home[p] !== worker || !isDue(p, enough) || !attempt(p)) continue
      turnOf = at + 1
      return true
    }
    return false
  }

  /** Takes over a partition of another worker, with all that it has in that one's caches; false if there is none. */
  function steal(): boolean {
    for (let i = 0; i < sinks.length; i++) {
      const p = sinks[i] as number
      if (home[p] !== worker && isDue(p, true) && attempt(p)) return true
    }
    return false
  }

  function isDue(p: number, enough: boolean): boolean {
    return Atomics.load(finished, p) === 0 && !(enough && partitions[p]?.hasEnough?.() === false)
  }

  function hasFailed(): boolean {
    return Atomics.load(control, WORD.state) === STATE.failed
  }

  function isOver(): boolean {
    return Atomics.load(control, WORD.left) === 0 || Atomics.load(control, WORD.state) !== STATE.free
  }

  return {
    isPossible:
      isFeedForward(partitions) && partitions.every(({ take, show }) => take !== undefined && show !== undefined),
    open() {
      // A worker that is late from the last stretch may still be looking.
      for (let p = 0; p < n; p++) {
        waitFor(
          () => Atomics.compareExchange(busy, p, 0, 1) === 0 || hasFailed(),
          () => `${partitions[p]?.name}, which a worker has not given back`,
        )
      }
      if (hasFailed()) return
      const workers = Atomics.load(control, WORD.workers)
      let dealt = 0
      for (let p = 0; p < n; p++) {
        // Once dealt out they stay where they are, unless a worker runs out of work.
        if (workers !== dealtTo) home[p] = dealt++ % workers
        partitions[p]?.show?.()
        showBound(p)
        Atomics.store(finished, p, 0)
      }
      dealtTo = workers
      Atomics.store(control, WORD.left, n)
      // A worker that has failed meanwhile has said so in its place.
      Atomics.compareExchange(control, WORD.state, STATE.paused, STATE.free)
      for (let p = 0; p < n; p++) Atomics.store(busy, p, 0)
      signal()
    },
    work() {
      let idleLooks = 0
      while (!isOver()) {
        const seen = Atomics.load(control, WORD.signal)
        const isNews = () => Atomics.load(control, WORD.signal) !== seen || isOver()
        if (pass(true)) {
          idleLooks = 0
          continue
        }
        let looks = 0
        while (looks < PATIENCE_LOOKS && !isNews()) looks++
        idleLooks += looks
        if (looks < PATIENCE_LOOKS && idleLooks < STEAL_LOOKS) continue
        if (pass(false)) continue
        if (idleLooks >= STEAL_LOOKS && steal()) {
          idleLooks = 0
          continue
        }
        if (looks === PATIENCE_LOOKS && idleLooks > 4 * STEAL_LOOKS) waitFor(isNews)
      }
    },
    close() {
      for (const partition of partitions) partition.publish()
      reached.fill(0)
      reachedCount[0] = 0
      for (const partition of partitions) partition.drain()
    },
  }
}
