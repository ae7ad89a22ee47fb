import type { Model } from '../../build/build-model.js'
import { type CounterTrack, counterTrack } from './perfetto-counters.js'
import { type PluginValue, pluginValues } from './plugin-values.js'

/** A number of a plugin, its track, and the value that was noted last. */
interface PluginTrack {
  readonly track: CounterTrack
  readonly values: ArrayLike<number>
  noted: number
}

/** Counter tracks of what plugins keep for each CPU and wire: made when an owner first runs a system of the plugin. */
export class PerfettoPlugins {
  readonly #tracks = new Map<number, PluginTrack[]>()
  readonly #names: readonly string[]
  readonly #valuesOf: (plugin: number, owner: number) => readonly PluginValue[]
  readonly #pidOf: (owner: number) => number

  constructor(model: Model, pidOf: (owner: number) => number) {
    this.#names = model.plugins.instances.map(({ plan }) => plan.name)
    this.#valuesOf = pluginValues(model)
    this.#pidOf = pidOf
  }

  /** Visits each number of the plugin that has changed for an owner since it was last looked at. */
  changed(plugin: number, owner: number, visit: (track: CounterTrack, value: number) => void): void {
    for (const each of this.#tracksOf(plugin, owner)) {
      const value = each.values[owner]
      if (value === each.noted) continue
      each.noted = value
      visit(each.track, value)
    }
  }

  #tracksOf(plugin: number, owner: number): PluginTrack[] {
    const key = owner * this.#names.length + plugin
    let tracks = this.#tracks.get(key)
    if (tracks === undefined) {
      tracks = this.#valuesOf(plugin, owner).map(({ name, values }) => ({
        track: counterTrack(this.#pidOf(owner), `${this.#names[plugin]} ${name}`, 'count'),
        values,
        noted: 0,
      }))
      this.#tracks.set(key, tracks)
    }
    return tracks
  }
}
