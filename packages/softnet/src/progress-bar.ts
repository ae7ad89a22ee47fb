/** The bar on stderr while a run goes on; nothing where stderr is no terminal. */

import { formatTime } from '@softnet/observe'
import type { Progress } from './run-plan.js'
import { createTerminalBar } from './terminal-bar.js'

/** Shows how far a run is. */
export interface ProgressBar {
  update(progress: Progress): void
  /** Removes the bar. */
  stop(): void
}

const FORMAT = '{bar} {percentage}%  {simulated} of {whole}  {rate}  {left} left'
const PS_PER_NS = 1000
const NS_PER_MS = 1e6

function rateText(progress: Progress): string {
  const perSec = progress.elapsedMs > 0 ? (progress.offered / progress.elapsedMs) * 1000 : 0
  if (perSec >= 1e6) return `${(perSec / 1e6).toFixed(2)} M packets/s`
  if (perSec >= 1e3) return `${(perSec / 1e3).toFixed(1)} k packets/s`
  return `${perSec.toFixed(0)} packets/s`
}

function leftText(progress: Progress): string {
  if (progress.simulatedPs === 0) return '?'
  const leftMs = progress.elapsedMs * (progress.durationPs / progress.simulatedPs - 1)
  return formatTime(Math.round(leftMs / 100) * 100 * NS_PER_MS)
}

/** A progress bar on a stream, silent unless that is a terminal. */
export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  const bar = createTerminalBar(stream, FORMAT)
  return {
    update(progress) {
      const shown = {
        simulated: formatTime(progress.simulatedPs / PS_PER_NS),
        whole: formatTime(progress.durationPs / PS_PER_NS),
        rate: rateText(progress),
        left: leftText(progress),
      }
      bar.show(progress.durationPs, progress.simulatedPs, shown)
    },
    stop: () => bar.stop(),
  }
}
