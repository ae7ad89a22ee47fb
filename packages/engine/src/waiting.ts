import type { Partition } from './partition.js'
import { MAX_WORKERS, type RunnerColumns, WORD } from './runner-columns.js'

/** How the workers of a run wait for each other. */
export interface WaitRule {
  /** Looks at shared memory before a worker goes to sleep. */
  readonly spins: number
  /** Longest sleep before it looks again by itself, ms. */
  readonly sleepMs: number
  /** Sleeps without any news after which the run has failed. */
  readonly sleepsMax: number
}

/** Spinning costs about 50 µs, which is what a wake-up costs; 30 s without news are a fault. */
export const DEFAULT_WAIT: WaitRule = { spins: 20_000, sleepMs: 100, sleepsMax: 300 }

/** A run that ended because a worker failed or did not go on; a worker that failed itself throws the reason. */
export class GangError extends Error {
  override readonly name = 'GangError'
}

/**
 * Waits until `isNews`, which is asked again after every signal: first spinning, then asleep. After the longest wait it
 * throws an error that says who waited for whom; `forWhat` says it where that is not a worker at work.
 */
export type WaitFor = (isNews: () => boolean, forWhat?: () => string) => void

/** Binds waiting for one worker of a run. */
export function createWaiting(
  partitions: readonly Partition[],
  columns: RunnerColumns,
  worker: number,
  wait: WaitRule,
): WaitFor {
  const { control, doing, next } = columns

  function whom(): string {
    const names: string[] = []
    for (let w = 0; w < MAX_WORKERS; w++) {
      const p = (doing[w] as number) - 1
      if (p >= 0 && w !== worker) names.push(`worker ${w}, which runs ${partitions[p]?.name} from ${next[p]} ps on`)
    }
    const planner = Atomics.load(control, WORD.planner) - 1
    if (names.length === 0) names.push(planner >= 0 ? `worker ${planner}, which plans the next round` : 'the lead')
    return names.join(' and ')
  }

  return (isNews, forWhat = whom) => {
    let sleeps = 0
    for (;;) {
      for (let i = 0; i < wait.spins; i++) if (isNews()) return
      const seen = Atomics.load(control, WORD.signal)
      Atomics.add(control, WORD.sleepers, 1)
      const result = isNews() ? 'not-equal' : Atomics.wait(control, WORD.signal, seen, wait.sleepMs)
      Atomics.sub(control, WORD.sleepers, 1)
      if (isNews()) return
      sleeps = result === 'timed-out' ? sleeps + 1 : 0
      if (sleeps < wait.sleepsMax) continue
      throw new GangError(`worker ${worker} waited ${(sleeps * wait.sleepMs) / 1000} s for ${forWhat()}`)
    }
  }
}
