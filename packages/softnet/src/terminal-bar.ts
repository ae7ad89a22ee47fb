import { SingleBar } from 'cli-progress'

/** A bar on a stream that a run or a sweep fills; nothing where the stream is no terminal. */
export interface TerminalBar {
  /** Shows `value` of `total`, with the words that the format names. */
  show(total: number, value: number, words: Readonly<Record<string, unknown>>): void
  /** Removes the bar. */
  stop(): void
}

/** Makes a bar of a format of cli-progress. */
export function createTerminalBar(stream: NodeJS.WriteStream, format: string): TerminalBar {
  if (!stream.isTTY) return { show() {}, stop() {} }
  const bar = new SingleBar({
    stream,
    format,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 24,
    // A second Ctrl-C ends the process at once and would leave a hidden cursor behind.
    hideCursor: false,
    clearOnComplete: true,
  })
  let started = false
  return {
    show(total, value, words) {
      if (!started) bar.start(total, value, words)
      else bar.update(value, words)
      started = true
    },
    stop() {
      if (started) bar.stop()
    },
  }
}
