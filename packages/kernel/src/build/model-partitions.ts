import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { runCpu } from '../cpu/run-cpu.js'
import { wireRun } from '../wire/wire-run.js'
import type { Model } from './build-model.js'

/** Times a runner shares with the partitions, one entry per partition, ps. Doubles in columns are not boxed. */
export interface PartitionTimes {
  /** Written by the partition: its next step. */
  readonly next: Float64Array
  /** Written by bounded partitions: earliest effect elsewhere of anything not yet sent. */
  readonly bound: Float64Array
  /** Written by the runner: how far the partition may go. */
  readonly horizon: Float64Array
}

/** A partition as a runner sees it: it knows nothing of networking beyond this. */
export interface ModelPartition {
  readonly id: number
  readonly name: string
  /** Partitions that can send to this one, by position in the list of partitions, and the least time it takes. */
  readonly inputs: readonly { readonly from: number; readonly latencyPs: number }[]
  /** True: it writes `bound`; false: anything it sends takes effect after `next` plus the edge's latency. */
  readonly bounded: boolean
  /** Hands the runner's times over, before anything else is called. */
  attach(times: PartitionTimes): void
  /** Takes in what other partitions sent and writes its times. */
  drain(): void
  /** Does everything before its horizon and writes its times; false if it could do nothing. */
  run(): boolean
  /** Accounts the time up to the end of the run. */
  finish(endPs: number): void
}

/** Position of a partition that something was sent to since the last call, in the list of partitions; −1 if there is none. */
export function receiverQueue(model: Model): () => number {
  const post = model.binder.bind(mail)
  const leaders = partitionLeaders(model)
  const position = new Int32Array(model.layout.ownerRows)
  leaders.forEach((leader, index) => {
    position[leader] = index
  })
  return () => {
    const leader = post.takeMarked()
    return leader === 0 ? -1 : position[leader]
  }
}

function partitionLeaders(model: Model): number[] {
  return [...model.partitions.members.keys()].sort((a, b) => a - b)
}

/** Partitions of a model in ascending order of their leaders: CPUs first, then wires. */
export function modelPartitions(model: Model): ModelPartition[] {
  const { layout, partitions } = model
  const leaders = partitionLeaders(model)
  const position = new Map(leaders.map((leader, index) => [leader, index]))
  return leaders.map((leader, id) => {
    const inputs = inputsOf(model, leader, position)
    if (leader >= layout.firstWire) return wirePartition(model, id, leader, inputs)
    const members = partitions.members.get(leader) ?? []
    return cpuPartition(model, id, leader, members, inputs)
  })
}

type Inputs = ModelPartition['inputs']

function wirePartition(model: Model, id: number, wire: number, inputs: Inputs): ModelPartition {
  const wires = model.binder.bind(wireRun)
  const post = model.binder.bind(mail)
  let times: PartitionTimes | null = null
  function write(): void {
    if (times === null) return
    times.next[id] = wires.nextPs(wire)
    times.bound[id] = wires.boundPs(wire)
  }
  return {
    id,
    name: wireName(model, wire),
    inputs,
    bounded: true,
    attach(given) {
      times = given
    },
    drain() {
      post.drain(wire)
      write()
    },
    run() {
      const progress = times !== null && wires.run(wire, times.horizon[id])
      write()
      return progress
    },
    finish() {},
  }
}

function cpuPartition(
  model: Model,
  id: number,
  leader: number,
  members: readonly number[],
  inputs: Inputs,
): ModelPartition {
  const cpus = model.binder.bind(runCpu)
  const post = model.binder.bind(mail)
  const { number, nextStepPs, horizonPs } = model.binder.world.columns(Cpu)
  const owners = Int32Array.from(members)
  const n = owners.length
  let next: Float64Array = new Float64Array(id + 1)
  let horizon: Float64Array = new Float64Array(id + 1)

  function write(): void {
    let first = Number.POSITIVE_INFINITY
    for (let i = 0; i < n; i++) {
      const cpu = owners[i]
      cpus.findNextStep(cpu)
      if (nextStepPs[cpu] < first) first = nextStepPs[cpu]
    }
    next[id] = first
  }

  /** Several CPUs that share something without latency: always the one that is furthest behind goes on. */
  function runFused(): boolean {
    let progress = false
    for (let i = 0; i < n; i++) cpus.findNextStep(owners[i])
    for (;;) {
      let first = Number.POSITIVE_INFINITY
      let second = Number.POSITIVE_INFINITY
      let behind = 0
      for (let i = 0; i < n; i++) {
        const cpu = owners[i]
        const at = nextStepPs[cpu]
        if (at < first) {
          second = first
          first = at
          behind = cpu
        } else if (at < second) second = at
      }
      if (behind === 0 || first >= horizon[id]) return progress
      horizonPs[behind] = second + 1 < horizon[id] ? second + 1 : horizon[id]
      if (!cpus.run(behind)) return progress
      // What it did may have given work to the others.
      for (let i = 0; i < n; i++) cpus.findNextStep(owners[i])
      progress = true
    }
  }

  return {
    id,
    name: `cpu${members.map((cpu) => number[cpu]).join('+')}`,
    inputs,
    bounded: false,
    attach(times) {
      next = times.next
      horizon = times.horizon
    },
    drain() {
      post.drain(leader)
      write()
    },
    run() {
      if (n > 1) {
        const progress = runFused()
        write()
        return progress
      }
      horizonPs[leader] = horizon[id]
      const progress = cpus.run(leader)
      cpus.findNextStep(leader)
      next[id] = nextStepPs[leader]
      return progress
    },
    finish(endPs) {
      for (const cpu of members) cpus.finish(cpu, endPs)
    },
  }
}

function inputsOf(model: Model, leader: number, position: ReadonlyMap<number, number>): Inputs {
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
