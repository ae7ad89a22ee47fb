import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { HardirqState } from '../irq/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb, SkbAccount } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { skbPool } from '../skb/skb-pool.js'
import { RingSlot, RxQueue } from './components.js'

/** The descriptor ring between DMA and driver. */
export interface Ring {
  /** Completes the DMA of every frame due at or before the CPU's `lookPs`; returns how many were due. */
  dma(queue: number): number
  /** Completes the DMA of one frame that is due; returns 1 if it found a descriptor. */
  dmaOne(queue: number): number
  /** Packet row of the oldest filled descriptor; only when there is one. */
  peek(queue: number): number
  /** Takes the oldest filled descriptor's packet, 0 if there is none. */
  take(queue: number): number
  /** Gives `buffers` descriptors back to the NIC at the CPU's `lookPs`. */
  refill(queue: number, buffers: number): void
  /** Takes the first frame out of the packet buffer; its row is free already. */
  unhold(queue: number, row: number): void
}

/**
 * Receive ring: a frame whose DMA is done takes a free descriptor; without one it waits in the packet buffer or is
 * lost, as the driver's hardware does. DMA is applied when the CPU looks, in order of time, so nothing is lost or
 * gained by looking late. Kernel: drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_clean_rx_irq (descriptor done)
 */
export const ring = defineSystem<Ring>('rx_ring', 'nic', 'drivers/net/ethernet/intel/ixgbe/ixgbe_main.c', (context) => {
  const { DROP } = NUMBERS

  const {
    laneBase,
    laneMask,
    laneHead,
    laneTailSeen,
    ringBase,
    ringMask,
    ringHead,
    ringTail,
    ringMax,
    descriptors,
    heldHead,
    heldTail,
    heldFrames,
    heldBytes,
    packetBufferBytes,
    noBuffer,
    noBufferCount,
    closed,
    missed,
    frames,
    bytes,
    cpu: queueCpu,
  } = context.write(RxQueue)
  const { row: slots } = context.write(RingSlot)
  const { users, duePs, next, wireBytes, page } = context.write(Skb)
  const { packetPool, lookPs } = context.read(Cpu)
  const { isLineKnown } = context.write(HardirqState)
  const { buffers } = context.write(SkbAccount)
  const trace = context.resource(TRACE_SINK)
  const pool = context.system(skbPool)
  const pages = context.system(packetPages)
  const count = context.system(counters)

  function fill(queue: number, row: number): void {
    const tail = ringTail[queue]
    slots[ringBase[queue] + (tail & ringMask[queue])] = row
    ringTail[queue] = tail + 1
    descriptors[queue]--
    buffers[packetPool[queueCpu[queue]]]++
    frames[queue]++
    bytes[queue] += wireBytes[row]
    const filled = (tail + 1 - ringHead[queue]) >>> 0
    if (filled > ringMax[queue]) ringMax[queue] = filled
  }

  /** The frame on the lane ends here: there is no sk_buff of it. */
  function lose(queue: number, lane: number, drop: number): void {
    const cpu = queueCpu[queue]
    count.drop(cpu, drop, 1, duePs[lane])
    if (trace.on) trace.frameDrop(cpu, duePs[lane], lane, drop, queue)
  }

  /** Copies a frame off its lane; false if its bytes find no memory. A page of a lane stays with the lane. */
  function arrive(row: number, lane: number, owner: number): boolean {
    pool.arrive(row, lane)
    const id = page[lane]
    if (id === 0 || !pages.owns(id)) return true
    page[row] = 0
    const length = pages.length(id)
    const own = pages.take(owner, length)
    if (own === 0) return false
    const first = pages.first(id)
    pages.bytes.copyWithin(pages.first(own), first, first + length)
    page[row] = own
    return true
  }

  function dmaOne(queue: number): number {
    const head = laneHead[queue]
    const lane = laneBase[queue] + (head & laneMask[queue])
    const cpu = queueCpu[queue]
    const owner = packetPool[cpu]
    let taken = 0
    if (descriptors[queue] > 0) {
      const row = pool.take(owner)
      if (row === 0) {
        // No row is left for a received packet: the host has run out of receive buffers.
        noBuffer[queue]++
        noBufferCount[queue]++
        lose(queue, lane, DROP.noBuffer)
      } else if (!arrive(row, lane, owner)) {
        pool.release(row, owner)
        noBuffer[queue]++
        noBufferCount[queue]++
        lose(queue, lane, DROP.noBuffer)
      } else {
        fill(queue, row)
        if (trace.on) trace.ringFill(queue, duePs[lane], row)
        taken = 1
      }
    } else if (closed[queue] !== 0) {
      lose(queue, lane, DROP.devClosed)
    } else {
      noBufferCount[queue]++
      const size = wireBytes[lane]
      if (heldBytes[queue] + size <= packetBufferBytes[queue]) {
        const row = pool.take(owner)
        if (row === 0 || !arrive(row, lane, owner)) {
          if (row !== 0) pool.release(row, owner)
          missed[queue]++
          lose(queue, lane, DROP.nicMissed)
        } else {
          next[row] = 0
          if (heldHead[queue] === 0) heldHead[queue] = row
          else next[heldTail[queue]] = row
          heldTail[queue] = row
          heldFrames[queue]++
          heldBytes[queue] += size
          buffers[owner]++
        }
      } else if (packetBufferBytes[queue] > 0) {
        missed[queue]++
        lose(queue, lane, DROP.nicMissed)
      } else {
        noBuffer[queue]++
        lose(queue, lane, DROP.noBuffer)
      }
    }
    users[lane] = 0
    isLineKnown[cpu] = 0
    laneHead[queue] = head + 1
    return taken
  }

  function dma(queue: number): number {
    const upTo = lookPs[queueCpu[queue]]
    let due = 0
    for (;;) {
      const head = laneHead[queue]
      if (head === laneTailSeen[queue]) break
      if (duePs[laneBase[queue] + (head & laneMask[queue])] > upTo) break
      dmaOne(queue)
      due++
    }
    return due
  }

  return {
    dma,
    dmaOne,
    peek: (queue) => slots[ringBase[queue] + (ringHead[queue] & ringMask[queue])],
    take(queue) {
      const head = ringHead[queue]
      if (head === ringTail[queue]) return 0
      ringHead[queue] = head + 1
      buffers[packetPool[queueCpu[queue]]]--
      const slot = ringBase[queue] + (head & ringMask[queue])
      const row = slots[slot]
      slots[slot] = 0
      return row
    },
    unhold(queue, row) {
      heldHead[queue] = next[row]
      if (heldHead[queue] === 0) heldTail[queue] = 0
      heldFrames[queue]--
      heldBytes[queue] -= wireBytes[row]
      buffers[packetPool[queueCpu[queue]]]--
    },
    refill(queue, given) {
      // Frames that arrived before the tail moved must not find the new buffers.
      dma(queue)
      if (closed[queue] !== 0) return
      descriptors[queue] += given
      while (heldHead[queue] !== 0 && descriptors[queue] > 0) {
        const row = heldHead[queue]
        heldHead[queue] = next[row]
        if (heldHead[queue] === 0) heldTail[queue] = 0
        heldFrames[queue]--
        heldBytes[queue] -= wireBytes[row]
        buffers[packetPool[queueCpu[queue]]]--
        fill(queue, row)
        if (trace.on) trace.ringFill(queue, Math.max(duePs[row], lookPs[queueCpu[queue]]), row)
      }
    },
  }
})
