import { closeSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/** How far a file was written. */
export interface AppendPosition {
  readonly bytes: number
  /** CRC-32 of these bytes. */
  readonly crc32: number
}

/** The position in an empty file. */
export const NOTHING_WRITTEN: AppendPosition = { bytes: 0, crc32: 0 }

/**
 * Appends pcapng bytes to a file from inside an isolate.
 *
 * It writes synchronously: a capture grows faster than many disks take it, and a queue would grow without bound.
 */
export class CaptureAppender {
  readonly #file: string
  readonly #descriptor: number
  #bytes: number
  #crc32: number

  /** `file` is opened for appending behind `from`; what was written after that is cut off. */
  constructor(file: string, from: AppendPosition = NOTHING_WRITTEN) {
    this.#file = file
    this.#descriptor = openSync(file, 'a')
    this.#bytes = from.bytes
    this.#crc32 = from.crc32
    ftruncateSync(this.#descriptor, from.bytes)
  }

  append(chunks: readonly Uint8Array[]): void {
    try {
      for (const chunk of chunks) {
        for (let written = 0; written < chunk.length; ) {
          written += writeSync(this.#descriptor, chunk, written, chunk.length - written)
        }
        this.#bytes += chunk.length
        this.#crc32 = crc32(chunk, this.#crc32)
      }
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  /** Position of what was appended, once the disk has it. */
  sync(): AppendPosition {
    try {
      fsyncSync(this.#descriptor)
    } catch (thrown) {
      this.#fail(thrown)
    }
    return { bytes: this.#bytes, crc32: this.#crc32 }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #fail(thrown: unknown): never {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new Error(`the capture could not be written to ${this.#file}: ${reason}`)
  }
}
