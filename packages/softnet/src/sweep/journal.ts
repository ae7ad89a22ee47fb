/**
 * What a sweep writes to its directory while it goes, and reads back when it is started again:
 *
 * - `sweep.json`: what the sweep is, so that another one is refused;
 * - `runs.jsonl`: a line per finished run, appended as soon as it is finished;
 * - `sweep.csv`: a line per point, written anew after runs, always whole.
 */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { SweepRun } from '@softnet/observe'
import { type InputFault, RunError, ScenarioError } from '../input-fault.js'
import { systemReason, writeReason } from '../read-file.js'
import { stage, unstage } from '../staging.js'
import { changesOf, isDefinition, type SweepDefinition } from './definition.js'
import { lockDirectory } from './lock.js'

const SWEEP = 'sweep.json'
const RUNS = 'runs.jsonl'
const CSV = 'sweep.csv'
const NEWLINE = 10

/** A line of `runs.jsonl`. */
export interface RunRecord extends Partial<SweepRun> {
  readonly point: number
  /** Position of the seed among the seeds of the sweep. */
  readonly run: number
  readonly seed: number
  readonly settings: Readonly<Record<string, unknown>>
  readonly status: 'done' | 'failed'
  /** Why it failed. */
  readonly message?: string
}

/** Where a sweep keeps what it has. */
export interface Journal {
  /** Runs that were done before, by `point` and `run`. */
  readonly done: readonly RunRecord[]
  /** Appends one finished run; resolves when the file has it. */
  append(record: RunRecord): Promise<void>
  /** Replaces `sweep.csv`. */
  writeCsv(text: string): Promise<void>
  close(): Promise<void>
}

function outFault(option: string, given: string, reason: string): InputFault {
  return {
    path: option,
    given,
    accepted: `a directory that can be written, new or of the same sweep (${reason})`,
    nearest: null,
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch {
    return false
  }
}

/** Makes a directory and those above it, one by one: Node's own recursion does not end in file systems such as /proc. */
async function makeDirectory(path: string): Promise<void> {
  if (await exists(path)) return
  if (dirname(path) !== path) await makeDirectory(dirname(path))
  await mkdir(path)
}

/** Writes a file so that it is whole or not there at all. */
async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.new`
  stage(draft)
  await writeFile(draft, text)
  await rename(draft, path)
  unstage(draft)
}

async function readDefinition(
  directory: string,
  refuse: (reason: string) => ScenarioError,
): Promise<SweepDefinition | null> {
  if (!(await exists(join(directory, SWEEP)))) {
    for (const name of [RUNS, CSV]) {
      if (await exists(join(directory, name))) throw refuse(`it has a ${name} without a ${SWEEP}`)
    }
    return null
  }
  let known: unknown
  try {
    known = JSON.parse(await readFile(join(directory, SWEEP), 'utf8'))
  } catch (thrown) {
    throw refuse(
      `its ${SWEEP} cannot be read: ${thrown instanceof SyntaxError ? 'it is no JSON' : systemReason(thrown)}`,
    )
  }
  if (!isDefinition(known)) throw refuse(`its ${SWEEP} is of another program or version`)
  return known
}

/** Reads the lines that are whole; a last one without its end was being written when the program was ended. */
async function readRuns(file: FileHandle, definition: SweepDefinition, refuse: (reason: string) => ScenarioError) {
  const bytes = await file.readFile()
  const length = bytes.lastIndexOf(NEWLINE) + 1
  if (length < bytes.length) await file.truncate(length)
  const records = new Map<string, RunRecord>()
  const lines = bytes.subarray(0, length).toString('utf8').split('\n').slice(0, -1)
  lines.forEach((line, index) => {
    const record = recordOf(line, definition)
    if (record === null) throw refuse(`line ${index + 1} of its ${RUNS} is damaged`)
    if (record.status === 'done') records.set(`${record.point} ${record.run}`, record)
  })
  return [...records.values()]
}

function recordOf(line: string, definition: SweepDefinition): RunRecord | null {
  let record: RunRecord
  try {
    record = JSON.parse(line)
  } catch {
    return null
  }
  if (typeof record !== 'object' || record === null) return null
  const { point, run, seed, status, digest, measures } = record
  const points = definition.vary.reduce((product, axis) => product * axis.values.length, 1)
  const isPlace = Number.isInteger(point) && point >= 0 && point < points && Number.isInteger(run)
  if (!isPlace || seed === undefined || definition.seeds[run] !== seed) return null
  if (status === 'failed') return record
  return status === 'done' && typeof digest === 'string' && typeof measures === 'object' && measures !== null
    ? record
    : null
}

/**
 * Opens a directory for a sweep, new or to go on with; throws a {@link ScenarioError} if it belongs to another sweep, to
 * one that is running, or cannot be written. Nothing is written before all of that is known.
 */
export async function openJournal(given: string, option: string, definition: SweepDefinition): Promise<Journal> {
  const refuse = (reason: string) => new ScenarioError([outFault(option, given, reason)])
  if (given === '') throw refuse('its name is empty')
  const directory = resolve(given)
  try {
    await makeDirectory(directory)
    const known = await readDefinition(directory, refuse)
    if (known !== null) {
      const changes = changesOf(known, definition, given, option)
      if (changes.length > 0) throw new ScenarioError(changes)
    }
    const lock = await lockDirectory(directory, refuse)
    try {
      if (known === null) await replaceFile(join(directory, SWEEP), `${JSON.stringify(definition, null, 2)}\n`)
      const file = await open(join(directory, RUNS), constants.O_RDWR | constants.O_CREAT | constants.O_APPEND)
      try {
        return journalOn(directory, given, file, await readRuns(file, definition, refuse), lock.release)
      } catch (thrown) {
        await file.close()
        throw thrown
      }
    } catch (thrown) {
      lock.release()
      throw thrown
    }
  } catch (thrown) {
    throw thrown instanceof ScenarioError ? thrown : refuse(writeReason(thrown))
  }
}

function journalOn(
  directory: string,
  given: string,
  file: FileHandle,
  done: readonly RunRecord[],
  release: () => void,
): Journal {
  const failed = (thrown: unknown) => new RunError(`${given} cannot be written (${writeReason(thrown)})`, thrown)
  let last: Promise<void> = Promise.resolve()
  return {
    done,
    append(record) {
      // One after the other, so that a process that is ended leaves whole lines and at most one half.
      const line = last.then(async () => {
        await file.appendFile(`${JSON.stringify(record)}\n`)
        await file.datasync()
      })
      last = line.catch(() => {})
      return line.catch((thrown) => {
        throw failed(thrown)
      })
    },
    async writeCsv(text) {
      try {
        await replaceFile(join(directory, CSV), text)
      } catch (thrown) {
        throw failed(thrown)
      }
    },
    async close() {
      await file.close()
      release()
    },
  }
}
