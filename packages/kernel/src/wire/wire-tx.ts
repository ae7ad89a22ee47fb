import { defineSystem, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { hasVlans } from '../link/vlan-xmit.js'
import { wireCable } from '../link/wire-cable.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { requests } from '../traffic/request.js'
import { Wire, WireState, WireTurn } from './components.js'

/** The sending half of a card and its link. */
export interface WireTx {
  /** Finds what the card has to send first: `WireTurn.txQueue`, and from when in `WireTurn.txPs`, Infinity for nothing. */
  settle(wire: number): void
  /** Sends what the card has strictly before `WireTurn.horizonPs`; true if there was anything. */
  run(wire: number): boolean
  /** Puts a frame of `bytes` of the packet in a slot on the link; `WireState.txFreePs` is its end. False: no cable was in, it is lost. */
  serialise(wire: number, slot: number, bytes: number): boolean
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
  const { horizonPs, txQueue, txPs } = context.write(WireTurn)
  const { sent } = context.write(PacketCount)
  const vlans = hasVlans(context.resource(PLAN_CONSTANTS).plan)
  const events = context.system(eventList)
  const count = context.system(counters)
  const cable = context.system(wireCable)
  const trace = context.resource(TRACE_SINK)
  const clients = context.system(requests)

  /** Of equal ones the first. */
  function settle(wire: number): void {
    let best = 0
    let bestPs = Number.POSITIVE_INFINITY
    const n = txCount[wire]
    const step = txStep[wire]
    for (let i = 0, q = firstTx[wire]; i < n; i++, q += step) {
      if (done[q] === rungSeen[q]) continue
      const at = postPs[slotBase[q] + ((done[q] & slotMask[q]) >>> 0)]
      if (at >= bestPs) continue
      bestPs = at
      best = q
    }
    txQueue[wire] = best
    txPs[wire] = bestPs
  }

  /** A packet in a slot takes the link, as soon as that is free; `size`: everything that takes its time. */
  function occupy(wire: number, slot: number, size: number): void {
    let end = Math.max(postPs[slot], txFreePs[wire]) + size * linkWhole[wire]
    if (linkRest[wire] !== 0) {
      const rest = txRest[wire] + size * linkRest[wire]
      const carried = Math.floor(rest / linkDenominator[wire])
      txRest[wire] = rest - carried * linkDenominator[wire]
      end += carried
    }
    txFreePs[wire] = end
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
    const startPs = cable === null && !trace.on ? 0 : Math.max(postPs[slot], txFreePs[wire])
    const size = vlans ? bytes[slot] + tagBytes[slot] : bytes[slot]
    occupy(wire, slot, Math.max(n * MIN_FRAME_BYTES, size) + n * overheadBytes[wire])
    if (cable !== null && !cable.sends(wire, startPs, txFreePs[wire])) {
      // The card gives the descriptor back all the same.
      count.drop(wire, DROP.noCarrierTx, n, txFreePs[wire])
      if (trace.on) trace.txLost(q, txFreePs[wire], DROP.noCarrierTx, false)
      frames[slot] = 0
      complete(wire, q, 0, 0)
      return
    }
    if (trace.on) trace.txFrame(q, startPs, txFreePs[wire], false)
    complete(wire, q, n, size)
    if (request[slot] !== 0 && clients.isOwn(wire, request[slot]))
      events.push(wire, wire, txFreePs[wire] + delayPs[wire], EVENT.reply, 0, 0, request[slot])
  }

  return {
    settle,
    serialise(wire, slot, size) {
      const startPs = cable === null ? 0 : Math.max(postPs[slot], txFreePs[wire])
      occupy(wire, slot, size + overheadBytes[wire])
      if (cable === null || cable.sends(wire, startPs, txFreePs[wire])) return true
      count.drop(wire, DROP.noCarrierTx, 1, txFreePs[wire])
      return false
    },
    complete,
    run(wire) {
      let progress = false
      for (;;) {
        settle(wire)
        if (txPs[wire] >= horizonPs[wire]) return progress
        send(wire, txQueue[wire])
        progress = true
      }
    },
  }
})
