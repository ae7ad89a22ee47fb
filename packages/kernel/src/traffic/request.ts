import { defineSystem, eventList, randomStreams } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { ReadyRequest, RequestSlot, Source, SourceState } from './components.js'

/** Closed-loop clients. */
export interface Requests {
  /** Takes the first ready request of a source; there is one whenever `SourceState.nextPs` is finite. */
  take(source: number): number
  /** A request was sent at `nowPs`: it waits for its reply. */
  sent(source: number, slot: number, nowPs: number): void
  /** Id of the request of a slot: exact integer, above 0, never used twice. */
  id(slot: number): number
  /** True if request `id` was sent by a client of this wire: an answer that takes another way reaches nobody. */
  isOwn(wireId: number, id: number): boolean
  /** The reply of request `id` has come at `nowPs`. */
  reply(id: number, nowPs: number): void
  /** A slot has thought enough at `nowPs`. */
  ready(slot: number, nowPs: number): void
  /** Time of the first fixed think time or timeout of a source that ends, ps. */
  timerPs(source: number): number
  /** Handles the think times and timeouts of a source that end at `nowPs`. */
  expire(source: number, nowPs: number): void
}

/**
 * Requests of closed-loop clients: thinking, ready, waiting, and again. Fixed times are lists in order of time; only
 * random think times need the event list. Kernel: none (the clients are outside)
 */
export const requests = defineSystem<Requests>('requests', 'traffic', 'none', (context) => {
  const { EVENT, REQUEST } = NUMBERS

  const { wire, stream, thinkPs, random: thinkRandom, timeoutPs, readyBase, readyMask } = context.read(Source)
  const { nextPs, readyHead, readyTail, thinkHead, thinkTail, waitHead, waitTail, replies, timeouts, lateReplies } =
    context.write(SourceState)
  const { source: slotSource, state, sequence, next, previous, deadlinePs } = context.write(RequestSlot)
  const { slot: readySlot, sequence: readySequence, timePs: readyTimePs } = context.write(ReadyRequest)
  const events = context.system(eventList)
  const random = context.system(randomStreams)
  const rows = state.length

  function append(head: Int32Array, tail: Int32Array, s: number, slot: number): void {
    next[slot] = 0
    previous[slot] = tail[s]
    if (tail[s] === 0) head[s] = slot
    else next[tail[s]] = slot
    tail[s] = slot
  }

  function unlink(head: Int32Array, tail: Int32Array, s: number, slot: number): void {
    if (previous[slot] === 0) head[s] = next[slot]
    else next[previous[slot]] = next[slot]
    if (next[slot] === 0) tail[s] = previous[slot]
    else previous[next[slot]] = previous[slot]
  }

  function ready(slot: number, nowPs: number): void {
    const s = slotSource[slot]
    state[slot] = REQUEST.ready
    const row = readyBase[s] + ((readyTail[s] & readyMask[s]) >>> 0)
    readySlot[row] = slot
    readySequence[row] = sequence[slot]
    readyTimePs[row] = nowPs
    if (readyHead[s] === readyTail[s]) nextPs[s] = nowPs
    readyTail[s]++
  }

  function think(slot: number, nowPs: number): void {
    const s = slotSource[slot]
    sequence[slot]++
    state[slot] = REQUEST.thinking
    if (thinkPs[s] === 0) {
      ready(slot, nowPs)
    } else if (thinkRandom[s] !== 0) {
      const duration = Math.floor(random.exponential(stream[s]) * thinkPs[s])
      events.push(wire[s], wire[s], nowPs + duration, EVENT.think, slot, 0, 0)
    } else {
      deadlinePs[slot] = nowPs + thinkPs[s]
      append(thinkHead, thinkTail, s, slot)
    }
  }

  /** Drops stale entries from the front of the ring, so that its head always says when the source sends next. */
  function settle(s: number): void {
    while (readyHead[s] !== readyTail[s]) {
      const row = readyBase[s] + ((readyHead[s] & readyMask[s]) >>> 0)
      const slot = readySlot[row]
      if (state[slot] === REQUEST.ready && sequence[slot] === readySequence[row]) {
        nextPs[s] = readyTimePs[row]
        return
      }
      readyHead[s]++
    }
    nextPs[s] = Number.POSITIVE_INFINITY
  }

  return {
    take(s) {
      const slot = readySlot[readyBase[s] + ((readyHead[s] & readyMask[s]) >>> 0)]
      readyHead[s]++
      settle(s)
      return slot
    },
    sent(s, slot, nowPs) {
      state[slot] = REQUEST.waiting
      deadlinePs[slot] = nowPs + timeoutPs[s]
      append(waitHead, waitTail, s, slot)
    },
    id: (slot) => sequence[slot] * rows + slot,
    isOwn: (wireId, id) => wire[slotSource[id - Math.floor(id / rows) * rows]] === wireId,
    reply(id, nowPs) {
      const number = Math.floor(id / rows)
      const slot = id - number * rows
      const s = slotSource[slot]
      if (s === 0) return
      if (state[slot] === REQUEST.thinking || sequence[slot] !== number) {
        lateReplies[s]++
        return
      }
      replies[s]++
      if (state[slot] === REQUEST.waiting) {
        unlink(waitHead, waitTail, s, slot)
        think(slot, nowPs)
      } else {
        // About to be sent again: its entry in the ring is stale now.
        think(slot, nowPs)
        settle(s)
      }
    },
    ready,
    timerPs(s) {
      const thinking = thinkHead[s] === 0 ? Number.POSITIVE_INFINITY : deadlinePs[thinkHead[s]]
      const waiting = waitHead[s] === 0 ? Number.POSITIVE_INFINITY : deadlinePs[waitHead[s]]
      return Math.min(thinking, waiting)
    },
    expire(s, nowPs) {
      for (let slot = thinkHead[s]; slot !== 0 && deadlinePs[slot] <= nowPs; slot = thinkHead[s]) {
        unlink(thinkHead, thinkTail, s, slot)
        ready(slot, nowPs)
      }
      for (let slot = waitHead[s]; slot !== 0 && deadlinePs[slot] <= nowPs; slot = waitHead[s]) {
        unlink(waitHead, waitTail, s, slot)
        timeouts[s]++
        ready(slot, nowPs)
      }
    },
  }
})
