/** Runs the points of a checked sweep, several at a time, each run in an isolate of its own. */
import type { StopWord } from '@softnet/engine'
import {
  measuresOf,
  type SweepDocument,
  type SweepFailure,
  type SweepPoint,
  type SweepRun,
  summarizePoint,
  sweepCsv,
} from '@softnet/observe'
import type { Plan } from '@softnet/scenario'
import { wallMs } from '../host-clock.js'
import { RunError } from '../input-fault.js'
import { runLanes } from '../run-lanes.js'
import { runPlanInIsolate } from '../simulation-run.js'
import { valuesAt } from './axes.js'
import { type CheckedPoints, planOfPoint, type SweepSource } from './check-points.js'
import type { Journal, RunRecord } from './journal.js'

/** Wall time before which the pace says nothing: threads start and code is compiled. */
const SETTLED_MS = 1000

/** How far a sweep is. */
export interface SweepProgress {
  /** Runs of the whole sweep. */
  readonly all: number
  /** Runs done, those of an earlier start among them. */
  readonly done: number
  readonly failed: number
  /** Share of the simulated time of all runs, in [0, 1]. */
  readonly share: number
  /** Wall time since this start, ms. */
  readonly elapsedMs: number
  /** Wall time that the rest will take if it goes on like this, ms; null while nothing is known. */
  readonly leftMs: number | null
}

/** A sweep that is ready to run. */
export interface SweepJob {
  readonly source: SweepSource
  readonly checked: CheckedPoints
  readonly seeds: readonly number[]
  /** Runs at a time, 1 or more. */
  readonly jobs: number
  readonly journal: Journal | null
  readonly stop: StopWord
  readonly onProgress: (progress: SweepProgress) => void
  /** What runs a plan; an isolate outside of tests. */
  readonly runPlan?: typeof runPlanInIsolate
}

interface Task {
  readonly point: number
  readonly run: number
}

/** Everything that is known of the runs while they go. */
class SweepState {
  readonly #job: SweepJob
  readonly #records: (RunRecord | undefined)[]
  readonly #startedMs = wallMs()
  readonly #resumed: number
  readonly #resumedPs: number
  readonly #allPs: number
  #donePs: number
  /** Simulated ps of runs that go on. */
  readonly #running = new Map<Task, number>()

  constructor(job: SweepJob) {
    this.#job = job
    const { seeds, checked, journal } = job
    const points = checked.durationsPs.length
    this.#records = new Array(points * seeds.length).fill(undefined)
    this.#allPs = checked.durationsPs.reduce((sum, ps) => sum + ps * seeds.length, 0)
    for (const record of journal?.done ?? []) this.#records[record.point * seeds.length + record.run] = record
    const known = this.#records.filter((record) => record !== undefined)
    this.#resumed = known.length
    this.#resumedPs = known.reduce((sum, record) => sum + (checked.durationsPs[record.point] ?? 0), 0)
    this.#donePs = this.#resumedPs
  }

  /** Runs that are not done, in order of points and seeds. */
  tasks(): Task[] {
    const perPoint = this.#job.seeds.length
    return this.#records.flatMap((record, index) =>
      record === undefined ? [{ point: Math.floor(index / perPoint), run: index % perPoint }] : [],
    )
  }

  advance(task: Task, simulatedPs: number): void {
    this.#running.set(task, simulatedPs)
    this.#job.onProgress(this.#progress())
  }

  finish(task: Task, record: RunRecord | null): void {
    this.#running.delete(task)
    if (record !== null) {
      this.#records[task.point * this.#job.seeds.length + task.run] = record
      this.#donePs += this.#job.checked.durationsPs[task.point] ?? 0
    }
    this.#job.onProgress(this.#progress())
  }

  #count(status: RunRecord['status']): number {
    return this.#records.reduce((sum, record) => sum + Number(record?.status === status), 0)
  }

  #progress(): SweepProgress {
    const elapsedMs = wallMs() - this.#startedMs
    const reachedPs = [...this.#running.values()].reduce((sum, ps) => sum + ps, this.#donePs)
    const gainedPs = reachedPs - this.#resumedPs
    return {
      all: this.#records.length,
      done: this.#count('done'),
      failed: this.#count('failed'),
      share: reachedPs / this.#allPs,
      elapsedMs,
      leftMs: gainedPs > 0 && elapsedMs >= SETTLED_MS ? (elapsedMs * (this.#allPs - reachedPs)) / gainedPs : null,
    }
  }

  settingsOf(point: number): Readonly<Record<string, unknown>> {
    const { axes } = this.#job.checked
    const values = valuesAt(axes, point)
    return Object.fromEntries(axes.map((axis, index) => [axis.canonical, values[index]]))
  }

  points(): SweepPoint[] {
    const { checked, seeds } = this.#job
    return checked.durationsPs.map((_ps, point) => {
      const records = this.#records.slice(point * seeds.length, (point + 1) * seeds.length)
      const failed = records.reduce((sum, record) => sum + Number(record?.status === 'failed'), 0)
      return summarizePoint(point, this.settingsOf(point), records.flatMap(runOf), failed)
    })
  }

  #failures(): SweepFailure[] {
    return this.#records.flatMap((record) => {
      if (record?.status !== 'failed') return []
      const { point, settings, seed, message = '' } = record
      return [{ point, settings, seed, message }]
    })
  }

  document(): SweepDocument {
    const { checked, seeds, stop } = this.#job
    const [done, failed] = [this.#count('done'), this.#count('failed')]
    const all = this.#records.length
    return {
      schema: 'softnet.sweep/1',
      status: stop.requested && done + failed < all ? 'interrupted' : 'done',
      scenario: checked.scenario,
      seeds,
      vary: checked.axes,
      runs: { all, done, resumed: this.#resumed, failed },
      wall_ms: Math.round(wallMs() - this.#startedMs),
      points: this.points(),
      failures: this.#failures(),
    }
  }
}

function runOf(record: RunRecord | undefined): SweepRun[] {
  if (record?.status !== 'done') return []
  const { seed, digest = '', wall_ms = 0, measures = {} } = record
  return [{ seed, digest, wall_ms, measures }]
}

/** Writes `sweep.csv` after runs, one writing at a time: what comes meanwhile is in the next. */
function csvWriter(job: SweepJob, state: SweepState): { update(): void; settled(): Promise<void> } {
  const { journal, checked } = job
  let wanted = false
  let writing: Promise<void> | null = null
  const writeAll = async () => {
    while (wanted && journal !== null) {
      wanted = false
      await journal.writeCsv(sweepCsv(checked.axes, state.points()))
    }
  }
  return {
    update() {
      wanted = true
      // A fault is told by `settled`; until then nobody waits for it.
      writing = (writing ?? Promise.resolve()).then(writeAll)
      writing.catch(() => {})
    },
    settled: async () => {
      await writing
    },
  }
}

/** Runs one task; null if it was stopped. */
async function runTask(job: SweepJob, state: SweepState, task: Task, plan: Plan): Promise<RunRecord | null> {
  const seed = job.seeds[task.run] as number
  const about = { point: task.point, run: task.run, settings: state.settingsOf(task.point), seed }
  const { runPlan = runPlanInIsolate } = job
  try {
    const payload = { plan: { ...plan, seed }, captures: [] }
    const result = await runPlan(payload, job.stop, ({ simulatedPs }) => state.advance(task, simulatedPs))
    if (result.status === 'interrupted') return null
    const { digest, wall_ms } = result
    return { ...about, status: 'done', digest, wall_ms, measures: measuresOf(result) }
  } catch (thrown) {
    if (!(thrown instanceof RunError)) throw thrown
    // A thread that did not obey Ctrl-C is no fault of its point.
    return job.stop.requested ? null : { ...about, status: 'failed', message: thrown.message }
  }
}

/** Runs what is not done yet and returns what is known at the end, or when `stop` was requested. */
export async function runPoints(job: SweepJob): Promise<SweepDocument> {
  const state = new SweepState(job)
  const tasks = state.tasks()
  const csv = csvWriter(job, state)
  let last: { readonly point: number; readonly plan: Plan } | null = null
  const planOf = (point: number): Plan => {
    // The runs of a point follow each other, and their plans differ in the seed only.
    if (last?.point !== point) last = { point, plan: planOfPoint(job.source, point) }
    return last.plan
  }
  if (job.journal !== null) csv.update()
  const runOne = async (task: Task) => {
    try {
      const record = await runTask(job, state, task, planOf(task.point))
      if (record !== null) await job.journal?.append(record)
      state.finish(task, record)
      if (record !== null && job.journal !== null) csv.update()
    } catch (thrown) {
      job.stop.request()
      throw thrown
    }
  }
  await runLanes(tasks, job.jobs, () => job.stop.requested, runOne)
  await csv.settled()
  return state.document()
}
