import { nearestName } from '../nearest.js'
import type { CostProfile } from '../stages.js'
import { MODERN_SERVER } from './modern-server.js'
import { PENTIUM_2002_NAPI_HOWTO } from './pentium-2002-napi-howto.js'
import { VM_LINUX_6_18 } from './vm-linux-6.18.js'
import { XEON_E5_1650_V4 } from './xeon-e5-1650-v4.js'

/** Cost profiles, in the order they are listed. */
export const COST_PROFILES: readonly CostProfile[] = [
  XEON_E5_1650_V4,
  MODERN_SERVER,
  VM_LINUX_6_18,
  PENTIUM_2002_NAPI_HOWTO,
]

/** The profile of that name; a RangeError that lists the known names when there is none. */
export function costProfile(name: string): CostProfile {
  const profile = COST_PROFILES.find((each) => each.name === name)
  if (profile) return profile
  const known = COST_PROFILES.map((each) => each.name)
  const nearest = nearestName(name, known)
  throw new RangeError(
    `profile: ${JSON.stringify(name)} is not known; accepted: ${known.join(', ')}${nearest === null ? '' : ` (did you mean ${nearest}?)`}`,
  )
}
