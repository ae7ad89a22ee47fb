/**
 * One shared word by which the main thread asks an isolate to end early.
 *
 * A message would not do: an isolate that is in the middle of a run reads no messages until it returns.
 */
export interface StopWord {
  /** The word itself, to be posted to the isolate: 0 run on, 1 stop. */
  readonly buffer: SharedArrayBuffer
  /** Asks for the stop; more than once is harmless. */
  request(): void
  /** True once the stop was asked for, in whichever thread reads it. */
  readonly requested: boolean
}

/** Attaches to a stop word made in another thread. */
export function attachStopWord(buffer: SharedArrayBuffer): StopWord {
  const word = new Int32Array(buffer)
  return {
    buffer,
    request() {
      Atomics.store(word, 0, 1)
      Atomics.notify(word, 0)
    },
    get requested() {
      return Atomics.load(word, 0) !== 0
    },
  }
}

/** Makes a stop word that is not requested. */
export function createStopWord(): StopWord {
  return attachStopWord(new SharedArrayBuffer(4))
}
