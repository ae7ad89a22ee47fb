import { readCheckpoint } from '../checkpoint/read-checkpoint.js'
import { openResumedRun } from '../checkpoint/resume-run.js'
import { type InputFault, ScenarioError } from '../input-fault.js'
import { openOutDirectory } from '../out-directory.js'
import { openReportIn } from '../report/report-file.js'
import { traceRequestOf } from '../trace-option.js'
import type { Prepared, RunOptions } from './prepare-run.js'
import { readWorkers, workersFault } from './prepare-run.js'

/** Options that change what is simulated or recorded; a checkpoint has all of that. */
const FIXED = ['set', 'seed', 'duration', 'profile', 'capture', 'trace'] as const

function faultsOf(scenario: string | undefined, options: RunOptions): InputFault[] {
  const accepted = 'nothing: --resume goes on with what the checkpoint holds'
  const faults: InputFault[] = []
  if (scenario !== undefined) faults.push({ path: 'SCENARIO', given: scenario, accepted, nearest: null })
  for (const name of FIXED) {
    const given = options[name]
    if (given === undefined) continue
    const text = Array.isArray(given) ? given.join(' ') : given
    faults.push({ path: `--${name}`, given: text, accepted, nearest: null })
  }
  // A window means nothing without a trace, and that is refused above.
  if (options.trace === undefined) traceRequestOf(options, faults)
  const { workers = 'auto' } = options
  if (readWorkers(workers) === null) faults.push(workersFault(workers))
  return faults
}

/** Prepares a run that goes on from a checkpoint; throws a {@link ScenarioError} with every fault. */
export async function prepareResume(scenario: string | undefined, options: RunOptions): Promise<Prepared> {
  const given = options.resume ?? ''
  const faults = faultsOf(scenario, options)
  const report = await openReportIn(options.report, faults)
  if (faults.length > 0) throw new ScenarioError(faults)
  const read = await readCheckpoint(given, '--resume')
  const hosts = read.plan.hosts.map((host) => host.name)
  const directory = options.out ?? read.job.out
  const out = directory === null ? null : await openOutDirectory(directory, hosts)
  const { checkpoint, every } = options
  const workers = options.workers === undefined ? undefined : (readWorkers(options.workers) ?? undefined)
  const paths = { checkpoint: '--checkpoint', every: '--every', resume: '--resume' }
  const { input } = read.job
  return {
    input,
    out,
    report,
    trace: null,
    ...(await openResumedRun(read, { workers, checkpoint, every }, out?.directory ?? null, paths)),
  }
}
