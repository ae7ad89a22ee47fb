import type { TrafficPlan } from '@softnet/scenario/plan'
import { ipv4IsFragment, LINKTYPE_ETHERNET, ParsedFrame, parseFrame } from '@softnet/wire'
import { eachEthernetFrame } from './capture-frames.js'

/** Whether a source sends IPv4 fragments; for a replay, whether the capture has any. */
export function sendsFragments(plan: TrafficPlan, deviceMac: number): boolean {
  if (plan.kind === 'open') return plan.fragments !== null
  if (plan.kind !== 'replay') return false
  const parsed = new ParsedFrame()
  let found = false
  eachEthernetFrame(plan.capture, deviceMac, ({ bytes, capturedBytes }) => {
    if (found) return
    parseFrame(parsed, new DataView(bytes.buffer, 0, capturedBytes), 0, capturedBytes, LINKTYPE_ETHERNET)
    found = parsed.ipVersion === 4 && ipv4IsFragment(parsed.fragOff)
  })
  return found
}
