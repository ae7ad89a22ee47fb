import type { Model } from '../../build/build-model.js'
import { type CounterTrack, counterTrack } from './perfetto-counters.js'
import { type PluginValue, PluginValues } from './plugin-values.js'

/** Counter tracks of what plugins keep: made when a number first changes. */
export class PerfettoPlugins {
  readonly #tracks = new Map<PluginValue, CounterTrack>()
  readonly #names: readonly string[]
  readonly #values: PluginValues
  readonly #pidOf: (owner: number, value: PluginValue) => number

  /** `pidOf` says under which process a number is shown that a system has changed for an owner. */
  constructor(model: Model, pidOf: (owner: number, value: PluginValue) => number) {
    this.#names = model.plugins.instances.map(({ plan }) => plan.name)
    this.#values = new PluginValues(model)
    this.#pidOf = pidOf
  }

  /** Visits each number of the plugin that has changed for an owner since it was last looked at. */
  changed(plugin: number, owner: number, atPs: number, visit: (track: CounterTrack, value: number) => void): void {
    this.#values.changed(plugin, owner, atPs, (value, now) => {
      let track = this.#tracks.get(value)
      if (track === undefined) {
        const place = value.isOwn ? '' : ` ${value.place.name}`
        track = counterTrack(this.#pidOf(owner, value), `${this.#names[plugin]}${place} ${value.name}`, value.unit)
        this.#tracks.set(value, track)
      }
      visit(track, now)
    })
  }
}
