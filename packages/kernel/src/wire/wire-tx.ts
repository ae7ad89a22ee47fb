import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { hasVlans } from '../link/vlan-xmit.js'
import { wireCable } from '../link/wire-cable.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { requests } from '../traffic/request.js'
import { Wire, WireState } from './components.js'

/** The sending half of a card and its link. */
export interface WireTx {
  /** When the card has the next frame to send, ps; Infinity for none that is known. */
  nextPs(wire: number): number
  /** Sends what the card has strictly before the horizon; true if there was anything. */
  run(wire: number, horizonPs: number): boolean
  /** Nothing the card has not yet seen will have an effect before this, ps: of what it has been told of. */
  boundPs(wire: number): number
  /** Queue whose next frame the card has first, 0: none. */
  head(wire: number): number
  /** Puts a frame of `bytes` on the link, not before `fromPs`; `WireState.txFreePs` is its end. False: no cable was in, it is lost. */
  serialise(wire: number, fromPs: number, bytes: number): boolean
  /** The packet at the head of a queue is out, so many frames and bytes of it: its completion is on the way. */
  complete(wire: number, queue: number, frameCount: number, byteCount: number): void
}

/** Shortest frame, without FCS. */
const MIN_FRAME_BYTES = 60

/**
 * Frames leave in the order in which their doorbells rang, one after the other; the completion is written back when the
 * last bit is out, and what answers a client reaches it a link's delay later. Kernel: none (the card and the link)
 */
export const wireTx = defineSystem<WireTx>('wire_tx', 'wire', 'none', (context) => {
  const { DROP, EVENT } = NUMBERS

  const w = context.read(Wire)
  const { firstTx, txStep, txCount, linkWhole, linkRest, linkDenominator, overheadBytes, delayPs } = w
  const { txFreePs, txRest, txFrames, txBytes } = context.write(WireState)
  const { rungSeen, done, slotBase, slotMask, doneDelayPs } = context.write(TxQueue)
  const { postPs, donePs, bytes, tagBytes, frames, request } = context.write(TxSlot)
  const { sent } = context.write(PacketCount)
  const vlans = hasVlans(context.resource(PLAN_CONSTANTS).plan)
  const events = context.system(eventList)
  const count = context.system(counters)
  const cable = context.system(wireCable)
  const trace = context.resource(TRACE_SINK)
  const clients = context.system(requests)

  /** Queue whose next frame the card has first; of equal ones the first. 0: none. */
  function firstToSend(wire: number): number {
    let best = 0
    let bestPs = Number.POSITIVE_INFINITY
    for (let i = 0; i < txCount[wire]; i++) {
      const q = firstTx[wire] + i * txStep[wire]
      if (done[q] === rungSeen[q]) continue
      const at = postPs[slotBase[q] + ((done[q] & slotMask[q]) >>> 0)]
      if (at >= bestPs) continue
      bestPs = at
      best = q
    }
    return best
  }

  function nextPs(wire: number): number {
    const q = firstToSend(wire)
    return q === 0 ? Number.POSITIVE_INFINITY : postPs[slotBase[q] + ((done[q] & slotMask[q]) >>> 0)]
  }

  /** `size`: everything that takes the link's time. */
  function occupy(wire: number, fromPs: number, size: number): void {
    let end = Math.max(fromPs, txFreePs[wire]) + size * linkWhole[wire]
    if (linkRest[wire] !== 0) {
      const rest = txRest[wire] + size * linkRest[wire]
      const carried = Math.floor(rest / linkDenominator[wire])
      txRest[wire] = rest - carried * linkDenominator[wire]
      end += carried
    }
    txFreePs[wire] = end
  }

  /** True if the cable was in all the time. */
  function isOut(wire: number, startPs: number): boolean {
    return cable === null || cable.sends(wire, startPs, txFreePs[wire])
  }

  function complete(wire: number, q: number, frameCount: number, byteCount: number): void {
    const slot = slotBase[q] + ((done[q] & slotMask[q]) >>> 0)
    txFrames[wire] += frameCount
    txBytes[wire] += byteCount
    donePs[slot] = txFreePs[wire] + doneDelayPs[q]
    done[q]++
    sent[wire] += frameCount
  }

  function send(wire: number, q: number): void {
    const slot = slotBase[q] + ((done[q] & slotMask[q]) >>> 0)
    const n = frames[slot]
    const start = Math.max(postPs[slot], txFreePs[wire])
    const size = vlans ? bytes[slot] + tagBytes[slot] : bytes[slot]
    occupy(wire, start, Math.max(n * MIN_FRAME_BYTES, size) + n * overheadBytes[wire])
    if (!isOut(wire, start)) {
      // The card gives the descriptor back all the same.
      count.drop(wire, DROP.noCarrierTx, n, txFreePs[wire])
      if (trace.on) trace.txLost(q, txFreePs[wire], DROP.noCarrierTx, false)
      frames[slot] = 0
      complete(wire, q, 0, 0)
      return
    }
    if (trace.on) trace.txFrame(q, start, txFreePs[wire], false)
    complete(wire, q, n, size)
    if (request[slot] !== 0 && clients.isOwn(wire, request[slot]))
      events.push(wire, wire, txFreePs[wire] + delayPs[wire], EVENT.reply, 0, 0, request[slot])
  }

  return {
    nextPs,
    head: firstToSend,
    serialise(wire, fromPs, size) {
      const start = Math.max(fromPs, txFreePs[wire])
      occupy(wire, start, size + overheadBytes[wire])
      if (isOut(wire, start)) return true
      count.drop(wire, DROP.noCarrierTx, 1, txFreePs[wire])
      return false
    },
    complete,
    boundPs(wire) {
      const next = nextPs(wire)
      if (next === Number.POSITIVE_INFINITY) return next
      return next + (MIN_FRAME_BYTES + overheadBytes[wire]) * linkWhole[wire]
    },
    run(wire, horizonPs) {
      let progress = false
      for (let q = firstToSend(wire); q !== 0; q = firstToSend(wire)) {
        if (postPs[slotBase[q] + ((done[q] & slotMask[q]) >>> 0)] >= horizonPs) return progress
        send(wire, q)
        progress = true
      }
      return progress
    },
  }
})
