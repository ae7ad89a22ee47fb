import type { FaultPath, Report } from '../fault.js'
import type { HostPlan } from '../plan.js'
import { type FoundPlugin, isFound, type PluginsFound } from '../plugin/found-plugin.js'
import { namesDevice } from '../plugin/option.js'
import type { PluginPlan } from '../plugin/plugin-plan.js'
import type { PluginInput } from '../schema/plugins.js'

/** What plugins are checked against. */
export interface PluginContext {
  readonly report: Report
  readonly hosts: readonly HostPlan[]
  readonly found: PluginsFound
}

/** Checks the plugins of a scenario against each other and against its devices. */
export function compilePlugins(inputs: Readonly<Record<string, PluginInput>>, context: PluginContext): PluginPlan[] {
  const { report, found } = context
  const names = Object.keys(inputs)
  const owners = new Map<string, string>()
  return Object.entries(inputs).flatMap(([name, input]): PluginPlan[] => {
    const path: FaultPath = ['plugins', name]
    if (!/^[A-Za-z0-9_-]{1,63}$/.test(name))
      report.fault(path, 'a plugin name of 1 to 63 letters, digits, _ or -', [], name)
    const plugin = found.get(name)
    if (!isFound(plugin)) {
      const reason = plugin === undefined ? 'it was not loaded' : plugin.reason
      report.fault([...path, 'module'], `a module whose default export is a plugin (${reason})`)
      return []
    }
    if (plugin.module !== input.module) {
      report.fault([...path, 'module'], `${plugin.module}: modules are those that the scenario itself names`)
      return []
    }
    const owner = owners.get(plugin.plugin)
    if (owner !== undefined)
      report.fault([...path, 'module'], `another plugin than ${plugin.plugin}, which is ${owner} already`)
    owners.set(plugin.plugin, name)
    for (const key of ['before', 'after'] as const) {
      const others = names.filter((other) => other !== name)
      input[key]?.forEach((other, index) => {
        if (!others.includes(other))
          report.fault([...path, key, index], oneOf('another plugin of this scenario', others), others)
      })
    }
    const options = (input.options ?? {}) as Readonly<Record<string, unknown>>
    checkDevices(options, plugin.options, [...path, 'options'], context)
    const hooks = hooksOf(plugin, options, [...path, 'options'], report)
    if (hooks.includes('xdp') && !context.hosts.some((host) => host.devices.some((device) => device.xdp !== null))) {
      report.fault(path, `XDP on some device for its program to run on (hosts.${context.hosts[0]?.name}.devices.….xdp)`)
    }
    const { url, sha256 } = plugin
    return [
      {
        name,
        plugin: plugin.plugin,
        url,
        sha256,
        options,
        hooks,
        before: input.before ?? [],
        after: input.after ?? [],
      },
    ]
  })
}

/** Hooks of a plugin's systems; a plugin may refuse options that do not go together. */
function hooksOf(
  plugin: FoundPlugin,
  options: Readonly<Record<string, unknown>>,
  path: FaultPath,
  report: Report,
): readonly string[] {
  if (report.isPruned(path)) return []
  try {
    return [...new Set(plugin.hooksOf(options))].sort()
  } catch (thrown) {
    report.fault(
      path,
      `options that ${plugin.plugin} takes (${thrown instanceof Error ? thrown.message : String(thrown)})`,
    )
    return []
  }
}

const oneOf = (what: string, names: readonly string[]): string =>
  names.length === 0 ? `${what} (there is none)` : `${what} (${names.join(', ')})`

function checkDevices(
  options: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, object>>,
  path: FaultPath,
  { report, hosts }: PluginContext,
): void {
  const devices = [...new Set(hosts.flatMap((host) => host.devices.map((device) => device.name)))]
  for (const [key, field] of Object.entries(fields)) {
    if (!namesDevice(field) || devices.includes(String(options[key]))) continue
    report.fault([...path, key], oneOf('a device of this scenario', devices), devices)
  }
}
