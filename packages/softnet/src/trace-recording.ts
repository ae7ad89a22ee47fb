import type { TraceRecorder } from '@softnet/kernel'
import type { TraceSummary } from '@softnet/scenario/plan'
import { TraceAppender } from './trace-appender.js'
import type { TracePart } from './trace-file.js'

/** Simulated time between two times at which events are written, ps: where a limit is noticed must not depend on the host. */
const PIECE_PS = 100_000_000
const PS_PER_NS = 1000

/** The trace of a run that is under way, inside its isolate. */
export class TraceRecording {
  readonly #part: TracePart
  readonly #recorder: TraceRecorder
  readonly #appender: TraceAppender
  #toPs: number
  #isCut = false
  #isOpen = true

  constructor(part: TracePart, recorder: TraceRecorder) {
    this.#part = part
    this.#recorder = recorder
    this.#toPs = recorder.window.toPs
    this.#appender = new TraceAppender(part.file, part.isCompressed)
  }

  /** Where the run has to stop for a moment on its way from `nowPs` to `untilPs`, so that few events wait in memory. */
  nextStopPs(nowPs: number, untilPs: number): number {
    const { fromPs } = this.#recorder.window
    if (!this.#isOpen) return untilPs
    if (nowPs < fromPs) return Math.min(untilPs, fromPs)
    return Math.min(untilPs, (Math.floor(nowPs / PIECE_PS) + 1) * PIECE_PS)
  }

  /** Writes what is known; the trace ends here if it has reached its limit or the end of its window. */
  reached(nowPs: number): void {
    if (!this.#isOpen) return
    // Other stops are where the host's speed puts them.
    if (nowPs % PIECE_PS !== 0 && nowPs < this.#toPs) return
    this.#appender.append(this.#recorder.take(nowPs))
    this.#isCut = this.#appender.textBytes >= this.#part.limitBytes && nowPs < this.#toPs
    if (this.#isCut || nowPs > this.#toPs) this.finish(nowPs)
  }

  /** Writes all that is left. */
  finish(endPs: number): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#toPs = Math.min(this.#toPs, endPs)
    this.#appender.append(this.#recorder.close(endPs))
    if (this.#recorder.head !== null) this.#appender.replaceHead(this.#recorder.head)
  }

  summary(): TraceSummary {
    const { kind, sample } = this.#part
    return {
      kind,
      events: this.#recorder.events,
      bytes: this.#appender.textBytes,
      from_ns: Math.min(this.#recorder.window.fromPs, this.#toPs) / PS_PER_NS,
      to_ns: this.#toPs / PS_PER_NS,
      sample,
      cut: this.#isCut,
    }
  }

  close(): void {
    this.#appender.close()
  }
}
