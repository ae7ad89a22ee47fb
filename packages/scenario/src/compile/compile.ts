/** From what a user wrote to the plan that the kernel builds from, or to everything that is wrong with it. */
import { Report, type ScenarioFault } from '../fault.js'
import { defaultLimits, MAX_DURATION_PS } from '../limits.js'
import { toPlain } from '../plain.js'
import type { Plan, TrafficPlan } from '../plan.js'
import type { PluginsFound } from '../plugin/found-plugin.js'
import { DEFAULT_PROFILE } from '../profile-names.js'
import { formatTime } from '../quantity.js'
import { parseScenario } from '../schema/parse.js'
import type { PluginInput } from '../schema/plugins.js'
import { type HostInput, type ParsedScenario, scenarioSchemaWith } from '../schema/scenario.js'
import type { TrafficInput } from '../schema/traffic.js'
import { applyOverride, type Override } from '../set-path.js'
import { KERNEL_VERSIONS } from '../versions.js'
import { compileEvents, withLaterMasks } from './events.js'
import { compileHost, type Environment } from './host.js'
import { compileLinks } from './links.js'
import { compilePlugins } from './plugins.js'
import { compileTraffic } from './traffic.js'

/** What compiling needs besides the document. */
export interface CompileContext {
  /** Where the document comes from (file or built-in name); names a scenario that has none. */
  readonly source: string
  /** Reads a capture by the path the scenario gives. */
  readonly readCapture?: (path: string) => Uint8Array | { readonly error: string }
  /** Reads a text (a ruleset) by the path the scenario gives. */
  readonly readText?: (path: string) => string | { readonly error: string }
  /** Changes made on the command line, in order. */
  readonly overrides?: readonly Override[]
  /** What was found for the plugins the scenario names. */
  readonly plugins?: PluginsFound
}

const NO_PLUGINS: PluginsFound = new Map()

/** An override as it was applied. */
export interface AppliedOverride {
  readonly path: string
  /** The full path it stands for. */
  readonly canonical: string
}

/** A plan with warnings, or every fault. */
export type CompileResult =
  | {
      readonly ok: true
      readonly plan: Plan
      readonly warnings: readonly string[]
      readonly overrides: readonly AppliedOverride[]
      /** The document with overrides applied, as plain data. */
      readonly document: unknown
    }
  | { readonly ok: false; readonly errors: readonly ScenarioFault[] }

/** The full path of an override, or why there is none. */
export type ResolvedOverride = AppliedOverride | { readonly path: string; readonly fault: ScenarioFault }

/** Finds what each override stands for, one after the other, without checking values. Never throws on bad input. */
export function resolveOverrides(
  input: unknown,
  overrides: readonly Override[],
  plugins: PluginsFound = NO_PLUGINS,
): readonly ResolvedOverride[] {
  const schema = scenarioSchemaWith(plugins)
  let document = toPlain(input).value
  return overrides.map((override): ResolvedOverride => {
    const result = applyOverride(document, { ...override, value: toPlain(override.value).value }, schema)
    if (!result.ok) return { path: override.path, fault: result.fault }
    document = result.document
    return { path: override.path, canonical: result.canonical }
  })
}

/** Duration of a scenario that names none: 50 ms. */
export const DEFAULT_DURATION_PS = 50e9

/** Compiles a scenario: applies overrides, checks everything, fills in defaults. Never throws on bad input. */
export function compileScenario(input: unknown, context: CompileContext): CompileResult {
  const copy = toPlain(input)
  const schema = scenarioSchemaWith(context.plugins ?? NO_PLUGINS)
  const errors: ScenarioFault[] = [...copy.faults]
  const applied: AppliedOverride[] = []
  let document = copy.value
  for (const override of context.overrides ?? []) {
    const plain = toPlain(override.value)
    if (plain.faults.length > 0) {
      errors.push(...plain.faults.map((fault) => ({ ...fault, path: override.path })))
      continue
    }
    const result = applyOverride(document, { ...override, value: plain.value }, schema)
    if (!result.ok) {
      errors.push(result.fault)
      continue
    }
    document = result.document
    applied.push({ path: override.path, canonical: result.canonical })
  }
  const parsed = parseScenario(document, schema)
  // Values that plain data cannot hold were left out before parsing; what is missing because of that is no news.
  const excused = new Set(copy.faults.map((fault) => fault.path))
  errors.push(...parsed.faults.filter((fault) => !excused.has(fault.path)))
  if (parsed.scenario === null) return { ok: false, errors }
  const report = new Report(document, [...copy.paths, ...parsed.paths])
  const plan = compilePlan(parsed.scenario, context, report, errors.length > 0)
  errors.push(...report.faults)
  if (errors.length > 0 || plan === null) return { ok: false, errors }
  return { ok: true, plan, warnings: report.warnings, overrides: applied, document }
}

function compilePlan(scenario: ParsedScenario, context: CompileContext, report: Report, faulty: boolean): Plan | null {
  const version = KERNEL_VERSIONS[scenario.kernel ?? '6.18']
  const profile = scenario.profile ?? DEFAULT_PROFILE
  const limits = compileLimits(scenario)
  const env: Environment = { report, version, profile, limits, readText: context.readText }
  const durationPs = scenario.duration ?? DEFAULT_DURATION_PS
  if (durationPs > MAX_DURATION_PS) report.fault(['duration'], `at most 2.5 hours (${formatTime(MAX_DURATION_PS)})`)
  const warmupPs = scenario.warmup ?? 0
  if (warmupPs >= durationPs) report.fault(['warmup'], `less than the duration, ${formatTime(durationPs)}`)
  const entries = Object.entries(scenario.hosts) as [string, HostInput][]
  const alone = entries.map(([name, host], index) => compileHost(name, host, index, env))
  checkMacs(alone, report)
  const { hosts, links } = compileLinks(scenario, alone, report)
  const around = {
    env,
    hosts,
    names: namesIn(report.root, faulty, scenario),
    durationPs,
    readCapture: context.readCapture,
  }
  const sources = Object.entries(scenario.traffic ?? {}) as [string, TrafficInput][]
  if (sources.length === 0 && !hosts.some(({ apps }) => apps.some(({ send }) => send !== undefined))) {
    report.fault(['traffic'], 'at least one source of traffic, name: {…}, or a program that sends by itself')
  }
  const traffic = sources
    .map(([name, source]) => compileTraffic(name, source, around))
    .filter((source): source is TrafficPlan => source !== null)
  const events = compileEvents(scenario.events ?? [], hosts, links, { durationPs, version, report })
  const plugins = compilePlugins((scenario.plugins ?? {}) as Record<string, PluginInput>, {
    report,
    hosts,
    found: context.plugins ?? NO_PLUGINS,
  })
  return {
    name: scenario.name ?? context.source,
    description: scenario.description ?? '',
    kernel: version.version,
    profile,
    seed: scenario.seed ?? 1,
    durationPs,
    warmupPs,
    hosts: withLaterMasks(hosts, events),
    traffic,
    ...(events.length === 0 ? {} : { events }),
    ...(links.length === 0 ? {} : { links }),
    plugins,
    limits,
  }
}

function compileLimits(scenario: ParsedScenario): Readonly<Record<string, number>> {
  const limits = defaultLimits()
  for (const [name, value] of Object.entries(scenario.limits ?? {})) if (value !== undefined) limits[name] = value
  return limits
}

function checkMacs(hosts: Plan['hosts'], report: Report): void {
  const owners = new Map<string, string>()
  for (const host of hosts) {
    for (const device of host.devices) {
      const owner = owners.get(device.mac)
      if (owner !== undefined && !owner.startsWith(`${host.name}/`)) {
        report.fault(
          ['hosts', host.name, 'devices', device.name, 'mac'],
          `a hardware address other than that of ${owner}`,
        )
      }
      owners.set(device.mac, `${host.name}/${device.name}`)
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function keysOf(value: unknown): string[] {
  return isRecord(value) ? Object.keys(value) : []
}

/** Names of hosts and devices as written, so that a fault inside one does not make it unknown to others. */
function namesIn(root: unknown, faulty: boolean, scenario: ParsedScenario): ReadonlyMap<string, readonly string[]> {
  const source: unknown = faulty ? (root as { hosts?: unknown }).hosts : scenario.hosts
  const names = new Map<string, readonly string[]>()
  for (const [host, value] of Object.entries((source ?? {}) as Record<string, unknown>)) {
    const devices: unknown = typeof value === 'object' && value !== null ? (value as { devices?: unknown }).devices : {}
    const spaces: unknown = typeof value === 'object' && value !== null ? (value as { netns?: unknown }).netns : {}
    const inside = Object.entries(isRecord(spaces) ? spaces : {}).flatMap(([name, space]) =>
      keysOf(isRecord(space) ? space.devices : {}).map((device) => `${name}/${device}`),
    )
    names.set(host, [...keysOf(devices), ...inside])
  }
  return names
}
