import { type Binder, drawFrom, mix32, OrderError, orderSystems, type World } from '@softnet/ecs'
import type { Plan, PluginPlan } from '@softnet/scenario/plan'
import { TRACE_SINK } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import type { Sizes } from '../build/sizes.js'
import { Cpu } from '../cpu/components.js'
import { NO_TRACE } from '../observe/trace-sink.js'
import { WireState } from '../wire/components.js'
import type { PluginComponent, RandomSchema } from './define-component.js'
import type { Plugin, PluginSystem, SetupContext } from './define-plugin.js'
import { HOOK_NAMES, HOOKS, type HookName, type HookRun, hookTables, type PluginHooks } from './hooks.js'
import { firstRows, lastRow, type Places, placesOf } from './places.js'

/** A plugin of a scenario that cannot run; the message is meant for the one who wrote it or put it there. */
export class PluginError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PluginError'
  }
}

/** A plugin of a scenario with the systems that its options make. */
export interface PluginInstance {
  readonly plan: PluginPlan
  readonly plugin: Plugin
  readonly systems: readonly PluginSystem[]
}

/** The plugins of a run. */
export interface BuiltPlugins {
  readonly instances: readonly PluginInstance[]
  readonly places: Places
  /** Systems of a hook in their order, as `plugin/system`; only after the machine is bound. */
  readonly order: ReadonlyMap<HookName, readonly string[]>
}

function guarded<T>(name: string, doing: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof PluginError) throw thrown
    throw new PluginError(
      `plugin ${name}: ${doing}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
      thrown,
    )
  }
}

/** The plugins of a plan with their systems; `loaded` holds what their modules export, in the order of the plan. */
export function instancesOf(plan: Plan, loaded: readonly Plugin[]): PluginInstance[] {
  return plan.plugins.map((each, index) => {
    const plugin = loaded[index]
    if (plugin === undefined || plugin.name !== each.plugin) {
      throw new PluginError(`plugin ${each.name}: ${each.url} does not export ${each.plugin} any more`)
    }
    const systems = guarded(each.name, 'its systems could not be made', () => [
      ...plugin.systems(each.options as never),
    ])
    const names = new Set<string>()
    for (const { name } of systems) {
      if (names.has(name)) throw new PluginError(`plugin ${each.name}: two of its systems are called ${name}`)
      names.add(name)
    }
    for (const { name, hook } of systems) {
      if (!each.hooks.includes(hook))
        throw new PluginError(`plugin ${each.name}: ${name} was not at ${hook} when it was checked`)
    }
    return { plan: each, plugin, systems }
  })
}

/** Declares the components of plugins and of the hooks they use; before the world is frozen. */
export function declarePlugins(
  world: World,
  layout: Layout,
  sizes: Sizes,
  instances: readonly PluginInstance[],
): Places {
  const places = placesOf(layout)
  const used = new Set<HookName>(instances.flatMap(({ systems }) => systems.map(({ hook }) => hook)))
  for (const [component, rows] of hookTables(used, layout, sizes)) world.pool(component, rows)
  for (const { plan, plugin } of instances) {
    for (const component of plugin.components) {
      guarded(plan.name, `component ${component.name}`, () => {
        world.pool(component, lastRow(layout, places, component))
      })
    }
  }
  return places
}

/** Purpose of a plugin's random streams: follows from their name. */
function purposeOf(name: string): number {
  let h = 0x706c7567
  for (const character of name) h = mix32(h, character.codePointAt(0) as number)
  return h
}

function seedStreams(world: World, places: Places, component: PluginComponent<RandomSchema>, seed: number): void {
  const streams = drawFrom(world.columns(component))
  for (const { id } of places[component.per]) streams.seed(id, seed, id, purposeOf(component.name))
}

/** Writes what plugins hold at time 0. */
export function setUpPlugins(world: World, layout: Layout, built: BuiltPlugins): void {
  const { places } = built
  const context: SetupContext = {
    read: (component) => world.columns(component) as never,
    write: (component) => world.columns(component),
    firstRows: (component) => firstRows(layout, places, component),
    places,
  }
  for (const { plan, plugin } of built.instances) {
    for (const component of plugin.components) {
      if (component.kind !== 'random') continue
      seedStreams(world, places, component as unknown as PluginComponent<RandomSchema>, layout.plan.seed)
    }
    const { setup } = plugin
    if (setup !== null) guarded(plan.name, 'its setup failed', () => setup(context, plan.options as never))
  }
}

/** The same system, after which a trace is told: at the owner's own time. */
function traced(binder: Binder, run: HookRun, hook: HookName, plugin: number, system: number): HookRun {
  const trace = binder.resourceOr(TRACE_SINK, NO_TRACE)
  if (!trace.on) return run
  const atPs = HOOKS[hook].owner === 'cpu' ? binder.world.columns(Cpu).clockPs : binder.world.columns(WireState).portPs
  return (ids, count, owner) => {
    run(ids, count, owner)
    trace.pluginRun(owner, atPs[owner], plugin, system)
  }
}

/** The same system, whose error says whose it is; in the first frame of its stack, where in the plugin. */
function telling(run: HookRun, plan: PluginPlan, system: string): HookRun {
  return (ids, count, owner) => {
    try {
      run(ids, count, owner)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown))
      const at = error.stack?.split('\n').find((line) => line.includes(plan.url))
      const place = /:(\d+):\d+\)?$/.exec(at ?? '')?.[1]
      const where = place === undefined ? '' : `, line ${place} of ${plan.url.slice(plan.url.lastIndexOf('/') + 1)}`
      throw new PluginError(`plugin ${plan.name}: system ${system}${where}: ${error.message}`, thrown)
    }
  }
}

/** Runs the systems of a hook one after the other. */
function chain(runs: readonly HookRun[]): HookRun {
  const [first, second, ...rest] = runs as [HookRun, ...HookRun[]]
  if (second === undefined) return first
  const following = rest.length === 0 ? second : chain([second, ...rest])
  return (ids, count, owner) => {
    first(ids, count, owner)
    following(ids, count, owner)
  }
}

/** The hooks of a world: systems are bound, put in order and joined when a hook is first asked for. */
export function pluginHooks(
  binder: Binder,
  instances: readonly PluginInstance[],
  order: Map<HookName, readonly string[]>,
): PluginHooks {
  const bound = new Map<HookName, HookRun | null>()
  const nameInScenario = new Map(instances.map(({ plan }) => [plan.plugin, plan.name]))
  const named = (names: readonly string[]) => names.map((name) => nameInScenario.get(name) ?? name)

  function bindHook(hook: HookName): HookRun | null {
    const systems = instances.flatMap((instance, position) =>
      instance.systems
        .filter((system) => system.hook === hook)
        .map((system) => {
          const { plan } = instance
          const run = guarded(plan.name, `system ${system.name} could not be bound`, () => binder.bind(system))
          const access = binder.accessOf(system)
          const [reads, writes] = [access?.reads ?? [], access?.writes ?? []]
          return {
            run: traced(binder, telling(run, plan, system.name), hook, position, instance.systems.indexOf(system)),
            name: system.name,
            owner: plan.name,
            stage: hook,
            before: [...named(system.before), ...plan.before],
            after: [...named(system.after), ...plan.after],
            reads,
            writes,
          }
        }),
    )
    if (systems.length === 0) return null
    const ordered = inOrder(systems)
    order.set(
      hook,
      ordered.map(({ owner, name }) => `${owner}/${name}`),
    )
    return chain(ordered.map(({ run }) => run))
  }

  return {
    bind(hook) {
      const known = bound.get(hook)
      if (known !== undefined) return known
      const run = bindHook(hook)
      bound.set(hook, run)
      return run
    },
  }
}

function inOrder<S extends Parameters<typeof orderSystems>[0][number]>(systems: readonly S[]): S[] {
  try {
    return orderSystems(systems)
  } catch (thrown) {
    if (!(thrown instanceof OrderError)) throw thrown
    const [first = '', second = ''] = thrown.systems.map((name) => name.split('/')[0])
    const say = `plugins.${first}.before: [${second}] or plugins.${first}.after: [${second}]`
    throw new PluginError(`an order, ${say} (${thrown.message})`, thrown)
  }
}

/** Binds the hooks that nothing has asked for yet, so that every system of every plugin is bound. */
export function bindAllHooks(hooks: PluginHooks): void {
  for (const hook of HOOK_NAMES) hooks.bind(hook)
}
