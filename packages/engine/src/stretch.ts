import type { Partition } from './partition.js'
import type { RunnerColumns } from './runner-columns.js'

/**
 * Work due before the end of a stretch may be left where a clock is beyond it, or where there was no room: every partition
 * gets a turn (`runOne`), and takes in what the others send in theirs. True if any work was done.
 */
export function lastTurns(
  partitions: readonly Partition[],
  columns: RunnerColumns,
  runOne: (p: number) => boolean,
): boolean {
  const { horizon, until, reached, reachedList, reachedCount } = columns
  let progress = false
  partitions.forEach((partition, p) => {
    horizon[p] = until[0] as number
    if (runOne(p)) progress = true
    partition.publish()
  })
  const count = reachedCount[0] as number
  for (let i = 0; i < count; i++) {
    const r = reachedList[i] as number
    ;(partitions[r] as Partition).drain()
    reached[r] = 0
  }
  reachedCount[0] = 0
  return progress
}

/** Throws an error that names the partitions that have work before the end of the stretch and cannot go on. */
export function assertNotStuck(partitions: readonly Partition[], columns: RunnerColumns): void {
  const { next, until } = columns
  const end = until[0] as number
  const behind = partitions.filter((_, p) => (next[p] as number) < end)
  if (behind.length === 0) return
  const lines = behind.slice(0, 8).map((partition) => `${partition.name} at ${next[partition.id]} ps`)
  throw new Error(`no partition can go on before ${end} ps: ${lines.join(', ')}`)
}
