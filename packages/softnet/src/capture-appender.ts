import { closeSync, openSync, writeSync } from 'node:fs'

/**
 * Appends pcapng bytes to a file from inside an isolate.
 *
 * It writes synchronously: a capture grows faster than many disks take it, and a queue would grow without bound.
 */
export class CaptureAppender {
  readonly #file: string
  readonly #descriptor: number

  /** `file` is opened for appending. */
  constructor(file: string) {
    this.#file = file
    this.#descriptor = openSync(file, 'a')
  }

  append(chunks: readonly Uint8Array[]): void {
    try {
      for (const chunk of chunks) {
        for (let written = 0; written < chunk.length; ) {
          written += writeSync(this.#descriptor, chunk, written, chunk.length - written)
        }
      }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Error(`the capture could not be written to ${this.#file}: ${reason}`)
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}
