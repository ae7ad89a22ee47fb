/**
 * Isolates: a simulation runs in a thread of its own, fresh for every run.
 *
 * Fresh, because system code that is bound twice in one isolate runs two to five times slower: V8 then no longer knows
 * the column arrays as constants. The main thread only waits for events, so it can show progress and take Ctrl-C.
 */
import { MessageChannel, type MessagePort, type ResourceLimits, receiveMessageOnPort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { IsolateOutcome, IsolateTask } from './isolate-entry.js'
import { IsolateError, isolateErrorFrom } from './isolate-error.js'
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
  /** Heap limits of the thread, MiB; shared columns do not count. */
  readonly resourceLimits?: ResourceLimits
  /** Node options of the thread. */
  readonly execArgv?: readonly string[]
}

const STOP_LOOK_EVERY_MS = 50
const STOP_GRACE_MS = 10_000

/** Rejects when the thread ends or breaks in a way that the pool tells nobody whose task still waits. */
function watchThread(pool: Piscina): Promise<never> {
  return new Promise((_resolve, reject) => {
    pool.on('error', reject)
    for (const thread of pool.threads) {
      thread.on('error', reject)
      // The answer of a thread that exits right after it arrives first when both are due.
      thread.on('exit', (code) => setImmediate(() => reject(new Error(`worker exited with code: ${code}`))))
    }
  })
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

function startPool<Message>(run: IsolateRun<Message>): Piscina {
  try {
    return new Piscina({
      filename: new URL('./isolate-entry.js', import.meta.url).href,
      minThreads: 1,
      maxThreads: 1,
      recordTiming: false,
      ...(run.resourceLimits === undefined ? {} : { resourceLimits: run.resourceLimits }),
      ...(run.execArgv === undefined ? {} : { execArgv: [...run.execArgv] }),
    })
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new IsolateError('start', `the simulation thread could not start: ${reason}`)
  }
}

interface Inbox {
  /** Rejects with what `onMessage` threw. */
  readonly fault: Promise<never>
  /** Hands over what was posted and not yet delivered; throws what `onMessage` throws. */
  drain(): void
}

function listen<Message>(port: MessagePort, onMessage: ((message: Message) => void) | undefined): Inbox {
  let reject: (reason: unknown) => void = () => {}
  const fault = new Promise<never>((_resolve, rejectFault) => {
    reject = rejectFault
  })
  port.on('message', (message: Message) => {
    try {
      onMessage?.(message)
    } catch (thrown) {
      reject(new ListenerFault(thrown))
    }
  })
  // The pool's own port keeps the process alive while the thread works; this one must not after it.
  port.unref()
  return {
    fault,
    drain() {
      for (let left = receiveMessageOnPort(port); left !== undefined; left = receiveMessageOnPort(port)) {
        onMessage?.(left.message)
      }
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

/**
 * Runs one export of one module in a fresh thread and resolves with what it returned.
 *
 * Rejects with one {@link IsolateError} if the thread cannot start, the module cannot be loaded, the export throws, the
 * thread exits, runs out of memory, or does not stop when asked to; it never stays pending after the thread is gone.
 * What `onMessage` throws ends the run and is passed on as it is.
 */
export async function runInIsolate<Result, Message = unknown>(run: IsolateRun<Message>): Promise<Result> {
  const stop = run.stop ?? createStopWord()
  const pool = startPool(run)
  const { port1, port2 } = new MessageChannel()
  const inbox = listen(port1, run.onMessage)
  const stopWatch = watchStop(stop, run.stopGraceMs ?? STOP_GRACE_MS)
  const task: IsolateTask = {
    moduleUrl: run.moduleUrl,
    exportName: run.exportName,
    payload: run.payload,
    port: port2,
    stop: stop.buffer,
  }
  try {
    const answer: Promise<IsolateOutcome> = pool.run(task, { transferList: [port2] })
    const outcome = await settle(Promise.race([answer, watchThread(pool), stopWatch.late, inbox.fault]))
    inbox.drain()
    if (!outcome.ok) throw new IsolateError(outcome.failure, outcome.message, outcome)
    return outcome.value as Result
  } finally {
    stopWatch.cancel()
    port1.close()
    await pool.destroy()
  }
}

async function settle(outcome: Promise<IsolateOutcome>): Promise<IsolateOutcome> {
  try {
    return await outcome
  } catch (thrown) {
    if (thrown instanceof ListenerFault) throw thrown.thrown
    throw isolateErrorFrom(thrown)
  }
}
