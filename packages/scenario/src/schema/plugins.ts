/** Schema of the plugins of a scenario: fixed as far as it is the same for all, the options by each plugin's own. */
import { z } from 'zod'
import { isFound, type PluginsFound } from '../plugin/found-plugin.js'
import type { OptionFields } from '../plugin/option.js'
import { accepts } from './accepted.js'
import { nameKey, text } from './fields.js'

const names = (about: string) =>
  z.array(text('Name of a plugin of this scenario.', 63)).max(64).optional().describe(about)

function entrySchema<Options extends z.ZodType>(options: Options) {
  return z
    .strictObject({
      module: accepts(
        z.string().min(1).max(4096).describe('Module of the plugin: a file, relative to the scenario.'),
        'a module file such as ./firewall.mjs, relative to the scenario',
      ),
      options,
      before: names('Plugins whose systems run after those of this one, where both are in one hook.'),
      after: names('Plugins whose systems run before those of this one, where both are in one hook.'),
    })
    .describe('A plugin: components and systems that are loaded from a module.')
}

const unknownOptions = z
  .record(z.string(), z.unknown())
  .optional()
  .describe('Options of the plugin, by its own schema.')

/** Plugins before their modules are known. */
export const pluginsSchema = z
  .record(nameKey('plugin'), entrySchema(unknownOptions))
  .optional()
  .describe('Plugins by name.')

/** Parsed plugin. */
export type PluginInput = z.output<ReturnType<typeof entrySchema<typeof unknownOptions>>>

function optionsSchema(fields: OptionFields): z.ZodType {
  const schema = z.strictObject({ ...fields })
  // Left out, the options are those of an empty object: all defaults, or a fault for each one that has none.
  const known = Object.keys(fields)
  const words = known.length === 0 ? 'nothing: the plugin has no options' : `an object with keys ${known.join(', ')}`
  return accepts(schema, words).prefault({})
}

/** Plugins with the schemas of those that could be loaded. */
export function pluginsSchemaOf(found: PluginsFound): z.ZodType {
  const shape: Record<string, z.ZodType> = {}
  for (const [name, plugin] of found) {
    shape[name] = entrySchema(isFound(plugin) ? optionsSchema(plugin.options) : unknownOptions).optional()
  }
  return z.strictObject(shape).optional().describe('Plugins by name.')
}
