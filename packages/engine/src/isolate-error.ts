/** How an isolate failed; `gang`: it stopped because another thread of its run did not go on. */
export type IsolateFailure = 'start' | 'load' | 'threw' | 'exited' | 'out-of-memory' | 'stuck' | 'gang'

/** The one error a failed isolate ends in, whatever went wrong inside it. */
export class IsolateError extends Error {
  readonly failure: IsolateFailure
  /** Name of the error class inside the isolate, empty where nothing was thrown there. */
  readonly thrownName: string
  /** Stack inside the isolate, empty where nothing was thrown there. */
  readonly thrownStack: string

  constructor(failure: IsolateFailure, message: string, thrown: { name?: string; stack?: string } = {}) {
    super(message)
    this.name = 'IsolateError'
    this.failure = failure
    this.thrownName = thrown.name ?? ''
    this.thrownStack = thrown.stack ?? ''
  }
}

/** Turns whatever the pool reports about a thread into an {@link IsolateError}. */
export function isolateErrorFrom(reported: unknown): IsolateError {
  if (reported instanceof IsolateError) return reported
  const error = reported instanceof Error ? reported : new Error(String(reported))
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new IsolateError('out-of-memory', 'the simulation thread ran out of memory')
  }
  if (code === 'ERR_WORKER_INIT_FAILED' || code === 'ERR_WORKER_INVALID_EXEC_ARGV') {
    return new IsolateError('start', `the simulation thread could not start: ${error.message}`)
  }
  const exit = /^worker exited with code: (-?\d+)$/.exec(error.message)
  if (exit) return new IsolateError('exited', `the simulation thread exited with code ${exit[1]} before its run ended`)
  return new IsolateError('threw', error.message, { name: error.name, stack: error.stack ?? '' })
}

/** Of the errors of several threads of one run the one that is the cause: a thread that only stopped waiting is not. */
export function causeOf(errors: readonly IsolateError[]): IsolateError | undefined {
  const rank: Record<IsolateFailure, number> = {
    'out-of-memory': 0,
    threw: 1,
    load: 2,
    start: 3,
    exited: 4,
    stuck: 5,
    gang: 6,
  }
  return [...errors].sort((a, b) => rank[a.failure] - rank[b.failure])[0]
}
