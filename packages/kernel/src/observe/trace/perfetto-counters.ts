import { counterEvent } from './perfetto-events.js'

/** A number that changes; changes are applied in the order of time, which is not that in which they were noticed. */
export interface CounterTrack {
  readonly pid: number
  readonly name: string
  readonly unit: string
  value: number
  /** Value that was written last, and when. */
  written: number
  writtenPs: number
}

/** A change of a counter: by a number, or to one. */
export interface CounterChange {
  readonly track: CounterTrack
  readonly by?: number
  readonly to?: number
}

/** Least time between two values of a counter in a trace that samples packets, ps. */
const SAMPLED_GAP_PS = 1_000_000

/** A track that begins at `value`. */
export function counterTrack(pid: number, name: string, unit: string, value = 0): CounterTrack {
  return { pid, name, unit, value, written: Number.NaN, writtenPs: Number.NEGATIVE_INFINITY }
}

/** Applies a change; the event to write, or null where nothing has changed or a sampled trace has just told. */
export function applyChange({ track, by = 0, to }: CounterChange, atPs: number, isSampled: boolean): string | null {
  track.value = to ?? track.value + by
  if (track.value === track.written) return null
  if (isSampled && atPs - track.writtenPs < SAMPLED_GAP_PS) return null
  track.written = track.value
  track.writtenPs = atPs
  return counterEvent(track.pid, track.name, track.unit, atPs, track.value)
}
