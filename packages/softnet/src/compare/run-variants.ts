/** Runs several variants of a host with the same seeds, several runs at a time. */
import type { StopWord } from '@softnet/engine'
import {
  type CompareDocument,
  compareVariants,
  differencesOf,
  type MeasuredVariant,
  type QuantityValues,
  quantitiesOf,
  type VariantRun,
} from '@softnet/observe'
import type { Plan, ResultDocument, ResultInput } from '@softnet/scenario'
import { wallMs } from '../host-clock.js'
import { RunError } from '../input-fault.js'
import { runLanes } from '../run-lanes.js'
import { runPlanInIsolate } from '../simulation-run.js'
import type { SweepProgress } from '../sweep/run-points.js'

/** Wall time before which the pace says nothing: threads start and code is compiled. */
const SETTLED_MS = 1000

/** A variant that is ready to run; with results and no plan it is only compared. */
export interface VariantToRun {
  readonly label: string
  readonly plan: Plan | null
  readonly input: ResultInput | null
  /** What is known before anything runs. */
  readonly recorded: ResultDocument | null
}

/** Variants and how to run them. */
export interface VariantsJob {
  readonly variants: readonly VariantToRun[]
  readonly seeds: readonly number[]
  /** Runs at a time, 1 or more. */
  readonly jobs: number
  readonly stop: StopWord
  readonly onProgress: (progress: SweepProgress) => void
}

/** The comparison, and for each variant its result with the first seed that was run. */
export interface ComparedRuns {
  readonly document: CompareDocument
  readonly results: readonly (ResultDocument | null)[]
}

/** What is kept of the runs of a variant. */
class VariantState {
  readonly #runs = new Map<number, VariantRun>()
  readonly #quantities = new Map<number, QuantityValues>()
  readonly failures: { seed: number; message: string }[] = []
  /** Result of the first seed. */
  shown: ResultDocument | null = null

  add(result: ResultDocument, seed: number, isFirst: boolean): void {
    this.#runs.set(seed, { seed, digest: result.digest, bottleneck: result.verdict.bottleneck })
    this.#quantities.set(seed, quantitiesOf(result))
    if (isFirst || this.shown === null) this.shown = result
  }

  measured({ label, plan, recorded, input }: VariantToRun, first: ResultInput | null): MeasuredVariant {
    const bySeed = [...this.#runs.values()].sort((a, b) => a.seed - b.seed)
    return {
      label,
      scenario: plan?.name ?? recorded?.scenario ?? label,
      differences: input === null || first === null ? [] : differencesOf(first.scenario, input.scenario),
      runs: bySeed,
      failures: [...this.failures].sort((a, b) => a.seed - b.seed),
      quantities: this.#quantities,
    }
  }
}

/** Runs every variant with every seed and compares; a run that fails is told, and the others go on. */
export async function runVariants(job: VariantsJob): Promise<ComparedRuns> {
  const { variants, seeds, stop } = job
  const startedMs = wallMs()
  const states = variants.map(() => new VariantState())
  const tasks = seeds.flatMap((seed) => variants.map((_variant, index) => ({ seed, index })))
  const running = new Map<object, number>()
  let done = 0
  let failed = 0
  const report = () => {
    const reached = [...running.values()].reduce((sum, share) => sum + share, done + failed)
    const elapsedMs = wallMs() - startedMs
    const share = reached / tasks.length
    const leftMs = share > 0 && elapsedMs >= SETTLED_MS ? (elapsedMs * (1 - share)) / share : null
    job.onProgress({ all: tasks.length, done, failed, share, elapsedMs, leftMs })
  }
  await runLanes(
    tasks,
    job.jobs,
    () => stop.requested,
    async (task) => {
      const variant = variants[task.index] as VariantToRun
      const state = states[task.index] as VariantState
      const isFirst = task.seed === seeds[0]
      if (variant.plan === null) {
        if (isFirst && variant.recorded !== null) state.add(variant.recorded, task.seed, true)
        done++
        return
      }
      try {
        const payload = { plan: { ...variant.plan, seed: task.seed }, captures: [] }
        const result = await runPlanInIsolate(payload, stop, ({ simulatedPs, durationPs }) => {
          running.set(task, simulatedPs / durationPs)
          report()
        })
        if (result.status === 'done') {
          state.add(variant.input === null ? result : { ...result, input: variant.input }, task.seed, isFirst)
          done++
        }
      } catch (thrown) {
        if (!(thrown instanceof RunError)) throw thrown
        if (stop.requested) return
        state.failures.push({ seed: task.seed, message: thrown.message })
        failed++
      } finally {
        running.delete(task)
        report()
      }
    },
  )
  const first = variants[0]?.input ?? null
  const measured = variants.map((variant, index) => (states[index] as VariantState).measured(variant, first))
  const status = stop.requested && done + failed < tasks.length ? 'interrupted' : 'done'
  const document = compareVariants(measured, seeds, status, Math.round(wallMs() - startedMs))
  return { document, results: states.map((state) => state.shown) }
}
