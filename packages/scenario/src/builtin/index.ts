/** Scenarios that come with softnet, each with the question it answers. */

import { CAPTURE_SCENARIOS } from './capture.js'
import { CONTAINER_SCENARIOS } from './containers.js'
import { FIREWALL_SCENARIOS } from './firewall.js'
import { FRAGMENT_SCENARIOS } from './fragments.js'
import { LIMIT_SCENARIOS } from './limits.js'
import { LINK_SCENARIOS } from './link.js'
import { NAPI_SCENARIOS } from './napi.js'
import { NEIGHBOUR_SCENARIOS } from './neighbours.js'
import { NETWORK_SCENARIOS } from './network.js'
import { RSS_SCENARIOS } from './rss.js'
import { STEERING_SCENARIOS } from './steering.js'
import type { BuiltinScenario } from './types.js'
import { WAY_OUT_SCENARIOS } from './way-out.js'
import { XPS_SCENARIOS } from './xps.js'

/** All built-in scenarios; the first is what `npm start` runs. */
export const BUILTIN_SCENARIOS: readonly BuiltinScenario[] = [
  ...RSS_SCENARIOS,
  ...STEERING_SCENARIOS,
  ...LIMIT_SCENARIOS,
  ...FRAGMENT_SCENARIOS,
  ...NAPI_SCENARIOS,
  ...FIREWALL_SCENARIOS,
  ...WAY_OUT_SCENARIOS,
  ...LINK_SCENARIOS,
  ...XPS_SCENARIOS,
  ...NEIGHBOUR_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...CONTAINER_SCENARIOS,
  ...CAPTURE_SCENARIOS,
]

/** Names of the built-in scenarios, in the order they are listed. */
export const BUILTIN_NAMES: readonly string[] = BUILTIN_SCENARIOS.map((builtin) => builtin.name)

/** The built-in scenario of a name; undefined if there is none. */
export function builtinScenario(name: string): BuiltinScenario | undefined {
  return BUILTIN_SCENARIOS.find((builtin) => builtin.name === name)
}
