/** The directory of `--out`: everything is written beside it first and moved into place at the end. */

import { randomUUID } from 'node:crypto'
import { copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { type InputFault, ScenarioError } from './input-fault.js'
import { writeReason } from './read-file.js'
import { stage, unstage } from './staging.js'

const ACCEPTED = 'a directory that exists or can be made, and can be written'

function outFault(given: string, reason: string): InputFault {
  return { path: '--out', given, accepted: `${ACCEPTED} (${reason})`, nearest: null }
}

async function kindOf(path: string): Promise<'none' | 'directory' | 'other'> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'other'
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return 'none'
    throw thrown
  }
}

/** A directory that is being filled. */
export interface OutDirectory {
  /** Final path, absolute. */
  readonly directory: string
  /** Adds a text file under its path relative to the directory. */
  addText(path: string, text: string): Promise<void>
  /** Adds a copy of a finished file under a name of its own. */
  addCopy(from: string, path: string): Promise<void>
  /** Moves everything to its final name. */
  commit(): Promise<void>
}

/** Refuses a directory that cannot be there, because a file is in its place or in its path; nothing is written. */
export async function refuseFileInPlace(given: string, option: string): Promise<void> {
  try {
    if (given === '') throw new ScenarioError([outFault(given, 'its name is empty')])
    await stagingParent(given, resolve(given))
  } catch (thrown) {
    const errors = thrown instanceof ScenarioError ? thrown.errors : [outFault(given, writeReason(thrown))]
    throw new ScenarioError(errors.map((fault) => ({ ...fault, path: option })))
  }
}

/** Where the staging directory can be: in the directory itself, or in the nearest one above that exists. */
async function stagingParent(given: string, directory: string): Promise<string> {
  for (let at = directory; ; at = dirname(at)) {
    const kind = await kindOf(at)
    if (kind === 'directory') return at
    if (kind === 'other') {
      throw new ScenarioError([outFault(given, at === directory ? 'it is a file' : `${at} is a file`)])
    }
    if (at === dirname(at)) throw new ScenarioError([outFault(given, 'there is no such directory')])
  }
}

/** Files of the staging directory that would replace a directory, or the reverse. */
async function refuseOddNames(given: string, directory: string, hosts: readonly string[]): Promise<void> {
  const faults: InputFault[] = []
  if ((await kindOf(join(directory, 'result.json'))) === 'directory') {
    faults.push(outFault(given, 'its result.json is a directory'))
  }
  for (const host of hosts) {
    if ((await kindOf(join(directory, host))) === 'other') faults.push(outFault(given, `its ${host} is a file`))
  }
  if (faults.length > 0) throw new ScenarioError(faults)
}

/** Prepares `--out` before the run; throws a {@link ScenarioError} if the result could not be written there. */
export async function openOutDirectory(given: string, hosts: readonly string[]): Promise<OutDirectory> {
  if (given === '') throw new ScenarioError([outFault(given, 'its name is empty')])
  const directory = resolve(given)
  let staging: string
  try {
    const parent = await stagingParent(given, directory)
    if (parent === directory) await refuseOddNames(given, directory, hosts)
    staging = join(parent, `.softnet-out-${randomUUID()}`)
    await mkdir(staging)
  } catch (thrown) {
    throw thrown instanceof ScenarioError ? thrown : new ScenarioError([outFault(given, writeReason(thrown))])
  }
  stage(staging)
  const files: string[] = []
  const placeFor = async (path: string): Promise<string> => {
    const place = resolve(staging, path)
    if (relative(staging, place).startsWith('..')) throw new Error(`a result file must not leave ${given}: ${path}`)
    await mkdir(dirname(place), { recursive: true })
    files.push(relative(staging, place))
    return place
  }
  return {
    directory,
    addText: async (path, text) => writeFile(await placeFor(path), text),
    addCopy: async (from, path) => copyFile(from, await placeFor(path)),
    async commit() {
      await moveInto(directory, staging, files)
      unstage(staging)
    },
  }
}

async function moveInto(directory: string, staging: string, files: readonly string[]): Promise<void> {
  if ((await kindOf(directory)) === 'none') {
    await mkdir(dirname(directory), { recursive: true })
    await rename(staging, directory)
    return
  }
  // result.json goes last: whoever waits for it finds everything else in place.
  const ordered = [...files].sort((a, b) => Number(isResult(a)) - Number(isResult(b)))
  for (const file of ordered) {
    await mkdir(dirname(join(directory, file)), { recursive: true })
    await rename(join(staging, file), join(directory, file))
  }
  await rm(staging, { recursive: true, force: true })
}

function isResult(file: string): boolean {
  return !file.includes(sep) && basename(file) === 'result.json'
}
