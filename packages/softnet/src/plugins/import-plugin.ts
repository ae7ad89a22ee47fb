/** Modules of plugins: loaded by the main thread for their options, and by every thread of a run for their systems. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isPlugin, type Plugin, PluginError } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario/plan'

/** Modules that a plugin imports from softnet are those of the softnet that runs it, wherever the plugin lies. */
const OWN_MODULES = {
  'softnet/plugin': new URL('../plugin.js', import.meta.url).href,
  softnet: new URL('../index.js', import.meta.url).href,
}

const RESOLVER = `
const own = ${JSON.stringify(OWN_MODULES)}
export const resolve = (specifier, context, next) =>
  Object.hasOwn(own, specifier) ? { url: own[specifier], shortCircuit: true } : next(specifier, context)
`

let registered = false

function registerOwnModules(): void {
  if (registered) return
  registered = true
  register(`data:text/javascript,${encodeURIComponent(RESOLVER)}`)
}

/** The plugin that a module exports as its default; throws an `Error` that says what is wrong with it. */
export async function importPlugin(url: string): Promise<Plugin> {
  registerOwnModules()
  const module: Record<string, unknown> = await import(url)
  if (!('default' in module)) throw new Error('it has no default export')
  const exported = module.default
  if (!isPlugin(exported)) throw new Error('its default export was not made with definePlugin of softnet/plugin')
  return exported
}

/** The plugins of a plan, in this thread. */
export async function importPlugins(plan: Plan): Promise<Plugin[]> {
  const plugins: Plugin[] = []
  for (const { name, url, sha256 } of plan.plugins) {
    try {
      const bytes = await readFile(fileURLToPath(url))
      if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
        throw new Error('the file is not the one that was checked for this run')
      }
      plugins.push(await importPlugin(url))
    } catch (thrown) {
      throw new PluginError(
        `plugin ${name}: ${url}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
        thrown,
      )
    }
  }
  return plugins
}
