/** What to simulate, as plain data: schema, defaults, checks, cost profiles and built-in scenarios. */
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
export { defaultSysctl } from './compile/default-sysctl.js'
export { DEFAULT_RSS_KEY } from './compile/steering.js'
export { formatPath, type Given, type ScenarioFault } from './fault.js'
export * from './planned.js'
export * from './plugin/found-plugin.js'
export * from './plugin/option.js'
export { type ScenarioInput, scenarioJsonSchema, scenarioSchema } from './schema/scenario.js'
export { applyOverride, type Override, type OverrideResult } from './set-path.js'
