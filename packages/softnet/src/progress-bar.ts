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

/** What a run had done when it was first heard of: one that goes on from a checkpoint did not do that now. */
type Start = Pick<Progress, 'simulatedPs' | 'elapsedMs' | 'offered'>

function rateText(progress: Progress, start: Start): string {
  const tookMs = progress.elapsedMs - start.elapsedMs
  const perSec = tookMs > 0 ? ((progress.offered - start.offered) / tookMs) * 1000 : 0
  if (perSec >= 1e6) return `${(perSec / 1e6).toFixed(2)} M packets/s`
  if (perSec >= 1e3) return `${(perSec / 1e3).toFixed(1)} k packets/s`
  return `${perSec.toFixed(0)} packets/s`
}

function leftText(progress: Progress, start: Start): string {
  if (progress.simulatedPs === start.simulatedPs) return '?'
  const msPerPs = (progress.elapsedMs - start.elapsedMs) / (progress.simulatedPs - start.simulatedPs)
  const leftMs = msPerPs * (progress.durationPs - progress.simulatedPs)
  return formatTime(Math.round(leftMs / 100) * 100 * NS_PER_MS)
}

/** A progress bar on a stream, silent unless that is a terminal. */
export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  const bar = createTerminalBar(stream, FORMAT)
  let start: Start | null = null
  return {
    update(progress) {
      start ??= progress
      const shown = {
        simulated: formatTime(progress.simulatedPs / PS_PER_NS),
        whole: formatTime(progress.durationPs / PS_PER_NS),
        rate: rateText(progress, start),
        left: leftText(progress, start),
      }
      bar.show(progress.durationPs, progress.simulatedPs, shown)
    },
    stop: () => bar.stop(),
  }
}
