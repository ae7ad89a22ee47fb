/** The files of a run that writes checkpoints, as the main thread sees them. */
import { open, realpath, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { serialize } from 'node:v8'
import { formatTime, type Plan, parseQuantity, type ResultInput } from '@softnet/scenario'
import type { CaptureFile } from '../capture-files.js'
import type { WorkersAsked } from '../crew.js'
import { ScenarioError } from '../input-fault.js'
import { writeReason } from '../read-file.js'
import { stage } from '../staging.js'
import type { CheckpointWord } from './checkpoint-word.js'
import { programVersion } from './program-version.js'
import { type CheckpointTask, draftName } from './write-checkpoint.js'

/** What the main thread needs to go on with a run; part of each of its checkpoints. */
export interface CheckpointJob {
  /** What was simulated, for the result. */
  readonly input: ResultInput
  readonly captures: readonly CaptureFile[]
  /** Absolute directory of `--out`, or null. */
  readonly out: string | null
  readonly workers: WorkersAsked
  readonly everyPs: number
}

/** Without `--every` a run has this many pieces. */
const PIECES = 10
/** More checkpoints than this are a mistake in the unit. */
const CHECKPOINTS_MAX = 10_000

/** Names of the options, as the user of the command line or of the API knows them. */
export interface CheckpointPaths {
  readonly checkpoint: string
  readonly every: string
}

/** Reads the simulated time between two checkpoints, ps; throws a {@link ScenarioError}. */
export function readEvery(given: string | undefined, plan: Plan, path: string): number {
  if (given === undefined) return Math.max(1, Math.ceil(plan.durationPs / PIECES))
  const parsed = parseQuantity('time', given)
  const leastPs = Math.ceil(plan.durationPs / CHECKPOINTS_MAX)
  if (parsed.ok && parsed.value >= Math.max(1, leastPs)) return parsed.value
  const accepted = parsed.ok
    ? `at least ${formatTime(leastPs)}: no more than ${CHECKPOINTS_MAX} checkpoints in a run`
    : `${parsed.accepted}, the simulated time between two checkpoints`
  throw new ScenarioError([{ path, given, accepted, nearest: null }])
}

/** Absolute name of a checkpoint that can be written; throws a {@link ScenarioError} if none can be written there. */
async function openDraft(given: string, path: string): Promise<string> {
  const refuse = (reason: string) =>
    new ScenarioError([{ path, given, accepted: `a file that can be written (${reason})`, nearest: null }])
  if (given === '') throw refuse('its name is empty')
  const file = await realpath(resolve(given)).catch(() => resolve(given))
  const kind = await stat(file).catch(() => null)
  if (kind?.isDirectory()) throw refuse('it is a directory')
  if (kind !== null && !kind.isFile()) throw refuse('it is not a regular file')
  const draft = draftName(file)
  try {
    await (await open(draft, 'w')).close()
    await rm(draft)
  } catch (thrown) {
    throw refuse(writeReason(thrown))
  }
  stage(draft)
  return file
}

/** Prepares the checkpoints of a run; throws a {@link ScenarioError} if they could not be written. */
export async function openCheckpoints(
  given: string,
  word: CheckpointWord,
  job: CheckpointJob,
  paths: CheckpointPaths,
): Promise<CheckpointTask> {
  const file = await openDraft(given, paths.checkpoint)
  const isTaken = job.captures.some((capture) => capture.file === file)
  if (isTaken || (job.out !== null && dirname(file) === job.out && file.endsWith('result.json'))) {
    const accepted = 'a file that the run writes nothing else to'
    throw new ScenarioError([{ path: paths.checkpoint, given, accepted, nearest: null }])
  }
  return { file, everyPs: job.everyPs, program: programVersion(), job: serialize(job), word: word.buffer }
}
