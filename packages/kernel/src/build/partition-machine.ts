import { Cpu } from '../cpu/components.js'
import { MailRing, mail } from '../cpu/mail.js'
import { runCpu } from '../cpu/run-cpu.js'
import { IrqVector } from '../nic/components.js'
import { freeTurnFrames, wholeLane } from '../nic/lane-turns.js'
import { WireTurn } from '../wire/components.js'
import { linkRun } from '../wire/link-run.js'
import { type WireRun, wireRun } from '../wire/wire-run.js'
import type { Model } from './build-model.js'
import { bindFusedCpus } from './fused-cpus.js'
import { bindLaneEnds } from './lane-ends.js'
import { linkLayouts } from './link-layout.js'
import { bindReach, type PartitionMap, type PartitionTimes, REACHED } from './partition-times.js'
import { bindTransmitEnds } from './transmit-ends.js'

/** What the partitions of a model do, by position, once they have the times of a run. */
export interface BoundMachine {
  drain(p: number): void
  run(p: number): boolean
  publish(p: number): void
  take(p: number): void
  show(p: number): void
  hasEnough(p: number): boolean
}

/**
 * All partitions of a model in one: its functions exist once, whatever the number of partitions. A function made anew for
 * each of them would be compiled without knowing its columns, and run several times slower.
 */
export interface Machine {
  /** What the partitions do with the times of a run. */
  attach(times: PartitionTimes): BoundMachine
  /** Accounts the time up to the end of the run. */
  finish(p: number, endPs: number): void
}

/** Creates the machine of a model. */
export function createMachine(model: Model, map: PartitionMap): Machine {
  const cpus = model.binder.bind(runCpu)
  const { memberBase, member, firstWire } = map
  let times: PartitionTimes | null = null
  let now: BoundMachine | null = null
  return {
    attach(given) {
      if (now === null || times !== given) now = bindMachine(model, map, given)
      times = given
      return now
    },
    finish(p, endPs) {
      for (let i = memberBase[p]; i < memberBase[p + 1]; i++) if (member[i] < firstWire) cpus.finish(member[i], endPs)
    },
  }
}

/** 1: a CPU on its own without an old driver; what a message does to its next step is then plain. */
function plainOnes(model: Model, { leader, memberBase, firstWire }: PartitionMap): Uint8Array {
  const { cpu: vectorCpu, nonNapi } = model.binder.world.columns(IrqVector)
  return Uint8Array.from(leader, (id, p) => {
    const alone = id < firstWire && memberBase[p + 1] - memberBase[p] === 1
    return alone && !model.layout.vectors.some((vector) => vectorCpu[vector] === id && nonNapi[vector] !== 0) ? 1 : 0
  })
}

function bindMachine(model: Model, map: PartitionMap, times: PartitionTimes): BoundMachine {
  const { binder } = model
  const { leader, memberBase, firstWire, partitionOf } = map
  const { next, bound, horizon, reached } = times
  const cpus = binder.bind(runCpu)
  const wires = bindWires(model)
  const turn = model.binder.world.columns(WireTurn)
  const post = binder.bind(mail)
  const reach = bindReach(times)
  const fused = bindFusedCpus(model, map, times)
  const lanes = bindLaneEnds(model, map, times, reach)
  const rings = bindTransmitEnds(model, map, reach)
  const plain = plainOnes(model, map)
  const { nextStepPs, horizonPs } = binder.world.columns(Cpu)
  const { nextSent, leastPs, to: ringTo } = binder.world.columns(MailRing)

  function write(p: number): void {
    const id = leader[p]
    if (id < firstWire) {
      fused.writeNext(p)
      return
    }
    wires.settle(id)
    next[p] = turn.nextPs[id]
    bound[p] = turn.boundPs[id]
  }

  function takeFrames(p: number): void {
    const toldPs = horizon[p]
    lanes.takeFrames(p, freeTurnFrames)
    write(p)
    if (next[p] < horizon[p] || horizon[p] === toldPs) return
    // All frames of a turn are due at once.
    horizon[p] = toldPs
    lanes.takeFrames(p, wholeLane)
    write(p)
  }

  return {
    drain(p) {
      post.drain(leader[p])
      // `reach` has written the earlier of what was next and what the messages bring.
      if (reached[p] !== REACHED.mail || plain[p] === 0) write(p)
    },
    run(p) {
      const id = leader[p]
      if (id >= firstWire) {
        turn.horizonPs[id] = horizon[p]
        const progress = wires.run(id)
        write(p)
        return progress
      }
      if (memberBase[p + 1] - memberBase[p] > 1) return fused.run(p)
      horizonPs[id] = horizon[p]
      const progress = cpus.run(id)
      next[p] = nextStepPs[id]
      return progress
    },
    publish(p) {
      for (let r = post.publish(leader[p]); r !== 0; r = nextSent[r])
        reach(partitionOf[ringTo[r]], REACHED.mail, leastPs, r)
      if (leader[p] < firstWire) {
        rings.publishDoorbells(p)
        lanes.publishRoom(p)
      } else {
        rings.publishCompletions(p)
        lanes.publishFrames(p)
      }
    },
    take(p) {
      if (leader[p] < firstWire) {
        takeFrames(p)
        return
      }
      lanes.takeRoom(p)
      write(p)
    },
    show: (p) => lanes.show(p),
    hasEnough: (p) => lanes.hasEnough(p),
  }
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
    settle(wire) {
      if (linkAt[wire] === 0) wires.settle(wire)
      else links.settle(linkAt[wire])
    },
    run: (wire) => (linkAt[wire] === 0 ? wires.run(wire) : links.run(linkAt[wire])),
  }
}
