import { Cpu, Owner } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { runCpu } from '../cpu/run-cpu.js'
import { wireRun } from '../wire/wire-run.js'
import type { Model } from './build-model.js'

/** A partition as a runner sees it: it knows nothing of networking beyond this. */
export interface ModelPartition {
  readonly id: number
  readonly name: string
  /** Partitions that can send to this one, by position in the list of partitions, and the least time it takes. */
  readonly inputs: readonly { readonly from: number; readonly latencyPs: number }[]
  /** Time of the next thing it does, ps. */
  nextPs(): number
  /** Earliest time anything it has not sent yet can take effect elsewhere if nothing new reaches it; null: `nextPs` plus the edge's latency. */
  readonly sendBoundPs: (() => number) | null
  /** Takes in what other partitions sent. */
  drain(): void
  /** Does everything before the horizon; false if it could do nothing. */
  run(horizonPs: number): boolean
  /** Accounts the time up to the end of the run. */
  finish(endPs: number): void
}

/** Position of a partition that something was sent to since the last call, in the list of partitions; −1 if there is none. */
export function receiverQueue(model: Model): () => number {
  const post = model.binder.bind(mail)
  const leaders = [...model.partitions.members.keys()].sort((a, b) => a - b)
  const position = new Int32Array(model.layout.ownerRows)
  leaders.forEach((leader, index) => {
    position[leader] = index
  })
  return () => {
    const leader = post.takeMarked()
    return leader === 0 ? -1 : position[leader]
  }
}

/** Partitions of a model in ascending order of their leaders: CPUs first, then wires. */
export function modelPartitions(model: Model): ModelPartition[] {
  const { binder, layout, partitions } = model
  const cpus = binder.bind(runCpu)
  const wires = binder.bind(wireRun)
  const post = binder.bind(mail)
  const { number } = binder.world.columns(Cpu)
  binder.world.columns(Owner)
  const leaders = [...partitions.members.keys()].sort((a, b) => a - b)
  const position = new Map(leaders.map((leader, index) => [leader, index]))
  return leaders.map((leader, id) => {
    const members = partitions.members.get(leader) ?? []
    const inputs = inputsOf(model, leader, position)
    if (leader >= layout.firstWire) {
      return {
        id,
        name: wireName(model, leader),
        inputs,
        nextPs: () => wires.nextPs(leader),
        sendBoundPs: () => wires.boundPs(leader),
        drain: () => post.drain(leader),
        run: (horizonPs) => wires.run(leader, horizonPs),
        finish: () => {},
      }
    }
    const common = { id, inputs, sendBoundPs: null, drain: () => post.drain(leader) }
    if (members.length === 1) {
      return {
        ...common,
        name: `cpu${number[leader]}`,
        nextPs: () => cpus.nextPs(leader),
        run: (horizonPs) => cpus.run(leader, horizonPs),
        finish: (endPs) => cpus.finish(leader, endPs),
      }
    }
    return {
      ...common,
      name: `cpu${members.map((cpu) => number[cpu]).join('+')}`,
      ...fusedPartition(members, cpus.nextPs, cpus.run),
      finish: (endPs: number) => {
        for (const cpu of members) cpus.finish(cpu, endPs)
      },
    }
  })
}

/** Several CPUs that share something without latency: always the one that is furthest behind goes on. */
function fusedPartition(
  members: readonly number[],
  nextOf: (cpu: number) => number,
  runOf: (cpu: number, horizonPs: number) => boolean,
): { nextPs(): number; run(horizonPs: number): boolean } {
  return {
    nextPs() {
      let next = Number.POSITIVE_INFINITY
      for (const cpu of members) {
        const at = nextOf(cpu)
        if (at < next) next = at
      }
      return next
    },
    run(horizonPs) {
      let progress = false
      for (;;) {
        let first = Number.POSITIVE_INFINITY
        let second = Number.POSITIVE_INFINITY
        let behind = 0
        for (const cpu of members) {
          const at = nextOf(cpu)
          if (at < first) {
            second = first
            first = at
            behind = cpu
          } else if (at < second) second = at
        }
        if (behind === 0 || first >= horizonPs) return progress
        const limit = second + 1 < horizonPs ? second + 1 : horizonPs
        if (!runOf(behind, limit)) return progress
        progress = true
      }
    },
  }
}

function inputsOf(model: Model, leader: number, position: ReadonlyMap<number, number>): { from: number; latencyPs: number }[] {
  const { partitions } = model
  const least = new Map<number, number>()
  for (const edge of partitions.edges) {
    if (partitions.leader[edge.to] !== leader) continue
    const from = position.get(partitions.leader[edge.from])
    if (from === undefined) continue
    least.set(from, Math.min(least.get(from) ?? Number.POSITIVE_INFINITY, edge.latencyPs))
  }
  return [...least].sort((a, b) => a[0] - b[0]).map(([from, latencyPs]) => ({ from, latencyPs }))
}

function wireName(model: Model, wire: number): string {
  for (const host of model.layout.hosts) {
    for (const device of host.devices) if (device.wire === wire) return `wire:${host.plan.name}/${device.plan.name}`
  }
  return `wire${wire}`
}
