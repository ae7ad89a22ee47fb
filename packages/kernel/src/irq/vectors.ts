import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { Cpu } from '../cpu/components.js'
import { IrqVector, RxQueue } from '../nic/components.js'
import { ring } from '../nic/ring.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { wakeTask } from '../task/wake.js'
import { CpuVector, HardirqState, LocalIrq } from './components.js'
import { moderation } from './moderation.js'

/** Interrupt vectors between the NIC and the CPU. */
export interface Vectors {
  /**
   * Finds the queue of the CPU that has to be looked at first (`lookQueue`, `lookQueuePs`), and writes to `lineNextPs` when
   * the line needs attention: for that, or for a raised vector.
   */
  refresh(cpu: number): void
  /**
   * Looks at the queue that `refresh` found, if it is due by `Cpu.lookPs`: at a frame of an unmasked vector, or at a block
   * of frames of a masked one. False if it is not due.
   */
  arrival(cpu: number): boolean
  /**
   * Completes the DMA of frames due before `beforePs` on masked vectors: at the end of a run they are counted in their ring.
   */
  catchUp(cpu: number, beforePs: number): void
  /** The driver's unmasking write: frames that came meanwhile raise it at once or by moderation. */
  unmask(cpu: number, vector: number): void
  /** A moderation timer ran out. */
  timer(cpu: number, vector: number, sequence: number, duePs: number): void
  /** End of a completed poll: adaptive moderation takes its sample, and wakes its worker if it chose a new profile. */
  adapt(cpu: number, vector: number): void
  /** The device has been given DIM's profile. */
  applyModeration(vector: number): void
}

/**
 * Moderation and masking: an unmasked vector is raised by a frame, at once or after its moderation time, and is then
 * masked until its NAPI completes. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_msix_clean_rings (EIAM)
 */
export const vectors = defineSystem<Vectors>(
  'irq_vectors',
  'irq',
  'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_irq_enable_queues',
  (context) => {
    const { EVENT, LOOK_FRAMES, MODERATION } = NUMBERS

    const v = context.write(IrqVector)
    const {
      masked,
      raised,
      raisedPs,
      timerArmed,
      armSequence,
      unsignalled,
      lastIrqPs,
      lastEventPs,
      usecsPs,
      frames,
      worker,
    } = v
    const { firstQueue, queueCount, queueSkip, moderation: rule, cpu: vectorCpu, timerPs, deadlinePs } = v
    const { firstTx, txSkip, txCount } = v
    const t = context.write(TxQueue)
    const { noticed, clean, doneSeen, slotBase, slotMask, usecsPs: txUsecsPs, vector: txVector } = t
    const { donePs } = context.read(TxSlot)
    const { firstVector, vectorCount, nextPs, lineNextPs, lookQueue, lookQueuePs, sends, isLineKnown } =
      context.write(HardirqState)
    const { vector: cpuVector } = context.read(CpuVector)
    const { idle } = context.read(LocalIrq)
    const {
      ringHead,
      ringTail,
      laneBase,
      laneMask,
      laneHead,
      laneTailSeen,
      vector: queueVector,
    } = context.read(RxQueue)
    const { duePs } = context.read(Skb)
    const { clockPs, limitPs, lookPs, horizonPs } = context.write(Cpu)
    const { irqDeliveryPs } = context.resource(COST_LATENCY)
    context.resource(PLAN_CONSTANTS)
    const rings = context.system(ring)
    const events = context.system(eventList)
    const { due } = events
    const dim = context.system(moderation)
    const wake = context.system(wakeTask)

    /** Raises the vector for what happened at `lastEventPs`. */
    function fire(cpu: number, vector: number): void {
      raised[vector] = 1
      masked[vector] = 1
      isLineKnown[cpu] = 0
      timerArmed[vector] = 0
      armSequence[vector]++
      const at = lastEventPs[vector] + irqDeliveryPs
      raisedPs[vector] = at
      if (at < nextPs[cpu]) nextPs[cpu] = at
      if (at < limitPs[cpu]) limitPs[cpu] = at
    }

    /** Starts the moderation timer for the time in `events.due`. */
    function arm(cpu: number, vector: number): void {
      timerArmed[vector] = 1
      timerPs[vector] = due[0]
      deadlinePs[vector] = due[0]
      armSequence[vector]++
      if (due[0] < limitPs[cpu]) limitPs[cpu] = due[0]
      events.pushAt(cpu, cpu, EVENT.irqTimer, vector, armSequence[vector], 0)
    }

    /** A frame's descriptor was written back at `lastEventPs` on an unmasked vector. */
    function signal(cpu: number, vector: number): void {
      unsignalled[vector]++
      const atPs = lastEventPs[vector]
      const delay = usecsPs[vector]
      const limit = frames[vector]
      if (limit > 0 && unsignalled[vector] >= limit) {
        fire(cpu, vector)
        return
      }
      switch (rule[vector]) {
        case MODERATION.delay:
          if (delay === 0) {
            if (limit === 0) fire(cpu, vector)
          } else if (timerArmed[vector] === 0) {
            due[0] = atPs + delay
            arm(cpu, vector)
          }
          return
        case MODERATION.gap:
        case MODERATION.eqe: {
          const at = lastIrqPs[vector] + delay
          if (at <= atPs) fire(cpu, vector)
          else if (timerArmed[vector] === 0) {
            due[0] = at
            arm(cpu, vector)
          }
          return
        }
        case MODERATION.cqe:
          if (delay === 0) fire(cpu, vector)
          else if (timerArmed[vector] !== 0 && atPs + delay >= timerPs[vector]) deadlinePs[vector] = atPs + delay
          else {
            due[0] = atPs + delay
            arm(cpu, vector)
          }
          return
        default:
          fire(cpu, vector)
      }
    }

    /**
     * Frame on whose time a queue has to be looked at, its row on the lane: the next one of an unmasked vector; of a masked one
     * the last of a block, so that a lane never stays full. 0: it has not come. Blocks are counted in frames: how far the wire
     * is ahead does not show. (A row and not a time: doubles are boxed on their way out of a function.)
     */
    function attention(rxq: number, vector: number): number {
      const head = laneHead[rxq]
      const last = masked[vector] === 0 ? head : (head | (LOOK_FRAMES - 1)) >>> 0
      if ((laneTailSeen[rxq] - head) >>> 0 <= last - head) return 0
      return laneBase[rxq] + ((last & laneMask[rxq]) >>> 0)
    }

    /** A completion was written back at `lastEventPs`: by the vector's moderation, or after a time of its own. */
    function signalCompletion(cpu: number, vector: number, q: number): void {
      const delay = txUsecsPs[q]
      if (delay < 0) signal(cpu, vector)
      else if (delay === 0) fire(cpu, vector)
      else if (timerArmed[vector] === 0 || timerPs[vector] > lastEventPs[vector] + delay) {
        due[0] = lastEventPs[vector] + delay
        arm(cpu, vector)
      }
    }

    /** The vector is told of the next completion of a queue, which is due. */
    function completion(cpu: number, q: number): void {
      const vector = txVector[q]
      lastEventPs[vector] = lookQueuePs[cpu]
      noticed[q]++
      isLineKnown[cpu] = 0
      signalCompletion(cpu, vector, q)
    }

    /** Completions that came while the vector was masked are looked at next, each at its own time. */
    function unmaskTx(cpu: number, vector: number): void {
      for (let i = 0; i < txCount[vector]; i++) {
        const q = firstTx[vector] + i * txSkip[vector]
        noticed[q] = clean[q]
        if (noticed[q] === doneSeen[q]) continue
        const at = donePs[slotBase[q] + ((noticed[q] & slotMask[q]) >>> 0)]
        if (at < limitPs[cpu]) limitPs[cpu] = at
      }
    }

    /** Completions that come before what `refresh` has found so far; results go through columns, since doubles would be boxed. */
    function refreshTx(cpu: number): void {
      const base = firstVector[cpu]
      for (let i = 0; i < vectorCount[cpu]; i++) {
        const vector = cpuVector[base + i]
        if (masked[vector] !== 0) continue
        for (let j = 0; j < txCount[vector]; j++) {
          const q = firstTx[vector] + j * txSkip[vector]
          if (noticed[q] === doneSeen[q]) continue
          const at = donePs[slotBase[q] + ((noticed[q] & slotMask[q]) >>> 0)]
          if (at >= lookQueuePs[cpu]) continue
          lookQueuePs[cpu] = at
          lookQueue[cpu] = -q
        }
      }
      if (lookQueuePs[cpu] < lineNextPs[cpu]) lineNextPs[cpu] = lookQueuePs[cpu]
    }

    return {
      refresh(cpu) {
        if (isLineKnown[cpu] !== 0) return
        let firstPs = Number.POSITIVE_INFINITY
        let from = 0
        const base = firstVector[cpu]
        const n = vectorCount[cpu]
        for (let i = 0; i < n; i++) {
          const vector = cpuVector[base + i]
          const step = 1 + queueSkip[vector]
          const end = firstQueue[vector] + queueCount[vector] * step
          for (let rxq = firstQueue[vector]; rxq < end; rxq += step) {
            if (laneHead[rxq] === laneTailSeen[rxq]) continue
            const frame = attention(rxq, vector)
            if (frame === 0 || duePs[frame] >= firstPs) continue
            firstPs = duePs[frame]
            from = rxq
          }
        }
        lookQueue[cpu] = from
        lookQueuePs[cpu] = firstPs
        lineNextPs[cpu] = firstPs < nextPs[cpu] ? firstPs : nextPs[cpu]
        if (sends[cpu] !== 0) refreshTx(cpu)
        isLineKnown[cpu] = 1
      },
      arrival(cpu) {
        const from = lookQueue[cpu]
        const atPs = lookQueuePs[cpu]
        if (from === 0 || atPs > lookPs[cpu]) return false
        if (from < 0) {
          completion(cpu, -from)
          return true
        }
        const vector = queueVector[from]
        if (masked[vector] !== 0) {
          lookPs[cpu] = atPs
          rings.dma(from)
          return true
        }
        if (rings.dmaOne(from) === 0) return true
        lastEventPs[vector] = atPs
        signal(cpu, vector)
        return true
      },
      catchUp(cpu, beforePs) {
        // Nothing happens on an idle CPU before its next event; a busy one is at its clock already.
        lookPs[cpu] = idle[cpu] !== 0 ? beforePs - 1 : Math.min(clockPs[cpu], beforePs - 1)
        const base = firstVector[cpu]
        for (let i = 0; i < vectorCount[cpu]; i++) {
          const vector = cpuVector[base + i]
          if (masked[vector] === 0) continue
          const step = 1 + queueSkip[vector]
          const end = firstQueue[vector] + queueCount[vector] * step
          for (let rxq = firstQueue[vector]; rxq < end; rxq += step) rings.dma(rxq)
        }
      },
      unmask(cpu, vector) {
        masked[vector] = 0
        isLineKnown[vectorCpu[vector]] = 0
        unsignalled[vector] = 0
        const step = 1 + queueSkip[vector]
        const end = firstQueue[vector] + queueCount[vector] * step
        // Frames still on the lane are looked at next, each at its own time; those in a ring raise it now.
        for (let rxq = firstQueue[vector]; rxq < end; rxq += step) {
          if (masked[vector] !== 0) break
          if (laneHead[rxq] !== laneTailSeen[rxq]) {
            const frame = attention(rxq, vector)
            if (frame !== 0 && duePs[frame] < limitPs[cpu]) limitPs[cpu] = duePs[frame]
          }
          if (ringHead[rxq] === ringTail[rxq]) continue
          unsignalled[vector] += ((ringTail[rxq] - ringHead[rxq]) >>> 0) - 1
          lastEventPs[vector] = clockPs[cpu]
          signal(vectorCpu[vector], vector)
        }
        if (txCount[vector] > 0 && masked[vector] === 0) unmaskTx(cpu, vector)
        // A task that polled from another CPU gives the queue back to its own: the two go on in order of time.
        if (vectorCpu[vector] !== cpu) {
          limitPs[cpu] = 0
          horizonPs[cpu] = 0
        }
      },
      timer(cpu, vector, sequence, at) {
        if (timerArmed[vector] === 0 || armSequence[vector] !== sequence || masked[vector] !== 0) return
        if (deadlinePs[vector] > at) {
          // Frames have moved the end of the period since: one event for many of them.
          due[0] = deadlinePs[vector]
          arm(cpu, vector)
          return
        }
        lastEventPs[vector] = at
        fire(cpu, vector)
      },
      adapt(cpu, vector) {
        if (dim.onPollComplete(cpu, vector)) wake(cpu, worker[vector])
      },
      applyModeration: (vector) => dim.apply(vector),
    }
  },
)
