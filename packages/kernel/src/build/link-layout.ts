import type { DevicePlan, LinkPlan, Plan } from '@softnet/scenario/plan'
import { ETH_ZLEN } from '@softnet/wire'
import { powerOfTwo } from '../traffic/source-rows.js'
import type { DeviceLayout, Layout } from './layout.js'

/** Where a link lies: its wires, and how its frames travel. */
export interface LinkLayout {
  readonly plan: LinkPlan
  /** Row of `Link`. */
  readonly link: number
  /** Devices at its ports, in the order of the scenario. */
  readonly devices: readonly DeviceLayout[]
  /** Lowest wire: the leader of the partition. */
  readonly leader: number
  /** Frames go straight into lanes, which have room for all that are on the way. */
  readonly isDirect: boolean
  /** Rows of Skb for frames that wait on it. */
  readonly rows: number
}

/** Longest frame on the way that lanes are made for. */
const DIRECT_FRAMES_MAX = 4096
const SHORTEST_BYTES = 64
const SLACK_FRAMES = 128
/** Ethernet header and FCS. */
const FRAME_BYTES = 18

function shortestFramePs(device: DevicePlan): number {
  return ((SHORTEST_BYTES + device.frameOverheadBytes) * 8e12) / device.linkBitsPerSec
}

/** Whether frames can come faster than the bus takes them: then the packet buffer may be full of them. */
function waitsForBus({
  pcieBitsPerSec,
  pcieOverheadBytes,
  linkBitsPerSec,
  frameOverheadBytes,
  mtu,
}: DevicePlan): boolean {
  if (pcieBitsPerSec === 0) return false
  return [SHORTEST_BYTES, mtu + FRAME_BYTES].some(
    (bytes) => (bytes + pcieOverheadBytes) / pcieBitsPerSec > (bytes + frameOverheadBytes) / linkBitsPerSec,
  )
}

/** Frames that may be between a card that sends and the memory of the one that receives. */
function framesOnTheWay(device: DevicePlan): number {
  const buffered = waitsForBus(device) ? device.packetBufferBytes / SHORTEST_BYTES : 0
  return Math.ceil((device.linkDelayPs + device.dmaLatencyPs) / shortestFramePs(device) + buffered)
}

/** The link a device is on, if any. */
function linkOf(device: DevicePlan, plan: Plan): LinkPlan | undefined {
  return device.link === undefined ? undefined : plan.links?.find(({ name }) => name === device.link)
}

/** Frames that a lane of a device on a link has to hold besides those that its CPU has not looked at. */
export function linkLaneFrames(device: DevicePlan, plan: Plan): number {
  const link = linkOf(device, plan)
  if (link === undefined) return 0
  const isStored = isStoredLink(link, plan)
  const onTheWay = framesOnTheWay(isStored ? { ...device, linkDelayPs: 0 } : device)
  return SLACK_FRAMES + Math.min(onTheWay, 2 * DIRECT_FRAMES_MAX)
}

function devicesOf(link: LinkPlan, plan: Plan): DevicePlan[] {
  return link.ports.flatMap((port) =>
    plan.hosts.flatMap((host) => (host.name !== port.host ? [] : host.devices.filter(({ name }) => name === port.dev))),
  )
}

/** True if frames wait on the link itself: in a switch, out of order, for filters that may change, or too many for lanes. */
function isStoredLink(link: LinkPlan, plan: Plan): boolean {
  const devices = devicesOf(link, plan)
  return (
    link.kind === 'switch' ||
    link.reorderRate > 0 ||
    devices.some((device) => device.arfs || framesOnTheWay(device) > DIRECT_FRAMES_MAX)
  )
}

function storedRows(link: LinkPlan, devices: readonly DevicePlan[], limit: number): number {
  const rows = devices.reduce((sum, device) => {
    const delays = 2 * device.linkDelayPs + link.delayPs + (link.reorderRate > 0 ? link.reorderPs : 0)
    const frames = delays / shortestFramePs(device) + link.bufferBytes / SHORTEST_BYTES
    return sum + SLACK_FRAMES + Math.ceil(frames * (link.duplicateRate > 0 ? 2 : 1))
  }, 0)
  return Math.min(limit, rows)
}

/** Links and switches of a layout. */
export function linkLayouts(layout: Pick<Layout, 'plan' | 'hosts'>): LinkLayout[] {
  const { plan, hosts } = layout
  return (plan.links ?? []).map((link, index) => {
    const devices = link.ports.map((port) => {
      const host = hosts.find((each) => each.plan.name === port.host)
      const device = host?.devices.find((each) => each.plan.name === port.dev)
      if (device === undefined)
        throw new Error(`link ${link.name} ends at ${port.host}/${port.dev}, which there is not`)
      return device
    })
    const isDirect = !isStoredLink(link, plan)
    const limit = plan.limits['frames-per-link'] ?? 65_536
    return {
      plan: link,
      link: index + 1,
      devices,
      leader: Math.min(...devices.map(({ wire }) => wire)),
      isDirect,
      rows: isDirect
        ? 0
        : storedRows(
            link,
            devices.map((each) => each.plan),
            limit,
          ),
    }
  })
}

/** Frames a wire may be ahead of a queue: few enough to stay in the cache, enough for a visit to be worth its price. */
const LANE_SLOTS = 512

/** Slots of the lane of each queue of a device, a power of two: a card that can stall keeps its packet buffer there. */
export function laneSlots(device: DevicePlan, plan: Plan): number {
  const stalled = plan.plugins.some(({ hooks }) => hooks.includes('nic_rx'))
    ? Math.ceil(device.packetBufferBytes / ETH_ZLEN)
    : 0
  return powerOfTwo(LANE_SLOTS + stalled + linkLaneFrames(device, plan))
}

/** Pages of a lane: one for each slot. */
export interface LanePages {
  readonly queue: number
  readonly pages: number
}

/** Receive queues on links, and the pages of their lanes. */
export function lanePages(layout: Pick<Layout, 'plan' | 'hosts'>): LanePages[] {
  return linkLayouts(layout).flatMap(({ devices }) =>
    devices.flatMap(({ queues, plan }) => queues.map((queue) => ({ queue, pages: laneSlots(plan, layout.plan) }))),
  )
}
