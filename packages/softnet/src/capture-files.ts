/** Capture files of a run: recorded in parts beside their final names, joined and moved at the end. */
import { createReadStream, createWriteStream, type Stats } from 'node:fs'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Plan } from '@softnet/scenario'
import { type CaptureRequest, resolveCapture } from './capture-option.js'
import { type InputFault, ScenarioError } from './input-fault.js'
import { writeReason } from './read-file.js'
import type { CapturePart } from './run-plan.js'
import { removeStaged, stage, unstage } from './staging.js'

/** Captures that are being recorded. */
export interface CaptureFiles {
  /** What the isolate records, and where. */
  readonly parts: readonly CapturePart[]
  /** Joins the parts, moves every file to its final name, and returns those names. */
  commit(): Promise<readonly string[]>
  /** Removes what was not moved. */
  discard(): void
}

/** Why a capture cannot take the place of what is there; null where it is a file. */
function kindOf(status: Stats): string | null {
  if (status.isDirectory()) return 'it is a directory'
  return status.isFile() ? null : 'it is not a regular file'
}

/** Absolute name of a capture; a link keeps standing, and the file it leads to is replaced. */
async function finalName(given: string): Promise<string> {
  const file = resolve(given)
  return realpath(file).catch(() => file)
}

async function createPart(request: CaptureRequest, faultPath: string, index: number): Promise<string> {
  const fault = (reason: string) =>
    new ScenarioError([
      { path: faultPath, given: request.file, accepted: `a file that can be written (${reason})`, nearest: null },
    ])
  const file = await finalName(request.file)
  const kind = await stat(file).then(kindOf, () => null)
  // Moving a file over a device or a pipe would replace it.
  if (kind !== null) throw fault(kind)
  const part = join(dirname(file), `.${basename(file)}.softnet-${process.pid}-${index}`)
  try {
    await (await open(part, 'wx')).close()
  } catch (thrown) {
    throw fault(writeReason(thrown))
  }
  stage(part)
  return part
}

async function joinParts(parts: readonly string[]): Promise<string> {
  const [first = '', ...others] = parts
  for (const other of others) {
    // Sections of a pcapng file follow each other, so files of one device each join by appending.
    await pipeline(createReadStream(other), createWriteStream(first, { flags: 'a' }))
    await rm(other)
    unstage(other)
  }
  return first
}

/** Prepares every capture file before the run; throws a {@link ScenarioError} with every fault, told under `faultPath`. */
export async function openCaptureFiles(
  plan: Plan,
  requests: readonly CaptureRequest[],
  faultPath: string,
): Promise<CaptureFiles> {
  const faults: InputFault[] = []
  const parts: CapturePart[] = []
  const finals: { file: string; parts: string[] }[] = []
  for (const request of requests) {
    const found = resolveCapture(plan, request, faultPath)
    faults.push(...found.faults)
    if (found.faults.length > 0) continue
    const own: string[] = []
    const file = await finalName(request.file)
    if (finals.some((final) => final.file === file)) {
      const accepted = 'a file of its own; devices that share one are named together, IF,IF=FILE'
      faults.push({ path: faultPath, given: request.file, accepted, nearest: null })
      continue
    }
    finals.push({ file, parts: own })
    for (const spec of found.specs) {
      try {
        const file = await createPart(request, faultPath, parts.length)
        own.push(file)
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
  return {
    parts,
    async commit() {
      for (const final of finals) {
        const joined = await joinParts(final.parts)
        await rename(joined, final.file)
        unstage(joined)
      }
      return finals.map((final) => final.file)
    },
    discard() {
      removeStaged(parts.map((part) => part.file))
    },
  }
}
