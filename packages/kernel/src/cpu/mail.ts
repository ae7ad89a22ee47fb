import { defineComponent, defineSystem, eventList, f64, i32, u8, u32 } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { Cpu, Owner } from './components.js'

/** Rows from one ring to the next, and from one slot to the next: their columns lie in between, so that a ring is two cache lines. */
export const MAIL_RING_STEP = 16
export const MAIL_SLOT_STEP = 4

/**
 * Mail from one owner (CPU or wire) to another: a ring per ordered pair of owners of different partitions that the
 * scenario makes possible. The sender moves `tail`, the receiver `drained` and `head`; positions are free-running.
 * Each side sees the other's position as it was published between two steps, when neither of them runs. Slots are
 * `MAIL_SLOT_STEP` rows apart: that of a position is `base + (position & mask) * MAIL_SLOT_STEP`.
 *
 * ```
 *        head            drained            tail
 *   free  | in event list |  not yet seen   |  free
 * ```
 */
export const MailRing = defineComponent(
  'mail_ring',
  {
    from: i32,
    to: i32,
    base: i32,
    /** Rows of Skb for packets in transit: skbBase + (position & mask). */
    skbBase: i32,
    mask: u32,
    /** Written by the receiver. */
    head: u32,
    drained: u32,
    /** Written by the sender. */
    tail: u32,
    /** Positions as the other side knows them; written when they are published. */
    headSeen: u32,
    tailSeen: u32,
    /** Earliest time of what was sent since the last publishing, ps. Written by the sender. */
    leastPs: f64,
    /** 1: on the list of rings that its sender has written to since the last publishing, linked by `nextSent`. */
    sent: u8,
    nextSent: i32,
    /** 1: on the list of rings in which its receiver has freed slots since the last publishing, linked by `nextFreed`. */
    freed: u8,
    nextFreed: i32,
    /** 1: on the list of rings with something new for their receiver, linked by `nextFresh`. */
    fresh: u8,
    nextFresh: i32,
  },
  { role: 'observer' },
)

/** One message: when it takes effect, its place among equal times, and what it says (see EVENT). */
export const MailSlot = defineComponent(
  'mail_slot',
  {
    timePs: f64,
    order: f64,
    kind: u8,
    a: i32,
    b: i32,
    c: f64,
    /** 0 free, 1 a note, 2 a packet whose row of Skb is in use. */
    live: u8,
  },
  { role: 'observer' },
)

/**
 * Ring of each ordered pair: row `from * ownerRows + to`, in units of `MAIL_RING_STEP`; 0: the pair shares a partition or cannot
 * occur.
 */
export const MailPair = defineComponent('mail_pair', { ring: i32 })

/** Lists of rings of each partition, row = owner that leads it: first ring of each, 0: none. */
export const MailInbox = defineComponent(
  'mail_inbox',
  {
    /** Rings into the partition with something published that it has not taken in. */
    firstFresh: i32,
    /** Rings out of it that it has written to since it last published. */
    firstSent: i32,
    /** Rings into it in which it has freed slots since it last published. */
    firstFreed: i32,
  },
  { role: 'observer' },
)

/** The sender stops when fewer than this part of a ring is free. */
const RESERVED_PART = 4

/** Messages between CPUs. */
export interface Mail {
  /** Sends a note from CPU `from` to owner `to`; `via` (see `VIA`) says how long it takes. */
  note(from: number, to: number, via: number, kind: number, a: number, b: number, c: number): void
  /** Sends a packet: its row goes to the receiver; the sender's row is released. */
  packet(from: number, to: number, kind: number, row: number, b: number, c: number): void
  /** Row of a packet message that is now due on CPU `to`: a row of the receiver's own pool. */
  receive(to: number, from: number, row: number): number
  /** Moves what has come for a partition into the event lists of its CPUs. */
  drain(leader: number): void
  /** False while a ring that `cpu` writes to is nearly full; clears `mailTight` otherwise. */
  hasRoom(cpu: number): boolean
  /**
   * Publishes what a partition has sent and which slots it has freed; nobody may run meanwhile. Returns the first ring it
   * sent on, 0 if there is none; the others follow by `MailRing.nextSent`.
   */
  publish(leader: number): number
  /** True if `from` can send to `to`. */
  connected(from: number, to: number): boolean
}

/** Mailboxes between CPUs. Kernel: none; a CPU's stores become visible to another one after the line has moved. */
export const mail = defineSystem<Mail>('mail', 'cpu', 'kernel/smp.c (order of remote effects)', (context) => {
  const { VIA } = NUMBERS
  const ringStep = MAIL_RING_STEP
  const slotStep = MAIL_SLOT_STEP

  const ring = context.write(MailRing)
  const { head, drained, tail, headSeen, tailSeen, leastPs, mask, base, skbBase, to: ringTo } = ring
  const { fresh, nextFresh, sent, nextSent, freed, nextFreed } = ring
  const {
    timePs: slotPs,
    order: slotOrder,
    kind: slotKind,
    a: slotA,
    b: slotB,
    c: slotC,
    live,
  } = context.write(MailSlot)
  const { ring: pairRing } = context.read(MailPair)
  const { firstFresh, firstSent, firstFreed } = context.write(MailInbox)
  const { partition, mailTight } = context.write(Owner)
  const { packetPool, clockPs, horizonPs, limitPs } = context.write(Cpu)
  const { users, page } = context.write(Skb)
  const pool = context.system(skbPool)
  const events = context.system(eventList)
  const { due } = events
  const { ownerRows, cpuRows } = context.resource(PLAN_CONSTANTS)
  const { line: linePs, ipiPs, txPs } = context.resource(COST_LATENCY)

  /** Rings out of each owner: entries [outBase[owner], outBase[owner + 1]) of `outRing`. */
  const outBase = new Int32Array(ownerRows + 1)
  const outRing: number[] = []
  for (let from = 0; from < ownerRows; from++) {
    for (let to = 0; to < ownerRows; to++) {
      const r = pairRing[from * ownerRows + to] * ringStep
      if (r > 0) outRing.push(r)
    }
    outBase[from + 1] = outRing.length
  }

  /** Frees slots in order: messages of different latency end out of order, the head follows the oldest still in use. */
  function advance(r: number): void {
    let position = head[r]
    const end = drained[r]
    while (position !== end && live[base[r] + (position & mask[r]) * slotStep] === 0) position++
    if (position === head[r]) return
    head[r] = position
    if (freed[r] !== 0) return
    const leader = partition[ringTo[r]]
    freed[r] = 1
    nextFreed[r] = firstFreed[leader]
    firstFreed[leader] = r
  }

  function startOver(r: number): void {
    head[r] = 0
    headSeen[r] = 0
    drained[r] = 0
    tail[r] = 0
    tailSeen[r] = 0
  }

  /** Time a message sent now takes effect, into `due[0]`. */
  function setDue(from: number, to: number, via: number): void {
    due[0] = clockPs[from] + (via === VIA.line ? linePs[from * cpuRows + to] : via === VIA.ipi ? ipiPs : txPs)
  }

  /** To another CPU of the own partition: the sender must not run on past the moment the other one has to act. */
  function deliver(to: number, from: number, kind: number, a: number, b: number, c: number): void {
    if (to !== from) {
      if (due[0] < horizonPs[from]) horizonPs[from] = due[0]
      if (due[0] < limitPs[from]) limitPs[from] = due[0]
    }
    events.pushAt(to, from, kind, a, b, c)
  }

  function post(to: number, from: number, kind: number, a: number, b: number, c: number): number {
    const r = pairRing[from * ownerRows + to] * ringStep
    if (r === 0) throw new Error(`CPU ${from} has no mailbox to owner ${to}: the model did not expect them to meet`)
    const position = tail[r]
    if ((position - headSeen[r]) >>> 0 > mask[r])
      throw new Error(`mailbox from CPU ${from} is full: raise limits.mailbox-slots`)
    const index = position & mask[r]
    const row = base[r] + index * slotStep
    events.nextOrder(from)
    slotPs[row] = due[0]
    slotOrder[row] = due[1]
    slotKind[row] = kind
    slotA[row] = a
    slotB[row] = b
    slotC[row] = c
    live[row] = 1
    tail[r] = position + 1
    if (sent[r] === 0) {
      const leader = partition[from]
      sent[r] = 1
      leastPs[r] = due[0]
      nextSent[r] = firstSent[leader]
      firstSent[leader] = r
    } else if (due[0] < leastPs[r]) leastPs[r] = due[0]
    if ((position - headSeen[r]) >>> 0 > mask[r] - Math.floor(mask[r] / RESERVED_PART)) {
      mailTight[from] = 1
      limitPs[from] = 0
    }
    return index
  }

  return {
    note(from, to, via, kind, a, b, c) {
      setDue(from, to, via)
      if (partition[from] === partition[to]) deliver(to, from, kind, a, b, c)
      else post(to, from, kind, a, b, c)
    },
    packet(from, to, kind, row, b, c) {
      setDue(from, to, VIA.line)
      if (partition[from] === partition[to]) {
        deliver(to, from, kind, row, b, c)
        return
      }
      const r = pairRing[from * ownerRows + to] * ringStep
      const index = post(to, from, kind, 0, b, c)
      const transit = skbBase[r] + index
      const slot = base[r] + index * slotStep
      live[slot] = 2
      slotA[slot] = transit
      pool.copy(transit, row)
      users[transit] = 1
      pool.release(row, packetPool[from])
      if (page[transit] !== 0) pool.unshare(transit, packetPool[from])
    },
    receive(to, from, row) {
      if (partition[from] === partition[to]) return row
      const own = pool.take(packetPool[to])
      if (own === 0) throw new Error('a CPU has no packet row left: raise limits.packet-rows-per-cpu')
      pool.copy(own, row)
      if (page[row] !== 0) pool.dropPage(row, packetPool[to])
      users[row] = 0
      const r = pairRing[from * ownerRows + to] * ringStep
      live[base[r] + (row - skbBase[r]) * slotStep] = 0
      advance(r)
      return own
    },
    drain(leader) {
      for (let r = firstFresh[leader]; r !== 0; ) {
        const following = nextFresh[r]
        nextFresh[r] = 0
        fresh[r] = 0
        const end = tailSeen[r]
        for (let position = drained[r]; position !== end; position++) {
          const row = base[r] + (position & mask[r]) * slotStep
          due[0] = slotPs[row]
          due[1] = slotOrder[row]
          events.insert(ringTo[r], slotKind[row], slotA[row], slotB[row], slotC[row])
          if (live[row] === 1) live[row] = 0
        }
        if (drained[r] !== end) {
          drained[r] = end
          advance(r)
        }
        r = following
      }
      firstFresh[leader] = 0
    },
    hasRoom(cpu) {
      for (let i = outBase[cpu]; i < outBase[cpu + 1]; i++) {
        const r = outRing[i]
        if ((tail[r] - headSeen[r]) >>> 0 > mask[r] - Math.floor(mask[r] / RESERVED_PART)) return false
      }
      mailTight[cpu] = 0
      return true
    },
    publish(leader) {
      for (let r = firstFreed[leader]; r !== 0; r = nextFreed[r]) {
        freed[r] = 0
        headSeen[r] = head[r]
        // An empty ring starts over, so that few messages keep to few rows, which stay in the cache.
        if (head[r] === tail[r]) startOver(r)
      }
      firstFreed[leader] = 0
      const first = firstSent[leader]
      for (let r = first; r !== 0; r = nextSent[r]) {
        sent[r] = 0
        tailSeen[r] = tail[r]
        if (fresh[r] !== 0) continue
        const receiver = partition[ringTo[r]]
        fresh[r] = 1
        nextFresh[r] = firstFresh[receiver]
        firstFresh[receiver] = r
      }
      firstSent[leader] = 0
      return first
    },
    connected: (from, to) => partition[from] === partition[to] || pairRing[from * ownerRows + to] !== 0,
  }
})
