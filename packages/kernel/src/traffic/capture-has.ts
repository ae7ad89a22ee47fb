import type { TrafficPlan } from '@softnet/scenario/plan'
import { LINKTYPE_ETHERNET, ParsedFrame, parseFrame, parseMac } from '@softnet/wire'
import { eachEthernetFrame } from './capture-frames.js'

type ReplayPlan = Extract<TrafficPlan, { kind: 'replay' }>

/** Whether a capture that is replayed holds a frame of some kind; the record is used again for each frame. */
export function captureHas(plan: ReplayPlan, deviceMac: string, isWanted: (frame: ParsedFrame) => boolean): boolean {
  const parsed = new ParsedFrame()
  let found = false
  eachEthernetFrame(plan.capture, parseMac(deviceMac), ({ bytes, capturedBytes }) => {
    if (found) return
    parseFrame(parsed, new DataView(bytes.buffer, 0, capturedBytes), 0, capturedBytes, LINKTYPE_ETHERNET)
    found = isWanted(parsed)
  })
  return found
}
