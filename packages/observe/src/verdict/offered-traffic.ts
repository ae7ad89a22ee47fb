/** What a plan asks its traffic sources to send to a device. */
import {
  type Arrival,
  type DevicePlan,
  type Distribution,
  FCS_BYTES,
  type FlowSetPlan,
  IMIX_FRAMES,
  type Plan,
  type TrafficPlan,
} from '@softnet/scenario/plan'

/** Mean frame length of a distribution, bytes without FCS. */
export function meanFrameBytes(frame: Distribution): number {
  if (frame.kind === 'fixed') return frame.bytes
  let weight = 0
  let bytes = 0
  for (const value of frame.kind === 'imix' ? IMIX_FRAMES : frame.values) {
    weight += value.weight
    bytes += value.weight * value.bytes
  }
  return weight > 0 ? bytes / weight : 0
}

/** Packets per second over the whole time a source is active. */
export function meanRate(arrival: Arrival): number {
  switch (arrival.kind) {
    case 'constant':
    case 'poisson':
      return arrival.packetsPerSec
    case 'onoff':
      return (arrival.packetsPerSec * arrival.onPs) / (arrival.onPs + arrival.offPs)
    case 'ramp':
      return (arrival.fromPacketsPerSec + arrival.toPacketsPerSec) / 2
    case 'burst':
      return (arrival.count * 1e12) / arrival.everyPs
  }
}

/** Frames per second of a source; datagrams in fragments are several. */
export function meanFrameRate({ arrival, fragments }: OpenTraffic): number {
  return meanRate(arrival) * (fragments?.frames ?? 1)
}

/** Greatest number of frames that come back to back, 0 for a source without bursts. */
export function burstFrames({ arrival, fragments }: OpenTraffic): number {
  const frames = fragments?.frames ?? 1
  if (arrival.kind === 'burst') return arrival.count * frames
  return arrival.kind === 'onoff' && arrival.offPs > 0 ? (frames * arrival.packetsPerSec * arrival.onPs) / 1e12 : 0
}

/** Sources of a kind whose rate the plan fixes. */
export type OpenTraffic = Extract<TrafficPlan, { kind: 'open' }>

/** Open-loop sources of one device. */
export function openTraffic(plan: Plan, host: string, device: string): OpenTraffic[] {
  return plan.traffic.filter(
    (traffic): traffic is OpenTraffic => traffic.kind === 'open' && traffic.host === host && traffic.dev === device,
  )
}

/** Flow sets of every source of one device, replays left out. */
export function flowSets(plan: Plan, host: string, device: string): FlowSetPlan[] {
  return plan.traffic.flatMap((traffic) =>
    traffic.kind !== 'replay' && traffic.host === host && traffic.dev === device ? [traffic.flows] : [],
  )
}

/** Bits one frame takes on the wire: preamble, gap, FCS and the frame, which is padded to the minimum. */
export function wireBits(frameBytes: number, device: DevicePlan): number {
  return (Math.max(60, frameBytes) + FCS_BYTES + device.frameOverheadBytes) * 8
}
