import type { OptionFields } from './option.js'

/** A plugin whose module was loaded for a scenario. */
export interface FoundPlugin {
  /** The module as the scenario names it. */
  readonly module: string
  /** File URL it was loaded from. */
  readonly url: string
  /** SHA-256 of its file, hex. */
  readonly sha256: string
  /** Name the plugin gives itself. */
  readonly plugin: string
  readonly options: OptionFields
  /** Hooks at which its systems run with these options; throws an `Error` that says what cannot be made of them. */
  readonly hooksOf: (options: Readonly<Record<string, unknown>>) => readonly string[]
}

/** A plugin that a scenario names and that cannot be had, and why. */
export interface MissingPlugin {
  readonly module: string
  /** Why it cannot be had. */
  readonly reason: string
}

/** What was found for the plugins of a scenario, by the names it gives them. */
export type PluginsFound = ReadonlyMap<string, FoundPlugin | MissingPlugin>

/** True if the plugin could be loaded. */
export function isFound(plugin: FoundPlugin | MissingPlugin | undefined): plugin is FoundPlugin {
  return plugin !== undefined && 'url' in plugin
}
