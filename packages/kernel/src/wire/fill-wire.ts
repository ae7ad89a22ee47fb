import { type Binder, type Columns, randomStreams } from '@softnet/ecs'
import type { DevicePlan, Plan } from '@softnet/scenario/plan'
import { createToeplitz, ETH_FCS_LEN, ETH_ZLEN, macHi, macLo, parseMac } from '@softnet/wire'
import type { DeviceLayout, Layout } from '../build/layout.js'
import { powerOfTwo, type TrafficRows, wiredDevices } from '../traffic/source-rows.js'
import { byteRate } from './byte-rate.js'
import {
  ARFS_FILTERS,
  IndirectionSlot,
  NtupleRule,
  TOEPLITZ_WORDS,
  ToeplitzWord,
  Wire,
  WireState,
} from './components.js'

const WIRE_PURPOSE = 0x77697265

/** Rows of `BufferSlot` a device needs: as many frames as its packet buffer holds of the shortest, if it can be in use. */
export function bufferRows(device: DevicePlan, plan: Plan): number {
  const isUsed = device.pcieBitsPerSec !== 0 || plan.plugins.some(({ hooks }) => hooks.includes('nic_rx'))
  return !isUsed ? 0 : powerOfTwo(Math.floor(device.packetBufferBytes / ETH_ZLEN) + 2)
}

function keyBytes(text: string): number[] {
  const digits = text.replaceAll(/[^0-9a-fA-F]/g, '')
  return Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16),
  )
}

/** Fills the constants of every wire: link, PCIe, steering; and seeds its stream. */
export function fillWires(binder: Binder, layout: Layout, rows: TrafficRows): void {
  const { world } = binder
  const wires = world.columns(Wire)
  const random = binder.bind(randomStreams)
  const next = { buffer: 1, rule: 1, indirection: 1, arfs: 1, toeplitz: 1 }
  for (const { device } of wiredDevices(layout)) {
    const { wire, plan } = device
    fillLink(wires, wire, plan)
    wires.dev[wire] = device.device
    wires.deviceIndex[wire] = device.device - layout.firstDevice
    wires.serialFirst[wire] = 1 + layout.wires.indexOf(wire)
    wires.serialStep[wire] = layout.wires.length
    wires.stream[wire] = rows.firstStream + layout.wires.indexOf(wire)
    random.seed(wires.stream[wire], layout.plan.seed, wire, WIRE_PURPOSE)
    world.columns(WireState).intervalEndPs[wire] = 0
    const own = rows.sources.filter((entry) => entry.wire === wire)
    wires.firstSource[wire] = own[0]?.source ?? 0
    wires.sourceCount[wire] = own.length
    wires.closed[wire] = own.some((entry) => entry.plan.kind === 'closed') ? 1 : 0
    wires.firstQueue[wire] = device.queues[0] ?? 0
    wires.queueCount[wire] = plan.queues.length
    wires.bufferBase[wire] = next.buffer
    wires.bufferMask[wire] = Math.max(0, bufferRows(plan, layout.plan) - 1)
    next.buffer += bufferRows(plan, layout.plan)
    wires.ruleBase[wire] = next.rule
    wires.ruleCount[wire] = plan.ntuple.length
    next.rule += fillRules(binder, device, next.rule)
    wires.indirectionBase[wire] = next.indirection
    next.indirection += fillIndirection(binder, device, next.indirection)
    wires.indirectionCount[wire] = Math.max(1, plan.indirection.length)
    wires.toeplitzBase[wire] = next.toeplitz
    world.columns(ToeplitzWord).value.set(createToeplitz(keyBytes(plan.rssKey)).table, next.toeplitz)
    next.toeplitz += TOEPLITZ_WORDS
    wires.hashPorts[wire] = (plan.hashFields.tcp4 === 'sdfn' ? 1 : 0) | (plan.hashFields.udp4 === 'sdfn' ? 2 : 0)
    wires.rxChecksum[wire] = plan.driver.rxChecksum ? 1 : 0
    wires.arfs[wire] = plan.arfs ? 1 : 0
    wires.arfsBase[wire] = next.arfs
    wires.arfsMask[wire] = ARFS_FILTERS - 1
    if (plan.arfs) next.arfs += ARFS_FILTERS
    const mac = parseMac(plan.mac)
    wires.macHigh[wire] = macHi(mac)
    wires.macLow[wire] = macLo(mac)
  }
}

function fillLink(wires: Columns<typeof Wire.schema>, wire: number, plan: DevicePlan): void {
  const link = byteRate(plan.linkBitsPerSec)
  wires.linkWhole[wire] = link.whole
  wires.linkRest[wire] = link.rest
  wires.linkDenominator[wire] = link.denominator
  wires.overheadBytes[wire] = plan.frameOverheadBytes + ETH_FCS_LEN
  wires.delayPs[wire] = plan.linkDelayPs
  wires.dmaLatencyPs[wire] = plan.dmaLatencyPs
  wires.errorThreshold[wire] = plan.wireErrorRate * 2 ** 32
  wires.packetBufferBytes[wire] = plan.packetBufferBytes
  wires.pcieOverheadBytes[wire] = plan.pcieOverheadBytes
  if (plan.pcieBitsPerSec === 0) return
  const bus = byteRate(plan.pcieBitsPerSec)
  wires.pcie[wire] = 1
  wires.pcieWhole[wire] = bus.whole
  wires.pcieRest[wire] = bus.rest
  wires.pcieDenominator[wire] = bus.denominator
}

function fillRules(binder: Binder, device: DeviceLayout, base: number): number {
  const rules = binder.world.columns(NtupleRule)
  device.plan.ntuple.forEach((rule, index) => {
    const row = base + index
    rules.protocol[row] = rule.proto
    rules.fields[row] =
      (rule.saddr === null ? 0 : 1) |
      (rule.daddr === null ? 0 : 2) |
      (rule.sport === null ? 0 : 4) |
      (rule.dport === null ? 0 : 8)
    rules.saddr[row] = rule.saddr ?? 0
    rules.daddr[row] = rule.daddr ?? 0
    rules.sport[row] = rule.sport ?? 0
    rules.dport[row] = rule.dport ?? 0
    rules.queue[row] = rule.action < 0 ? 0 : device.queues[rule.action]
  })
  return device.plan.ntuple.length
}

function fillIndirection(binder: Binder, device: DeviceLayout, base: number): number {
  const { queue } = binder.world.columns(IndirectionSlot)
  const table = device.plan.indirection.length === 0 ? [0] : device.plan.indirection
  table.forEach((index, position) => {
    queue[base + position] = device.queues[index]
  })
  return table.length
}
