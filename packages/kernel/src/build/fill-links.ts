import { type Binder, randomStreams, type World } from '@softnet/ecs'
import { TxQueue } from '../nic/tx-components.js'
import { Skb } from '../skb/components.js'
import { PacketPage } from '../skb/packet-pages.js'
import { ReplayFrame } from '../traffic/components.js'
import { trafficRows } from '../traffic/source-rows.js'
import { FdbEntry, LINK_KIND, Link, LinkPort, PortState, QueuePages } from '../wire/link-components.js'
import type { Layout } from './layout.js'
import { lanePages, linkLayouts } from './link-layout.js'
import { powerOfTwo } from './sizes.js'

const PURPOSE = 0x6c696e6b
const WORD = 2 ** 32

/** Rows of Skb that links need: frames in transmit rings, and frames on their way. */
export function linkSkbRows(layout: Layout): number {
  return linkLayouts(layout).reduce(
    (sum, { devices, rows }) =>
      sum + rows + devices.reduce((n, { txQueues, plan }) => n + txQueues.length * powerOfTwo(plan.tx?.ring ?? 0), 0),
    0,
  )
}

/** Declares the tables of links; none where no device is on one. */
export function declareLinks(world: World, layout: Layout): void {
  const links = linkLayouts(layout)
  if (links.length === 0) return
  world.pool(Link, links.length)
  world.pool(
    LinkPort,
    links.reduce((sum, { devices }) => sum + devices.length, 0),
  )
  world.pool(PortState, layout.ownerRows)
  world.pool(
    FdbEntry,
    links.reduce((sum, { plan }) => sum + tableRows(plan.tableSize), 0),
  )
  world.pool(QueuePages, layout.firstVector)
}

function tableRows(size: number): number {
  return size === 0 ? 0 : powerOfTwo(2 * size)
}

/** Fills links; their frames take rows of Skb from `firstRow` on, their lanes pages from row `firstPage` of PacketPage on. */
export function fillLinks(binder: Binder, layout: Layout, firstRow: number, firstPage: number): void {
  const { world } = binder
  const links = linkLayouts(layout)
  if (links.length === 0) return
  const skb = world.columns(Skb)
  const link = world.columns(Link)
  const tx = world.columns(TxQueue)
  const next = { row: firstRow, port: 1, fdb: 1 }
  for (const each of links) {
    const { plan } = each
    const l = each.link
    link.kind[l] = LINK_KIND[plan.kind]
    link.isDirect[l] = each.isDirect ? 1 : 0
    link.leader[l] = each.leader
    link.firstPort[l] = next.port
    link.portCount[l] = each.devices.length
    link.delayPs[l] = plan.delayPs
    link.lossThreshold[l] = plan.lossRate * WORD
    link.duplicateThreshold[l] = plan.duplicateRate * WORD
    link.reorderThreshold[l] = plan.reorderRate * WORD
    link.reorderPs[l] = plan.reorderPs
    link.bufferBytes[l] = plan.bufferBytes
    link.ageingPs[l] = plan.ageingPs
    link.fdbBase[l] = next.fdb
    link.fdbMask[l] = Math.max(0, tableRows(plan.tableSize) - 1)
    link.fdbMax[l] = plan.tableSize
    next.fdb += tableRows(plan.tableSize)
    link.leastDmaPs[l] = Math.min(...each.devices.map((device) => device.plan.dmaLatencyPs))
    link.pageOwner[l] = each.leader
    for (const device of each.devices) {
      for (const queue of device.txQueues) {
        tx.linked[queue] = 1
        tx.skbBase[queue] = next.row
        next.row += powerOfTwo(device.plan.tx?.ring ?? 0)
      }
    }
    for (let row = next.row + each.rows - 1; row >= next.row; row--) {
      skb.next[row] = link.freeRow[l]
      link.freeRow[l] = row
    }
    next.row += each.rows
    fillPorts(
      binder,
      layout,
      each.link,
      each.devices.map(({ wire }) => wire),
      next.port,
    )
    next.port += each.devices.length
  }
  fillLanePages(world, layout, firstPage, world.columns(ReplayFrame).offsetPs.length - 1)
}

function fillPorts(binder: Binder, layout: Layout, link: number, wires: readonly number[], first: number): void {
  const state = binder.world.columns(PortState)
  const port = binder.world.columns(LinkPort)
  const random = binder.bind(randomStreams)
  const { firstStream, sources } = trafficRows(layout)
  wires.forEach((wire, index) => {
    port.wire[first + index] = wire
    state.link[wire] = link
    state.peer[wire] = wires.length === 2 ? (wires[1 - index] as number) : 0
    state.stream[wire] = firstStream + layout.wires.length + sources.length + first + index - 1
    random.seed(state.stream[wire], layout.plan.seed, layout.wires.indexOf(wire), PURPOSE)
  })
}

/** Pages that belong to lanes are never free: the frame in a slot has the slot's. */
function fillLanePages(world: World, layout: Layout, firstPage: number, pageBase: number): void {
  const { first } = world.columns(QueuePages)
  const { refs } = world.columns(PacketPage)
  let row = firstPage
  for (const { queue, pages } of lanePages(layout)) {
    first[queue] = pageBase + row
    refs.fill(1, row, row + pages)
    row += pages
  }
}
