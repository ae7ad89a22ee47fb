import { defineSystem, EventHeap, EventRow, eventList, randomStreams } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { LaneWriter, RxQueue } from '../nic/components.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { Wire, WireState, WireTurn } from './components.js'
import { frameOnLink } from './frame-on-link.js'
import { learningSwitch } from './learning-switch.js'
import { linkArrive } from './link-arrive.js'
import { Link, LinkPort, PortState } from './link-components.js'
import { arfsFilters } from './nic-steer.js'
import { wireTx } from './wire-tx.js'

/** A link or switch with the cards at its ports, as one partition. */
export interface LinkRun {
  /** Writes `nextPs` and `boundPs` of the link's `WireTurn`. */
  settle(link: number): void
  /** Does everything strictly before `WireTurn.horizonPs`, or until a lane is full; true if it did anything. */
  run(link: number): boolean
}

const NEVER = Number.POSITIVE_INFINITY
const GROUP_BIT = 0x0100

/**
 * Frames between hosts. What a card sends is on its way for the delay of the link; it may be lost, doubled, or late. A
 * cable brings it to the other card; a switch stores it, learns its sender, and sends it on by its address.
 * Kernel: none (links and switches); chances as net/sched/sch_netem.c, netem_enqueue; net/bridge/br_input.c, br_handle_frame_finish
 */
export const linkRun = defineSystem<LinkRun>('link_run', 'wire', 'net/sched/sch_netem.c, netem_enqueue', (context) => {
  const { DROP, EVENT, LINK_KIND, LOOK_FRAMES, MIN_FRAME_BYTES } = NUMBERS
  const l = context.write(Link)
  const { kind, isDirect, firstPort, portCount, delayPs: insidePs, lossThreshold, duplicateThreshold } = l
  const { reorderThreshold, reorderPs, bufferBytes, leastDmaPs, freeRow, pageOwner, waitQueue, waitFrames } = l
  const { leader, firstWire, firstQueue } = l
  const { wire: portWire } = context.read(LinkPort)
  const p = context.write(PortState)
  const { peer, stream, egressFreePs, egressRest } = p
  const { lost, duplicated, reordered, overflow, flooded, foreign } = p
  const { delayPs, overheadBytes, linkWhole, linkRest, linkDenominator, dev: wireDev } = context.read(Wire)
  const { txFreePs } = context.read(WireState)
  const { nextPs, boundPs, horizonPs, txQueue, txPs, arrivePs } = context.write(WireTurn)
  const { laneTailSeen } = context.read(RxQueue)
  const { base: laneBase, mask: laneMask, headSeen: laneHeadSeen, tail: laneTail } = context.read(LaneWriter)
  const { done, slotBase, slotMask, skbBase } = context.read(TxQueue)
  const { postPs } = context.read(TxSlot)
  const { base: heapBase, count: heapCount } = context.read(EventHeap)
  const { timePs: eventTimePs, kind: eventKind, a: eventA, c: eventC } = context.read(EventRow)
  const { users, next, frames, wireBytes, duePs, page, macHigh, serial } = context.write(Skb)
  const trace = context.resource(TRACE_SINK)
  const events = context.system(eventList)
  const { due } = events
  const random = context.system(randomStreams)
  const tx = context.system(wireTx)
  const frame = context.system(frameOnLink)
  const port = context.system(linkArrive)
  const table = context.system(learningSwitch)
  const filters = context.system(arfsFilters)
  const pages = context.system(packetPages)

  function take(link: number): number {
    const row = freeRow[link]
    if (row === 0) throw new Error('too many frames are on a link at once: raise limits.frames-per-link')
    freeRow[link] = next[row]
    return row
  }

  function release(link: number, row: number): void {
    if (page[row] !== 0 && pages.owns(page[row])) pages.put(page[row], pageOwner[link])
    page[row] = 0
    next[row] = freeRow[link]
    freeRow[link] = row
  }

  /** What is on the way is nobody's packet: it is counted where it arrives. */
  function hold(row: number): void {
    users[row] = 0
  }

  function pageFor(link: number, row: number): number {
    if (!frame.hasBytes(row)) return 0
    const own = pages.take(pageOwner[link], pages.length(page[row]))
    if (own === 0) throw new Error('too many frames with real bytes are on a link: raise limits.packet-pages-per-cpu')
    return own
  }

  function draws(threshold: number, wire: number): boolean {
    return threshold > 0 && random.word(stream[wire]) < threshold
  }

  /** How many frames come of one that would reach the port at `arrivePs`: 0 it is lost, 2 it is doubled. Kernel: net/sched/sch_netem.c, netem_enqueue */
  function copies(link: number, wire: number, row: number): number {
    const isDouble = draws(duplicateThreshold[link], wire)
    const isLost = draws(lossThreshold[link], wire)
    if (isDouble) duplicated[wire]++
    if (isLost) {
      lost[wire]++
      port.lose(wire, row, DROP.linkLoss)
    }
    return 1 + (isDouble ? 1 : 0) - (isLost ? 1 : 0)
  }

  /** A frame in a row of the link's own that reaches the port at `arrivePs`, or later. */
  function toPort(link: number, wire: number, row: number): void {
    const n = copies(link, wire, row)
    if (n === 0) {
      release(link, row)
      return
    }
    due[0] = arrivePs[wire]
    if (n === 2) {
      const twin = take(link)
      frame.copy(twin, row, pageFor(link, row))
      serial[twin] = serial[row]
      hold(twin)
      events.pushAt(wire, wire, EVENT.linkFrame, twin, 0, 0)
    }
    if (draws(reorderThreshold[link], wire)) {
      reordered[wire]++
      due[0] += reorderPs[link]
    }
    events.pushAt(wire, wire, EVENT.linkFrame, row, 0, 0)
  }

  /** Puts a frame that the switch has had since now into the queue of a port. */
  function egress(link: number, wire: number, row: number): void {
    const ready = nextPs[leader[link]] + insidePs[link]
    const size = wireBytes[row] + overheadBytes[wire]
    const waiting = Math.max(0, egressFreePs[wire] - ready) / linkWhole[wire]
    if (waiting + size > bufferBytes[link]) {
      overflow[wire]++
      arrivePs[wire] = ready
      port.lose(wire, row, DROP.switchFull)
      release(link, row)
      return
    }
    let end = Math.max(ready, egressFreePs[wire]) + size * linkWhole[wire]
    const rest = egressRest[wire] + size * linkRest[wire]
    const carried = Math.floor(rest / linkDenominator[wire])
    egressRest[wire] = rest - carried * linkDenominator[wire]
    end += carried
    egressFreePs[wire] = end
    arrivePs[wire] = end + delayPs[wire]
    toPort(link, wire, row)
  }

  /** A switch has the whole frame. */
  function forward(link: number, ingress: number, row: number): void {
    table.learn(link, row, ingress, leader[link])
    const known = (macHigh[row] & GROUP_BIT) !== 0 ? 0 : table.find(link, row, leader[link])
    if (known === ingress) {
      release(link, row)
      return
    }
    if (known !== 0) {
      egress(link, known, row)
      return
    }
    const end = firstPort[link] + portCount[link]
    for (let i = firstPort[link]; i < end; i++) {
      const wire = portWire[i]
      if (wire === ingress) continue
      flooded[wire]++
      const twin = take(link)
      frame.copy(twin, row, pageFor(link, row))
      serial[twin] = serial[row]
      hold(twin)
      egress(link, wire, twin)
    }
    release(link, row)
  }

  /** One frame of a packet is out of the card, on a link whose frames go straight into the lane. */
  function straight(link: number, wire: number, row: number, index: number, takes: boolean, queue: number): void {
    const to = peer[wire]
    arrivePs[to] = txFreePs[wire] + delayPs[wire]
    const n = copies(link, to, row)
    if (!takes) foreign[to] += n
    if (trace.on && !takes && n > 0) trace.linkForeign(to, arrivePs[to], row)
    for (let i = 0; i < n && takes; i++) port.arrive(to, row, index, false, queue)
  }

  /** The same, where frames wait on the link. */
  function stored(link: number, wire: number, row: number, index: number): void {
    const own = take(link)
    frame.write(own, row, index, pageFor(link, row))
    serial[own] = serial[row]
    hold(own)
    const at = txFreePs[wire] + delayPs[wire]
    if (kind[link] === LINK_KIND.switch) {
      due[0] = at
      events.pushAt(wire, wire, EVENT.switchFrame, own, 0, 0)
      return
    }
    arrivePs[peer[wire]] = at
    toPort(link, peer[wire], own)
  }

  function wait(link: number, queue: number, wanted: number): boolean {
    waitQueue[link] = queue
    waitFrames[link] = wanted
    return false
  }

  /** False if the lane of the receiver's queue has no room for all frames of the packet. */
  function send(link: number, wire: number, q: number): boolean {
    const offset = (done[q] & slotMask[q]) >>> 0
    const row = skbBase[q] + offset
    const n = frames[row]
    const direct = isDirect[link] !== 0
    let takes = true
    let queue = 0
    if (direct) {
      const to = peer[wire]
      queue = port.queueOf(to, row)
      const wanted = 2 * n
      if (queue !== 0 && !port.hasRoom(queue, wanted)) return wait(link, queue, wanted)
      if (queue !== 0 && (laneTail[queue] - laneTailSeen[queue]) >>> 0 > laneMask[queue] >>> 1) return false
      takes = port.accepts(to, row)
    }
    let out = 0
    let size = 0
    for (let index = 0; index < n; index++) {
      const length = frame.bytes(row, index)
      const from = trace.on ? Math.max(postPs[slotBase[q] + offset], txFreePs[wire]) : 0
      if (!tx.serialise(wire, slotBase[q] + offset, length)) continue
      if (trace.on && out === 0) trace.txFrame(q, from, txFreePs[wire], true)
      out++
      size += length
      if (direct) straight(link, wire, row, index, takes, queue)
      else stored(link, wire, row, index)
    }
    if (trace.on && out === 0) trace.txLost(q, txFreePs[wire], DROP.noCarrierTx, false)
    tx.complete(wire, q, out, size)
    users[row] = 0
    return true
  }

  /** False if the frame that has come finds no room in its lane. */
  function handle(link: number, wire: number): boolean {
    const head = heapBase[wire]
    const row = eventA[head]
    const what = eventKind[head]
    if (what === EVENT.linkFrame) {
      const takes = port.accepts(wire, row)
      const queue = takes ? port.queueOf(wire, row) : 0
      if (queue !== 0 && !port.hasRoom(queue, 1)) return wait(link, queue, 1)
      if (queue !== 0 && (laneTail[queue] - laneTailSeen[queue]) >>> 0 > laneMask[queue] >>> 1) return false
      arrivePs[wire] = eventTimePs[head]
      events.pop(wire)
      if (takes) port.arrive(wire, row, 0, true, queue)
      else {
        foreign[wire]++
        if (trace.on) trace.linkForeign(wire, arrivePs[wire], row)
      }
      release(link, row)
      return true
    }
    const key = eventC[head]
    events.pop(wire)
    if (what === EVENT.switchFrame) forward(link, wire, row)
    else if (what === EVENT.arfs) filters.insert(wireDev[wire], key, row)
    else throw new Error(`a link was sent an event of kind ${what}, which is not for links`)
    return true
  }

  /**
   * Finds what comes first: events before frames that are sent, lower ports before higher ones; its time into `nextPs`, and
   * the earliest effect of anything on a CPU into `boundPs`.
   */
  function find(link: number): void {
    let at = NEVER
    let bound = NEVER
    let queue = 0
    let wire = 0
    const end = firstPort[link] + portCount[link]
    for (let i = firstPort[link]; i < end; i++) {
      const each = portWire[i]
      if (heapCount[each] !== 0) {
        const event = eventTimePs[heapBase[each]]
        if (event < bound) bound = event
        if (event < at || (event === at && queue !== 0)) {
          at = event
          wire = each
          queue = 0
        }
      }
      tx.settle(each)
      const post = txPs[each]
      if (post === NEVER) continue
      const out = post + (MIN_FRAME_BYTES + overheadBytes[each]) * linkWhole[each]
      if (out < bound) bound = out
      if (post >= at) continue
      at = post
      wire = each
      queue = txQueue[each]
    }
    const lead = leader[link]
    nextPs[lead] = at
    boundPs[lead] = bound + leastDmaPs[link]
    firstWire[link] = wire
    firstQueue[link] = queue
  }

  return {
    settle(link) {
      find(link)
      const queue = waitQueue[link]
      if (queue === 0 || port.hasRoom(queue, waitFrames[link])) return
      // At the latest its CPU looks when the last frame of a block is due, and nothing that waits here is due before that.
      const lookPs = duePs[laneBase[queue] + (((laneHeadSeen[queue] | (LOOK_FRAMES - 1)) & laneMask[queue]) >>> 0)]
      const lead = leader[link]
      if (lookPs > nextPs[lead]) nextPs[lead] = lookPs
    },
    run(link) {
      let progress = false
      const lead = leader[link]
      for (;;) {
        find(link)
        if (nextPs[lead] >= horizonPs[lead]) return progress
        const wire = firstWire[link]
        const queue = firstQueue[link]
        if (!(queue === 0 ? handle(link, wire) : send(link, wire, queue))) return progress
        waitQueue[link] = 0
        progress = true
      }
    },
  }
})
