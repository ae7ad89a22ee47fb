/** The bar on stderr while a sweep goes on; nothing where stderr is no terminal. */
import { formatTime } from '@softnet/observe'
import type { SweepProgress } from './sweep/run-points.js'
import { createTerminalBar } from './terminal-bar.js'

/** Shows how far a sweep is. */
export interface SweepBar {
  update(progress: SweepProgress): void
  /** Removes the bar. */
  stop(): void
}

const FORMAT = '{bar} {percentage}%  {done} of {all} runs{failed}  {left} left'
const STEPS = 1000
const NS_PER_MS = 1e6
const MS_PER_MINUTE = 60_000
const MINUTES_PER_HOUR = 60

/** Time left: seconds below a minute, minutes below an hour, hours and minutes above. */
export function leftText(leftMs: number | null): string {
  if (leftMs === null) return '?'
  if (leftMs < MS_PER_MINUTE) return formatTime(Math.round(leftMs / 100) * 100 * NS_PER_MS)
  const minutes = Math.round(leftMs / MS_PER_MINUTE)
  if (minutes < MINUTES_PER_HOUR) return `${minutes} min`
  return `${Math.floor(minutes / MINUTES_PER_HOUR)} h ${minutes % MINUTES_PER_HOUR} min`
}

/** A progress bar of a sweep on a stream, silent unless that is a terminal. */
export function createSweepBar(stream: NodeJS.WriteStream): SweepBar {
  const bar = createTerminalBar(stream, FORMAT)
  return {
    update({ all, done, failed, share, leftMs }) {
      const shown = { all, done, failed: failed === 0 ? '' : `, ${failed} failed`, left: leftText(leftMs) }
      bar.show(STEPS, Math.floor(share * STEPS), shown)
    },
    stop: () => bar.stop(),
  }
}
