import { defineSystem, eventList } from '@softnet/ecs'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
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
  const { postPs, donePs, bytes, frames, request } = context.write(TxSlot)
  const { sent } = context.write(PacketCount)
  const events = context.system(eventList)
  const count = context.system(counters)
  const cable = context.system(wireCable)
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

  function send(wire: number, q: number): void {
    const slot = slotBase[q] + ((done[q] & slotMask[q]) >>> 0)
    const n = frames[slot]
    const size = Math.max(n * MIN_FRAME_BYTES, bytes[slot]) + n * overheadBytes[wire]
    const start = Math.max(postPs[slot], txFreePs[wire])
    let end = start + size * linkWhole[wire]
    if (linkRest[wire] !== 0) {
      const rest = txRest[wire] + size * linkRest[wire]
      const carried = Math.floor(rest / linkDenominator[wire])
      txRest[wire] = rest - carried * linkDenominator[wire]
      end += carried
    }
    txFreePs[wire] = end
    donePs[slot] = end + doneDelayPs[q]
    done[q]++
    if (cable !== null && !cable.sends(wire, start, end)) {
      // The card gives the descriptor back all the same.
      count.drop(wire, DROP.noCarrierTx, n, end)
      frames[slot] = 0
      return
    }
    txFrames[wire] += n
    txBytes[wire] += bytes[slot]
    sent[wire] += n
    if (request[slot] !== 0 && clients.isOwn(wire, request[slot]))
      events.push(wire, wire, end + delayPs[wire], EVENT.reply, 0, 0, request[slot])
  }

  return {
    nextPs,
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
