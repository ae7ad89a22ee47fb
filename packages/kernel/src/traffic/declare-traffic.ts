import { RandomStream, type World } from '@softnet/ecs'
import type { Layout } from '../build/layout.js'
import {
  ARFS_FILTERS,
  ArfsFilter,
  BufferSlot,
  Draft,
  IndirectionSlot,
  NtupleRule,
  SteerResult,
  TOEPLITZ_WORDS,
  ToeplitzWord,
  Wire,
  WireState,
  WireTurn,
} from '../wire/components.js'
import { bufferRows } from '../wire/fill-wire.js'
import {
  AliasSlot,
  Flow,
  ReadyRequest,
  ReplayByte,
  ReplayFrame,
  RequestSlot,
  Source,
  SourceState,
} from './components.js'
import { trafficRows, wiredDevices } from './source-rows.js'

/** Declares the tables of wires and traffic sources; before the world is frozen. */
export function declareTraffic(world: World, layout: Layout): void {
  const rows = trafficRows(layout)
  for (const component of [Wire, WireState, WireTurn, Draft, SteerResult])
    world.spacedPool(component, layout.ownerRows, layout.step)
  let buffers = 0
  let rules = 0
  let indirection = 0
  let arfs = 0
  const wired = wiredDevices(layout)
  for (const { device } of wired) {
    buffers += bufferRows(device.plan, layout.plan)
    rules += device.plan.ntuple.length
    indirection += Math.max(1, device.plan.indirection.length)
    if (device.plan.arfs) arfs += ARFS_FILTERS
  }
  world.pool(BufferSlot, buffers)
  world.pool(NtupleRule, rules)
  world.pool(IndirectionSlot, indirection)
  world.pool(ToeplitzWord, wired.length * TOEPLITZ_WORDS)
  world.pool(ArfsFilter, arfs)
  world.pool(Source, rows.sources.length)
  world.pool(SourceState, rows.sources.length)
  world.pool(Flow, rows.flows)
  world.pool(AliasSlot, rows.aliases)
  world.pool(RequestSlot, rows.slots)
  world.pool(ReadyRequest, rows.ready)
  world.pool(ReplayFrame, rows.frames)
  world.pool(ReplayByte, rows.bytes)
  const ports = (layout.plan.links ?? []).reduce((sum, link) => sum + link.ports.length, 0)
  world.pool(RandomStream, rows.firstStream + layout.wires.length + rows.sources.length + ports)
}
