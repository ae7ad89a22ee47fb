import { LATENCY_BUCKETS } from '@softnet/scenario/plan'
import type { Model } from '../../build/build-model.js'
import { IrqVector, RxQueue } from '../../nic/components.js'
import { TxQueue } from '../../nic/tx-components.js'
import { HISTOGRAM_SUM, type PluginComponent } from '../../plugin/define-component.js'
import { firstRows, type Place } from '../../plugin/places.js'

/** A number of a plugin that a trace can follow. */
export interface PluginValue {
  /** Column, histogram or table; with the component in front where two columns of the plugin have one name. */
  readonly name: string
  /** `count` of counters, `value` of other columns, the unit of a histogram, `rows` of a table. */
  readonly unit: string
  /** What it belongs to. */
  readonly place: Place
  /** Whether it belongs to the CPU or wire itself, and not to something the CPU has. */
  readonly isOwn: boolean
  /** Its value now; NaN where there is nothing new to say. */
  readonly read: () => number
  /** Least time between two looks, ps. */
  readonly gapPs: number
  seen: number
  seenPs: number
}

/** Counting the rows of a table in use takes a look at each of them. */
const TABLE_GAP_PS = 10_000_000
/** Means have three digits behind the point. */
const MEAN_DIGITS = 1000

type Reading = Pick<PluginValue, 'name' | 'unit' | 'read' | 'gapPs'>
type Columns = Readonly<Record<string, ArrayLike<number>>>

/** How many were put in, and the mean of those put in since the last look. */
function ofHistogram(component: PluginComponent, value: ArrayLike<number>, first: number): Reading[] {
  const sums = first + LATENCY_BUCKETS
  let [count, sum] = [0, 0]
  const mean = (): number => {
    const [count0, sum0] = [count, sum]
    count = value[sums + HISTOGRAM_SUM.count]
    sum = value[sums + HISTOGRAM_SUM.sum]
    return Math.round(((sum - sum0) / (count - count0)) * MEAN_DIGITS) / MEAN_DIGITS
  }
  return [
    { name: `${component.name}.count`, unit: 'count', gapPs: 0, read: () => value[sums + HISTOGRAM_SUM.count] },
    { name: `${component.name}.mean`, unit: component.unit, gapPs: 0, read: mean },
  ]
}

/** How many rows of a table hold anything. */
function ofTable(component: PluginComponent, columns: Columns, first: number): Reading {
  const all = Object.values(columns)
  const read = (): number => {
    let used = 0
    for (let row = first; row < first + component.rows; row++) {
      for (const column of all) {
        if (column[row] === 0) continue
        used++
        break
      }
    }
    return used
  }
  return { name: component.name, unit: 'rows', gapPs: TABLE_GAP_PS, read }
}

/** Numbers that plugins keep, by what may change them: a system that runs for a CPU or wire, or for one fused with it. */
export class PluginValues {
  readonly #model: Model
  readonly #byLeader = new Map<number, readonly PluginValue[]>()
  readonly #byOwner = new Map<number, readonly PluginValue[]>()

  constructor(model: Model) {
    this.#model = model
  }

  /** Visits each number that a system of the plugin can have changed for this owner and that has changed. */
  changed(plugin: number, owner: number, atPs: number, visit: (value: PluginValue, now: number) => void): void {
    for (const value of this.of(plugin, owner)) {
      if (value.gapPs > 0 && atPs - value.seenPs < value.gapPs) continue
      value.seenPs = atPs
      const now = value.read()
      if (!Number.isFinite(now) || now === value.seen) continue
      value.seen = now
      visit(value, now)
    }
  }

  /** Numbers of a plugin that its systems can change when they run for this owner. */
  of(plugin: number, owner: number): readonly PluginValue[] {
    const key = owner * this.#model.plugins.instances.length + plugin
    let values = this.#byOwner.get(key)
    if (values === undefined) {
      // CPUs of one partition share what they have, but not what is theirs alone.
      values = this.#ofPartition(plugin, owner).filter(({ isOwn, place }) => !isOwn || place.id === owner)
      this.#byOwner.set(key, values)
    }
    return values
  }

  #ofPartition(plugin: number, owner: number): readonly PluginValue[] {
    const { plugins, partitions } = this.#model
    const leader = partitions.leader[owner]
    const key = leader * plugins.instances.length + plugin
    let values = this.#byLeader.get(key)
    if (values === undefined) {
      values = plugins.instances[plugin].plugin.components.flatMap((component) =>
        plugins.places[component.per]
          .filter((place) => partitions.leader[this.#ownerOf(component, place)] === leader)
          .flatMap((place) => this.#valuesOf(plugin, component, place)),
      )
      this.#byLeader.set(key, values)
    }
    return values
  }

  #valuesOf(plugin: number, component: PluginComponent, place: Place): PluginValue[] {
    const { world, layout, plugins } = this.#model
    const columns = world.columns(component) as Columns
    const first = firstRows(layout, plugins.places, component)[place.id]
    const isOwn = component.per === 'cpu' || component.per === 'wire'
    return this.#readings(plugin, component, columns, first).map((reading) => ({
      ...reading,
      place,
      isOwn,
      seen: 0,
      seenPs: Number.NEGATIVE_INFINITY,
    }))
  }

  #readings(plugin: number, component: PluginComponent, columns: Columns, first: number): Reading[] {
    if (component.kind === 'random') return []
    if (component.kind === 'histogram') return ofHistogram(component, columns.value, first)
    if (component.rows > 1) return [ofTable(component, columns, first)]
    const { components } = this.#model.plugins.instances[plugin].plugin
    const unit = component.kind === 'counters' ? 'count' : 'value'
    return Object.keys(component.schema).map((column) => {
      const isShared = components.some(
        (other) => other !== component && other.rows === 1 && other.kind !== 'random' && column in other.schema,
      )
      const name = isShared ? `${component.name}.${column}` : column
      return { name, unit, gapPs: 0, read: () => columns[column][first] }
    })
  }

  /** CPU or wire whose systems write the rows of a place. */
  #ownerOf({ per }: PluginComponent, place: Place): number {
    if (per === 'cpu' || per === 'wire') return place.id
    const { world, layout } = this.#model
    if (per === 'queue') return world.columns(RxQueue).cpu[place.id]
    if (per === 'txqueue') return world.columns(TxQueue).cpu[place.id]
    const backlog = layout.backlogNapis.indexOf(place.id)
    if (backlog >= 0) return layout.cpus[backlog]
    const vectors = world.columns(IrqVector)
    return vectors.cpu[layout.vectors.find((vector) => vectors.napi[vector] === place.id) ?? 0]
  }
}
