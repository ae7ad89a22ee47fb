import { digestWorld } from '@softnet/ecs'
import {
  type DropRow,
  LATENCY_BUCKETS,
  type LatencySummary,
  PATH_PLACES,
  type PathPlace,
  type ResultDocument,
  type TimelineRow,
} from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import {
  DROP_ROWS,
  DropCount,
  DropTimeline,
  LatencyHistogram,
  LatencySum,
  PacketCount,
  TIMELINE_ROWS,
  Timeline,
} from '../count/components.js'
import { DROP_PLACES } from '../count/drops.js'
import { reportPlugins } from '../plugin/report-plugins.js'
import { Skb } from '../skb/components.js'

import { filledBuckets, percentiles } from './histogram-summary.js'

import { framesInFlight, framesOnCards, framesWaiting } from './in-flight.js'

import { reportHost } from './report-host.js'
import { reportLinks } from './report-links.js'

/** The result document as far as the model knows it. */
export type ModelReport = Omit<ResultDocument, 'wall_ms' | 'workers' | 'parallel' | 'status' | 'verdict'>

/** Wire frames offered, delivered and dropped so far. */
export function modelProgress(model: Model): { offered: number; delivered: number; dropped: number } {
  const { offered, delivered, dropped } = model.world.columns(PacketCount)
  const sum = (column: Float64Array): number => total(column, model.layout.step)
  return { offered: sum(offered), delivered: sum(delivered), dropped: sum(dropped) }
}

/** Sum over the CPUs and wires. */
function total(column: Float64Array, step: number): number {
  let sum = 0
  for (let i = 0; i < column.length; i += step) sum += column[i]
  return sum
}

/** Reads out a model that has run to `simulatedPs`. Allocates freely: it runs once. */
export function reportModel(model: Model, simulatedPs: number): ModelReport {
  const { world, plan, layout } = model
  const packets = world.columns(PacketCount)
  const sum = (column: Float64Array): number => total(column, layout.step)
  const hosts: Record<string, ReturnType<typeof reportHost>> = {}
  for (const host of layout.hosts) hosts[host.plan.name] = reportHost(model, host, simulatedPs)
  const { serial } = world.columns(Skb)
  const onCards = framesOnCards(model, simulatedPs)
  return {
    schema: 'softnet.result/1',
    scenario: plan.name,
    kernel: plan.kernel,
    profile: plan.profile,
    seed: plan.seed,
    digest: digestWorld(world, (row) => serial[row]),
    simulated_ns: simulatedPs / 1000,
    packets: {
      offered: sum(packets.offered),
      created: sum(packets.created),
      delivered: sum(packets.delivered),
      consumed: sum(packets.consumed),
      sent: sum(packets.sent) - onCards,
      dropped: sum(packets.dropped),
      in_flight: framesInFlight(model) + onCards,
    },
    waiting: framesWaiting(model, simulatedPs),
    drops: dropRows(model),
    ...latency(model),
    timeline: timeline(model, simulatedPs),
    hosts,
    ...((plan.links ?? []).length === 0 ? {} : { links: reportLinks(model, simulatedPs) }),
    ...(plan.plugins.length === 0 ? {} : { plugins: reportPlugins(model) }),
  }
}

function dropRows(model: Model): DropRow[] {
  const { frames } = model.world.columns(DropCount)
  const rows: DropRow[] = []
  for (const host of model.layout.hosts) {
    const owners = host.plan.cpus.map((_, i) => host.cpus[i])
    for (const device of host.devices) if (device.wire !== 0) owners.push(device.wire)
    DROP_PLACES.forEach((place, id) => {
      let count = 0
      for (const owner of owners) count += frames[owner * DROP_ROWS + id]
      if (count > 0) rows.push({ host: host.plan.name, where: place.where, reason: place.reason, count })
    })
  }
  return rows.sort((a, b) => b.count - a.count || (a.where + a.reason < b.where + b.reason ? -1 : 1))
}

function latency(model: Model): { latency_ns: LatencySummary | null; latency_histogram: [number, number][] } {
  const { count: column } = model.world.columns(LatencyHistogram)
  const sums = model.world.columns(LatencySum)
  const buckets = new Float64Array(LATENCY_BUCKETS)
  let count = 0
  let sumNs = 0
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const cpu of model.layout.cpus) {
    if (sums.count[cpu] === 0) continue
    for (let b = 0; b < LATENCY_BUCKETS; b++) buckets[b] += column[cpu * LATENCY_BUCKETS + b]
    count += sums.count[cpu]
    sumNs += sums.sumNs[cpu]
    min = Math.min(min, sums.minNs[cpu])
    max = Math.max(max, sums.maxNs[cpu])
  }
  const histogram = filledBuckets(buckets)
  if (count === 0) return { latency_ns: null, latency_histogram: histogram }
  const latency_ns = { count, min, mean: sumNs / count, ...percentiles(histogram, count, min, max), max }
  return { latency_ns, latency_histogram: histogram }
}

function timeline(model: Model, simulatedPs: number): TimelineRow[] {
  const columns = model.world.columns(Timeline)
  const droppedAt = model.world.columns(DropTimeline)
  const { timelinePs } = model.constants
  const owners = [...model.layout.cpus, ...model.layout.wires]
  const rows: TimelineRow[] = []
  for (let i = 0; i < TIMELINE_ROWS && i * timelinePs < simulatedPs; i++) {
    const sum = (column: Float64Array): number =>
      owners.reduce((total, owner) => total + column[owner * TIMELINE_ROWS + i], 0)
    const dropped_at: Partial<Record<PathPlace, number>> = {}
    let dropped = 0
    for (const place of PATH_PLACES) {
      const lost = sum(droppedAt[place])
      if (lost > 0) dropped_at[place] = lost
      dropped += lost
    }
    const row = {
      t_ns: (i * timelinePs) / 1000,
      offered: sum(columns.offered),
      delivered: sum(columns.delivered),
      dropped,
    }
    rows.push(dropped > 0 ? { ...row, dropped_at } : row)
  }
  return rows
}
