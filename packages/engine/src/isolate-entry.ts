/**
 * First code of every isolate: loads the module it is told to, calls one export, and reports what that threw.
 *
 * The pool (Piscina) loads this file in a fresh thread; nothing else imports it for its value.
 */
import { Console } from 'node:console'
import type { MessagePort } from 'node:worker_threads'
import { attachStopWord } from './stop-word.js'

/** What the called export gets besides its payload. */
export interface IsolateContext<Message = unknown> {
  /** Sends a message to the main thread at once, also from the middle of a run; buffers in `transfer` move. */
  post(message: Message, transfer?: readonly ArrayBuffer[]): void
  /** True once the main thread asked for an early end. */
  stopRequested(): boolean
}

/** What the main thread posts to an isolate. */
export interface IsolateTask {
  readonly moduleUrl: string
  readonly exportName: string
  readonly payload: unknown
  readonly port: MessagePort
  readonly stop: SharedArrayBuffer
}

/** What comes back: a fault is data, since a cloned error would lose its class and fields. */
export type IsolateOutcome =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false
      readonly failure: 'load' | 'threw'
      readonly name: string
      readonly message: string
      readonly stack: string
    }

function describe(failure: 'load' | 'threw', thrown: unknown): IsolateOutcome {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return { ok: false, failure, name: error.name, message: error.message, stack: error.stack ?? '' }
}

/** Runs one task; Piscina calls it once per thread. */
export default async function runTask(task: IsolateTask): Promise<IsolateOutcome> {
  // Output of user code must not mix with the one document the command line prints on stdout.
  globalThis.console = new Console(process.stderr, process.stderr)
  const stop = attachStopWord(task.stop)
  const context: IsolateContext = {
    post: (message, transfer) => task.port.postMessage(message, transfer === undefined ? [] : [...transfer]),
    stopRequested: () => stop.requested,
  }
  let called: unknown
  try {
    const module: Record<string, unknown> = await import(task.moduleUrl)
    called = module[task.exportName]
    if (typeof called !== 'function') throw new Error(`${task.moduleUrl} exports no function named ${task.exportName}`)
  } catch (thrown) {
    task.port.close()
    return describe('load', thrown)
  }
  try {
    // Cloned here once so that a value that cannot cross threads is a fault with its own words.
    return { ok: true, value: structuredClone(await called(task.payload, context)) }
  } catch (thrown) {
    return describe('threw', thrown)
  } finally {
    task.port.close()
  }
}
