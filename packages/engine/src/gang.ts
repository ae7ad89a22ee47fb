import { createAlone } from './alone.js'
import { createFreeRunning } from './free-running.js'
import { createHorizon } from './horizon.js'
import type { Partition } from './partition.js'
import { COUNT, createRounds, PLAN } from './rounds.js'
import {
  attachRunnerColumns,
  createRunnerBuffers,
  MAX_WORKERS,
  type RunnerBuffers,
  STATE,
  WORD,
} from './runner-columns.js'
import type { StepOrder } from './step-order.js'
import { createTickets } from './tickets.js'
import { createWaiting, DEFAULT_WAIT, GangError, type WaitRule } from './waiting.js'

/** What a runner can be told. */
export interface RunnerOptions {
  /** Shared buffers of the run; made anew if they are not given. */
  readonly buffers?: RunnerBuffers
  /** Number of this worker, 0: the lead. */
  readonly worker?: number
  readonly wait?: WaitRule
  /** Another choice of the partition that goes on, and how far, while this worker is alone; for tests. */
  readonly order?: StepOrder
  /** True: goes on in rounds even while this worker is alone, as it does with others; for tests. */
  readonly inRounds?: boolean
  /** Called at points where another thread may overtake; for tests. */
  readonly yieldAt?: () => void
}

/** Runs the partitions of a simulation, alone or with other workers on the same buffers. */
export interface Runner {
  /** To be given to the runners of other threads. */
  readonly buffers: RunnerBuffers
  /**
   * The lead: advances every partition to `untilPs`; results do not depend on how a run is cut into such calls.
   * `inRounds`: in rounds also when there is no other worker, to see how much a round holds.
   */
  runUntil(untilPs: number, inRounds?: boolean): void
  /** The lead: returns once `count` workers take part; an error if they do not come. */
  awaitWorkers(count: number): void
  /** The lead: lets the other workers go, and returns when they have gone; the run may go on alone. */
  release(): void
  /** The lead, between two stretches: tells those who wait that it is at work on something that takes long. */
  beat(): void
  /** Workers that take part now. */
  workers(): number
  /** Rounds so far, and partitions run in them. */
  rounds(): { readonly rounds: number; readonly partitions: number }
  /** Any other worker: helps until the lead ends the run. */
  serve(): void
  /** Times a partition was run, for the account of a run. */
  steps(): number
}

/** Error of a partition, with what is needed to find it. */
export class PartitionError extends Error {
  override readonly name = 'PartitionError'
  readonly partition: string
  /** Its next step when it failed, ps. */
  readonly atPs: number

  constructor(partition: string, atPs: number, cause: unknown) {
    super(`${cause instanceof Error ? cause.message : String(cause)} (in ${partition} at ${atPs / 1e9} ms)`, { cause })
    this.partition = partition
    this.atPs = atPs
  }
}

/** Marks a run as failed, from any thread: whoever waits stops waiting. */
export function failRun(buffers: RunnerBuffers): void {
  const control = new Int32Array(buffers.control)
  Atomics.store(control, WORD.state, STATE.failed)
  Atomics.add(control, WORD.signal, 1)
  Atomics.notify(control, WORD.signal)
}

/**
 * Creates a runner. With one worker there is no atomic operation in a round. With several, the one that finishes the last
 * partition of a round plans the next one; the others claim partitions as soon as the round is open, so none of them is
 * ever waited for unless it is in the middle of a partition.
 */
export function createRunner(partitions: readonly Partition[], options: RunnerOptions = {}): Runner {
  const buffers = options.buffers ?? createRunnerBuffers(partitions.length)
  const columns = attachRunnerColumns(buffers)
  const { control, counts, round, home, doing, steps, next } = columns
  const worker = options.worker ?? 0
  const ownSteps = worker * 8
  const wait = options.wait ?? DEFAULT_WAIT
  const yieldAt = options.yieldAt ?? null
  for (const partition of partitions) partition.attach(columns)
  const horizons = createHorizon(partitions, columns)
  const tickets = createTickets(columns, worker, yieldAt)
  const waitFor = createWaiting(partitions, columns, worker, wait)
  const rounds = createRounds(partitions, columns, horizons, lastTurn)
  const alone = createAlone(partitions, columns, horizons, stepOne, lastTurn, options.order)
  const free = createFreeRunning(partitions, columns, { worker, runOne: stepOne, signal, waitFor, yieldAt })
  if (!(worker >= 0 && worker < MAX_WORKERS)) throw new Error(`worker ${worker}: there can be ${MAX_WORKERS}`)

  function signal(): void {
    Atomics.add(control, WORD.signal, 1)
    if (Atomics.load(control, WORD.sleepers) !== 0) Atomics.notify(control, WORD.signal)
  }

  function fail(thrown: unknown): never {
    failRun(buffers)
    throw thrown
  }

  function failedIn(p: number, thrown: unknown): PartitionError {
    const partition = partitions[p] as Partition
    return new PartitionError(partition.name, next[p] as number, thrown)
  }

  /** Runs a partition when this worker is alone; true if it could do anything. */
  function stepOne(p: number): boolean {
    steps[ownSteps] = (steps[ownSteps] as number) + 1
    doing[worker] = p + 1
    try {
      return (partitions[p] as Partition).run()
    } catch (thrown) {
      throw failedIn(p, thrown)
    }
  }

  /** Gives a partition its turn at the end of a stretch; no step, as there is hardly ever anything to do. */
  function lastTurn(p: number): boolean {
    doing[worker] = p + 1
    try {
      const progress = (partitions[p] as Partition).run()
      doing[worker] = 0
      return progress
    } catch (thrown) {
      throw failedIn(p, thrown)
    }
  }

  /** Runs a partition of a round. */
  function runOne(p: number): void {
    steps[ownSteps] = (steps[ownSteps] as number) + 1
    try {
      rounds.runOne(p)
    } catch (thrown) {
      throw failedIn(p, thrown)
    }
  }

  const isJoined = () => Atomics.load(control, WORD.workers) > 1

  /** Rounds that nobody else is needed for: of a single partition, or all of them alone; false once all is done. */
  function ownRounds(): boolean {
    for (;;) {
      if (rounds.plan() === PLAN.done) return false
      const size = counts[COUNT.round] as number
      if (size > 1 && isJoined()) return true
      for (let i = 0; i < size; i++) runOne(round[i] as number)
      rounds.settle()
    }
  }

  /** Opens the planned round to all workers. */
  function open(): void {
    Atomics.store(control, WORD.planner, 0)
    tickets.open(counts[COUNT.round] as number, Atomics.load(control, WORD.workers))
    signal()
  }

  /** Works on the open round until no ticket is left; true if this worker finished the last partition of it. */
  function work(): boolean {
    for (;;) {
      const index = tickets.claim()
      if (index < 0) return false
      const p = round[index] as number
      home[p] = worker
      doing[worker] = p + 1
      yieldAt?.()
      runOne(p)
      doing[worker] = 0
      yieldAt?.()
      if (Atomics.sub(control, WORD.left, 1) === 1) return true
    }
  }

  /** Plans and opens rounds as long as this worker is the one that finishes them; false once all is done. */
  function lead(): boolean {
    for (;;) {
      Atomics.store(control, WORD.planner, worker + 1)
      if (!ownRounds()) return false
      open()
      if (!work()) return true
      Atomics.store(control, WORD.planner, worker + 1)
      rounds.settle()
    }
  }

  /** After the last round of a round this worker finished: goes on, or tells the lead that all is done. */
  function goOn(): void {
    rounds.settle()
    if (lead()) return
    Atomics.store(control, WORD.planner, 0)
    Atomics.store(control, WORD.state, STATE.paused)
    signal()
  }

  function hasTicketOr(state: number): boolean {
    if (Atomics.load(control, WORD.state) !== state) return true
    return tickets.isAny()
  }

  function assertNotFailed(): void {
    if (Atomics.load(control, WORD.state) !== STATE.failed) return
    // What this worker ran last is not where the fault is.
    doing[worker] = 0
    throw new GangError('another worker has failed')
  }

  function guarded<T>(body: () => T): T {
    try {
      return body()
    } catch (thrown) {
      return fail(thrown)
    }
  }

  /** Everything that was published is taken in. */
  function begin(untilPs: number): void {
    columns.until[0] = untilPs
    columns.reached.fill(0)
    columns.reachedCount[0] = 0
    for (const partition of partitions) partition.drain()
  }

  /** With others, where nothing that is sent can come back: nobody waits for a round to end. */
  function runFree(): void {
    free.open()
    for (;;) {
      free.work()
      assertNotFailed()
      if (Atomics.load(control, WORD.left) === 0) break
    }
    doing[worker] = 0
    Atomics.compareExchange(control, WORD.state, STATE.free, STATE.paused)
    assertNotFailed()
    free.close()
  }

  if (worker === 0) control[WORD.workers] = 1

  return {
    buffers,
    runUntil(untilPs, inRounds = false) {
      guarded(() => {
        assertNotFailed()
        begin(untilPs)
        if (!inRounds && options.inRounds !== true && !isJoined() && alone.run(isJoined)) {
          doing[worker] = 0
          return
        }
        doing[worker] = 0
        if (!inRounds && options.inRounds !== true && free.isPossible && isJoined()) runFree()
        rounds.begin()
        Atomics.store(control, WORD.state, STATE.running)
        if (!lead()) {
          Atomics.store(control, WORD.planner, 0)
          Atomics.store(control, WORD.state, STATE.paused)
          return
        }
        for (;;) {
          waitFor(() => hasTicketOr(STATE.running))
          assertNotFailed()
          if (Atomics.load(control, WORD.state) !== STATE.running) return
          if (work()) goOn()
        }
      })
    },
    awaitWorkers(count) {
      guarded(() => {
        const joined = () => Atomics.load(control, WORD.workers)
        waitFor(
          () => joined() >= count || Atomics.load(control, WORD.state) === STATE.failed,
          () => `more workers: ${joined()} of ${count} have come`,
        )
        assertNotFailed()
      })
    },
    release() {
      if (Atomics.load(control, WORD.state) === STATE.failed) return
      Atomics.store(control, WORD.state, STATE.ended)
      Atomics.add(control, WORD.signal, 1)
      Atomics.notify(control, WORD.signal)
      const others = () => Atomics.load(control, WORD.workers) - 1
      waitFor(
        () => others() <= 0 || Atomics.load(control, WORD.state) === STATE.failed,
        () => `the other workers to leave: ${others()} of them have not`,
      )
      assertNotFailed()
    },
    beat() {
      Atomics.add(control, WORD.signal, 1)
      Atomics.notify(control, WORD.signal)
    },
    workers: () => Atomics.load(control, WORD.workers),
    rounds: () => ({ rounds: counts[COUNT.rounds] as number, partitions: counts[COUNT.partitions] as number }),
    serve() {
      guarded(() => {
        // A run may be over, or alone again, before a thread that was asked for has started.
        if (Atomics.load(control, WORD.state) === STATE.ended) return
        Atomics.add(control, WORD.workers, 1)
        signal()
        for (;;) {
          waitFor(() => {
            const state = Atomics.load(control, WORD.state)
            if (state === STATE.free) return Atomics.load(control, WORD.left) !== 0
            return state === STATE.ended || state === STATE.failed || (state === STATE.running && hasTicketOr(state))
          })
          assertNotFailed()
          if (Atomics.load(control, WORD.state) === STATE.free) {
            free.work()
            doing[worker] = 0
            continue
          }
          if (Atomics.load(control, WORD.state) === STATE.ended) {
            Atomics.sub(control, WORD.workers, 1)
            signal()
            return
          }
          if (work()) goOn()
        }
      })
    },
    steps() {
      let sum = 0
      for (let w = 0; w < MAX_WORKERS; w++) sum += steps[w * 8] as number
      return sum
    },
  }
}
