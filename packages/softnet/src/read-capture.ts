/** Captures that a scenario replays: read whole, with a limit, before anything is simulated. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LIMITS } from '@softnet/scenario'
import { CaptureFrame, linkHeaderBytes, openCapture } from '@softnet/wire'
import { systemReason } from './read-file.js'

const MAX_CAPTURE_BYTES = LIMITS.find((limit) => limit.name === 'capture-bytes')?.max ?? 0

const FAULTS_TOLD = 3

/** What is wrong with the bytes of a capture, in words; null if every frame can be read and sent. */
function captureFault(bytes: Uint8Array): string | null {
  const reader = openCapture(bytes)
  const frame = new CaptureFrame()
  let frames = 0
  while (reader.next(frame)) {
    frames++
    if (linkHeaderBytes(frame.linkType) < 0)
      return `frame ${frames} has link type ${frame.linkType}, neither Ethernet nor IP`
  }
  if (reader.faultCount > 0) {
    const told = reader.faults.slice(0, FAULTS_TOLD).map(({ offset, message }) => `at byte ${offset}: ${message}`)
    const more = reader.faultCount - told.length
    return told.join('; ') + (more > 0 ? `; and ${more} more faults` : '')
  }
  return frames === 0 ? 'it holds no frame' : null
}

/** Reads a capture by its path, relative to `directory`; what is wrong is text for a fault. */
export function readCapture(directory: string, path: string): Uint8Array | { readonly error: string } {
  let descriptor: number
  try {
    descriptor = openSync(resolve(directory, path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (thrown) {
    return { error: systemReason(thrown) }
  }
  try {
    const status = fstatSync(descriptor)
    if (status.isDirectory()) return { error: 'it is a directory' }
    if (!status.isFile()) return { error: 'it is not a regular file' }
    if (status.size > MAX_CAPTURE_BYTES) return { error: `it is larger than ${MAX_CAPTURE_BYTES} bytes` }
    const bytes = new Uint8Array(readFileSync(descriptor))
    const fault = captureFault(bytes)
    return fault === null ? bytes : { error: fault }
  } catch (thrown) {
    return { error: systemReason(thrown) }
  } finally {
    closeSync(descriptor)
  }
}
