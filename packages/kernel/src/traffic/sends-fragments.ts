import type { TrafficPlan } from '@softnet/scenario/plan'
import { ipv4IsFragment } from '@softnet/wire'
import { captureHas } from './capture-has.js'

/** Whether a source sends IPv4 fragments; for a replay, whether the capture has any. */
export function sendsFragments(plan: TrafficPlan, deviceMac: string): boolean {
  if (plan.kind === 'open') return plan.fragments !== null
  if (plan.kind !== 'replay') return false
  return captureHas(plan, deviceMac, ({ ipVersion, fragOff }) => ipVersion === 4 && ipv4IsFragment(fragOff))
}
