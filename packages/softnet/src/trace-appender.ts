import { closeSync, openSync, writeSync } from 'node:fs'
import { gzipSync } from 'node:zlib'

/**
 * Writes a trace from inside an isolate, as it is recorded.
 *
 * It writes synchronously: a trace grows faster than many disks take it, and a queue would grow without bound.
 */
export class TraceAppender {
  readonly #file: string
  readonly #descriptor: number
  readonly #isCompressed: boolean
  #position = 0
  /** Size of the text so far, bytes. */
  textBytes = 0

  /** `file` is there and empty. */
  constructor(file: string, isCompressed: boolean) {
    this.#file = file
    this.#isCompressed = isCompressed
    this.#descriptor = openSync(file, 'r+')
  }

  append(chunks: readonly string[]): void {
    for (const chunk of chunks) {
      const text = Buffer.from(chunk)
      this.textBytes += text.length
      // Members of a gzip file follow each other.
      this.#write(this.#isCompressed ? gzipSync(text) : text, this.#position)
    }
  }

  /** Replaces the beginning of the text by one of the same length. */
  replaceHead(head: string): void {
    this.#write(Buffer.from(head), 0)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #write(bytes: Uint8Array, position: number): void {
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#descriptor, bytes, written, bytes.length - written, position + written)
      }
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Error(`the trace could not be written to ${this.#file}: ${reason}`)
    }
    this.#position = Math.max(this.#position, position + bytes.length)
  }
}
