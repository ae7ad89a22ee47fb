import {
  type BindContext,
  type Columns,
  type Component,
  defineResource,
  drawFrom,
  type RandomStreams,
  type ReadonlyColumns,
  type Schema,
} from '@softnet/ecs'
import { bucketIndex, LATENCY_BUCKETS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, type PlanConstants } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { STAGE } from '../cpu/stage-ids.js'
import { chargeCycles } from '../netfilter/charge-cycles.js'
import { HISTOGRAM_SUM, type HistogramSchema, type PluginComponent, type RandomSchema } from './define-component.js'
import { HOOKS, type HookName, type HookRun } from './hooks.js'
import { firstRows, type Places } from './places.js'

/** What a system of a plugin sees while it is bound. */
export interface PluginContext {
  /** Columns for reading; a write does not compile. */
  read<S extends Schema>(component: Component<S>): ReadonlyColumns<S>
  /** Columns for reading and writing. */
  write<S extends Schema>(component: Component<S>): Columns<S>
  /** First row of each entity in a component of a plugin that has several rows: index is the entity's id. */
  firstRows(component: PluginComponent): Int32Array
  /** Draws from the streams of a `defineRandom`, by entity id. */
  random(streams: PluginComponent<RandomSchema>): Omit<RandomStreams, 'seed'>
  /** Puts a value into a `defineHistogram`, for an entity id. */
  histogram(histogram: PluginComponent<HistogramSchema>): (id: number, value: number) => void
  /** Charges cycles to a CPU, in the stage of the hook. Not at `nic_rx`, where no CPU runs, nor at the hooks of a qdisc. */
  charge(): (cpu: number, cycles: number) => void
  /** Numbers that do not change in a run. */
  readonly constants: PlanConstants
  /** CPUs, wires, queues and NAPI instances by id and name. */
  readonly places: Places
}

/** What contexts are made of. */
export interface PluginWorld {
  readonly layout: Layout
  readonly places: Places
}

/** Resource key of what contexts are made of. */
export const PLUGIN_WORLD = defineResource<PluginWorld>('plugin_world')

/** Puts a value into the rows of a histogram that begin at `first`. */
export function recordValue(value: Float64Array, first: number, given: number): void {
  const sums = first + LATENCY_BUCKETS
  value[first + bucketIndex(given)]++
  value[sums + HISTOGRAM_SUM.sum] += given
  if (value[sums + HISTOGRAM_SUM.count] === 0 || given < value[sums + HISTOGRAM_SUM.min]) {
    value[sums + HISTOGRAM_SUM.min] = given
  }
  if (given > value[sums + HISTOGRAM_SUM.max]) value[sums + HISTOGRAM_SUM.max] = given
  value[sums + HISTOGRAM_SUM.count]++
}

/** Binds a system of a plugin; what it returns must be its function. */
export function bindPluginSystem(
  context: BindContext,
  name: string,
  hook: HookName,
  bind: (context: PluginContext) => HookRun,
): HookRun {
  const { layout, places } = context.resource(PLUGIN_WORLD)
  function known<S extends Schema>(component: Component<S>): Component<S> {
    if (context.world.has(component as unknown as Component)) return component
    throw new Error(`${component.name} is not among the plugin's components, or belongs to a hook that nobody uses`)
  }
  const run: unknown = bind({
    read: (component) => context.read(known(component)),
    write: (component) => context.write(known(component)),
    firstRows: (component) => firstRows(layout, places, component),
    random: (streams) => drawFrom(context.write(known(streams))),
    histogram(histogram) {
      const { value } = context.write(known(histogram))
      const first = firstRows(layout, places, histogram)
      return (id, given) => recordValue(value, first[id], given)
    },
    charge() {
      const stage = HOOKS[hook].stage
      if (stage === null) throw new Error(`system ${name}: at ${hook} no CPU can be charged`)
      const price = context.system(chargeCycles)
      const id = STAGE[stage]
      return (cpu, cycles) => {
        price.cycles[0] = cycles
        price.charge(cpu, id)
      }
    },
    constants: context.resource(PLAN_CONSTANTS),
    places,
  })
  if (typeof run !== 'function') throw new TypeError(`system ${name}: its bind returned no function`)
  return run as HookRun
}
