import type { Columns, Component, ReadonlyColumns, Schema, System } from '@softnet/ecs'
import type { OptionFields, OptionValues } from '@softnet/scenario/plan'
import type { PluginComponent } from './define-component.js'
import { HOOK_NAMES, HOOKS, type HookName, type HookRun } from './hooks.js'
import type { Places } from './places.js'
import { bindPluginSystem, type PluginContext } from './plugin-context.js'

/** Where a system runs: at a hook, and before or after other systems of it. */
export interface SystemPlace {
  readonly hook: HookName
  /** Names of systems or plugins that run later at the same hook; those that are not there say nothing. */
  readonly before?: readonly string[]
  /** Names of systems or plugins that run earlier. */
  readonly after?: readonly string[]
}

/** A system of a plugin. */
export interface PluginSystem extends System<HookRun> {
  readonly hook: HookName
  readonly before: readonly string[]
  readonly after: readonly string[]
}

const SYSTEM_NAME = /^[a-z][a-z0-9_]{0,62}$/

/**
 * Defines a system of a plugin. `bind` is called once in each worker: it looks up columns, may allocate, and returns the
 * function that runs at the hook, which may not. Writing to columns of `read` does not compile.
 */
export function defineSystem(
  name: string,
  place: HookName | SystemPlace,
  bind: (context: PluginContext) => HookRun,
): PluginSystem {
  const { hook, before = [], after = [] } = typeof place === 'string' ? { hook: place } : place
  if (!SYSTEM_NAME.test(name)) throw new TypeError(`system ${name}: a name has small letters, digits and _ only`)
  if (!HOOK_NAMES.includes(hook))
    throw new TypeError(`system ${name}: ${hook} is no hook; there are ${HOOK_NAMES.join(', ')}`)
  const kernel = `${hook}: ${HOOKS[hook].kernel}`
  return {
    name,
    stage: 'plugin',
    kernel,
    hook,
    before,
    after,
    bind: (context) => bindPluginSystem(context, name, hook, bind),
  }
}

/** What a plugin sees once, before the run: all columns, and what there is. */
export interface SetupContext {
  /** Columns for reading; a write does not compile. */
  read<S extends Schema>(component: Component<S>): ReadonlyColumns<S>
  /** Columns for reading and writing. */
  write<S extends Schema>(component: Component<S>): Columns<S>
  /** First row of each entity in a component of the plugin: index is the entity's id. */
  firstRows(component: PluginComponent): Int32Array
  /** CPUs, wires, queues and NAPI instances by id and name. */
  readonly places: Places
}

/** What a plugin sees at the end of a run. */
export type ReportContext = Omit<SetupContext, 'write'>

/** What a plugin is made of. */
export interface PluginSpec<Fields extends OptionFields> {
  /** What it does, one sentence. */
  readonly about: string
  /** Its options, made with `option`. */
  readonly options?: Fields
  /** All components it defines. */
  readonly components?: readonly PluginComponent[]
  /** Its systems in their order, or a function that makes them of the options. */
  readonly systems: readonly PluginSystem[] | ((options: OptionValues<Fields>) => readonly PluginSystem[])
  /** Writes what the columns hold at time 0; without it they are zero. */
  readonly setup?: (context: SetupContext, options: OptionValues<Fields>) => void
  /** What the plugin says in results besides its counters, histograms and state: plain data. */
  readonly report?: (context: ReportContext, options: OptionValues<Fields>) => unknown
}

/** A plugin: components and systems under one name. */
export interface Plugin {
  readonly name: string
  readonly about: string
  readonly options: OptionFields
  readonly components: readonly PluginComponent[]
  readonly systems: (options: never) => readonly PluginSystem[]
  readonly setup: ((context: SetupContext, options: never) => void) | null
  readonly report: ((context: ReportContext, options: never) => unknown) | null
}

const plugins = new WeakSet<object>()

/** True for what `definePlugin` of this copy of the package returned. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && plugins.has(value)
}

const PLUGIN_NAME = /^[a-z][a-z0-9_-]{0,62}$/

/** Defines a plugin, the default export of its module. */
export function definePlugin<Fields extends OptionFields = Readonly<Record<never, never>>>(
  name: string,
  spec: PluginSpec<Fields>,
): Plugin {
  if (!PLUGIN_NAME.test(name)) throw new TypeError(`plugin ${name}: a name has small letters, digits, - and _ only`)
  const { systems } = spec
  const plugin: Plugin = {
    name,
    about: spec.about,
    options: spec.options ?? {},
    components: spec.components ?? [],
    systems: typeof systems === 'function' ? systems : () => systems,
    setup: spec.setup ?? null,
    report: spec.report ?? null,
  }
  plugins.add(plugin)
  return plugin
}
