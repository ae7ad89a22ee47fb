/** Files with rules of nft that a scenario names: read whole, with a limit, before anything is simulated. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { systemReason } from './read-file.js'

const MAX_RULESET_BYTES = 4 * 1024 * 1024

/** Reads a text by its path, relative to `directory`; what is wrong is text for a fault. */
export function readRuleset(directory: string, path: string): string | { readonly error: string } {
  let descriptor: number
  try {
    descriptor = openSync(resolve(directory, path), constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (thrown) {
    return { error: systemReason(thrown) }
  }
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) return { error: status.isDirectory() ? 'it is a directory' : 'it is not a regular file' }
    if (status.size > MAX_RULESET_BYTES) return { error: `it is larger than ${MAX_RULESET_BYTES} bytes` }
    return readFileSync(descriptor, 'utf8')
  } catch (thrown) {
    return { error: systemReason(thrown) }
  } finally {
    closeSync(descriptor)
  }
}
