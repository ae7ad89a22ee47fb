import type { TraceSink } from '../trace-sink.js'

/** What of a run is recorded. */
export interface TraceWindow {
  /** Simulated time of the first event, ps. */
  readonly fromPs: number
  /** Events from here on are not recorded, ps. */
  readonly toPs: number
  /** Packets are followed whose serial number is one more than a multiple of this, ≥ 1. */
  readonly sample: number
}

/** Records a run as text while it goes; an observer: the run is the same with and without it. */
export interface TraceRecorder {
  /** What the model has to tell. */
  readonly sink: TraceSink
  /** Ends at `TraceWindow.toPs`, or where it was closed. */
  readonly window: TraceWindow
  /** Events seen so far, ones that are not yet written included. */
  readonly events: number
  /** Text of every event before `upToPs`, which the run has reached; the first call begins the document. */
  take(upToPs: number): string[]
  /** Text of all that is left and the end of the document; nothing is recorded afterwards. */
  close(endPs: number): string[]
  /** What the document is to begin with instead, known when it is closed: of the same length; null: it is right as it is. */
  readonly head: string | null
}

/** True for packets that a sampled trace follows. Packets that the host makes have negative serial numbers. */
export function isSampled(serial: number, sample: number): boolean {
  return sample === 1 || (Math.abs(serial) - 1) % sample === 0
}

const CHUNK_CHARACTERS = 1 << 20

/** Joins lines to pieces of about a megabyte, so that a file is not written line by line. */
export class TextChunks {
  readonly #chunks: string[] = []
  #lines: string[] = []
  #length = 0

  add(line: string): void {
    this.#lines.push(line)
    this.#length += line.length
    if (this.#length >= CHUNK_CHARACTERS) this.#flush()
  }

  take(): string[] {
    this.#flush()
    return this.#chunks.splice(0)
  }

  #flush(): void {
    if (this.#length === 0) return
    this.#chunks.push(this.#lines.join(''))
    this.#lines = []
    this.#length = 0
  }
}
