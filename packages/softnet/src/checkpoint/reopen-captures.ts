/** Captures that a resumed run goes on with: in the parts it had, or taken back out of the file they were joined to. */
import { type FileHandle, open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { AppendPosition } from '../capture-appender.js'
import { type CaptureFile, type CaptureFiles, captureFilesOf } from '../capture-files.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import type { CapturePart } from '../run-plan.js'
import { removeStaged, stage } from '../staging.js'

const CHUNK_BYTES = 1 << 20
/** Type of the block that begins a section, the same in both byte orders. */
const SECTION_HEADER = 0x0a0d0d0a
const BLOCK_HEAD_BYTES = 8

async function openOrNull(file: string): Promise<FileHandle | null> {
  return open(file, 'r').catch(() => null)
}

/** True if the bytes from `at` on are those that a checkpoint knows; they are also handed to `each`. */
async function holds(
  handle: FileHandle,
  at: number,
  position: AppendPosition,
  each: (chunk: Uint8Array) => Promise<unknown> = async () => {},
): Promise<boolean> {
  const chunk = new Uint8Array(CHUNK_BYTES)
  let sum = 0
  for (let done = 0; done < position.bytes; ) {
    const wanted = Math.min(chunk.length, position.bytes - done)
    const { bytesRead } = await handle.read(chunk, 0, wanted, at + done)
    if (bytesRead === 0) return false
    const read = chunk.subarray(0, bytesRead)
    sum = crc32(read, sum)
    await each(read)
    done += bytesRead
  }
  return sum === position.crc32
}

/** Where section `index` of a pcapng file begins, bytes; −1: it has no such section. */
async function sectionStart(handle: FileHandle, index: number): Promise<number> {
  const head = new DataView(new ArrayBuffer(BLOCK_HEAD_BYTES))
  let seen = -1
  for (let at = 0; ; ) {
    const { bytesRead } = await handle.read(head, 0, BLOCK_HEAD_BYTES, at)
    if (bytesRead < BLOCK_HEAD_BYTES) return -1
    if (head.getUint32(0, true) === SECTION_HEADER && ++seen === index) return at
    const bytes = head.getUint32(4, true)
    if (bytes < BLOCK_HEAD_BYTES) return -1
    at += bytes
  }
}

/** Takes part `index` of a finished capture out of it, as far as the checkpoint knows it; false if it is not there. */
async function takeBack(file: string, index: number, position: AppendPosition, to: string): Promise<boolean> {
  const from = await openOrNull(file)
  if (from === null) return false
  try {
    const at = position.bytes === 0 ? 0 : await sectionStart(from, index)
    if (at < 0 || !(await holds(from, at, position))) return false
    const part = await open(to, 'wx')
    try {
      await holds(from, at, position, (chunk) => part.appendFile(chunk))
    } finally {
      await part.close()
    }
    return true
  } finally {
    await from.close()
  }
}

async function isAsKnown(file: string, position: AppendPosition): Promise<boolean> {
  const handle = await openOrNull(file)
  if (handle === null) return false
  try {
    return await holds(handle, 0, position)
  } finally {
    await handle.close()
  }
}

/**
 * Opens the captures of a checkpoint to go on with them; throws a {@link ScenarioError}, told under `path`, where one is
 * not what it was. What it opens is kept if the run is ended, as the checkpoint needs it.
 */
export async function reopenCaptureFiles(
  captures: readonly CaptureFile[],
  positions: readonly AppendPosition[],
  path: string,
): Promise<CaptureFiles> {
  const faults: InputFault[] = []
  const made: string[] = []
  const found: CaptureFile[] = []
  let number = 0
  for (const { file, parts } of captures) {
    const own: CapturePart[] = []
    for (const [index, part] of parts.entries()) {
      const position = positions[number++] as AppendPosition
      const fresh = join(dirname(file), `.${basename(file)}.softnet-${process.pid}-${number - 1}`)
      if (await isAsKnown(part.file, position)) own.push(part)
      else if (await takeBack(file, index, position, fresh)) {
        stage(fresh)
        made.push(fresh)
        own.push({ ...part, file: fresh })
      } else {
        const accepted = `the ${position.bytes} bytes that were captured before the checkpoint, there or in ${part.file}`
        faults.push({ path, given: file, accepted, nearest: null })
        break
      }
    }
    found.push({ file, parts: own })
  }
  if (faults.length > 0) {
    removeStaged(made)
    throw new ScenarioError(faults)
  }
  for (const { parts } of found) for (const part of parts) stage(part.file, () => true)
  return captureFilesOf(found)
}
