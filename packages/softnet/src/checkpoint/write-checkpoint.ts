/** Writes checkpoints from inside the isolate that leads a run. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { serialize } from 'node:v8'
import type { Plan } from '@softnet/scenario/plan'
import type { AppendPosition } from '../capture-appender.js'
import { writeReason } from '../read-file.js'
import type { ObserverState, Simulation } from '../simulation.js'
import { type CheckpointSection, encodeCheckpoint, type ProgramVersion } from './checkpoint-file.js'
import { attachCheckpointWord } from './checkpoint-word.js'

/** Sections before those of columns. */
export const SECTION = { plan: 'plan', job: 'job', outputs: 'outputs', columns: 'column ' } as const

/** Checkpoints of a run, as an isolate is told of them. */
export interface CheckpointTask {
  readonly file: string
  /** Simulated time between two, ps. */
  readonly everyPs: number
  readonly program: ProgramVersion
  /** What the main thread needs to go on, already serialized. */
  readonly job: Uint8Array
  /** See `CheckpointWord`. */
  readonly word: SharedArrayBuffer
}

/** Where a run stands outside of its columns. */
export interface OutputState {
  /** Of each capture part, in order. */
  readonly captures: readonly AppendPosition[]
  readonly observers: ObserverState
}

/** Name a checkpoint has while it is being written. */
export function draftName(file: string): string {
  return `${file}.new`
}

/** Replaces a file so that it is the old one or the new one, whole, whatever ends the program or the machine. */
function replaceFile(file: string, chunks: readonly Uint8Array[], beforeRename: () => void): void {
  const draft = draftName(file)
  const descriptor = openSync(draft, 'w')
  try {
    for (const chunk of chunks) {
      for (let written = 0; written < chunk.length; ) written += writeSync(descriptor, chunk, written)
    }
    fsyncSync(descriptor)
  } catch (thrown) {
    rmSync(draft, { force: true })
    throw thrown
  } finally {
    closeSync(descriptor)
  }
  beforeRename()
  renameSync(draft, file)
  // Windows opens no directories.
  if (process.platform === 'win32') return
  const folder = openSync(dirname(file), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** First time after `reachedPs` at which a checkpoint is due, ps. */
export function nextCheckpointPs(everyPs: number, reachedPs: number): number {
  return (Math.floor(reachedPs / everyPs) + 1) * everyPs
}

/** Writes the state of a simulation that is between two steps; `outputs` have to be on the disk already. */
export function writeCheckpoint(task: CheckpointTask, plan: Plan, simulation: Simulation, outputs: OutputState): void {
  const { shared, columns, nowPs } = simulation
  function* sections(): Generator<CheckpointSection> {
    yield { name: SECTION.plan, bytes: serialize(plan) }
    yield { name: SECTION.job, bytes: task.job }
    yield { name: SECTION.outputs, bytes: serialize(outputs) }
    for (const [index, buffer] of shared.arena.entries()) {
      yield { name: SECTION.columns + columns[index], bytes: new Uint8Array(buffer) }
    }
  }
  const subject = { scenario: plan.name, seed: plan.seed, simulatedPs: nowPs, durationPs: plan.durationPs }
  // Other workers wait meanwhile, and give up on a lead that is not heard of.
  const chunks = encodeCheckpoint(task.program, subject, sections(), () => simulation.beat())
  const word = attachCheckpointWord(task.word)
  try {
    // From here on the files of captures belong to a checkpoint, and are not removed if the program ends.
    replaceFile(task.file, chunks, () => {
      word.lastPs = nowPs
    })
  } catch (thrown) {
    throw new Error(`the checkpoint could not be written to ${task.file} (${writeReason(thrown)})`)
  }
}
