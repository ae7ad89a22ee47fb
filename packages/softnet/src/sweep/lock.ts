/** One sweep at a time in a directory: a file that names the process. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stage, unstage } from '../staging.js'

const LOCK = 'sweep.lock'

/** Directories that sweeps of this very process are in: a lock with its id can also be of one that was ended. */
const held = new Set<string>()

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM'
  }
}

/** The process that a lock names; null where the file is gone or names none. */
function ownerOf(file: string): number | null {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null
  } catch {
    return null
  }
}

/** Takes a directory for this process; throws what `refuse` makes of the reason where another one has it. */
export function lockDirectory(directory: string, refuse: (reason: string) => Error): { release(): void } {
  const file = join(directory, LOCK)
  const owner = ownerOf(file)
  const isOwn = owner === process.pid
  if (owner !== null && (isOwn ? held.has(file) : isRunning(owner))) {
    throw refuse(`process ${owner} is at work there; if it is no sweep, remove ${LOCK}`)
  }
  // What is there names a process that was ended.
  rmSync(file, { force: true })
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: 'wx' })
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EEXIST')
      throw refuse('another sweep is at work there')
    throw thrown
  }
  held.add(file)
  stage(file)
  return {
    release() {
      held.delete(file)
      unstage(file)
      rmSync(file, { force: true })
    },
  }
}
