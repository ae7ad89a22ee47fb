/**
 * Isolates: a simulation runs in threads of its own, fresh for every run.
 *
 * Fresh, because system code that is bound twice in one isolate runs two to five times slower: V8 then no longer knows
 * the column arrays as constants. The main thread only waits for events, so it can show progress and take Ctrl-C.
 */
import { MessageChannel, type MessagePort, type ResourceLimits, receiveMessageOnPort } from 'node:worker_threads'
import { FixedQueue, Piscina } from 'piscina'
import { failRun } from './gang.js'
import type { Crew, IsolateMessage, IsolateOutcome, IsolateTask, ShownRun } from './isolate-entry.js'
import { causeOf, IsolateError, isolateErrorFrom } from './isolate-error.js'
import { attachRunnerColumns, MAX_WORKERS } from './runner-columns.js'
import type { StopWord } from './stop-word.js'
import { createStopWord } from './stop-word.js'

/** What to run in an isolate and how to hear from it. */
export interface IsolateRun<Message = unknown> {
  /** File URL of the module to load in the thread. */
  readonly moduleUrl: string
  /** Its export: `(payload, context: IsolateContext) => result`. */
  readonly exportName: string
  /** Cloned into the thread. */
  readonly payload: unknown
  /** Called on the main thread for every message, in order, all of them before the result. */
  readonly onMessage?: (message: Message) => void
  readonly stop?: StopWord
  /** Wall milliseconds after a requested stop at which a thread that still runs is ended; default 10000. */
  readonly stopGraceMs?: number
  /** Heap limits of each thread, MiB; shared columns do not count. */
  readonly resourceLimits?: ResourceLimits
  /** Node options of the threads. */
  readonly execArgv?: readonly string[]
}

const STOP_LOOK_EVERY_MS = 50
const STOP_GRACE_MS = 10_000
/** How long the threads of a failed run may take to say what happened to them. */
const FAULT_GRACE_MS = 1000
/** How long a leading thread may take to stop before the error says where the threads were. */
const STOPPED_GRACE_MS = 200

/** Rejects when a thread ends or breaks in a way that the pool tells nobody whose task still waits. */
class ThreadWatch {
  readonly fault: Promise<never>
  readonly #pool: Piscina
  readonly #watched = new Set<unknown>()
  #reject: (reason: unknown) => void = () => {}

  constructor(pool: Piscina) {
    this.#pool = pool
    this.fault = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
    pool.on('error', this.#reject)
    this.look()
  }

  /** Watches the threads that are new: the pool tells of one only once it works, and one may end before that. */
  look(): void {
    for (const thread of this.#pool.threads) {
      if (this.#watched.has(thread)) continue
      this.#watched.add(thread)
      thread.on('error', this.#reject)
      // The answer of a thread that exits right after it arrives first when both are due.
      thread.on('exit', (code) => setImmediate(() => this.#reject(new Error(`worker exited with code: ${code}`))))
    }
  }
}

/** Rejects when a requested stop is not obeyed; `cancel` ends the watch. */
function watchStop(stop: StopWord, graceMs: number): { late: Promise<never>; cancel: () => void } {
  let looks = 0
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setInterval(() => {
      if (!stop.requested) return
      looks++
      if (looks * STOP_LOOK_EVERY_MS < graceMs) return
      reject(new IsolateError('stuck', `the simulation thread did not stop within ${graceMs} ms of being asked to`))
    }, STOP_LOOK_EVERY_MS)
    timer.unref()
  })
  return { late, cancel: () => clearInterval(timer) }
}

function startPool<Message>(run: IsolateRun<Message>, waiting: FixedQueue): Piscina {
  try {
    return new Piscina({
      filename: new URL('./isolate-entry.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: MAX_WORKERS,
      recordTiming: false,
      // A helper that is done must not end before the run: its end would be taken for a fault.
      idleTimeout: Number.POSITIVE_INFINITY,
      taskQueue: waiting,
      ...(run.resourceLimits === undefined ? {} : { resourceLimits: run.resourceLimits }),
      ...(run.execArgv === undefined ? {} : { execArgv: [...run.execArgv] }),
    })
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new IsolateError('start', `the simulation thread could not start: ${reason}`)
  }
}

interface Inbox {
  /** Rejects with what a listener threw. */
  readonly fault: Promise<never>
  /** Hands over what was posted and not yet delivered; throws what a listener throws. */
  drain(): void
  /** As `drain`, for a run that has failed already: what a listener throws now is not told. */
  drainQuietly(): void
}

function listen(port: MessagePort, onMessage: (message: IsolateMessage) => void): Inbox {
  let reject: (reason: unknown) => void = () => {}
  const fault = new Promise<never>((_resolve, rejectFault) => {
    reject = rejectFault
  })
  port.on('message', (message: IsolateMessage) => {
    try {
      onMessage(message)
    } catch (thrown) {
      reject(new ListenerFault(thrown))
    }
  })
  // The pool's own port keeps the process alive while the thread works; this one must not after it.
  port.unref()
  function drain(): void {
    for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port)) {
      onMessage(left.message)
    }
  }
  return {
    fault,
    drain,
    drainQuietly() {
      try {
        drain()
      } catch {}
    },
  }
}

/** Carries what the caller's own `onMessage` threw past the translation of thread faults. */
class ListenerFault {
  readonly thrown: unknown

  constructor(thrown: unknown) {
    this.thrown = thrown
  }
}

/** Resolves with `event`, or after `graceMs`. */
async function within(event: Promise<unknown>, graceMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([event, late])
  clearTimeout(timer)
}

/** The threads that help the leading one: at first there are none. */
class CrewWatch {
  readonly fault: Promise<never>
  readonly errors: IsolateError[] = []
  readonly #start: (worker: number, crew: Crew) => Promise<IsolateOutcome>
  readonly #ends: Promise<void>[] = []
  #shown: ShownRun | null = null
  #reject: (error: IsolateError) => void = () => {}

  constructor(start: (worker: number, crew: Crew) => Promise<IsolateOutcome>) {
    this.#start = start
    this.fault = new Promise((_resolve, reject) => {
      this.#reject = reject
    })
    // Nobody may be listening any more when the last thread ends.
    this.fault.catch(() => {})
  }

  show(shown: ShownRun): void {
    this.#shown = shown
  }

  recruit(crew: Crew): void {
    this.#shown = crew
    for (let worker = 1; worker <= crew.count; worker++) this.#ends.push(this.#watch(worker, crew))
  }

  async #watch(worker: number, crew: Crew): Promise<void> {
    try {
      const outcome = await this.#start(worker, crew)
      if (!outcome.ok) throw new IsolateError(outcome.failure, outcome.message, outcome)
    } catch (thrown) {
      const error = isolateErrorFrom(thrown)
      this.errors.push(error)
      this.stop()
      this.#reject(error)
    }
  }

  /** Makes every thread of the run stop waiting for the others. */
  stop(): void {
    if (this.#shown !== null) failRun(this.#shown.buffers)
  }

  /** Resolves when all threads have ended, or after `graceMs`. */
  ended(graceMs: number): Promise<void> {
    return within(Promise.all(this.#ends), graceMs)
  }

  /** What a thread that has died was at, or an empty text. */
  where(): string {
    if (this.#shown === null) return ''
    const { buffers, partitions } = this.#shown
    const { doing, next } = attachRunnerColumns(buffers)
    const places: string[] = []
    doing.forEach((partition, worker) => {
      if (partition === 0) return
      const at = `${(next[partition - 1] as number) / 1e9} ms`
      places.push(`${partitions[partition - 1]} at ${at} (worker ${worker})`)
    })
    return places.length === 0 ? '' : ` while it ran ${places.join(' or ')}`
  }
}

/**
 * Runs one export of one module in a fresh thread and resolves with what it returned. The thread may ask for more threads
 * to help it (`IsolateContext.recruit`).
 *
 * Rejects with one {@link IsolateError} if a thread cannot start, the module cannot be loaded, an export throws, a thread
 * exits, runs out of memory, or does not stop when asked to; it never stays pending after a thread is gone, and no thread
 * outlives it. What `onMessage` throws ends the run and is passed on as it is.
 */
export async function runInIsolate<Result, Message = unknown>(run: IsolateRun<Message>): Promise<Result> {
  const stop = run.stop ?? createStopWord()
  const waiting = new FixedQueue()
  const pool = startPool(run, waiting)
  const threads = new ThreadWatch(pool)
  const { port1, port2 } = new MessageChannel()
  const { moduleUrl, exportName, payload } = run
  const crew = new CrewWatch((worker, { exportName, payload }) => {
    try {
      const task: IsolateTask = { moduleUrl, exportName, payload, port: null, stop: stop.buffer, worker }
      const outcome = pool.run(task)
      threads.look()
      return outcome
    } catch (thrown) {
      // Its task would wait for a thread that nobody starts, and be rejected at the end with nobody listening.
      while (waiting.size > 0) waiting.shift()
      throw thrown
    }
  })
  const inbox = listen(port1, (message) => {
    if ('crew' in message) {
      if (!isAnswered) crew.recruit(message.crew)
    } else if ('shown' in message) crew.show(message.shown)
    else run.onMessage?.(message.message as Message)
  })
  // A run may be over before its threads were asked for.
  let isAnswered = false
  const stopWatch = watchStop(stop, run.stopGraceMs ?? STOP_GRACE_MS)
  const task: IsolateTask = { moduleUrl, exportName, payload, port: port2, stop: stop.buffer, worker: 0 }
  try {
    const answer: Promise<IsolateOutcome> = pool.run(task, { transferList: [port2] })
    const outcome = await settle(
      Promise.race([answer, threads.fault, stopWatch.late, inbox.fault, crew.fault]),
      crew,
      answer,
      inbox,
    )
    isAnswered = true
    inbox.drain()
    await crew.ended(FAULT_GRACE_MS)
    return outcome as Result
  } finally {
    stopWatch.cancel()
    port1.close()
    await pool.destroy()
  }
}

/** Value of the leading thread, or the one error that caused the run to fail. */
async function settle(
  first: Promise<IsolateOutcome>,
  crew: CrewWatch,
  answer: Promise<IsolateOutcome>,
  inbox: Inbox,
): Promise<unknown> {
  const errors: IsolateError[] = []
  try {
    const outcome = await first
    if (outcome.ok) return outcome.value
    errors.push(new IsolateError(outcome.failure, outcome.message, outcome))
  } catch (thrown) {
    crew.stop()
    if (thrown instanceof ListenerFault) throw thrown.thrown
    errors.push(isolateErrorFrom(thrown))
  }
  crew.stop()
  // The thread that was heard of first may only have stopped waiting for the one that failed.
  const lead = answer.then(
    (outcome) => {
      if (!outcome.ok) errors.push(new IsolateError(outcome.failure, outcome.message, outcome))
    },
    () => {},
  )
  await Promise.race([lead, crew.ended(FAULT_GRACE_MS)])
  await crew.ended(FAULT_GRACE_MS)
  const found = () => causeOf([...errors, ...crew.errors]) as IsolateError
  // Those that helped can be heard of, all of them, before the leading thread for which they stopped.
  if (found().failure === 'gang') await within(lead, FAULT_GRACE_MS)
  const cause = found()
  if (cause.failure !== 'exited' && cause.failure !== 'out-of-memory') throw cause
  // A leading thread that is alive stops now, and is then at no place any more.
  await within(lead, STOPPED_GRACE_MS)
  // A thread may end before the message is read by which it has shown where it is.
  inbox.drainQuietly()
  throw new IsolateError(cause.failure, `${cause.message}${crew.where()}`)
}
