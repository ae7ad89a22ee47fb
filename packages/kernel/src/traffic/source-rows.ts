import type { DevicePlan, TrafficPlan } from '@softnet/scenario/plan'
import { parseMac } from '@softnet/wire'
import type { DeviceLayout, Layout } from '../build/layout.js'
import { eachEthernetFrame } from './capture-frames.js'

/** A message in a frame of its own, padded, without FCS. */
export const ARP_FRAME_BYTES = 60

/** One traffic entry and its rows in the tables. */
export interface SourceRows {
  /** Row of `Source`. */
  readonly source: number
  readonly plan: TrafficPlan
  /** Position of the entry in the plan. */
  readonly planIndex: number
  readonly wire: number
  readonly device: DevicePlan
  readonly flowBase: number
  readonly flowCount: number
  /** Rows of `AliasSlot` for lengths and, with zipf, for flows. */
  readonly sizeBase: number
  readonly sizeCount: number
  readonly aliasBase: number
  readonly slotBase: number
  readonly slotCount: number
  readonly readyBase: number
  readonly readyRows: number
  readonly frameBase: number
  readonly frameCount: number
  readonly byteBase: number
  readonly byteCount: number
}

/** Rows that all sources need together; row 0 of each table is never used. */
export interface TrafficRows {
  readonly sources: readonly SourceRows[]
  readonly flows: number
  readonly aliases: number
  readonly slots: number
  readonly ready: number
  readonly frames: number
  readonly bytes: number
  /** First row of `RandomStream` that belongs to wires and sources. */
  readonly firstStream: number
}

/** Smallest power of two that is at least `n`. */
export function powerOfTwo(n: number): number {
  let size = 1
  while (size < n) size *= 2
  return size
}

/** Devices with a link, in the order of their wires. */
export function wiredDevices(layout: Layout): { readonly device: DeviceLayout; readonly host: string }[] {
  return layout.hosts
    .flatMap((host) => host.devices.map((device) => ({ device, host: host.plan.name })))
    .filter((entry) => entry.device.wire !== 0)
    .sort((a, b) => a.device.wire - b.device.wire)
}

/** First row behind one for every entity, so that streams of sources meet nobody else's; no matter how ids are spread. */
function firstStreamRow(layout: Layout): number {
  const { cpus, wires, deviceCount, queues, vectors, napis, backlogNapis, tasks } = layout
  const lists = [cpus, wires, queues, vectors, napis, backlogNapis, tasks]
  return lists.reduce((sum, { length }) => sum + length, 1 + deviceCount)
}

function sizeEntries(plan: TrafficPlan): number {
  if (plan.kind === 'replay' || plan.frame.kind === 'fixed') return 0
  return plan.frame.kind === 'imix' ? 3 : plan.frame.values.length
}

/** Gives every traffic entry its rows: grouped by wire, in the order of the plan. */
export function trafficRows(layout: Layout): TrafficRows {
  const sources: SourceRows[] = []
  const next = { flow: 1, alias: 1, slot: 1, ready: 1, frame: 1, byte: 1 }
  for (const { device, host } of wiredDevices(layout)) {
    layout.plan.traffic.forEach((plan, planIndex) => {
      if (plan.host !== host || plan.dev !== device.plan.name) return
      const flowCount = plan.kind === 'replay' ? 0 : plan.flows.count
      const sizeCount = sizeEntries(plan)
      const slotCount = plan.kind === 'closed' ? plan.clients * plan.depth : 0
      const readyRows = slotCount === 0 ? 0 : powerOfTwo(2 * slotCount)
      let frameCount = 0
      let byteCount = 0
      if (plan.kind === 'replay') {
        eachEthernetFrame(plan.capture, parseMac(device.plan.mac), (frame) => {
          frameCount++
          byteCount += frame.capturedBytes
        })
      }
      if (plan.kind === 'open' && plan.protocol === 'arp') {
        frameCount = flowCount
        byteCount = flowCount * ARP_FRAME_BYTES
      }
      sources.push({
        source: sources.length + 1,
        plan,
        planIndex,
        wire: device.wire,
        device: device.plan,
        flowBase: next.flow,
        flowCount,
        sizeBase: next.alias,
        sizeCount,
        aliasBase: next.alias + sizeCount,
        slotBase: next.slot,
        slotCount,
        readyBase: next.ready,
        readyRows,
        frameBase: next.frame,
        frameCount,
        byteBase: next.byte,
        byteCount,
      })
      next.flow += flowCount
      next.alias += sizeCount + (plan.kind !== 'replay' && plan.flows.pick === 'zipf' ? flowCount : 0)
      next.slot += slotCount
      next.ready += readyRows
      next.frame += frameCount
      next.byte += byteCount
    })
  }
  return {
    sources,
    flows: next.flow,
    aliases: next.alias,
    slots: next.slot,
    ready: next.ready,
    frames: next.frame,
    bytes: next.byte,
    firstStream: firstStreamRow(layout),
  }
}

/** Pending events a wire can have at once: think times and replies of its clients, filters on their way, and a few more. */
export function wireEventCapacity(layout: Layout, wire: number): number {
  let rows = 256
  for (const { device } of wiredDevices(layout)) {
    if (device.wire === wire && device.plan.arfs) rows += 4096
    if (device.wire !== wire) continue
    const host = layout.hosts.find((entry) => entry.devices.includes(device))
    for (const plan of layout.plan.traffic) {
      if (plan.kind !== 'closed' || plan.host !== host?.plan.name || plan.dev !== device.plan.name) continue
      rows += plan.clients * plan.depth * 4
    }
  }
  return rows
}
