import type { World } from '@softnet/ecs'
import type { DevicePlan } from '@softnet/scenario/plan'
import { macHi, macLo, parseMac } from '@softnet/wire'
import { CpuVector, HardirqState, MODERATION } from '../irq/components.js'
import { mostRing } from '../link/most-of-run.js'
import { NAPIF, Napi, POLL_KIND } from '../napi/components.js'
import { RX_HANDLER, VlanDev, VlanDevice } from '../netif/components.js'
import {
  CpuQueue,
  DimState,
  FEATURE,
  IFF,
  IrqVector,
  LaneWriter,
  NetDev,
  RingSlot,
  RxQueue,
  XMIT,
} from '../nic/components.js'
import { turnFrames } from '../nic/lane-turns.js'
import { Skb } from '../skb/components.js'
import { RX_BUFFERS } from '../skb/truesize.js'
import { RpsFlow, RpsMapSlot } from '../softnet/components.js'
import type { DeviceLayout, HostLayout, Layout, NetLayout } from './layout.js'
import { laneSlots } from './link-layout.js'
import { queueCpu } from './reach.js'
import { powerOfTwo } from './sizes.js'

const REFILL_RULES = ['batch', 'half', 'each']
const ADAPTIVE_RULES = { none: 0, dim: 1, 'ixgbe-itr': 2 } as const
const HANDLERS = { none: RX_HANDLER.none, pass: RX_HANDLER.pass, consume: RX_HANDLER.consume } as const
const NO_CPU = 0xffff
const LOOPBACK_MTU = 65_536

/** Free positions in the slot tables while devices are filled. */
interface Cursor {
  skb: number
  ring: number
  rpsMap: number
  rpsFlow: number
}

/** Fills devices, queues, vectors and NAPI instances; lanes take rows of Skb from `firstRow` on. */
export function fillDevices(world: World, layout: Layout, firstRow: number): void {
  const cursor: Cursor = { skb: firstRow, ring: 1, rpsMap: 1, rpsFlow: 1 }
  world.columns(RingSlot)
  for (const net of layout.nets) fillLoopback(world, layout, net)
  for (const host of layout.hosts) {
    for (const device of host.devices) {
      fillDevice(world, layout, host, device)
      device.plan.queues.forEach((_, q) => {
        fillQueue(world, layout, host, device, q, cursor)
      })
      device.plan.vectors.forEach((_, v) => {
        fillVector(world, layout, host, device, v)
      })
    }
  }
  listVectors(world, layout)
}

function features(plan: DevicePlan): number {
  return (
    (plan.gro ? FEATURE.gro : 0) |
    (plan.groList ? FEATURE.groList : 0) |
    (plan.udpGroForwarding ? FEATURE.udpGroForwarding : 0) |
    (plan.arfs || plan.ntuple.length > 0 ? FEATURE.ntuple : 0) |
    (plan.xdp?.mode === 'native' ? FEATURE.xdpNative : 0) |
    (plan.xdp?.mode === 'generic' ? FEATURE.xdpGeneric : 0) |
    (plan.driver.rxChecksum ? FEATURE.rxChecksum : 0) |
    txFeatures(plan)
  )
}

/** What a device, and VLANs on it, can do for what is sent. */
function txFeatures({ tx, driver }: DevicePlan): number {
  // A program that asked for no offloads (TUNSETOFFLOAD) gets packets as they are on a wire.
  if (driver.program !== undefined) return FEATURE.scatterGather
  return (
    (tx?.checksum === false ? 0 : FEATURE.txChecksum) |
    (tx?.scatterGather === false ? 0 : FEATURE.scatterGather) |
    (tx?.udpSegmentation === false ? 0 : FEATURE.udpSegmentation) |
    (driver.vlanTx ? FEATURE.vlanTx : 0)
  )
}

/** Fills the loopback device of a namespace. Kernel: drivers/net/loopback.c, gen_lo_setup */
function fillLoopback(world: World, layout: Layout, host: NetLayout): void {
  const dev = world.columns(NetDev)
  const id = host.loopback
  dev.index[id] = id - layout.firstDevice
  dev.host[id] = host.hostIndex
  dev.net[id] = host.index
  dev.mtu[id] = LOOPBACK_MTU
  dev.running[id] = 1
  dev.iff[id] = IFF.up | IFF.loopback
  dev.xmit[id] = XMIT.loopback
  dev.features[id] = FEATURE.txChecksum | FEATURE.scatterGather | FEATURE.udpSegmentation
}

function xmitOf({ plan, wire }: DeviceLayout): number {
  if (plan.peer !== undefined) return XMIT.veth
  if (plan.driver.program !== undefined) return XMIT.program
  return wire !== 0 ? XMIT.wire : XMIT.none
}

function fillDevice(world: World, layout: Layout, host: HostLayout, device: DeviceLayout): void {
  const dev = world.columns(NetDev)
  const { plan } = device
  const mac = parseMac(plan.mac)
  const net = layout.nets.find((each) => each.devices.some((own) => own.device === device.device))?.index ?? host.index
  for (let id = device.device; id <= device.device + plan.vlans.length; id++) {
    dev.index[id] = id - layout.firstDevice
    dev.host[id] = host.index
    dev.net[id] = net
    dev.mtu[id] = plan.vlanDevices?.[id - device.device - 1]?.mtu ?? plan.mtu
    dev.macHigh[id] = macHi(mac)
    dev.macLow[id] = macLo(mac)
    dev.node[id] = plan.nodeId
    dev.running[id] = 1
    dev.features[id] = txFeatures(plan)
    dev.wire[id] = device.wire
    dev.iff[id] = IFF.up | (plan.driver.program === 'tun' ? IFF.pointopoint | IFF.noarp : 0)
    dev.arp[id] = plan.driver.program === 'tap' || plan.arp === true || plan.peer !== undefined ? 1 : 0
    dev.transmits[id] = device.txQueues.length > 0 ? 1 : 0
    dev.xmit[id] = id === device.device ? xmitOf(device) : XMIT.vlan
  }
  const id = device.device
  dev.peer[id] = host.devices.find((each) => each.plan.name === plan.peer)?.device ?? 0
  dev.features[id] = features(plan)
  dev.firstQueue[id] = device.queues[0] ?? 0
  dev.queueCount[id] = plan.queues.length
  dev.arfs[id] = plan.arfs ? 1 : 0
  dev.rxBuffer[id] = RX_BUFFERS.indexOf(plan.driver.rxBuffer)
  dev.copybreakBytes[id] = plan.driver.copybreakBytes
  dev.pagePool[id] =
    plan.driver.rxBuffer === 'stride' || plan.driver.name === 'mlx5' || plan.driver.name === 'veth' ? 1 : 0
  dev.refillBatch[id] = plan.driver.refillBatch
  dev.refillRule[id] = REFILL_RULES.indexOf(plan.driver.refillRule)
  dev.groMaxSizeBytes[id] = plan.groMaxSizeBytes
  dev.rxHandler[id] = HANDLERS[plan.rxHandler]
  dev.virtualDevice[id] = plan.driver.virtual ? 1 : 0
  dev.deferHardIrqs[id] = plan.napiDeferHardIrqs
  dev.groFlushTimeoutPs[id] = plan.groFlushTimeoutNs * 1000
  dev.irqSuspendTimeoutPs[id] = plan.irqSuspendTimeoutNs * 1000
  fillVlans(world, dev.index[id], device)
}

function fillVlans(world: World, index: number, { device, plan }: DeviceLayout): void {
  plan.vlans.forEach((vlan, i) => {
    const id = device + 1 + i
    const own = world.columns(VlanDev)
    world.columns(VlanDevice).device[index * 4096 + vlan] = id
    own.lower[id] = device
    own.id[id] = vlan
  })
}

function fillQueue(world: World, layout: Layout, host: HostLayout, device: DeviceLayout, q: number, at: Cursor): void {
  const queue = world.columns(RxQueue)
  const { plan } = device
  const queuePlan = plan.queues[q]
  const id = device.queues[q]
  queue.dev[id] = device.device
  queue.index[id] = q
  queue.vector[id] = device.vectors[queuePlan.vectorIndex]
  queue.napi[id] = device.napis[queuePlan.vectorIndex]
  queue.cpu[id] = queueCpu(host, device, q)
  queue.laneBase[id] = at.skb
  const lane = laneSlots(plan, layout.plan)
  queue.laneMask[id] = lane - 1
  const writer = world.columns(LaneWriter)
  writer.base[id] = queue.laneBase[id]
  writer.mask[id] = lane - 1
  writer.stop[id] = turnFrames(lane - 1)
  // Every row of a lane stands for one frame.
  world.columns(Skb).frames.fill(1, at.skb, at.skb + lane)
  at.skb += lane
  const slots = powerOfTwo(mostRing(layout.plan, host.plan.name, plan))
  queue.ringBase[id] = at.ring
  queue.ringMask[id] = slots - 1
  at.ring += slots
  queue.ringSize[id] = plan.rxRing
  // One descriptor always stays empty, so that head and tail tell a full ring from an empty one.
  queue.descriptors[id] = plan.rxRing - 1
  // With several queues drivers let the NIC drop at a ring without buffers, lest one queue hold up the others.
  const holds = plan.driver.noDescriptor === 'hold' && plan.queues.length === 1
  queue.packetBufferBytes[id] = holds ? plan.packetBufferBytes : 0
  queue.rpsBase[id] = at.rpsMap
  queue.rpsLength[id] = queuePlan.rpsCpus.length
  const { cpu: mapCpu } = world.columns(RpsMapSlot)
  for (const cpu of queuePlan.rpsCpus) mapCpu[at.rpsMap++] = host.cpus[cpu]
  at.rpsMap += queuePlan.laterRpsCpus?.length ?? 0
  if (queuePlan.rpsFlowCnt > 0) {
    const entries = powerOfTwo(queuePlan.rpsFlowCnt)
    queue.flowBase[id] = at.rpsFlow
    queue.flowLog[id] = 32 - Math.clz32(entries)
    world.columns(RpsFlow).cpu.fill(NO_CPU, at.rpsFlow, at.rpsFlow + entries)
    at.rpsFlow += entries
  }
  const { queue: cpuQueue } = world.columns(CpuQueue)
  const row = (device.device - layout.firstDevice) * layout.cpuRows + queue.cpu[id]
  if (cpuQueue[row] === 0) cpuQueue[row] = id
}

function fillVector(world: World, layout: Layout, host: HostLayout, device: DeviceLayout, v: number): void {
  const vector = world.columns(IrqVector)
  const napi = world.columns(Napi)
  const { plan } = device
  const id = device.vectors[v]
  const napiId = device.napis[v]
  const queues = plan.queues.map((queue, q) => ({ queue, q })).filter((entry) => entry.queue.vectorIndex === v)
  const firstQueue = device.queues[queues[0]?.q ?? 0] ?? 0
  const cpu = host.cpus[plan.vectors[v].affinity[0] ?? 0]
  vector.irq[id] = plan.vectors[v].irq
  vector.dev[id] = device.device
  vector.cpu[id] = cpu
  vector.napi[id] = napiId
  vector.firstQueue[id] = firstQueue
  vector.queueCount[id] = queues.length
  vector.queueSkip[id] = plan.vectors.length * layout.step - 1
  vector.lastIrqPs[id] = -1e15
  vector.moderation[id] = MODERATION[plan.driver.moderation]
  vector.usecsPs[id] = plan.rxUsecs * 1e6
  vector.frames[id] = plan.driver.rxFramesSupported ? plan.rxFrames : 0
  vector.adaptive[id] = plan.adaptiveRx ? ADAPTIVE_RULES[plan.driver.adaptiveRule] : 0
  vector.nonNapi[id] = plan.driver.rxMode === 'non-napi' ? 1 : 0
  vector.quota[id] = plan.driver.interruptQuota
  world.columns(DimState)
  napi.pollKind[napiId] = plan.driver.virtual ? POLL_KIND.veth : POLL_KIND.device
  napi.weight[napiId] = plan.napiWeight
  napi.dev[napiId] = device.device
  napi.vector[napiId] = plan.driver.virtual ? 0 : id
  napi.firstQueue[napiId] = firstQueue
  napi.queueCount[napiId] = queues.length
  napi.queueSkip[napiId] = plan.vectors.length * layout.step - 1
  napi.cpu[napiId] = cpu
  napi.next[napiId] = -1
  if (plan.threaded) {
    napi.thread[napiId] = device.threads[v]
    napi.state[napiId] |= NAPIF.threaded
  }
  world.columns(NetDev).napi[device.device] = plan.driver.virtual ? napiId : 0
}

/** Lists each CPU's vectors in a block of CpuVector. */
function listVectors(world: World, layout: Layout): void {
  const { cpu } = world.columns(IrqVector)
  const { vector: slot } = world.columns(CpuVector)
  const irq = world.columns(HardirqState)
  let row = 1
  for (const id of layout.cpus) {
    irq.firstVector[id] = row
    for (const v of layout.vectors) {
      if (cpu[v] !== id) continue
      slot[row++] = v
      irq.vectorCount[id]++
    }
  }
}
