/** Reads a checkpoint before anything is simulated. */
import { resolve } from 'node:path'
import { deserialize } from 'node:v8'
import type { Plan } from '@softnet/scenario'
import { ScenarioError } from '../input-fault.js'
import { type FileRule, fileFault, readLimited } from '../read-file.js'
import type { PlanPayload } from '../run-plan.js'
import { CheckpointFault, type DecodedCheckpoint, decodeCheckpoint } from './checkpoint-file.js'
import type { CheckpointJob } from './open-checkpoints.js'
import { programVersion } from './program-version.js'
import { type OutputState, SECTION } from './write-checkpoint.js'

/** What Node can read at once. */
const MAX_BYTES = 2 ** 31 - 1

/** A checkpoint that can be gone on with. */
export interface ReadCheckpoint {
  /** Absolute name. */
  readonly file: string
  readonly plan: Plan
  readonly job: CheckpointJob
  readonly resume: NonNullable<PlanPayload['resume']>
}

function value<Value>(checkpoint: DecodedCheckpoint, section: string): Value {
  const bytes = checkpoint.read(section)
  try {
    return deserialize(bytes) as Value
  } catch {
    throw new CheckpointFault(`its section ${section} cannot be read by Node ${process.versions.node}`)
  }
}

function stateOf(checkpoint: DecodedCheckpoint): Omit<ReadCheckpoint, 'file'> {
  const sections = checkpoint.names.filter((name) => name.startsWith(SECTION.columns))
  return {
    plan: value<Plan>(checkpoint, SECTION.plan),
    job: value<CheckpointJob>(checkpoint, SECTION.job),
    resume: {
      arena: sections.map((name) => checkpoint.readShared(name)),
      columns: sections.map((name) => name.slice(SECTION.columns.length)),
      simulatedPs: checkpoint.subject.simulatedPs,
      outputs: value<OutputState>(checkpoint, SECTION.outputs),
    },
  }
}

/** Reads and checks a checkpoint; throws a {@link ScenarioError}, told under `path`, that says what is wrong with it. */
export async function readCheckpoint(given: string, path: string): Promise<ReadCheckpoint> {
  const accepted = 'a checkpoint that this program has written, unchanged'
  const rule: FileRule = { given, path, accepted, maxBytes: MAX_BYTES }
  const file = resolve(given)
  const bytes = await readLimited(file, rule)
  try {
    return { file, ...stateOf(decodeCheckpoint(bytes, programVersion())) }
  } catch (thrown) {
    if (thrown instanceof CheckpointFault) throw new ScenarioError([fileFault(rule, thrown.message)])
    throw thrown
  }
}
