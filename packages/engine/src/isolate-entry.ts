/**
 * First code of every isolate: loads the module it is told to, calls one export, and reports what that threw.
 *
 * The pool (Piscina) loads this file in a fresh thread; nothing else imports it for its value.
 */
import { Console } from 'node:console'
import type { MessagePort } from 'node:worker_threads'
import type { RunnerBuffers } from './runner-columns.js'
import { attachStopWord } from './stop-word.js'

/** What the main thread looks at when a thread dies: where it was, and by what the others learn of it. */
export interface ShownRun {
  readonly buffers: RunnerBuffers
  /** Names of the partitions, by position. */
  readonly partitions: readonly string[]
}

/** More threads for a run: what each of them calls, and the columns they share with the thread that asks for them. */
export interface Crew extends ShownRun {
  /** Export of the same module: `(payload, context) => void`, called once per thread with `context.worker` 1 … count. */
  readonly exportName: string
  readonly count: number
  /** Cloned into each thread. */
  readonly payload: unknown
}

/** What the called export gets besides its payload. */
export interface IsolateContext<Message = unknown> {
  /** Sends a message to the main thread at once, also from the middle of a run; buffers in `transfer` move. */
  post(message: Message, transfer?: readonly ArrayBuffer[]): void
  /** True once the main thread asked for an early end. */
  stopRequested(): boolean
  /** Number of this thread in its run: 0 is the one that leads. */
  readonly worker: number
  /** Lets the main thread say, if this thread dies, which partition it ran and when. */
  show(run: ShownRun): void
  /** Asks for more threads; returns at once. If one of them fails, so does the run. Only the leading thread may ask, once. */
  recruit(crew: Crew): void
}

/** What the main thread posts to an isolate. */
export interface IsolateTask {
  readonly moduleUrl: string
  readonly exportName: string
  readonly payload: unknown
  /** Only the leading thread has one. */
  readonly port: MessagePort | null
  readonly stop: SharedArrayBuffer
  readonly worker: number
}

/** What the leading thread posts to the main thread. */
export type IsolateMessage = { readonly message: unknown } | { readonly shown: ShownRun } | { readonly crew: Crew }

/** What comes back: a fault is data, since a cloned error would lose its class and fields. */
export type IsolateOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly failure: 'load' | 'threw' | 'gang'
      readonly name: string
      readonly message: string
      readonly stack: string
    }

function describe(failure: 'load' | 'threw' | 'gang', thrown: unknown): IsolateOutcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return { ok: false, failure, name: error.name, message: error.message, stack: error.stack ?? '' }
}

// By its name: the module that was called may bring a copy of this package of its own.
const isGangError = (thrown: unknown): boolean => thrown instanceof Error && thrown.name === 'GangError'

/** Runs one task; Piscina calls it once per thread. */
export default async function runTask(task: IsolateTask): Promise<IsolateOutcome> {
  // Output of user code must not mix with the one document the command line prints on stdout.
  globalThis.console = new Console(process.stderr, process.stderr)
  const stop = attachStopWord(task.stop)
  const context: IsolateContext = {
    post: (message, transfer) => task.port?.postMessage({ message }, transfer === undefined ? [] : [...transfer]),
    stopRequested: () => stop.requested,
    worker: task.worker,
    show: (shown) => task.port?.postMessage({ shown }),
    recruit: (crew) => task.port?.postMessage({ crew }),
  }
  let called: unknown
  try {
    const module: Record<string, unknown> = await import(task.moduleUrl)
    called = module[task.exportName]
    if (typeof called !== 'function') throw new Error(`${task.moduleUrl} exports no function named ${task.exportName}`)
  } catch (thrown) {
    task.port?.close()
    return describe('load', thrown)
  }
  try {
    // Cloned here once so that a value that cannot cross threads is a fault with its own words.
    return { ok: true, value: structuredClone(await called(task.payload, context)) }
  } catch (thrown) {
    return describe(isGangError(thrown) ? 'gang' : 'threw', thrown)
  } finally {
    task.port?.close()
  }
}
