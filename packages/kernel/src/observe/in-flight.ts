import type { WaitingFrames } from '@softnet/scenario/plan'
import type { Model } from '../build/build-model.js'
import { Neighbour } from '../neigh/components.js'
import { LaneWriter, RxQueue } from '../nic/components.js'
import { TxQueue, TxSlot } from '../nic/tx-components.js'
import { Qdisc } from '../qdisc/components.js'
import { Skb } from '../skb/components.js'
import { Sock } from '../sock/components.js'
import { Softnet } from '../softnet/components.js'

/**
 * Wire frames that are somewhere on their way: in lanes, rings, queues, GRO, backlogs, sockets and mailboxes. Counted
 * from the packets themselves, so that conservation is a check and not a definition. Segments chained to a merged
 * datagram are counted by its head.
 */
export function framesInFlight(model: Model): number {
  const { users, frames, fragHead, next } = model.world.columns(Skb)
  let sum = 0
  for (let row = 1; row < users.length; row++) {
    if (users[row] === 0) continue
    sum += frames[row]
    for (let segment = fragHead[row]; segment !== 0; segment = next[segment]) sum -= frames[segment]
  }
  return sum + framesInRings(model, 0)
}

/** Frames the card has taken in its order of sending, and counted as sent, whose last bit is not out yet. */
export function framesOnCards(model: Model, simulatedPs: number): number {
  const t = model.world.columns(TxQueue)
  const { frames, donePs } = model.world.columns(TxSlot)
  let sum = 0
  for (const { devices } of model.layout.hosts) {
    for (const queue of devices.flatMap((device) => device.txQueues)) {
      if (t.linked[queue] !== 0) continue
      for (let at = t.clean[queue]; at !== t.done[queue]; at = (at + 1) >>> 0) {
        const slot = t.slotBase[queue] + ((at & t.slotMask[queue]) >>> 0)
        if (donePs[slot] - t.doneDelayPs[queue] > simulatedPs) sum += frames[slot]
      }
    }
  }
  return sum
}

/** Frames of transmit rings that the card has not sent yet. On links (`linked`) they are packets, and counted as such. */
function framesInRings(model: Model, linked: 0 | 1): number {
  const t = model.world.columns(TxQueue)
  const { frames } = model.world.columns(TxSlot)
  let sum = 0
  for (const { devices } of model.layout.hosts) {
    for (const queue of devices.flatMap((device) => device.txQueues)) {
      if (t.linked[queue] !== linked) continue
      for (let at = t.done[queue]; at !== t.tail[queue]; at = (at + 1) >>> 0)
        sum += frames[t.slotBase[queue] + ((at & t.slotMask[queue]) >>> 0)]
    }
  }
  return sum
}

/** Where the frames in flight are when the run ends; the places add up to `framesInFlight`. */
export function framesWaiting(model: Model, simulatedPs: number): WaitingFrames {
  const { frames, next, arrivalPs } = model.world.columns(Skb)
  const list = (head: number) => {
    let sum = 0
    for (let row = head; row !== 0; row = next[row]) sum += frames[row]
    return sum
  }
  const waiting = { wire: 0, nic: 0, ring: 0, softirq: 0, backlog: 0, socket: 0, out: 0 }
  const q = model.world.columns(RxQueue)
  const { tail: laneTail } = model.world.columns(LaneWriter)
  const { queues, cpus, hosts } = model.layout
  for (const queue of queues) {
    for (let at = q.laneHead[queue]; at !== laneTail[queue]; at = (at + 1) >>> 0) {
      const row = q.laneBase[queue] + (at & q.laneMask[queue])
      waiting[arrivalPs[row] > simulatedPs ? 'wire' : 'nic'] += frames[row]
    }
    waiting.nic += q.heldFrames[queue]
    waiting.ring += (q.ringTail[queue] - q.ringHead[queue]) >>> 0
  }
  const softnet = model.world.columns(Softnet)
  for (const cpu of cpus) {
    waiting.backlog += list(softnet.inputHead[cpu]) + list(softnet.processHead[cpu])
  }
  const sock = model.world.columns(Sock)
  for (const { appSockets } of hosts) {
    for (const id of appSockets.flat()) waiting.socket += list(sock.queueHead[id]) + list(sock.readerHead[id])
  }
  const { qlen } = model.world.columns(Qdisc)
  for (const { devices } of hosts) {
    for (const queue of devices.flatMap((device) => device.txQueues)) waiting.out += qlen[queue]
  }
  const { used, queueHead } = model.world.columns(Neighbour)
  for (let row = 1; row < used.length; row++) if (used[row] !== 0) waiting.out += list(queueHead[row])
  waiting.out += framesInRings(model, 0) + framesInRings(model, 1) + framesOnCards(model, simulatedPs)
  const { wire, nic, ring, backlog, socket, out } = waiting
  waiting.softirq =
    framesInFlight(model) + framesOnCards(model, simulatedPs) - wire - nic - ring - backlog - socket - out
  return waiting
}
