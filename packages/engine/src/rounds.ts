import type { Horizon } from './horizon.js'
import type { Partition } from './partition.js'
import type { RunnerColumns } from './runner-columns.js'
import { assertNotStuck, lastTurns } from './stretch.js'

const NEVER = Number.POSITIVE_INFINITY

/** Entries of `RunnerColumns.counts`. */
export const COUNT = { active: 0, round: 1, progressed: 2, rounds: 3, partitions: 4 } as const

/** What became of a partition in a round. */
export const OUTCOME = { nothing: 0, progress: 1, blocked: 2 } as const

/** What a plan may come to. */
export const PLAN = {
  /** There are partitions to run. */
  round: 0,
  /** Everything before the end is done. */
  done: 1,
} as const

/**
 * Rounds of conservative execution. Between two rounds nobody runs, and one thread settles what was sent and finds how
 * far each partition may go: up to the earliest time at which anything not yet published could reach it. In a round every
 * partition that can do anything before that time does it, in any order and on any thread, and knows only what was
 * published before. So a run is the same on any number of threads.
 */
export interface Rounds {
  /** Makes ready: the columns hold what every partition does next. */
  begin(): void
  /** Finds the partitions of the next round (`round`), or that there is none (see PLAN); an error if nobody can go on. */
  plan(): number
  /** Runs one partition of the round; another thread may do the same with another partition. */
  runOne(p: number): void
  /** After a round: publishes what its partitions did. */
  settle(): void
}

/** Binds rounds to the columns of a run; `runLast` gives a partition its turn at the end of a stretch. */
export function createRounds(
  partitions: readonly Partition[],
  columns: RunnerColumns,
  horizons: Horizon,
  runLast: (p: number) => boolean,
): Rounds {
  const { next, bound, horizon, reached, reachedList, reachedCount, until } = columns
  const { active, activeAt, counts, round, blocked, outcome } = columns
  const n = partitions.length
  const isBounded = Uint8Array.from(partitions, (partition) => (partition.bounded ? 1 : 0))

  function activate(p: number): void {
    if ((activeAt[p] as number) >= 0) return
    const count = counts[COUNT.active] as number
    active[count] = p
    activeAt[p] = count
    counts[COUNT.active] = count + 1
  }

  /** Idle partitions are not looked at, so that they cost nothing. */
  function deactivate(p: number): void {
    const at = activeAt[p] as number
    if (at < 0) return
    const count = (counts[COUNT.active] as number) - 1
    const last = active[count] as number
    active[at] = last
    activeAt[last] = at
    activeAt[p] = -1
    counts[COUNT.active] = count
  }

  function takeReached(): void {
    const count = reachedCount[0] as number
    for (let i = 0; i < count; i++) activate(reachedList[i] as number)
    reachedCount[0] = 0
  }

  /** Fills `round`; returns the earliest next step of all partitions. */
  function fillRound(): number {
    const count = counts[COUNT.active] as number
    let least = NEVER
    let plain = NEVER
    let plainSecond = NEVER
    let plainFirst = -1
    let woken = NEVER
    for (let i = 0; i < count; i++) {
      const p = active[i] as number
      const at = next[p] as number
      if (at < least) least = at
      if (isBounded[p] !== 0) {
        // What was published for it and not yet taken in is not in its bound.
        const wakes = reached[p] === 0 ? (bound[p] as number) : Math.min(bound[p] as number, at)
        if (wakes < woken) woken = wakes
        continue
      }
      if (at < plain) {
        plainSecond = plain
        plain = at
        plainFirst = p
      } else if (at < plainSecond) plainSecond = at
    }
    horizons.leastPs[0] = least
    horizons.wokenPs[0] = woken
    const retry = counts[COUNT.progressed] !== 0
    let size = 0
    for (let i = 0; i < count; i++) {
      const p = active[i] as number
      if (blocked[p] !== 0 && !retry && reached[p] === 0) continue
      horizons.otherPlainPs[0] = p === plainFirst ? plainSecond : plain
      horizons.set(p)
      if ((next[p] as number) < (horizon[p] as number) || reached[p] !== 0) round[size++] = p
    }
    counts[COUNT.round] = size
    counts[COUNT.rounds] = (counts[COUNT.rounds] as number) + 1
    counts[COUNT.partitions] = (counts[COUNT.partitions] as number) + size
    return least
  }

  return {
    begin() {
      counts[COUNT.active] = 0
      counts[COUNT.progressed] = 1
      activeAt.fill(-1)
      blocked.fill(0)
      reachedCount[0] = 0
      for (let p = 0; p < n; p++) if ((next[p] as number) < NEVER || reached[p] !== 0) activate(p)
    },
    plan() {
      for (;;) {
        const least = fillRound()
        if (counts[COUNT.round] !== 0) return PLAN.round
        if (least < (until[0] as number)) assertNotStuck(partitions, columns)
        if (!lastTurns(partitions, columns, runLast)) return PLAN.done
        for (let p = 0; p < n; p++) if ((next[p] as number) < NEVER) activate(p)
        counts[COUNT.progressed] = 1
      }
    },
    runOne(p) {
      const partition = partitions[p] as Partition
      let result: number = OUTCOME.nothing
      if (reached[p] !== 0) {
        partition.drain()
        reached[p] = 0
        result = OUTCOME.progress
      }
      if ((next[p] as number) < (horizon[p] as number)) {
        result = partition.run() ? OUTCOME.progress : OUTCOME.blocked
      }
      outcome[p] = result
    },
    settle() {
      const size = counts[COUNT.round] as number
      let progress = 0
      for (let i = 0; i < size; i++) {
        const p = round[i] as number
        ;(partitions[p] as Partition).publish()
        const result = outcome[p] as number
        if (result === OUTCOME.progress) progress = 1
        blocked[p] = result === OUTCOME.blocked ? 1 : 0
      }
      takeReached()
      for (let i = 0; i < size; i++) {
        const p = round[i] as number
        if (next[p] === NEVER && reached[p] === 0) deactivate(p)
        else activate(p)
      }
      counts[COUNT.progressed] = progress
    },
  }
}
