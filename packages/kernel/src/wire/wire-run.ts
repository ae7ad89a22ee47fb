import { defineSystem, EventRow, eventList } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { PacketCount, Timeline } from '../count/components.js'
import { wireCable } from '../link/wire-cable.js'
import { LaneWriter } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Flow, Source, SourceState } from '../traffic/components.js'
import { fragmentSource } from '../traffic/fragment-source.js'
import { requests } from '../traffic/request.js'
import { sourceClock } from '../traffic/source-clock.js'
import { Draft, Wire, WireState, WireTurn } from './components.js'
import { frameDraft } from './frame-draft.js'
import { laneWrite } from './lane-write.js'
import { nicAdmit } from './nic-admit.js'
import { arfsFilters } from './nic-steer.js'
import { wireTx } from './wire-tx.js'

/** A wire as a partition of its own. */
export interface WireRun {
  /** Writes `WireTurn.nextPs` and `boundPs`. */
  settle(wire: number): void
  /** Does everything strictly before `WireTurn.horizonPs`, or until a lane is full; true if it did anything. */
  run(wire: number): boolean
}

/**
 * Link, packet buffer, PCIe: frames leave their sources in order of time, take the link one after the other, and reach
 * the lane of their queue. The order of work depends on simulated time alone, never on where a run is cut.
 * Kernel: none (the link and the card); counters as in include/uapi/linux/if_link.h, struct rtnl_link_stats64
 */
export const wireRun = defineSystem<WireRun>('wire_run', 'wire', 'include/uapi/linux/if_link.h', (context) => {
  const { DROP, EVENT, IPPROTO_TCP, LOOK_FRAMES, MIN_FRAME_BYTES, NIC_FAULT, SKB, TIMELINE_ROWS } = NUMBERS

  const w = context.read(Wire)
  const { firstSource, sourceCount, closed, linkWhole, linkRest: linkRestStep, linkDenominator } = w
  const { overheadBytes, delayPs, dmaLatencyPs, txCount } = w
  const { dev: wireDev, serialFirst, serialStep } = w
  const state = context.write(WireState)
  const { linkFreePs, linkRest, portPs, lastDuePs, frames, bytes: framesBytes, intervalRow, intervalEndPs } = state
  const turn = context.write(WireTurn)
  const draft = context.write(Draft)
  const { pending, wantPs, bytes: draftBytes, queue: draftQueue, flow: draftFlow, frame: draftFrame } = draft
  const { source: draftSource, error: draftError, slot: draftSlot } = draft
  const { nextPs: sourceNextPs } = context.read(SourceState)
  const { protocol: sourceProtocol, linkBytes: headBytes, fragUnitBytes } = context.read(Source)
  const { ipId, tcpSeq } = context.write(Flow)
  const lane = context.write(LaneWriter)
  const { base: laneBase, mask: laneMask, headSeen: laneHeadSeen, tail: laneTail, stop: laneStop } = lane
  const { serial, arrivalPs, duePs, flags: skbFlags } = context.write(Skb)
  const { offered } = context.write(PacketCount)
  const { offered: timelineOffered } = context.write(Timeline)
  const { a: eventA, c: eventC, kind: eventKind, timePs: eventTimePs } = context.read(EventRow)
  const { timelinePs } = context.resource(PLAN_CONSTANTS)
  const events = context.system(eventList)
  const clock = context.system(sourceClock)
  const fragments = context.system(fragmentSource)
  const decide = context.system(frameDraft)
  const write = context.system(laneWrite)
  const clients = context.system(requests)
  const filters = context.system(arfsFilters)
  const tx = context.system(wireTx)
  const card = context.system(nicAdmit)
  const cable = context.system(wireCable)

  /** Source that sends next; of equal ones the first. 0: the wire has none. */
  function firstToSend(wire: number): number {
    const first = firstSource[wire]
    const end = first + sourceCount[wire]
    let best = first
    for (let s = first + 1; s < end; s++) if (sourceNextPs[s] < sourceNextPs[best]) best = s
    return best
  }

  function firstTimer(wire: number): number {
    let best = 0
    let bestPs = Number.POSITIVE_INFINITY
    const first = firstSource[wire]
    const end = first + sourceCount[wire]
    for (let s = first; s < end; s++) {
      const timer = clients.timerPs(s)
      if (timer < bestPs) {
        bestPs = timer
        best = s
      }
    }
    return best
  }

  /** Time at which a full lane has room at the latest, ps; 0 if the frame that was decided on finds room now. */
  function roomPs(wire: number): number {
    const queue = draftQueue[wire]
    if (pending[wire] === 0 || queue === 0) return 0
    const head = laneHeadSeen[queue]
    if ((laneTail[queue] - head) >>> 0 <= laneMask[queue]) return 0
    // At the latest its CPU looks when the last frame of a block is due, and nothing that waits here is due before that.
    return duePs[laneBase[queue] + (((head | (LOOK_FRAMES - 1)) & laneMask[queue]) >>> 0)]
  }

  function framePs(wire: number): number {
    if (pending[wire] !== 0) return Math.max(wantPs[wire], linkFreePs[wire])
    return sourceCount[wire] === 0
      ? Number.POSITIVE_INFINITY
      : Math.max(sourceNextPs[firstToSend(wire)], linkFreePs[wire])
  }

  function nextPs(wire: number): number {
    const frame = framePs(wire)
    let next = events.peekPs(wire)
    if (closed[wire] !== 0) {
      const s = firstTimer(wire)
      if (s !== 0) next = Math.min(next, clients.timerPs(s))
    }
    // A frame that waits for room holds up everything behind it.
    return frame < next ? Math.max(frame, roomPs(wire)) : next
  }

  function handleEvent(wire: number): void {
    const row = events.pop(wire)
    const kind = eventKind[row]
    const a = eventA[row]
    const c = eventC[row]
    if (kind === EVENT.reply) clients.reply(c, eventTimePs[row])
    else if (kind === EVENT.think) clients.ready(a, eventTimePs[row])
    else if (kind === EVENT.arfs) filters.insert(wireDev[wire], c, a)
    else throw new Error(`wire ${wire} was sent an event of kind ${kind}, which is not for wires`)
  }

  /** Puts the draft on the link. */
  function serialise(wire: number, bytes: number): void {
    const want = wantPs[wire]
    const free = linkFreePs[wire]
    const start = Math.max(want, free)
    const size = bytes + overheadBytes[wire]
    let end = start + size * linkWhole[wire]
    if (linkRestStep[wire] !== 0) {
      const rest = linkRest[wire] + size * linkRestStep[wire]
      const carried = Math.floor(rest / linkDenominator[wire])
      linkRest[wire] = rest - carried * linkDenominator[wire]
      end += carried
    }
    linkFreePs[wire] = end
    portPs[wire] = end + delayPs[wire]
    if (start >= intervalEndPs[wire]) {
      const interval = Math.floor(start / timelinePs)
      intervalEndPs[wire] = interval >= TIMELINE_ROWS - 1 ? Number.POSITIVE_INFINITY : (interval + 1) * timelinePs
      intervalRow[wire] = wire * TIMELINE_ROWS + Math.min(TIMELINE_ROWS - 1, interval)
    }
    timelineOffered[intervalRow[wire]]++
    offered[wire]++
    framesBytes[wire] += bytes
    if (draftSlot[wire] !== 0) clients.sent(draftSource[wire], draftSlot[wire], start)
  }

  function send(wire: number): void {
    const s = draftSource[wire]
    const bytes = Math.max(MIN_FRAME_BYTES, draftBytes[wire])
    const startPs = cable === null ? 0 : Math.max(wantPs[wire], linkFreePs[wire])
    serialise(wire, bytes)
    const number = frames[wire]
    frames[wire] = number + 1
    pending[wire] = 0
    const broken = card.broken(wire)
    if (cable !== null && !cable.receives(wire, startPs, portPs[wire])) {
      card.lose(wire, number, DROP.noCarrier)
    } else if (broken === NIC_FAULT.lose) {
      card.lose(wire, number, DROP.nicFault)
    } else if (draftError[wire] !== 0 || broken === NIC_FAULT.crc) {
      card.damaged(wire, number)
    } else if (card.admit(wire, bytes, draftQueue[wire]) !== 0) {
      const queue = draftQueue[wire]
      const tail = laneTail[queue]
      const row = laneBase[queue] + ((tail & laneMask[queue]) >>> 0)
      serial[row] = serialFirst[wire] + number * serialStep[wire]
      arrivalPs[row] = portPs[wire]
      duePs[row] = lastDuePs[wire]
      if (draftFrame[wire] === 0) write.flow(wire, row)
      else write.replay(wire, row)
      // A datagram without checksum is delivered damaged.
      if (broken === NIC_FAULT.corrupt && (skbFlags[row] & SKB.csumZero) === 0) skbFlags[row] |= SKB.csumBad
      laneTail[queue] = tail + 1
    }
    const flow = draftFlow[wire]
    if (fragUnitBytes[s] !== 0) {
      fragments.advance(s)
      return
    }
    if (flow !== 0) {
      ipId[flow]++
      if (sourceProtocol[s] === IPPROTO_TCP) tcpSeq[flow] += draftBytes[wire] - headBytes[s] - 40
    }
    clock.advance(s)
  }

  return {
    settle(wire) {
      const next = nextPs(wire)
      const shortest = (MIN_FRAME_BYTES + overheadBytes[wire]) * linkWhole[wire]
      const first = Math.min(next, framePs(wire))
      const due = Math.max(lastDuePs[wire], first + shortest + delayPs[wire] + dmaLatencyPs[wire])
      turn.nextPs[wire] = next
      turn.boundPs[wire] = due
      if (txCount[wire] === 0) return
      tx.settle(wire)
      const post = turn.txPs[wire]
      if (post < next) turn.nextPs[wire] = post
      if (post + shortest + dmaLatencyPs[wire] < due) turn.boundPs[wire] = post + shortest + dmaLatencyPs[wire]
    },
    run(wire) {
      const horizonPs = turn.horizonPs[wire]
      // The halves of a link know of each other by replies alone, which come later than what is sent.
      let progress = txCount[wire] !== 0 && tx.run(wire)
      for (;;) {
        const frame = framePs(wire)
        const due = events.peekPs(wire)
        const timerSource = closed[wire] === 0 ? 0 : firstTimer(wire)
        const timer = timerSource === 0 ? Number.POSITIVE_INFINITY : clients.timerPs(timerSource)
        if (due <= frame && due <= timer) {
          if (due >= horizonPs) return progress
          handleEvent(wire)
        } else if (timer <= frame) {
          if (timer >= horizonPs) return progress
          clients.expire(timerSource, timer)
        } else {
          if (frame >= horizonPs) return progress
          if (pending[wire] === 0) decide(wire, firstToSend(wire))
          const queue = draftQueue[wire]
          const taken = (laneTail[queue] - laneHeadSeen[queue]) >>> 0
          // Whatever becomes of the frame, it waits for room: then the order of work is the same in every run.
          if (queue !== 0 && taken > laneMask[queue]) return progress
          // While the CPUs read what was published, the wire writes the rest of the lane.
          if (queue !== 0 && laneTail[queue] === laneStop[queue]) return progress
          send(wire)
        }
        progress = true
      }
    },
  }
})
