import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { type InputFault, ScenarioError } from './input-fault.js'

/** What a file is for and how large it may be. */
export interface FileRule {
  /** File name as the user gave it. */
  readonly given: string
  /** Path of the fault: the option or scenario key that names the file. */
  readonly path: string
  /** What kind of file is accepted, in words. */
  readonly accepted: string
  readonly maxBytes: number
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of its path is not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  ERR_INVALID_ARG_VALUE: 'its name holds a null character',
  ENXIO: 'it is not a regular file',
}

/** Reasons that have another meaning for what is to be written. */
const WRITE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  EACCES: 'it may not be written',
  EPERM: 'it may not be written',
  EROFS: 'its file system is read-only',
  ENOSPC: 'its file system is full',
  EDQUOT: 'its file system has a quota, which is used up',
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

/** Why the operating system refused to read, in words. */
export function systemReason(thrown: unknown): string {
  const code = codeOf(thrown)
  return REASONS[code] ?? (code === '' ? String(thrown) : code)
}

/** Why the operating system refused to write, in words. */
export function writeReason(thrown: unknown): string {
  return WRITE_REASONS[codeOf(thrown)] ?? systemReason(thrown)
}

/** The fault of one file. */
export function fileFault(rule: FileRule, reason: string): InputFault {
  return { path: rule.path, given: rule.given, accepted: `${rule.accepted} (${reason})`, nearest: null }
}

/** Reads a regular file of limited size; anything else is a {@link ScenarioError} and nothing blocks. */
export async function readLimited(file: string, rule: FileRule): Promise<Uint8Array> {
  const refuse = (reason: string) => new ScenarioError([fileFault(rule, reason)])
  let handle: Awaited<ReturnType<typeof open>>
  try {
    // Without O_NONBLOCK a named pipe that nobody writes would hold the open for ever.
    handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (thrown) {
    throw refuse(systemReason(thrown))
  }
  try {
    const status = await handle.stat()
    if (status.isDirectory()) throw refuse('it is a directory')
    if (!status.isFile()) throw refuse('it is not a regular file')
    const limit = `larger than ${rule.maxBytes} bytes`
    if (status.size > rule.maxBytes) throw refuse(limit)
    const bytes = await handle.readFile()
    if (bytes.length > rule.maxBytes) throw refuse(limit)
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  } catch (thrown) {
    throw thrown instanceof ScenarioError ? thrown : refuse(systemReason(thrown))
  } finally {
    await handle.close()
  }
}

/** Reads a UTF-8 text file; a binary file is a {@link ScenarioError}. */
export async function readText(file: string, rule: FileRule): Promise<string> {
  const bytes = await readLimited(file, rule)
  const refuse = () => new ScenarioError([fileFault(rule, 'it is not UTF-8 text')])
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw refuse()
  }
  if (text.includes('\0')) throw refuse()
  return text
}
