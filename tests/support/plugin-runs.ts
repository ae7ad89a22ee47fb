import { fileURLToPath } from 'node:url'
import type { Plugin } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'
import { type CompileOptions, compile } from 'softnet'
import { runCli } from './cli.js'

/** A plan with its plugins, in this thread. */
export interface PluginPlan {
  readonly plan: Plan
  readonly plugins: readonly Plugin[]
}

/** The part of the package that loads modules in each thread. */
const loader: { importPlugins(plan: Plan): Promise<Plugin[]> } = await import(
  new URL('../../../packages/softnet/dist/src/plugins/import-plugin.js', import.meta.url).href
)

/** Path of an example from its name. */
export function examplePath(name: string): string {
  return fileURLToPath(new URL(`../../../examples/plugins/${name}.yaml`, import.meta.url))
}

/** URL of a plugin of the tests. */
export function fixtureUrl(name: string): string {
  return new URL(`./plugins/${name}.js`, import.meta.url).href
}

/** Compiles a scenario with plugins and loads them. */
export async function pluginPlan(
  scenario: Parameters<typeof compile>[0],
  options: CompileOptions = {},
): Promise<PluginPlan> {
  const plan = await compile(scenario, options)
  return { plan, plugins: await loader.importPlugins(plan) }
}

/** Writes a plugin as `softnet new plugin` does. */
export async function writePlugin(directory: string): Promise<void> {
  const { code } = await runCli(['new', 'plugin', directory])
  if (code !== 0) throw new Error(`softnet new plugin ended with ${code}`)
}
