/** Finds the plugins that a scenario names, before it is compiled: their options are checked by their own schemas. */
import { createHash } from 'node:crypto'
import { extname, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FoundPlugin, MissingPlugin, PluginsFound } from '@softnet/scenario'
import { ScenarioError } from '../input-fault.js'
import { interruptibly } from '../interrupt.js'
import { orNever, reasonOf } from '../load-module.js'
import { readLimited } from '../read-file.js'

const MAX_MODULE_BYTES = 16 * 1024 * 1024
const EXTENSIONS: readonly string[] = ['.js', '.mjs', '.ts', '.mts']

function fileOf(directory: string, module: string): string {
  return module.startsWith('file:') ? fileURLToPath(module) : resolve(directory, module)
}

async function find(directory: string, module: string): Promise<FoundPlugin | MissingPlugin> {
  const missing = (reason: string): MissingPlugin => ({ module, reason })
  if (module === '') return missing('it names none')
  let file: string
  try {
    file = fileOf(directory, module)
  } catch {
    return missing('its file URL leads to no file')
  }
  if (!EXTENSIONS.includes(extname(file))) return missing(`a module ends in ${EXTENSIONS.join(' ')}`)
  let bytes: Uint8Array
  try {
    const accepted = 'a module'
    bytes = await readLimited(file, { given: module, path: 'module', accepted, maxBytes: MAX_MODULE_BYTES })
  } catch (thrown) {
    if (!(thrown instanceof ScenarioError)) throw thrown
    return missing(thrown.errors[0]?.accepted.replace(/^a module \((.*)\)$/, '$1') ?? 'it cannot be read')
  }
  const url = pathToFileURL(file).href
  try {
    // The model is loaded only where there is a plugin: it takes a fifth of a second.
    const { importPlugin } = await import('./import-plugin.js')
    const plugin = await interruptibly(() => orNever(importPlugin(url)))
    return {
      module,
      url,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      plugin: plugin.name,
      options: plugin.options,
      hooksOf: (options) => plugin.systems(options as never).map(({ hook }) => hook),
    }
  } catch (thrown) {
    return missing(reasonOf(thrown))
  }
}

/** Looks for the plugin of every name below `plugins` of a scenario as it was written; what is no scenario has none. */
export async function findPlugins(input: unknown, directory: string): Promise<PluginsFound> {
  const found = new Map<string, FoundPlugin | MissingPlugin>()
  const plugins = memberOf(input, 'plugins')
  if (typeof plugins !== 'object' || plugins === null || Array.isArray(plugins)) return found
  for (const name of Object.keys(plugins)) {
    const module = memberOf(memberOf(plugins, name), 'module')
    found.set(name, await find(directory, typeof module === 'string' ? module : ''))
  }
  return found
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  try {
    return (value as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
