import { Cpu } from '../cpu/components.js'
import type { Model } from './build-model.js'
import { linkLayouts } from './link-layout.js'
import { type BoundMachine, createMachine, type Machine } from './partition-machine.js'
import type { PartitionMap, PartitionTimes } from './partition-times.js'

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
  /** Takes in what other partitions have published for it and writes its times. */
  drain(): void
  /** Does everything before its horizon and writes its times; false if it could do nothing. */
  run(): boolean
  /** Makes what it has sent, and the room it has made, known to the others; nobody runs meanwhile. */
  publish(): void
  /** As `drain`, while others run: takes in what they have shown. */
  take(): void
  /** As `publish`, while others run: shows what it has sent and the room it has made. */
  show(): void
  /** False if too few frames have come, or there is too little room for them, for a turn to be worth while. */
  hasEnough(): boolean
  /** Accounts the time up to the end of the run. */
  finish(endPs: number): void
}

function partitionLeaders(model: Model): number[] {
  return [...model.partitions.members.keys()].sort((a, b) => a - b)
}

/** Partitions of a model in ascending order of their leaders: CPUs first, then wires. */
export function modelPartitions(model: Model): ModelPartition[] {
  const { layout, partitions } = model
  const { number } = model.binder.world.columns(Cpu)
  const leaders = partitionLeaders(model)
  const position = new Map(leaders.map((leader, index) => [leader, index]))
  const machine = createMachine(model, mapOf(model, leaders, position))
  return leaders.map((leader, id) => {
    const isWire = leader >= layout.firstWire
    const members = partitions.members.get(leader) ?? []
    const host = layout.hosts.length > 1 ? `${layout.hosts[model.constants.hostOfCpu[leader]]?.plan.name}/` : ''
    const name = isWire ? wireName(model, leader) : `${host}cpu${members.map((cpu) => number[cpu]).join('+')}`
    return new MachinePartition(machine, id, name, inputsOf(model, leader, position), isWire)
  })
}

/** One partition of a machine. */
class MachinePartition implements ModelPartition {
  readonly id: number
  readonly name: string
  readonly inputs: Inputs
  readonly bounded: boolean
  readonly machine: Machine
  /** Held here and not asked for at each step: there are several of them per packet. */
  now: BoundMachine | null = null

  constructor(machine: Machine, id: number, name: string, inputs: Inputs, bounded: boolean) {
    this.machine = machine
    this.id = id
    this.name = name
    this.inputs = inputs
    this.bounded = bounded
  }

  attach(times: PartitionTimes): void {
    this.now = this.machine.attach(times)
  }

  drain(): void {
    ;(this.now as BoundMachine).drain(this.id)
  }

  run(): boolean {
    return (this.now as BoundMachine).run(this.id)
  }

  publish(): void {
    ;(this.now as BoundMachine).publish(this.id)
  }

  take(): void {
    ;(this.now as BoundMachine).take(this.id)
  }

  show(): void {
    ;(this.now as BoundMachine).show(this.id)
  }

  hasEnough(): boolean {
    return (this.now as BoundMachine).hasEnough(this.id)
  }

  finish(endPs: number): void {
    this.machine.finish(this.id, endPs)
  }
}

type Inputs = ModelPartition['inputs']

function mapOf(model: Model, leaders: readonly number[], position: ReadonlyMap<number, number>): PartitionMap {
  const { layout, partitions } = model
  const memberBase = new Int32Array(leaders.length + 1)
  const list: number[] = []
  leaders.forEach((id, p) => {
    list.push(...(partitions.members.get(id) ?? []))
    memberBase[p + 1] = list.length
  })
  return {
    leader: Int32Array.from(leaders),
    memberBase,
    member: Int32Array.from(list),
    partitionOf: Int32Array.from({ length: layout.ownerRows }, (_, id) => position.get(partitions.leader[id]) ?? 0),
    firstWire: layout.firstWire,
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
  const link = linkLayouts(model.layout).find(({ leader }) => leader === wire)
  if (link !== undefined) return `${link.plan.kind}:${link.plan.name}`
  for (const host of model.layout.hosts) {
    for (const device of host.devices) if (device.wire === wire) return `wire:${host.plan.name}/${device.plan.name}`
  }
  return `wire${wire}`
}
