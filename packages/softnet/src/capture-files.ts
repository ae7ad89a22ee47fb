/** Capture files of a run: recorded in parts beside their final names, joined and moved at the end. */
import { constants, createReadStream, createWriteStream } from 'node:fs'
import { copyFile, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import type { Plan } from '@softnet/scenario'
import { type CaptureRequest, resolveCapture } from './capture-option.js'
import { type InputFault, ScenarioError } from './input-fault.js'
import type { CapturePart } from './run-plan.js'
import { createStagedFile, finalName } from './staged-file.js'
import { removeStaged, stage, unstage } from './staging.js'

/** A capture file, and the parts that are joined to it at the end: one per device that was asked for. */
export interface CaptureFile {
  /** Absolute name. */
  readonly file: string
  readonly parts: readonly CapturePart[]
}

/** Captures that are being recorded. */
export interface CaptureFiles {
  readonly files: readonly CaptureFile[]
  /** What the isolate records, and where. */
  readonly parts: readonly CapturePart[]
  /**
   * Joins the parts, moves every file to its final name, and returns those names. `keepParts`: the parts stay as they
   * are, for a checkpoint that goes on with them.
   */
  commit(keepParts?: boolean): Promise<readonly string[]>
  /** Removes what was not moved. */
  discard(): void
}

/** A copy of a part that is on its own, so that what is joined to it does not change the part. */
async function copyOf(part: string): Promise<string> {
  const copy = `${part}-copy`
  stage(copy)
  await copyFile(part, copy, constants.COPYFILE_FICLONE)
  return copy
}

async function joinParts(parts: readonly string[], keepParts: boolean): Promise<string> {
  const [own = '', ...others] = parts
  const first = keepParts ? await copyOf(own) : own
  for (const other of others) {
    // Sections of a pcapng file follow each other, so files of one device each join by appending.
    await pipeline(createReadStream(other), createWriteStream(first, { flags: 'a' }))
    if (keepParts) continue
    await rm(other)
    unstage(other)
  }
  return first
}

/** Captures whose parts are there. */
export function captureFilesOf(files: readonly CaptureFile[]): CaptureFiles {
  const parts = files.flatMap((file) => file.parts)
  return {
    files,
    parts,
    async commit(keepParts = false) {
      for (const { file, parts } of files) {
        const joined = await joinParts(
          parts.map((part) => part.file),
          keepParts,
        )
        await rename(joined, file)
        unstage(joined)
      }
      return files.map(({ file }) => file)
    },
    discard() {
      removeStaged(parts.map((part) => part.file))
    },
  }
}

/**
 * Prepares every capture file before the run; throws a {@link ScenarioError} with every fault, told under `faultPath`.
 * Parts are removed when the program ends before `commit`, unless `isKept` then says otherwise.
 */
export async function openCaptureFiles(
  plan: Plan,
  requests: readonly CaptureRequest[],
  faultPath: string,
  isKept?: () => boolean,
): Promise<CaptureFiles> {
  const faults: InputFault[] = []
  const parts: CapturePart[] = []
  const finals: { file: string; parts: CapturePart[] }[] = []
  for (const request of requests) {
    const found = resolveCapture(plan, request, faultPath)
    faults.push(...found.faults)
    if (found.faults.length > 0) continue
    const own: CapturePart[] = []
    const file = await finalName(request.file)
    if (finals.some((final) => final.file === file)) {
      const accepted = 'a file of its own; devices that share one are named together, IF,IF=FILE'
      faults.push({ path: faultPath, given: request.file, accepted, nearest: null })
      continue
    }
    finals.push({ file, parts: own })
    for (const spec of found.specs) {
      try {
        const file = await createStagedFile(request.file, faultPath, `${parts.length}`, isKept)
        own.push({ ...spec, file })
        parts.push({ ...spec, file })
      } catch (thrown) {
        if (!(thrown instanceof ScenarioError)) throw thrown
        faults.push(...thrown.errors)
        break
      }
    }
  }
  if (faults.length > 0) {
    removeStaged(parts.map((part) => part.file))
    throw new ScenarioError(faults)
  }
  return captureFilesOf(finals)
}
