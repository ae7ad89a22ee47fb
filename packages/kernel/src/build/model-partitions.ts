import { Cpu } from '../cpu/components.js'
import { MailRing, mail } from '../cpu/mail.js'
import { runCpu } from '../cpu/run-cpu.js'
import { HardirqState } from '../irq/components.js'
import { IrqVector, RxQueue } from '../nic/components.js'
import { freeTurnFrames, turnFrames, wholeLane } from '../nic/lane-turns.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { Skb } from '../skb/components.js'
import { linkRun } from '../wire/link-run.js'
import { type WireRun, wireRun } from '../wire/wire-run.js'
import type { Model } from './build-model.js'
import { linkLayouts } from './link-layout.js'

/** Columns a runner shares with the partitions, one entry per partition unless said. Doubles in columns are not boxed. */
export interface PartitionTimes {
  /** Written by the partition: its next step, ps. */
  readonly next: Float64Array
  /** Written by bounded partitions: earliest effect elsewhere of anything not yet sent, ps. */
  readonly bound: Float64Array
  /** Written by the runner: how far the partition may go, ps. */
  readonly horizon: Float64Array
  /** Written while publishing: not 0 (see REACHED) for partitions that have something to take in until they have, and the list of those newly set. */
  readonly reached: Uint8Array
  readonly reachedList: Int32Array
  /** One entry: how many of `reachedList` count. */
  readonly reachedCount: Int32Array
}

/** What a partition has to take in; the greater one counts. */
const REACHED = { mail: 1, frames: 2 } as const

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
  const machine = createMachine(model, leaders, position)
  return leaders.map((leader, id) => {
    const isWire = leader >= layout.firstWire
    const members = partitions.members.get(leader) ?? []
    const host = layout.hosts.length > 1 ? `${layout.hosts[model.constants.hostOfCpu[leader]]?.plan.name}/` : ''
    const name = isWire ? wireName(model, leader) : `${host}cpu${members.map((cpu) => number[cpu]).join('+')}`
    return new MachinePartition(machine, id, name, inputsOf(model, leader, position), isWire)
  })
}

/**
 * All partitions of a model in one: its functions exist once, whatever the number of partitions. A function made anew for
 * each of them would be compiled without knowing its columns, and run several times slower.
 */
interface Machine {
  attach(times: PartitionTimes): void
  drain(p: number): void
  run(p: number): boolean
  publish(p: number): void
  take(p: number): void
  show(p: number): void
  hasEnough(p: number): boolean
  finish(p: number, endPs: number): void
}

/** One partition of a machine. */
class MachinePartition implements ModelPartition {
  readonly id: number
  readonly name: string
  readonly inputs: Inputs
  readonly bounded: boolean
  readonly machine: Machine

  constructor(machine: Machine, id: number, name: string, inputs: Inputs, bounded: boolean) {
    this.machine = machine
    this.id = id
    this.name = name
    this.inputs = inputs
    this.bounded = bounded
  }

  attach(times: PartitionTimes): void {
    this.machine.attach(times)
  }

  drain(): void {
    this.machine.drain(this.id)
  }

  run(): boolean {
    return this.machine.run(this.id)
  }

  publish(): void {
    this.machine.publish(this.id)
  }

  take(): void {
    this.machine.take(this.id)
  }

  show(): void {
    this.machine.show(this.id)
  }

  hasEnough(): boolean {
    return this.machine.hasEnough(this.id)
  }

  finish(endPs: number): void {
    this.machine.finish(this.id, endPs)
  }
}

type Inputs = ModelPartition['inputs']

function createMachine(model: Model, leaders: readonly number[], position: ReadonlyMap<number, number>): Machine {
  const { binder, layout, partitions } = model
  const cpus = binder.bind(runCpu)
  const wires = bindWires(model)
  const post = binder.bind(mail)
  const { nextStepPs, horizonPs } = binder.world.columns(Cpu)
  const { isLineKnown } = binder.world.columns(HardirqState)
  const { cpu: vectorCpu, nonNapi } = binder.world.columns(IrqVector)
  const leader = Int32Array.from(leaders)
  const firstWire = layout.firstWire
  const memberBase = new Int32Array(leaders.length + 1)
  const memberList: number[] = []
  leaders.forEach((id, p) => {
    memberList.push(...(partitions.members.get(id) ?? []))
    memberBase[p + 1] = memberList.length
  })
  const members = Int32Array.from(memberList)
  const lanes = laneQueues(model, leaders)
  const {
    laneHead,
    laneTail,
    laneHeadSeen,
    laneTailSeen,
    laneHeadShown,
    laneTailShown,
    laneStop,
    laneBase,
    laneMask,
    cpu: queueCpu,
  } = binder.world.columns(RxQueue)
  const { duePs } = binder.world.columns(Skb)
  const tx = txLists(model, leaders)
  const { rung, rungSeen, done, doneSeen, slotBase, slotMask, wire: txWire, cpu: txCpu } = binder.world.columns(TxQueue)
  const { postPs, donePs } = binder.world.columns(TxSlot)
  const { nextSent, leastPs, to: ringTo } = binder.world.columns(MailRing)
  const partitionOf = Int32Array.from({ length: layout.ownerRows }, (_, id) => position.get(partitions.leader[id]) ?? 0)
  let next: Float64Array = new Float64Array(leaders.length)
  let bound: Float64Array = new Float64Array(leaders.length)
  let horizon: Float64Array = new Float64Array(leaders.length)

  function write(p: number): void {
    const id = leader[p]
    if (id >= firstWire) {
      next[p] = wires.nextPs(id)
      bound[p] = wires.boundPs(id)
      return
    }
    let first = Number.POSITIVE_INFINITY
    for (let i = memberBase[p]; i < memberBase[p + 1]; i++) {
      const cpu = members[i]
      cpus.findNextStep(cpu)
      if (nextStepPs[cpu] < first) first = nextStepPs[cpu]
    }
    next[p] = first
  }

  /** Several CPUs that share something without latency: always the one that is furthest behind goes on. */
  function runFused(p: number): boolean {
    let progress = false
    const from = memberBase[p]
    const end = memberBase[p + 1]
    for (let i = from; i < end; i++) cpus.findNextStep(members[i])
    for (;;) {
      let first = Number.POSITIVE_INFINITY
      let second = Number.POSITIVE_INFINITY
      let behind = 0
      let following = 0
      for (let i = from; i < end; i++) {
        const at = nextStepPs[members[i]]
        if (at < first) {
          second = first
          following = behind
          first = at
          behind = members[i]
        } else if (at < second) {
          second = at
          following = members[i]
        }
      }
      if (behind === 0 || first >= horizon[p]) return progress
      // Of two CPUs at the same time the lower goes on first, wherever a run is cut.
      const until = behind < following ? second + 1 : second
      horizonPs[behind] = until < horizon[p] ? until : horizon[p]
      if (!cpus.run(behind)) return progress
      // What it did may have given work to the others.
      for (let i = from; i < end; i++) cpus.findNextStep(members[i])
      progress = true
    }
  }

  /** 1: a CPU on its own without an old driver; what a message does to its next step is then plain. */
  const plain = Uint8Array.from(leaders, (id, p) => {
    const alone = id < firstWire && memberBase[p + 1] - memberBase[p] === 1
    return alone && !layout.vectors.some((vector) => vectorCpu[vector] === id && nonNapi[vector] !== 0) ? 1 : 0
  })

  /** Free running: lets the CPUs see so many frames of each lane, and go as far as those are all there is. */
  function look(p: number, framesOf: (laneMask: number) => number): void {
    for (let i = lanes.base[p]; i < lanes.base[p + 1]; i++) {
      const queue = lanes.queue[i]
      const shown = Atomics.load(laneTailShown, queue)
      const frames = framesOf(laneMask[queue])
      isLineKnown[queueCpu[queue]] = 0
      if ((shown - laneHead[queue]) >>> 0 <= frames) {
        laneTailSeen[queue] = shown
        continue
      }
      const end = (laneHead[queue] + frames) >>> 0
      laneTailSeen[queue] = end
      const due = duePs[laneBase[queue] + ((end & laneMask[queue]) >>> 0)]
      if (due < horizon[p]) horizon[p] = due
    }
  }

  let reached: Uint8Array = new Uint8Array(leaders.length)
  let reachedList: Int32Array = new Int32Array(leaders.length)
  let reachedCount: Int32Array = new Int32Array(1)

  function reach(to: number, by: number, atPs: Float64Array, row: number): void {
    if (atPs[row] < next[to]) next[to] = atPs[row]
    const before = reached[to]
    if (by > before) reached[to] = by
    if (before === 0) reachedList[reachedCount[0]++] = to
  }

  return {
    attach(times) {
      reached = times.reached
      reachedList = times.reachedList
      reachedCount = times.reachedCount
      next = times.next
      bound = times.bound
      horizon = times.horizon
    },
    drain(p) {
      post.drain(leader[p])
      // `reach` has written the earlier of what was next and what the messages bring.
      if (reached[p] !== REACHED.mail || plain[p] === 0) write(p)
    },
    run(p) {
      const id = leader[p]
      if (id < firstWire && memberBase[p + 1] - memberBase[p] === 1) {
        horizonPs[id] = horizon[p]
        const progress = cpus.run(id)
        next[p] = nextStepPs[id]
        return progress
      }
      const progress = id >= firstWire ? wires.run(id, horizon[p]) : runFused(p)
      write(p)
      return progress
    },
    publish(p) {
      for (let r = post.publish(leader[p]); r !== 0; r = nextSent[r])
        reach(partitionOf[ringTo[r]], REACHED.mail, leastPs, r)
      const end = lanes.base[p + 1]
      for (let i = tx.base[p]; i < tx.base[p + 1]; i++) {
        const queue = tx.queue[i]
        if (leader[p] < firstWire) {
          if (rungSeen[queue] === rung[queue]) continue
          reach(
            partitionOf[txWire[queue]],
            REACHED.frames,
            postPs,
            slotBase[queue] + ((rungSeen[queue] & slotMask[queue]) >>> 0),
          )
          rungSeen[queue] = rung[queue]
        } else {
          if (doneSeen[queue] === done[queue]) continue
          isLineKnown[txCpu[queue]] = 0
          reach(
            partitionOf[txCpu[queue]],
            REACHED.frames,
            donePs,
            slotBase[queue] + ((doneSeen[queue] & slotMask[queue]) >>> 0),
          )
          doneSeen[queue] = done[queue]
        }
      }
      if (leader[p] < firstWire) {
        for (let i = lanes.base[p]; i < end; i++) laneHeadSeen[lanes.queue[i]] = laneHead[lanes.queue[i]]
        return
      }
      for (let i = lanes.base[p]; i < end; i++) {
        const queue = lanes.queue[i]
        const seen = laneTailSeen[queue]
        laneStop[queue] = laneTail[queue] + turnFrames(laneMask[queue])
        if (seen === laneTail[queue]) continue
        laneTailSeen[queue] = laneTail[queue]
        isLineKnown[queueCpu[queue]] = 0
        reach(partitionOf[queueCpu[queue]], REACHED.frames, duePs, laneBase[queue] + ((seen & laneMask[queue]) >>> 0))
      }
    },
    take(p) {
      if (leader[p] < firstWire) {
        const toldPs = horizon[p]
        look(p, freeTurnFrames)
        write(p)
        if (next[p] < horizon[p] || horizon[p] === toldPs) return
        // All frames of a turn are due at once.
        horizon[p] = toldPs
        look(p, wholeLane)
      } else {
        for (let i = lanes.base[p]; i < lanes.base[p + 1]; i++) {
          const queue = lanes.queue[i]
          laneHeadSeen[queue] = Atomics.load(laneHeadShown, queue)
          laneStop[queue] = laneTail[queue] + freeTurnFrames(laneMask[queue])
        }
      }
      write(p)
    },
    show(p) {
      const end = lanes.base[p + 1]
      for (let i = lanes.base[p]; i < end; i++) {
        const queue = lanes.queue[i]
        if (leader[p] < firstWire) Atomics.store(laneHeadShown, queue, laneHead[queue])
        else Atomics.store(laneTailShown, queue, laneTail[queue])
      }
    },
    hasEnough(p) {
      const end = lanes.base[p + 1]
      for (let i = lanes.base[p]; i < end; i++) {
        const queue = lanes.queue[i]
        const enough = freeTurnFrames(laneMask[queue])
        const waiting = (Atomics.load(laneTailShown, queue) - Atomics.load(laneHeadShown, queue)) >>> 0
        if (leader[p] >= firstWire) {
          if (waiting + enough > laneMask[queue]) return false
        } else if (waiting >= enough) return true
      }
      return leader[p] >= firstWire
    },
    finish(p, endPs) {
      for (let i = memberBase[p]; i < memberBase[p + 1]; i++) if (members[i] < firstWire) cpus.finish(members[i], endPs)
    },
  }
}

/** Transmit queues whose rings a partition fills (CPUs) or empties (a wire): entries [base[p], base[p + 1]) of `queue`. */
function txLists(model: Model, leaders: readonly number[]): { base: Int32Array; queue: Int32Array } {
  const { layout, partitions, binder } = model
  const { cpu, wire } = binder.world.columns(TxQueue)
  const base = new Int32Array(leaders.length + 1)
  const list: number[] = []
  leaders.forEach((leader, p) => {
    for (const queue of layout.hosts.flatMap((host) => host.devices.flatMap((device) => device.txQueues))) {
      const owner = partitions.leader[leader >= layout.firstWire ? wire[queue] : cpu[queue]]
      if (owner === leader) list.push(queue)
    }
    base[p + 1] = list.length
  })
  return { base, queue: Int32Array.from(list) }
}

/** Queues whose lanes a partition writes (a wire) or reads (CPUs): entries [base[p], base[p + 1]) of `queue`. */
function laneQueues(model: Model, leaders: readonly number[]): { base: Int32Array; queue: Int32Array } {
  const { layout, partitions, binder } = model
  const { cpu, dev } = binder.world.columns(RxQueue)
  const wireOf = new Map<number, number>()
  for (const host of layout.hosts)
    for (const { device, wire } of host.devices) wireOf.set(device, partitions.leader[wire])
  const base = new Int32Array(leaders.length + 1)
  const list: number[] = []
  leaders.forEach((leader, p) => {
    for (const queue of layout.queues) {
      const owner = leader >= layout.firstWire ? wireOf.get(dev[queue]) : partitions.leader[cpu[queue]]
      if (owner === leader) list.push(queue)
    }
    base[p + 1] = list.length
  })
  return { base, queue: Int32Array.from(list) }
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

/** Wires and links by the wire that leads their partition. */
function bindWires(model: Model): WireRun {
  const { binder, layout } = model
  const wires = binder.bind(wireRun)
  const all = linkLayouts(layout)
  if (all.length === 0) return wires
  const links = binder.bind(linkRun)
  const linkAt = new Int32Array(layout.ownerRows)
  for (const { link, leader } of all) linkAt[leader] = link
  return {
    nextPs: (wire) => (linkAt[wire] === 0 ? wires.nextPs(wire) : links.nextPs(linkAt[wire])),
    boundPs: (wire) => (linkAt[wire] === 0 ? wires.boundPs(wire) : links.boundPs(linkAt[wire])),
    run: (wire, horizonPs) => (linkAt[wire] === 0 ? wires.run(wire, horizonPs) : links.run(linkAt[wire], horizonPs)),
  }
}

function wireName(model: Model, wire: number): string {
  const link = linkLayouts(model.layout).find(({ leader }) => leader === wire)
  if (link !== undefined) return `${link.plan.kind}:${link.plan.name}`
  for (const host of model.layout.hosts) {
    for (const device of host.devices) if (device.wire === wire) return `wire:${host.plan.name}/${device.plan.name}`
  }
  return `wire${wire}`
}
