import type { Binder } from '@softnet/ecs'
import type { TrafficPlan } from '@softnet/scenario/plan'
import {
  ARPOP_REPLY,
  ARPOP_REQUEST,
  ETH_HLEN,
  ETH_P_ARP,
  emitArp,
  emitEthernet,
  LINKTYPE_ETHERNET,
  macHi,
  macLo,
  ParsedFrame,
  parseFrame,
  parseMac,
} from '@softnet/wire'
import { nicSteer } from '../wire/nic-steer.js'
import { Flow, ReplayByte, ReplayFrame, Source } from './components.js'
import { fillFields, steerFrame } from './fill-replay.js'
import { ARP_FRAME_BYTES, type SourceRows } from './source-rows.js'

type ArpPlan = Extract<TrafficPlan, { kind: 'open' }>

const BROADCAST_MAC = 0xffffffffffff
/** Senders have locally administered hardware addresses that end in their IPv4 address. */
const SENDER_MACS = 0x020000000000

/**
 * Makes the message of every flow of a source, as a frame that is sent again and again: the flow's source address asks for
 * its destination, answers the device, or tells everybody of itself. Kernel: net/ipv4/arp.c, arp_create (of the sender)
 */
export function fillArp(binder: Binder, entry: SourceRows, plan: ArpPlan): void {
  const { world } = binder
  const source = world.columns(Source)
  const flow = world.columns(Flow)
  const frames = world.columns(ReplayFrame)
  const { value: bytes } = world.columns(ReplayByte)
  const steering = binder.bind(nicSteer)
  const parsed = new ParsedFrame()
  const own = parseMac(entry.device.mac)
  const isReply = plan.arp === 'reply'
  const to = isReply ? own : BROADCAST_MAC
  const target = isReply ? own : 0
  source.frameBase[entry.source] = entry.frameBase
  source.frameCount[entry.source] = entry.frameCount
  source.fixedBytes[entry.source] = ARP_FRAME_BYTES
  const frame = new Uint8Array(ARP_FRAME_BYTES)
  const view = new DataView(frame.buffer)
  for (let i = 0; i < entry.flowCount; i++) {
    const saddr = flow.saddr[entry.flowBase + i]
    const asked = plan.arp === 'gratuitous' ? saddr : flow.daddr[entry.flowBase + i]
    const mac = SENDER_MACS + saddr
    const op = isReply ? ARPOP_REPLY : ARPOP_REQUEST
    emitEthernet(view, 0, macHi(to), macLo(to), macHi(mac), macLo(mac), ETH_P_ARP)
    emitArp(view, ETH_HLEN, op, macHi(mac), macLo(mac), saddr, macHi(target), macLo(target), asked)
    const row = entry.frameBase + i
    frames.firstByte[row] = entry.byteBase + i * ARP_FRAME_BYTES
    frames.capturedBytes[row] = ARP_FRAME_BYTES
    bytes.set(frame, frames.firstByte[row])
    parseFrame(parsed, view, 0, ARP_FRAME_BYTES, LINKTYPE_ETHERNET, ARP_FRAME_BYTES)
    fillFields(frames, row, parsed, own)
    steerFrame(binder, frames, row, entry.wire, parsed, steering)
  }
}
