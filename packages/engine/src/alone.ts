import { FirstOf } from './first-of.js'
import { createFront } from './front.js'
import type { Horizon } from './horizon.js'
import type { Partition } from './partition.js'
import type { RunnerColumns } from './runner-columns.js'
import type { StepOrder } from './step-order.js'
import { assertNotStuck, lastTurns } from './stretch.js'

const NEVER = Number.POSITIVE_INFINITY

/** Runs partitions one at a time. */
export interface Alone {
  /** Advances every partition to the end of the stretch, or until `leave` says so (looked at now and then); true at the end. */
  run(leave: () => boolean): boolean
}

/** Steps between two looks at whether to leave. */
const LOOK_EVERY_STEPS = 256

/**
 * One thread alone: always the partition that is furthest behind goes on, and what it sends is published at once. That
 * takes half the steps of rounds, in which everybody knows only what was sent before. A partition that can do nothing (a
 * lane or a mailbox is full) waits until another one has gone on. With an `order`, that decides instead which partition
 * goes on and how far.
 */
export function createAlone(
  partitions: readonly Partition[],
  columns: RunnerColumns,
  horizons: Horizon,
  runOne: (p: number) => boolean,
  runLast: (p: number) => boolean,
  order: StepOrder | null = null,
): Alone {
  const { next, bound, horizon, reached, reachedList, reachedCount, blocked, until } = columns
  const n = partitions.length
  const isBounded = Uint8Array.from(partitions, (partition) => (partition.bounded ? 1 : 0))
  const front = createFront(next, isBounded)
  /** Partitions that could do nothing are not asked again until something reaches them or nobody else can go on. */
  const waitingLeast = new Float64Array(1).fill(NEVER)
  const blockedList = new Int32Array(n)
  let blockedCount = 0
  let progressed = true

  /** Bounds of those that have any: a wire without anything to send costs nothing. */
  const bounds = new FirstOf(bound, (p) => isBounded[p] !== 0)

  /** The times of a partition have changed. */
  function changed(p: number): void {
    front.update(p)
    if (isBounded[p] !== 0) bounds.update(p)
  }

  function block(p: number): void {
    blocked[p] = 1
    blockedList[blockedCount++] = p
    if ((next[p] as number) < (waitingLeast[0] as number)) waitingLeast[0] = next[p] as number
    front.include(p, false)
  }

  function unblockAll(): void {
    for (let i = 0; i < blockedCount; i++) {
      const p = blockedList[i] as number
      blocked[p] = 0
      front.include(p, true)
    }
    blockedCount = 0
    waitingLeast[0] = NEVER
  }

  function publish(p: number): void {
    ;(partitions[p] as Partition).publish()
    const count = reachedCount[0] as number
    for (let i = 0; i < count; i++) {
      const r = reachedList[i] as number
      ;(partitions[r] as Partition).drain()
      reached[r] = 0
      changed(r)
      if (blocked[r] === 1) unblockAll()
    }
    reachedCount[0] = 0
  }

  /** The horizon of p, where `first` is furthest behind of those that do not wait (−1: none). */
  function setHorizon(p: number, first: number): void {
    const waiting = waitingLeast[0] as number
    const least = first < 0 ? NEVER : (next[first] as number)
    horizons.leastPs[0] = least < waiting ? least : waiting
    front.findOther(p)
    horizons.otherPlainPs[0] = front.otherPlainPs[0] as number
    const firstBound = bounds.first()
    horizons.wokenPs[0] = firstBound < 0 ? NEVER : (bound[firstBound] as number)
    horizons.set(p)
  }

  /** Advances the partition that is furthest behind; false if none has anything to do before the end. */
  function step(): boolean {
    const p = front.find()
    if (p < 0 || (next[p] as number) >= (until[0] as number)) return false
    setHorizon(p, p)
    if (advance(p)) progressed = true
    else block(p)
    publish(p)
    return true
  }

  function advance(p: number): boolean {
    const progress = runOne(p)
    changed(p)
    return progress
  }

  const ready = new Int32Array(n)

  /** As `step`, by the order given: who was found waiting is asked again as soon as another one has gone on. */
  function stepInOrder(by: StepOrder): boolean {
    let count = 0
    for (let p = 0; p < n; p++) {
      if (blocked[p] === 0 && (next[p] as number) < (until[0] as number)) ready[count++] = p
    }
    if (count === 0) return false
    const p = ready[by.choose(ready, count, next)] as number
    horizonOf(p)
    const from = next[p] as number
    // Where nobody could go on, the next round goes as far as it can: what waits then waits for good.
    if (progressed && (horizon[p] as number) > from) horizon[p] = by.reach(from, horizon[p] as number)
    if (advance(p)) {
      progressed = true
      unblockAll()
    } else block(p)
    publish(p)
    return true
  }

  /** The horizon of any partition, also of one that is not furthest behind. */
  function horizonOf(p: number): void {
    setHorizon(p, front.find())
  }

  return {
    run(leave) {
      for (let p = 0; p < n; p++) {
        if (reached[p] === 0) continue
        ;(partitions[p] as Partition).drain()
        reached[p] = 0
      }
      reachedCount[0] = 0
      blocked.fill(0)
      blockedCount = 0
      waitingLeast[0] = NEVER
      for (let p = 0; p < n; p++) {
        front.include(p, true)
        changed(p)
      }
      progressed = true
      for (;;) {
        for (let steps = LOOK_EVERY_STEPS; order === null ? step() : stepInOrder(order); ) {
          if (--steps > 0) continue
          steps = LOOK_EVERY_STEPS
          if (leave()) return false
        }
        if ((waitingLeast[0] as number) >= (until[0] as number)) {
          if (!lastTurns(partitions, columns, runLast)) return true
          for (let p = 0; p < n; p++) changed(p)
          continue
        }
        if (!progressed) assertNotStuck(partitions, columns)
        progressed = false
        unblockAll()
      }
    },
  }
}
