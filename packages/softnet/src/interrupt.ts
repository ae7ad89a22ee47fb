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
