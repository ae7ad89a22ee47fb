/** The bar on stderr while a run goes on; nothing where stderr is no terminal. */

import { formatTime } from '@softnet/observe'
import { SingleBar } from 'cli-progress'
import type { Progress } from './run-plan.js'

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
  if (!stream.isTTY) return { update() {}, stop() {} }
  const bar = new SingleBar({
    stream,
    format: FORMAT,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    // A second Ctrl-C ends the process at once and would leave a hidden cursor behind.
    hideCursor: false,
    clearOnComplete: true,
  })
  let started = false
  return {
    update(progress) {
      const shown = {
        simulated: formatTime(progress.simulatedPs / PS_PER_NS),
        whole: formatTime(progress.durationPs / PS_PER_NS),
        rate: rateText(progress),
        left: leftText(progress),
      }
      if (!started) bar.start(progress.durationPs, progress.simulatedPs, shown)
      else bar.update(progress.simulatedPs, shown)
      started = true
    },
    stop() {
      if (started) bar.stop()
    },
  }
}
