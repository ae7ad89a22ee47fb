/** One shared number by which the main thread knows, at any moment, whether files belong to a checkpoint. */
export interface CheckpointWord {
  /** To be posted to the isolate. */
  readonly buffer: SharedArrayBuffer
  /** Simulated time of the last checkpoint, ps; −1: there is none. */
  lastPs: number
}

/** Attaches to a word made in another thread. */
export function attachCheckpointWord(buffer: SharedArrayBuffer): CheckpointWord {
  const word = new Float64Array(buffer)
  return {
    buffer,
    get lastPs() {
      return word[0] as number
    },
    set lastPs(ps) {
      word[0] = ps
    },
  }
}

/** Makes a word that says when the last checkpoint was written, ps; −1: not yet. */
export function createCheckpointWord(lastPs: number): CheckpointWord {
  const word = attachCheckpointWord(new SharedArrayBuffer(8))
  word.lastPs = lastPs
  return word
}
