/** Ctrl-C: the first asks, the second ends the process. */
import { removeStaged } from './staging.js'

const EXIT_INTERRUPTED = 130

/** Calls `first` at the first SIGINT or SIGTERM; the next one ends the process at once. */
export function onInterrupt(first: () => void): { release(): void } {
  let asked = false
  const handle = () => {
    if (asked) {
      removeStaged()
      process.exit(EXIT_INTERRUPTED)
    }
    asked = true
    first()
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return {
    release() {
      process.off('SIGINT', handle)
      process.off('SIGTERM', handle)
    },
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Loads a module that somebody else wrote: until it is there a signal ends the process, since a module that never comes to
 * an end would keep us from hearing of it.
 */
export async function interruptibly<Value>(load: () => Promise<Value>): Promise<Value> {
  const silenced = SIGNALS.map((signal) => [signal, process.listeners(signal)] as const)
  for (const [signal] of silenced) process.removeAllListeners(signal)
  try {
    return await load()
  } finally {
    for (const [signal, listeners] of silenced) for (const listener of listeners) process.on(signal, listener)
  }
}
