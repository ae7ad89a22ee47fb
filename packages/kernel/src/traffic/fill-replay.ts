import type { Binder, Columns } from '@softnet/ecs'
import type { TrafficPlan } from '@softnet/scenario/plan'
import {
  ETH_HLEN,
  ETH_P_IP,
  FAULT_CAPTURE_TRUNCATED,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipv4IsFragment,
  L4_CHECKSUM_OK,
  L4_CHECKSUM_UNVERIFIABLE,
  LINKTYPE_ETHERNET,
  PACKET_HOST,
  ParsedFrame,
  parseFrame,
  parseMac,
} from '@softnet/wire'
import { PACKET_TYPE, SKB } from '../skb/components.js'
import { parsedFlags, setParsedFields } from '../skb/parsed-fields.js'
import { MIN_FRAME_BYTES, STEER, SteerResult, Wire } from '../wire/components.js'
import { type NicSteer, nicSteer } from '../wire/nic-steer.js'
import { eachEthernetFrame } from './capture-frames.js'
import { ARRIVAL, ReplayByte, ReplayFrame, Source } from './components.js'
import { macHash } from './mac-hash.js'
import { rewriteFrame } from './rewrite.js'
import type { SourceRows } from './source-rows.js'

type FrameColumns = Columns<typeof ReplayFrame.schema>
type ReplayPlan = Extract<TrafficPlan, { kind: 'replay' }>

/** Parses, rewrites and steers every frame of a capture once; in the run a replayed frame is a row to copy. */
export function fillReplay(binder: Binder, entry: SourceRows, plan: ReplayPlan): void {
  const { world } = binder
  const source = world.columns(Source)
  const frames = world.columns(ReplayFrame)
  const { value: bytes } = world.columns(ReplayByte)
  const steering = binder.bind(nicSteer)
  const s = entry.source
  const mac = parseMac(entry.device.mac)
  const parsed = new ParsedFrame()
  let row = entry.frameBase
  let firstByte = entry.byteBase
  let lastPs = 0
  let lastGapPs = 0
  eachEthernetFrame(plan.capture, mac, (frame) => {
    const view = new DataView(frame.bytes.buffer, 0, frame.capturedBytes)
    parseFrame(parsed, view, 0, frame.capturedBytes, LINKTYPE_ETHERNET, frame.wireBytes)
    rewriteFrame(view, parsed, frame.capturedBytes, plan.rewrite)
    parseFrame(parsed, view, 0, frame.capturedBytes, LINKTYPE_ETHERNET, frame.wireBytes)
    bytes.set(frame.bytes.subarray(0, frame.capturedBytes), firstByte)
    frames.firstByte[row] = firstByte
    frames.capturedBytes[row] = frame.capturedBytes
    firstByte += frame.capturedBytes
    // A capture whose clock went back is sent without a pause there.
    const timePs = Math.max(lastPs, Math.floor((frame.timestampNs * 1000) / plan.speed))
    lastGapPs = timePs - lastPs
    lastPs = timePs
    frames.offsetPs[row] = timePs
    fillFields(frames, row, parsed, mac)
    steerFrame(binder, frames, row, entry.wire, parsed, steering)
    row++
  })
  source.kind[s] = ARRIVAL.replay
  source.frameBase[s] = entry.frameBase
  source.frameCount[s] = entry.frameCount
  source.roundPs[s] = lastPs + lastGapPs
  source.rounds[s] = plan.repeat
}

function isPorted(p: ParsedFrame): boolean {
  const known = p.protocol === IPPROTO_TCP || p.protocol === IPPROTO_UDP
  return known && p.l4Offset !== 0 && !ipv4IsFragment(p.fragOff) && p.payloadOffset > p.l4Offset
}

function packetTypeOf(p: ParsedFrame, mac: number): number {
  if (p.packetType !== PACKET_HOST) return p.packetType
  return p.dstHi * 2 ** 32 + p.dstLo === mac ? PACKET_TYPE.host : PACKET_TYPE.otherhost
}

/** Flags as a sender's bytes make them; what the card makes of them is added by `steerFrame`. */
function flagsOf(p: ParsedFrame): number {
  const isIp = p.etherType === ETH_P_IP && p.ipVersion === 4
  const padded = isIp && (p.paddingBytes > 0 || (p.totLenBytes > 0 && p.wireBytes < MIN_FRAME_BYTES))
  return parsedFlags(p) | (padded ? SKB.padded : 0)
}

/** Writes what the headers of a frame say into its row. */
export function fillFields(frames: FrameColumns, row: number, p: ParsedFrame, mac: number): void {
  const wireBytes = Math.max(MIN_FRAME_BYTES, p.wireBytes)
  frames.wireBytes[row] = wireBytes
  frames.len[row] = wireBytes - (p.vlanProto === 0 ? 0 : 4)
  setParsedFields(frames, row, p)
  frames.packetType[row] = p.capturedBytes < ETH_HLEN ? PACKET_TYPE.otherhost : packetTypeOf(p, mac)
  frames.flags[row] = flagsOf(p)
  frames.macHash[row] = macHash(p.dstHi * 2 ** 32 + p.dstLo, p.srcHi * 2 ** 32 + p.srcLo)
}

/** What the card finds in a frame: queue, hash, and whether it vouches for the L4 checksum. */
export function steerFrame(
  binder: Binder,
  frames: FrameColumns,
  row: number,
  wire: number,
  p: ParsedFrame,
  steering: NicSteer,
): void {
  const result = binder.world.columns(SteerResult)
  const isIp = p.etherType === ETH_P_IP && p.ipVersion === 4 && p.l4Offset !== 0
  const ported = isIp && isPorted(p)
  if (isIp) steering.ip(wire, p.saddr, p.daddr, frames.ports[row], p.protocol, ported ? 1 : 0)
  else steering.other(wire)
  frames.hash[row] = result.hash[wire]
  frames.queue[row] = result.queue[wire]
  frames.steer[row] = result.bits[wire]
  frames.key[row] = result.key[wire]
  let flags = frames.flags[row]
  if ((result.bits[wire] & STEER.l4Hash) !== 0) flags |= SKB.l4Hash
  // The card sees the whole frame where the capture was cut short.
  const cut = p.l4ChecksumState === L4_CHECKSUM_UNVERIFIABLE && p.fault === FAULT_CAPTURE_TRUNCATED
  const right = p.l4ChecksumState === L4_CHECKSUM_OK || cut
  const vouches = binder.world.columns(Wire).rxChecksum[wire] !== 0 && ported && right
  if (vouches && (flags & SKB.ipCsumBad) === 0) flags |= SKB.csumUnnecessary
  frames.flags[row] = flags
}
