/** Result of a sweep, `softnet.sweep/1`: the points of a cross product, each with its runs and their means. */
import { type Estimate, estimate } from './confidence.js'
import { MEASURES, type MeasureValues } from './measures.js'

/** One setting that is varied. */
export interface SweepAxis {
  /** Path as it was given, `eth0.rings.rx`. */
  readonly path: string
  /** The full path it stands for. */
  readonly canonical: string
  readonly values: readonly unknown[]
}

/** One run that is done. */
export interface SweepRun {
  readonly seed: number
  readonly digest: string
  /** Wall time of the simulation, ms; the only value that differs when a run is repeated. */
  readonly wall_ms: number
  readonly measures: MeasureValues
}

/** One point of the cross product. */
export interface SweepPoint {
  /** Position in the cross product, from 0; the last setting changes fastest. */
  readonly point: number
  /** Values by full path. */
  readonly settings: Readonly<Record<string, unknown>>
  /** Runs that are done, in the order of seeds. */
  readonly runs: readonly SweepRun[]
  /** Runs that failed. */
  readonly failed: number
  /** Mean and confidence interval of each measure; null where no run has a value. */
  readonly measures: Readonly<Record<string, Estimate | null>>
}

/** A run that failed. */
export interface SweepFailure {
  readonly point: number
  readonly settings: Readonly<Record<string, unknown>>
  readonly seed: number
  readonly message: string
}

/** What a sweep found. */
export interface SweepDocument {
  readonly schema: 'softnet.sweep/1'
  readonly status: 'done' | 'interrupted'
  readonly scenario: string
  /** Seeds of the runs of every point, the same at each. */
  readonly seeds: readonly number[]
  readonly vary: readonly SweepAxis[]
  readonly points: readonly SweepPoint[]
  readonly failures: readonly SweepFailure[]
  /** Runs in all, done (those taken over from an earlier start among them), and failed. */
  readonly runs: { readonly all: number; readonly done: number; readonly resumed: number; readonly failed: number }
  /** Wall time of this start of the sweep, ms. */
  readonly wall_ms: number
}

/** A point from its runs. */
export function summarizePoint(
  point: number,
  settings: Readonly<Record<string, unknown>>,
  runs: readonly SweepRun[],
  failed: number,
): SweepPoint {
  const measures = Object.fromEntries(
    MEASURES.map(({ name }) => {
      const values = runs.map((run) => run.measures[name] ?? null)
      return [name, estimate(values.filter((value): value is number => value !== null))]
    }),
  )
  return { point, settings, runs, failed, measures }
}

/** Text of a varied value: text as it is, anything else as JSON. */
export function settingText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
}
