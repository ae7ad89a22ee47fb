import { type Binder, type Columns, naturalLog, power, randomStreams } from '@softnet/ecs'
import type { Distribution, FlowSetPlan, FragmentsPlan, TrafficPlan } from '@softnet/scenario/plan'
import {
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  ipv4IsLimitedBroadcast,
  ipv4IsMulticast,
  ipv4Mask,
  parseIpv4Prefix,
  parseMac,
} from '@softnet/wire'
import type { Layout } from '../build/layout.js'
import { PACKET_TYPE } from '../skb/components.js'
import { splitRatio } from '../wire/byte-rate.js'
import { fillWires } from '../wire/fill-wire.js'
import { fillAliasTable } from './alias-table.js'
import { OTHER_MAC, SENDER_MAC } from './capture-frames.js'
import { AliasSlot, ARRIVAL, PICK, REQUEST, ReadyRequest, RequestSlot, Source, SourceState } from './components.js'
import { fillArp } from './fill-arp.js'
import { fillReplay } from './fill-replay.js'
import { flowPick } from './flow-pick.js'
import { fragmentSource } from './fragment-source.js'
import { macHash } from './mac-hash.js'
import { sourceClock } from './source-clock.js'
import { type SourceRows, trafficRows } from './source-rows.js'

type SourceColumns = Columns<typeof Source.schema>
type OpenPlan = Extract<TrafficPlan, { kind: 'open' }>
type ClosedPlan = Extract<TrafficPlan, { kind: 'closed' }>

const SOURCE_PURPOSE = 0x73726300
const PS_PER_SECOND = 1e12
const WORD = 2 ** 32
const IPV4_BYTES = 20
const UDP_HEADER_BYTES = 8
const MAX_IP_BYTES = 65_535
/** Lengths without FCS and weights of the Internet mix. */
const IMIX: readonly { readonly bytes: number; readonly weight: number }[] = [
  { bytes: 60, weight: 7 },
  { bytes: 566, weight: 4 },
  { bytes: 1514, weight: 1 },
]

/** IP protocol of what a source sends; 0: none. */
const PROTOCOL = { udp: IPPROTO_UDP, tcp: IPPROTO_TCP, icmp: IPPROTO_ICMP, arp: 0 } as const

/** Fills wires and sources; after the world is frozen, and after queues have their lanes. */
export function fillTraffic(binder: Binder, layout: Layout): void {
  const rows = trafficRows(layout)
  fillWires(binder, layout, rows)
  const columns = binder.world.columns(Source)
  const random = binder.bind(randomStreams)
  const clock = binder.bind(sourceClock)
  const fragments = binder.bind(fragmentSource)
  for (const entry of rows.sources) {
    const { source, plan } = entry
    columns.wire[source] = entry.wire
    columns.stream[source] = rows.firstStream + layout.wires.length + source - 1
    random.seed(columns.stream[source], layout.plan.seed, entry.planIndex, SOURCE_PURPOSE)
    columns.startPs[source] = plan.startPs
    columns.stopPs[source] = Number.POSITIVE_INFINITY
    columns.limitPackets[source] = Number.POSITIVE_INFINITY
    columns.gapDenominator[source] = 1
    if (plan.kind === 'replay') {
      fillReplay(binder, entry, plan)
    } else {
      if (plan.kind === 'open') fillOpen(columns, source, plan, layout.plan.durationPs)
      else fillClosed(binder, entry, plan)
      fillFrame(binder, entry, plan.frame)
      fillFlows(binder, entry, plan.flows)
      if (plan.kind === 'open' && plan.protocol === 'arp') fillArp(binder, entry, plan)
    }
    clock.start(source)
    if (columns.fragUnitBytes[source] !== 0) fragments.begin(source)
  }
}

function fillOpen(columns: SourceColumns, s: number, plan: OpenPlan, durationPs: number): void {
  const { arrival, malform } = plan
  columns.stopPs[s] = plan.stopPs > 0 ? plan.stopPs : durationPs
  if (plan.packets > 0) columns.limitPackets[s] = plan.packets
  columns.kind[s] = ARRIVAL[arrival.kind]
  columns.protocol[s] = PROTOCOL[plan.protocol]
  columns.linkBytes[s] = plan.vlan === 0 ? 14 : 18
  columns.vlan[s] = plan.vlan
  columns.zeroChecksum[s] = plan.zeroChecksum && plan.protocol === 'udp' ? 1 : 0
  columns.train[s] = plan.protocol === 'tcp' ? Math.max(1, plan.trainSegments) : 1
  columns.ipChecksumShare[s] = malform.ipChecksum * WORD
  columns.l4ChecksumShare[s] = malform.udpChecksum * WORD
  columns.truncatedShare[s] = malform.truncated * WORD
  columns.badVersionShare[s] = malform.badVersion * WORD
  columns.otherHostShare[s] = malform.otherHost * WORD
  columns.malform[s] = Object.values(malform).some((share) => share > 0) ? 1 : 0
  if (plan.fragments !== null) fillFragments(columns, s, plan.fragments)
  if (arrival.kind === 'ramp') {
    const lengthPs = columns.stopPs[s] - plan.startPs
    columns.rampFrom[s] = arrival.fromPacketsPerSec / PS_PER_SECOND
    columns.rampGrowth2[s] = (2 * (arrival.toPacketsPerSec - arrival.fromPacketsPerSec)) / PS_PER_SECOND / lengthPs
  } else if (arrival.kind === 'burst') {
    columns.burstFrames[s] = arrival.count
    columns.everyPs[s] = arrival.everyPs
  } else {
    // A rate of nothing never comes to its first frame.
    if (arrival.packetsPerSec <= 0) columns.stopPs[s] = plan.startPs
    const gap = splitRatio(PS_PER_SECOND, arrival.packetsPerSec > 0 ? arrival.packetsPerSec : 1)
    columns.gapWhole[s] = gap.whole
    columns.gapRest[s] = gap.rest
    columns.gapDenominator[s] = gap.denominator
  }
  if (arrival.kind === 'onoff') {
    columns.onPs[s] = arrival.onPs
    columns.offPs[s] = arrival.offPs
    columns.random[s] = arrival.random ? 1 : 0
  }
}

function fillFragments(columns: SourceColumns, s: number, fragments: FragmentsPlan): void {
  const unit = (fragments.mtu - IPV4_BYTES) & ~7
  const l4Bytes = UDP_HEADER_BYTES + fragments.datagramBytes
  const count = Math.ceil(l4Bytes / unit)
  columns.fragUnitBytes[s] = unit
  columns.fragL4Bytes[s] = l4Bytes
  columns.fragFirst[s] = fragments.send === 'rest' ? 1 : 0
  columns.fragCount[s] = fragments.send === 'all' ? count : fragments.send === 'first' ? 1 : count - 1
  columns.fragReverse[s] = fragments.order === 'reverse' ? 1 : 0
  columns.fragLoseShare[s] = fragments.lose * WORD
}

function fillClosed(binder: Binder, entry: SourceRows, plan: ClosedPlan): void {
  const columns = binder.world.columns(Source)
  const state = binder.world.columns(SourceState)
  const slots = binder.world.columns(RequestSlot)
  const ready = binder.world.columns(ReadyRequest)
  const s = entry.source
  columns.kind[s] = ARRIVAL.closed
  columns.protocol[s] = IPPROTO_UDP
  columns.linkBytes[s] = 14
  columns.train[s] = 1
  columns.depth[s] = plan.depth
  columns.slotBase[s] = entry.slotBase
  columns.slotCount[s] = entry.slotCount
  columns.readyBase[s] = entry.readyBase
  columns.readyMask[s] = entry.readyRows - 1
  columns.thinkPs[s] = plan.thinkPs
  columns.random[s] = plan.thinkRandom ? 1 : 0
  columns.timeoutPs[s] = plan.timeoutPs
  // First requests are spread over one think time, so that fixed think times do not keep all clients in step.
  for (let i = 0; i < entry.slotCount; i++) {
    const slot = entry.slotBase + i
    slots.source[slot] = s
    slots.state[slot] = REQUEST.ready
    ready.slot[entry.readyBase + i] = slot
    ready.timePs[entry.readyBase + i] = plan.startPs + Math.floor((plan.thinkPs * i) / entry.slotCount)
  }
  state.readyTail[s] = entry.slotCount
}

function fillFrame(binder: Binder, entry: SourceRows, frame: Distribution): void {
  const columns = binder.world.columns(Source)
  const s = entry.source
  const least = columns.linkBytes[s] + IPV4_BYTES + (columns.protocol[s] === IPPROTO_TCP ? 20 : 8)
  const fit = (bytes: number) => Math.max(least, Math.min(MAX_IP_BYTES + columns.linkBytes[s], bytes))
  if (frame.kind === 'fixed') {
    columns.fixedBytes[s] = fit(frame.bytes)
    return
  }
  const values = frame.kind === 'imix' ? IMIX : frame.values
  columns.sizeBase[s] = entry.sizeBase
  columns.sizeCount[s] = entry.sizeCount
  fillAliasTable(
    binder.world.columns(AliasSlot),
    entry.sizeBase,
    values.map((value) => value.weight),
    values.map((value) => fit(value.bytes)),
  )
}

/** Who a frame to an address is for, as the sender's ARP would have it. */
function packetTypeOf(entry: SourceRows, daddr: number): number {
  if (ipv4IsMulticast(daddr)) return PACKET_TYPE.multicast
  if (ipv4IsLimitedBroadcast(daddr)) return PACKET_TYPE.broadcast
  for (const text of entry.device.addresses) {
    const prefix = parseIpv4Prefix(text)
    if (prefix === undefined || prefix.prefixLength >= 31) continue
    const mask = ipv4Mask(prefix.prefixLength)
    if ((prefix.address | ~mask) >>> 0 === daddr) return PACKET_TYPE.broadcast
  }
  return PACKET_TYPE.host
}

const BROADCAST_MAC = 0xffffffffffff
const MULTICAST_MAC = 0x01005e000000

function fillFlows(binder: Binder, entry: SourceRows, flows: FlowSetPlan): void {
  const { world } = binder
  const columns = world.columns(Source)
  const state = world.columns(SourceState)
  const pick = binder.bind(flowPick)
  const s = entry.source
  columns.pick[s] = PICK[flows.pick]
  columns.flowBase[s] = entry.flowBase
  columns.flowCount[s] = flows.count
  columns.aliasBase[s] = entry.aliasBase
  columns.churnScale[s] = flows.packetsPerFlow <= 1 ? 0 : -1 / naturalLog(1 - 1 / flows.packetsPerFlow)
  columns.saddr[s] = flows.saddr
  columns.saddrCount[s] = flows.saddrCount
  columns.daddr[s] = flows.daddr
  columns.daddrCount[s] = flows.daddrCount
  columns.sport[s] = flows.sport
  columns.sportCount[s] = flows.sportCount
  columns.dport[s] = flows.dport
  columns.dportCount[s] = flows.dportCount
  const type = packetTypeOf(entry, flows.daddr)
  columns.packetType[s] = type
  const group = MULTICAST_MAC + (flows.daddr & 0x7fffff)
  const mac = type === PACKET_TYPE.multicast ? group : type === PACKET_TYPE.broadcast ? BROADCAST_MAC : 0
  columns.macHash[s] = macHash(mac === 0 ? parseMac(entry.device.mac) : mac, SENDER_MAC)
  columns.otherMacHash[s] = macHash(OTHER_MAC, SENDER_MAC)
  for (let i = 0; i < flows.count; i++) pick.open(s, entry.flowBase + i, i)
  state.nextFlow[s] = flows.count
  if (flows.pick === 'zipf') {
    const weights = new Float64Array(flows.count)
    for (let i = 0; i < flows.count; i++) weights[i] = power(i + 1, -flows.zipfExponent)
    fillAliasTable(world.columns(AliasSlot), entry.aliasBase, weights, null)
  }
}
