import { type Component, type ComponentRole, f64, type Schema, u32 } from '@softnet/ecs'
import { LATENCY_BUCKETS } from '@softnet/scenario/plan'

/** What has a row of its own in a component of a plugin: each is written only by the partition it belongs to. */
export type Per = 'cpu' | 'wire' | 'queue' | 'napi' | 'txqueue'

/** How a component of a plugin is filled and shown. */
export type PluginComponentKind = 'state' | 'counters' | 'histogram' | 'random'

/** A component of a plugin: columns with a row, or a table of rows, for each CPU, wire, queue, NAPI instance or transmit queue. */
export interface PluginComponent<S extends Schema = Schema> extends Component<S> {
  readonly per: Per
  /** Rows of each. */
  readonly rows: number
  readonly kind: PluginComponentKind
  /** What each column is, where that was said. */
  readonly about: Readonly<Record<string, string>>
  /** Unit of what a histogram takes. */
  readonly unit: string
}

/** Where the rows of a component belong, and what they are. */
export interface PluginComponentOptions {
  /** What has a row of its own; default `cpu`. */
  readonly per?: Per
  /** Rows of each, a table; default 1, and the row is the entity's id. */
  readonly rows?: number
  /**
   * `model` (default): what the run depends on, part of its digest. `probe`: what was only measured, with a digest of its
   * own, so that a run with the probe has the digest of the run without.
   */
  readonly role?: Exclude<ComponentRole, 'observer'>
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/

function make<const S extends Schema>(
  name: string,
  schema: S,
  parts: Pick<PluginComponent<S>, 'per' | 'rows' | 'kind' | 'role'> & Partial<Pick<PluginComponent, 'about' | 'unit'>>,
): PluginComponent<S> {
  if (!NAME.test(name)) throw new TypeError(`component ${name}: a name has small letters, digits and _ only`)
  if (!Number.isInteger(parts.rows) || parts.rows < 1)
    throw new TypeError(`component ${name}: rows is a whole number from 1 on`)
  return { name, schema, unorderedRows: false, references: [], undigested: [], about: {}, unit: '', ...parts }
}

/**
 * Defines a component of a plugin: a name and the type of each column. All state of a plugin that a run changes lives in
 * such columns, so it is there for every worker, in the digest, in results and in `softnet inspect`.
 */
export function defineComponent<const S extends Schema>(
  name: string,
  schema: S,
  { per = 'cpu', rows = 1, role = 'model' }: PluginComponentOptions = {},
): PluginComponent<S> {
  return make(name, schema, { per, rows, role, kind: 'state' })
}

/** Defines counters: what each one counts, by its name. They are columns of numbers, and probes. */
export function defineCounters<const Names extends Readonly<Record<string, string>>>(
  name: string,
  about: Names,
  { per = 'cpu' }: Pick<PluginComponentOptions, 'per'> = {},
): PluginComponent<{ readonly [K in keyof Names]: 'f64' }> {
  const schema = Object.fromEntries(Object.keys(about).map((key) => [key, f64])) as {
    readonly [K in keyof Names]: 'f64'
  }
  return make(name, schema, { per, rows: 1, role: 'probe', kind: 'counters', about })
}

/** Columns of a histogram: bucket counts, and behind them what `HISTOGRAM_SUM` names. */
export type HistogramSchema = { readonly value: 'f64' }

/** Rows behind the buckets of a histogram. */
export const HISTOGRAM_SUM = { count: 0, sum: 1, min: 2, max: 3 } as const

const SUM_ROWS = 64

/**
 * Defines a histogram of whole numbers up to 2^43 in the unit, with an error of less than 1 %. A system puts values in
 * with what `histogram` gives it; results show its percentiles.
 */
export function defineHistogram(
  name: string,
  unit: string,
  { per = 'cpu' }: Pick<PluginComponentOptions, 'per'> = {},
): PluginComponent<HistogramSchema> {
  return make(name, { value: f64 }, { per, rows: LATENCY_BUCKETS + SUM_ROWS, role: 'probe', kind: 'histogram', unit })
}

/** Columns of a random stream. */
export type RandomSchema = { readonly keyLow: 'u32'; readonly keyHigh: 'u32'; readonly drawn: 'f64' }

/** Defines random streams, one for each CPU, wire, queue or NAPI instance; they follow from the seed of the run. */
export function defineRandom(
  name: string,
  { per = 'cpu' }: Pick<PluginComponentOptions, 'per'> = {},
): PluginComponent<RandomSchema> {
  return make(name, { keyLow: u32, keyHigh: u32, drawn: f64 }, { per, rows: 1, role: 'model', kind: 'random' })
}
