import { defineSystem, eventList } from '@softnet/ecs'
import { COST_LATENCY } from '../build/latency.js'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { EVENT } from '../cpu/event-kinds.js'
import { IrqVector, RxQueue } from '../nic/components.js'
import { ring } from '../nic/ring.js'
import { CpuVector, HardirqState } from './components.js'
import { moderation } from './moderation.js'

/** Moderation rules in the order of `IrqVector.moderation`. */
export const MODERATION = { none: 0, delay: 1, gap: 2, eqe: 3, cqe: 4 } as const

/** Interrupt vectors between the NIC and the CPU. */
export interface Vectors {
  /** Earliest time at which a vector of the CPU needs attention, ps: a raised one, or a frame for an unmasked one. */
  nextPs(cpu: number): number
  /** Looks at the earliest frame on the CPU's unmasked vectors. */
  arrival(cpu: number): void
  /**
   * Completes the DMA of frames due before `beforePs` on masked vectors, so that their lanes do not stay full while the
   * CPU's clock is ahead of what is known; true if there were any.
   */
  catchUp(cpu: number, beforePs: number): boolean
  /** The driver's unmasking write: frames that came meanwhile raise it at once or by moderation. */
  unmask(cpu: number, vector: number): void
  /** A moderation timer ran out. */
  timer(cpu: number, vector: number, sequence: number, duePs: number): void
  /** End of a completed poll: adaptive moderation takes its sample. */
  adapt(cpu: number, vector: number): void
}

/**
 * Moderation and masking: an unmasked vector is raised by a frame, at once or after its moderation time, and is then
 * masked until its NAPI completes. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_msix_clean_rings (EIAM)
 */
export const vectors = defineSystem<Vectors>('irq_vectors', 'irq', 'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_irq_enable_queues', (context) => {
  const v = context.write(IrqVector)
  const { masked, raised, raisedPs, timerArmed, armSequence, unsignalled, lastIrqPs, lastEventPs, usecsPs, frames } = v
  const { firstQueue, queueCount, moderation: rule } = v
  const { firstVector, vectorCount, nextPs } = context.write(HardirqState)
  const { vector: cpuVector } = context.read(CpuVector)
  const { ringHead, ringTail } = context.read(RxQueue)
  const { clockPs, limitPs } = context.write(Cpu)
  const { irqDeliveryPs } = context.resource(COST_LATENCY)
  context.resource(PLAN_CONSTANTS)
  const rings = context.system(ring)
  const events = context.system(eventList)
  const dim = context.system(moderation)

  function fire(cpu: number, vector: number, atPs: number): void {
    raised[vector] = 1
    masked[vector] = 1
    timerArmed[vector] = 0
    armSequence[vector]++
    const at = atPs + irqDeliveryPs
    raisedPs[vector] = at
    if (at < nextPs[cpu]) nextPs[cpu] = at
    if (at < limitPs[cpu]) limitPs[cpu] = at
  }

  function arm(cpu: number, vector: number, atPs: number): void {
    timerArmed[vector] = 1
    armSequence[vector]++
    events.push(cpu, cpu, atPs, EVENT.irqTimer, vector, armSequence[vector], 0)
    if (atPs < limitPs[cpu]) limitPs[cpu] = atPs
  }

  /** A frame's descriptor is written back at `atPs` on an unmasked vector. */
  function signal(cpu: number, vector: number, atPs: number): void {
    unsignalled[vector]++
    lastEventPs[vector] = atPs
    const delay = usecsPs[vector]
    const limit = frames[vector]
    if (limit > 0 && unsignalled[vector] >= limit) {
      fire(cpu, vector, atPs)
      return
    }
    switch (rule[vector]) {
      case MODERATION.delay:
        if (delay === 0) {
          if (limit === 0) fire(cpu, vector, atPs)
        } else if (timerArmed[vector] === 0) arm(cpu, vector, atPs + delay)
        return
      case MODERATION.gap:
      case MODERATION.eqe: {
        const at = lastIrqPs[vector] + delay
        if (at <= atPs) fire(cpu, vector, atPs)
        else if (timerArmed[vector] === 0) arm(cpu, vector, at)
        return
      }
      case MODERATION.cqe:
        if (delay === 0) fire(cpu, vector, atPs)
        else arm(cpu, vector, atPs + delay)
        return
      default:
        fire(cpu, vector, atPs)
    }
  }

  function laneNextPs(vector: number): number {
    let first = Number.POSITIVE_INFINITY
    const end = firstQueue[vector] + queueCount[vector]
    for (let rxq = firstQueue[vector]; rxq < end; rxq++) {
      const at = rings.nextDmaPs(rxq)
      if (at < first) first = at
    }
    return first
  }

  return {
    nextPs(cpu) {
      let first = nextPs[cpu]
      const base = firstVector[cpu]
      for (let i = 0; i < vectorCount[cpu]; i++) {
        const vector = cpuVector[base + i]
        if (masked[vector] !== 0) continue
        const at = laneNextPs(vector)
        if (at < first) first = at
      }
      return first
    },
    arrival(cpu) {
      let firstPs = Number.POSITIVE_INFINITY
      let from = 0
      let signalled = 0
      const base = firstVector[cpu]
      for (let i = 0; i < vectorCount[cpu]; i++) {
        const vector = cpuVector[base + i]
        if (masked[vector] !== 0) continue
        const end = firstQueue[vector] + queueCount[vector]
        for (let rxq = firstQueue[vector]; rxq < end; rxq++) {
          const at = rings.nextDmaPs(rxq)
          if (at >= firstPs) continue
          firstPs = at
          from = rxq
          signalled = vector
        }
      }
      if (from !== 0 && rings.dmaOne(from) !== 0) signal(cpu, signalled, firstPs)
    },
    catchUp(cpu, beforePs) {
      const upTo = Math.min(clockPs[cpu], beforePs - 1)
      let due = 0
      const base = firstVector[cpu]
      for (let i = 0; i < vectorCount[cpu]; i++) {
        const vector = cpuVector[base + i]
        if (masked[vector] === 0) continue
        const end = firstQueue[vector] + queueCount[vector]
        for (let rxq = firstQueue[vector]; rxq < end; rxq++) due += rings.dma(rxq, upTo)
      }
      return due > 0
    },
    unmask(cpu, vector) {
      masked[vector] = 0
      unsignalled[vector] = 0
      const end = firstQueue[vector] + queueCount[vector]
      // Frames still on the lane are looked at next, each at its own time; those in a ring raise it now.
      for (let rxq = firstQueue[vector]; rxq < end; rxq++) {
        if (ringHead[rxq] === ringTail[rxq] || masked[vector] !== 0) continue
        unsignalled[vector] += ((ringTail[rxq] - ringHead[rxq]) >>> 0) - 1
        signal(cpu, vector, clockPs[cpu])
      }
    },
    timer(cpu, vector, sequence, duePs) {
      if (timerArmed[vector] === 0 || armSequence[vector] !== sequence || masked[vector] !== 0) return
      fire(cpu, vector, duePs)
    },
    adapt: (cpu, vector) => dim.onPollComplete(cpu, vector),
  }
})
