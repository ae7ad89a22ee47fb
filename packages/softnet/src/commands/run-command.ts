import { basename, relative } from 'node:path'
import { createStopWord } from '@softnet/engine'
import { linuxTexts, renderText, resultToJson } from '@softnet/observe'
import { formatTime, type ResultDocument, type TraceSummary } from '@softnet/scenario'
import { RunError } from '../input-fault.js'
import { onInterrupt } from '../interrupt.js'
import { builtinNames } from '../load-scenario.js'
import type { OutDirectory } from '../out-directory.js'
import { createProgressBar } from '../progress-bar.js'
import { runPlanInIsolate } from '../simulation-run.js'
import type { Terminal } from '../terminal.js'
import { prepareResume } from './prepare-resume.js'
import { type Prepared, prepareRun, type RunOptions } from './prepare-run.js'
import { replayCommand, resumeCommand } from './replay-command.js'

const MIB = 1 << 20
const PS_PER_NS = 1000
const EXIT_DONE = 0
const EXIT_INTERRUPTED = 130

async function writeOut(out: OutDirectory, result: ResultDocument, files: readonly string[]): Promise<void> {
  for (const host of Object.keys(result.hosts)) {
    for (const { path, text } of linuxTexts(result, host)) await out.addText(`${host}/${path}`, text)
  }
  for (const file of files) await out.addCopy(file, basename(file))
  await out.addText('result.json', resultToJson(result))
  await out.commit()
}

/** How many threads worked, λ where it was measured, and why. */
function workersNote({ workers, parallel }: ResultDocument): string {
  const { asked, lambda, threshold, partitions_per_round: perRound, reason } = parallel
  const measured = lambda === null ? '' : ` (λ ${lambda}, tried from ${threshold} on; ${perRound} partitions a round)`
  return `workers: ${workers}${asked === 'auto' ? ' by auto' : ''}: ${reason}${measured}`
}

/** What a trace holds, and why it ends where it does. */
function traceNote({ events, bytes, from_ns, to_ns, cut }: TraceSummary): string {
  const times = `${formatTime(from_ns * PS_PER_NS)} to ${formatTime(to_ns * PS_PER_NS)}`
  const held = `trace: ${events} events of ${times}, ${(bytes / MIB).toFixed(1)} MiB`
  return cut ? `${held}; it ends there because of --trace-limit: choose a --trace-window or a --trace-sample` : held
}

/** Time of the last checkpoint and the command that goes on from it; null if there is none. */
function lastCheckpoint({ payload, word }: Prepared): string | null {
  if (word === null || payload.checkpoint === undefined || word.lastPs < 0) return null
  const { file } = payload.checkpoint
  const near = relative(process.cwd(), file)
  return `${formatTime(word.lastPs)}: ${resumeCommand(near.startsWith('..') ? file : near)}`
}

async function simulated(
  prepared: Prepared,
  replay: string,
  run: () => Promise<ResultDocument>,
): Promise<ResultDocument> {
  try {
    return await run()
  } catch (thrown) {
    if (!(thrown instanceof RunError)) throw thrown
    const last = lastCheckpoint(prepared)
    const resume = last === null ? '' : `\nthe last checkpoint is at ${last}`
    throw new RunError(`${thrown.message}\nto do it again: ${replay}${resume}`, thrown)
  }
}

/** What a user has to know of the checkpoints of a run that has ended. */
function checkpointNote(prepared: Prepared, { status }: ResultDocument): string | null {
  if (prepared.word === null) return null
  const last = lastCheckpoint(prepared)
  if (last === null) return 'no checkpoint was written: none was due before the end of the run'
  return status === 'interrupted' ? `checkpoint at ${last}` : null
}

/** `softnet run`: simulates a scenario and shows what happened. */
export async function runCommand(given: string | undefined, options: RunOptions, terminal: Terminal): Promise<number> {
  const stop = createStopWord()
  const interrupt = onInterrupt(() => {
    stop.request()
    terminal.note('stopping; once more ends at once')
  })
  const bar = createProgressBar(process.stderr)
  try {
    const scenario = given ?? builtinNames()[0] ?? ''
    const isResumed = options.resume !== undefined
    const prepared = isResumed ? await prepareResume(given, options) : await prepareRun(scenario, options, terminal)
    const { payload, input, out, captures, report, trace, word } = prepared
    const replay = replayCommand(scenario, options, payload.plan)
    const measured = await simulated(prepared, replay, () =>
      runPlanInIsolate(payload, stop, (progress) => bar.update(progress)),
    )
    const result = { ...measured, input }
    bar.stop()
    const isInterrupted = result.status === 'interrupted'
    const captured = await captures.commit(isInterrupted && word !== null && word.lastPs >= 0)
    const files = trace === null ? captured : [...captured, await trace.commit()]
    if (out !== null) await writeOut(out, result, files)
    const text = renderText(result, { columns: terminal.columns, color: terminal.color })
    terminal.print(text, result, resultToJson(result))
    const isOfInterest = options.workers !== undefined || result.parallel.lambda !== null
    if (terminal.format === 'text' && isOfInterest) terminal.note(workersNote(result))
    if (terminal.format === 'text' && result.trace !== undefined) terminal.note(traceNote(result.trace))
    const note = checkpointNote(prepared, result)
    if (note !== null) terminal.note(note)
    await report?.write({ kind: 'run', result })
    return isInterrupted ? EXIT_INTERRUPTED : EXIT_DONE
  } finally {
    bar.stop()
    interrupt.release()
  }
}
