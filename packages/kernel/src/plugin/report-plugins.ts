import { digestWorld, type Schema } from '@softnet/ecs'
import { type HistogramSummary, LATENCY_BUCKETS, type PluginResult } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { filledBuckets, percentiles } from '../observe/histogram-summary.js'
import { PluginError, type PluginInstance } from './build-plugins.js'
import { HISTOGRAM_SUM, type PluginComponent } from './define-component.js'
import type { ReportContext } from './define-plugin.js'
import { firstRows } from './places.js'

/** Rows of one component that a result shows at most. */
const STATE_ROWS_MAX = 1000

/** What the plugins of a run counted, measured and hold, by their names in the scenario. */
export function reportPlugins(model: Model): Record<string, PluginResult> {
  return Object.fromEntries(
    model.plugins.instances.map((instance) => [instance.plan.name, reportPlugin(model, instance)]),
  )
}

function reportPlugin(model: Model, instance: PluginInstance): PluginResult {
  const { plan, plugin } = instance
  const ofKind = (kind: PluginComponent['kind']) => plugin.components.filter((component) => component.kind === kind)
  const hasProbes = plugin.components.some(({ role }) => role === 'probe')
  const names = new Set(plugin.components.filter(({ role }) => role === 'probe').map(({ name }) => name))
  return {
    plugin: plugin.name,
    probe_digest: hasProbes ? digestWorld(model.world, undefined, ({ name }) => names.has(name)) : null,
    counters: Object.fromEntries(ofKind('counters').map((each) => [each.name, counterSums(model, each)])),
    histograms: Object.fromEntries(ofKind('histogram').map((each) => [each.name, histogramOf(model, each)])),
    state: Object.fromEntries(ofKind('state').map((each) => [each.name, stateRows(model, each)])),
    report: ownReport(model, instance, plan.name),
  }
}

type CounterSums = PluginResult['counters'][string]

/** Sums of a component of counters, and its rows that are not zero. */
export function counterSums(model: Model, component: PluginComponent): CounterSums {
  const columns = model.world.columns(component)
  const places = model.plugins.places[component.per]
  return Object.fromEntries(
    Object.keys(component.schema).map((name) => {
      const values = columns[name] as Float64Array
      const by = Object.fromEntries(
        places.filter(({ id }) => values[id] !== 0).map((place) => [place.name, values[place.id]]),
      )
      return [name, { total: places.reduce((sum, { id }) => sum + values[id], 0), by }]
    }),
  )
}

function histogramOf(model: Model, component: PluginComponent): HistogramSummary | null {
  const value = model.world.columns(component).value as Float64Array
  const first = firstRows(model.layout, model.plugins.places, component)
  const buckets = new Float64Array(LATENCY_BUCKETS)
  let count = 0
  let sum = 0
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const { id } of model.plugins.places[component.per]) {
    const sums = first[id] + LATENCY_BUCKETS
    if (value[sums + HISTOGRAM_SUM.count] === 0) continue
    for (let b = 0; b < LATENCY_BUCKETS; b++) buckets[b] += value[first[id] + b]
    count += value[sums + HISTOGRAM_SUM.count]
    sum += value[sums + HISTOGRAM_SUM.sum]
    min = Math.min(min, value[sums + HISTOGRAM_SUM.min])
    max = Math.max(max, value[sums + HISTOGRAM_SUM.max])
  }
  if (count === 0) return null
  const filled = filledBuckets(buckets)
  return {
    unit: component.unit,
    count,
    min,
    mean: sum / count,
    ...percentiles(filled, count, min, max),
    max,
    buckets: filled,
  }
}

/** Rows that are not all zero: where, which row of a table, and every column. */
function stateRows(model: Model, component: PluginComponent): Record<string, number | string>[] {
  const columns = model.world.columns(component) as Readonly<Record<string, ArrayLike<number>>>
  const first = firstRows(model.layout, model.plugins.places, component)
  const names = Object.keys(component.schema as Schema)
  const rows: Record<string, number | string>[] = []
  for (const { id, name } of model.plugins.places[component.per]) {
    for (let row = 0; row < component.rows && rows.length < STATE_ROWS_MAX; row++) {
      const values = names.map((column) => columns[column][first[id] + row])
      if (values.every((value) => value === 0)) continue
      const at = component.rows === 1 ? { at: name } : { at: name, row }
      // JSON has no word for what never comes.
      const shown = values.map((value) => (Number.isFinite(value) ? value : String(value)))
      rows.push({ ...at, ...Object.fromEntries(names.map((column, i) => [column, shown[i]])) })
    }
  }
  return rows
}

function ownReport(model: Model, { plugin, plan }: PluginInstance, name: string): unknown {
  if (plugin.report === null) return null
  const context: ReportContext = {
    read: (component) => model.world.columns(component) as never,
    firstRows: (component) => firstRows(model.layout, model.plugins.places, component),
    places: model.plugins.places,
  }
  let said: unknown
  try {
    // A report crosses threads and ends in JSON.
    said = JSON.parse(JSON.stringify(plugin.report(context, plan.options as never) ?? null))
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new PluginError(`plugin ${name}: its report is no plain data: ${reason}`, thrown)
  }
  return said
}
