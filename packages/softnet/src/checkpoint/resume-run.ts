import type { CaptureFiles } from '../capture-files.js'
import type { WorkersAsked } from '../crew.js'
import type { PlanPayload } from '../run-plan.js'
import { type CheckpointWord, createCheckpointWord } from './checkpoint-word.js'
import { type CheckpointPaths, openCheckpoints, readEvery } from './open-checkpoints.js'
import type { ReadCheckpoint } from './read-checkpoint.js'
import { reopenCaptureFiles } from './reopen-captures.js'

/** What may be said anew when a run goes on; without it everything stays as it was. */
export interface ResumeChanges {
  readonly workers?: WorkersAsked | undefined
  /** Another file for the checkpoints to come. */
  readonly checkpoint?: string | undefined
  /** Simulated time between two of them. */
  readonly every?: string | undefined
}

/** A run that can go on. */
export interface ResumedRun {
  readonly captures: CaptureFiles
  readonly payload: PlanPayload
  readonly word: CheckpointWord
}

/** Makes ready to go on from a checkpoint; `out` is the directory of results. Throws a {@link ScenarioError}. */
export async function openResumedRun(
  { file, plan, job, resume }: ReadCheckpoint,
  changes: ResumeChanges,
  out: string | null,
  paths: CheckpointPaths & { readonly resume: string },
): Promise<ResumedRun> {
  const workers = changes.workers ?? job.workers
  const everyPs = changes.every === undefined ? job.everyPs : readEvery(changes.every, plan, paths.every)
  const captures = await reopenCaptureFiles(job.captures, resume.outputs.captures, paths.resume)
  const word = createCheckpointWord(resume.simulatedPs)
  const next = { input: job.input, captures: captures.files, out, workers, everyPs }
  const own = changes.checkpoint === undefined ? { ...paths, checkpoint: paths.resume } : paths
  const checkpoint = await openCheckpoints(changes.checkpoint ?? file, word, next, own)
  return { captures, payload: { plan, captures: captures.parts, workers, checkpoint, resume }, word }
}
