import { HardirqState } from '../irq/components.js'
import { LaneShown, LaneWriter, RxQueue } from '../nic/components.js'
import { freeTurnFrames, turnFrames, wholeLane } from '../nic/lane-turns.js'
import { Skb } from '../skb/components.js'
import type { Model } from './build-model.js'
import { type PartitionMap, type PartitionTimes, REACHED, type Reach } from './partition-times.js'

/** Both ends of lanes: which frames the CPUs know of, and which room the wires. */
export interface LaneEnds {
  /** A wire, while nobody runs: its frames are known to their CPUs. */
  publishFrames(p: number): void
  /** CPUs, while nobody runs: the wires know what they have read. */
  publishRoom(p: number): void
  /** A wire, while others run: learns of room, and how much to write in its turn. */
  takeRoom(p: number): void
  /** CPUs, while others run: learn of so many frames per lane, and go no further than those (`horizon[p]`). */
  takeFrames(p: number, framesOf: (laneMask: number) => number): void
  /** The owner of either end, while others run: shows how far it has come. */
  show(p: number): void
  /** False if too few frames have come, or there is too little room for them, for a turn to be worth while. */
  hasEnough(p: number): boolean
}

/** Binds the lanes of a model to the times of a run. */
export function bindLaneEnds(model: Model, map: PartitionMap, { horizon }: PartitionTimes, reach: Reach): LaneEnds {
  const queues = model.binder.world.columns(RxQueue)
  const { laneHead, laneTailSeen } = queues
  const { laneBase, laneMask, cpu: queueCpu } = queues
  const writer = model.binder.world.columns(LaneWriter)
  const { tail: laneTail, headSeen: laneHeadSeen, stop: laneStop } = writer
  const { head: laneHeadShown, tail: laneTailShown } = model.binder.world.columns(LaneShown)
  const { isLineKnown } = model.binder.world.columns(HardirqState)
  const { duePs } = model.binder.world.columns(Skb)
  const { leader, partitionOf, firstWire } = map
  const { base, queue: laneQueue } = laneQueues(model, leader)

  return {
    publishFrames(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = laneQueue[i]
        const seen = laneTailSeen[queue]
        laneStop[queue] = laneTail[queue] + turnFrames(laneMask[queue])
        if (seen === laneTail[queue]) continue
        laneTailSeen[queue] = laneTail[queue]
        isLineKnown[queueCpu[queue]] = 0
        reach(partitionOf[queueCpu[queue]], REACHED.frames, duePs, laneBase[queue] + ((seen & laneMask[queue]) >>> 0))
      }
    },
    publishRoom(p) {
      for (let i = base[p]; i < base[p + 1]; i++) laneHeadSeen[laneQueue[i]] = laneHead[laneQueue[i]]
    },
    takeRoom(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = laneQueue[i]
        laneHeadSeen[queue] = Atomics.load(laneHeadShown, queue)
        laneStop[queue] = laneTail[queue] + freeTurnFrames(laneMask[queue])
      }
    },
    takeFrames(p, framesOf) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = laneQueue[i]
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
    },
    show(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = laneQueue[i]
        if (leader[p] < firstWire) Atomics.store(laneHeadShown, queue, laneHead[queue])
        else Atomics.store(laneTailShown, queue, laneTail[queue])
      }
    },
    hasEnough(p) {
      for (let i = base[p]; i < base[p + 1]; i++) {
        const queue = laneQueue[i]
        const enough = freeTurnFrames(laneMask[queue])
        const waiting = (Atomics.load(laneTailShown, queue) - Atomics.load(laneHeadShown, queue)) >>> 0
        if (leader[p] >= firstWire) {
          if (waiting + enough > wholeLane(laneMask[queue])) return false
        } else if (waiting >= enough) return true
      }
      return leader[p] >= firstWire
    },
  }
}

/** Queues whose lanes a partition writes (a wire) or reads (CPUs): entries [base[p], base[p + 1]) of `queue`. */
function laneQueues(model: Model, leaders: Int32Array): { base: Int32Array; queue: Int32Array } {
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
