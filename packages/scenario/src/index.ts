/** What to simulate, as plain data: schema, defaults, checks, cost profiles and built-in scenarios. */
export * from './address.js'
export { BUILTIN_NAMES, BUILTIN_SCENARIOS, builtinScenario } from './builtin/index.js'
export { rssQueueOfFlow, rssScenario } from './builtin/rss.js'
export type { BuiltinScenario } from './builtin/types.js'
export {
  type AppliedOverride,
  type CompileContext,
  type CompileResult,
  compileScenario,
  DEFAULT_DURATION_PS,
  type ResolvedOverride,
  resolveOverrides,
} from './compile/compile.js'
export { defaultSysctl } from './compile/host.js'
export { DEFAULT_RSS_KEY } from './compile/steering.js'
export { FCS_BYTES, IMIX_FRAMES } from './compile/traffic.js'
export * from './cpu-set.js'
export * from './drivers.js'
export { formatPath, type Given, type ScenarioFault } from './fault.js'
export type * from './ip-plan.js'
export * from './ipv4-settings.js'
export * from './latency-buckets.js'
export * from './limits.js'
export { nearestName } from './nearest.js'
export * from './neighbour.js'
export * from './netfilter-costs.js'
export * from './nft/index.js'
export * from './path-place.js'
export type * from './plan.js'
export { DEFAULT_PROFILE, PROFILE_NAMES } from './profile-names.js'
export { COST_PROFILES, costProfile } from './profiles/index.js'
export * from './quantity.js'
export * from './range.js'
export * from './result.js'
export * from './route.js'
export { type ScenarioInput, scenarioJsonSchema, scenarioSchema } from './schema/scenario.js'
export { applyOverride, type Override, type OverrideResult } from './set-path.js'
export * from './stages.js'
export * from './versions.js'
