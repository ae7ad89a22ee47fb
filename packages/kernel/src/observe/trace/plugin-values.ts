import type { Model } from '../../build/build-model.js'

/** A column of a plugin with one number per CPU or per wire. */
export interface PluginValue {
  readonly name: string
  readonly values: ArrayLike<number>
}

/** Numbers that plugins keep for an owner, a CPU or a wire, by position of the plugin in the scenario. */
export function pluginValues({
  plugins,
  world,
  layout,
}: Model): (plugin: number, owner: number) => readonly PluginValue[] {
  const [ofCpus, ofWires] = (['cpu', 'wire'] as const).map((per) =>
    plugins.instances.map(({ plugin }) =>
      plugin.components
        .filter((each) => each.per === per && each.rows === 1 && each.kind !== 'random')
        .flatMap((component) => {
          const columns = world.columns(component)
          return Object.keys(component.schema).map((name) => ({ name, values: columns[name] as ArrayLike<number> }))
        }),
    ),
  )
  return (plugin, owner) => (owner < layout.firstWire ? ofCpus : ofWires)[plugin]
}
