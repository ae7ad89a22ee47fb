/** Files of a run: written beside their final names, and moved when they are whole. */
import type { Stats } from 'node:fs'
import { open, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ScenarioError } from './input-fault.js'
import { writeReason } from './read-file.js'
import { stage } from './staging.js'

/** Why a file cannot take the place of what is there; null where it is a file. */
function kindOf(status: Stats): string | null {
  if (status.isDirectory()) return 'it is a directory'
  return status.isFile() ? null : 'it is not a regular file'
}

/** Absolute name of a file to be written; a link keeps standing, and the file it leads to is replaced. */
export async function finalName(given: string): Promise<string> {
  const file = resolve(given)
  return realpath(file).catch(() => file)
}

/**
 * Creates the empty file that will become `given`, and returns its name; `label` keeps the files of one run apart. It is
 * removed when the program ends before it was moved, unless `isKept` then says otherwise.
 *
 * Throws a {@link ScenarioError} told under `faultPath` if it cannot be written there.
 */
export async function createStagedFile(
  given: string,
  faultPath: string,
  label: string,
  isKept?: () => boolean,
): Promise<string> {
  const fault = (reason: string) =>
    new ScenarioError([{ path: faultPath, given, accepted: `a file that can be written (${reason})`, nearest: null }])
  const file = await finalName(given)
  const kind = await stat(file).then(kindOf, () => null)
  // Moving a file over a device or a pipe would replace it.
  if (kind !== null) throw fault(kind)
  const part = join(dirname(file), `.${basename(file)}.softnet-${process.pid}-${label}`)
  try {
    await (await open(part, 'wx')).close()
  } catch (thrown) {
    throw fault(writeReason(thrown))
  }
  stage(part, isKept)
  return part
}
