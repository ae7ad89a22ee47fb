import { defineComponent, defineSystem, eventList, f64, i32, u8, u32 } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { Cpu, Owner } from './components.js'

/**
 * Mail from one owner (CPU or wire) to another: a ring per ordered pair of owners of different partitions that the scenario makes
 * possible. The sender moves `tail`, the receiver `drained` and `head`; positions are free-running.
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
    head: u32,
    drained: u32,
    tail: u32,
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

/** Ring of each ordered pair: row `from * ownerRows + to`; 0: the pair shares a partition or cannot occur. */
export const MailPair = defineComponent('mail_pair', { ring: i32 })

/** Rings into each partition, row = owner that leads it; and the list of partitions that something was sent to. */
export const MailInbox = defineComponent(
  'mail_inbox',
  {
    /** First ring with something new. */
    firstFresh: i32,
    /** 1: on the list that starts at row 0. */
    listed: u8,
    nextListed: i32,
  },
  { role: 'observer' },
)

/** The sender stops when fewer than this part of a ring is free. */
const RESERVED_PART = 4

/** How a message travels: as a cache line, as an inter-processor interrupt, or out to the wire. */
export const VIA = { line: 0, ipi: 1, wire: 2 } as const

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
  /** Notes that something was sent to the partition of a leader. */
  mark(leader: number): void
  /** Takes a partition off the list of those that something was sent to; 0 when it is empty. */
  takeMarked(): number
  /** True if `from` can send to `to`. */
  connected(from: number, to: number): boolean
}

/** Mailboxes between CPUs. Kernel: none; a CPU's stores become visible to another one after the line has moved. */
export const mail = defineSystem<Mail>('mail', 'cpu', 'kernel/smp.c (order of remote effects)', (context) => {
  const ring = context.write(MailRing)
  const { head, drained, tail, mask, base, skbBase, to: ringTo, fresh, nextFresh } = ring
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
  const { firstFresh, listed, nextListed } = context.write(MailInbox)
  const { partition, mailTight } = context.write(Owner)
  const { packetPool, clockPs, horizonPs, limitPs } = context.write(Cpu)
  const { users } = context.write(Skb)
  const pool = context.system(skbPool)
  const events = context.system(eventList)
  const { due } = events
  const { ownerRows, cpuRows } = context.resource(PLAN_CONSTANTS)
  const { line: linePs, ipiPs, txPs } = context.resource(COST_LATENCY)

  /** Frees slots in order: messages of different latency end out of order, the head follows the oldest still in use. */
  function advance(r: number): void {
    let position = head[r]
    const end = drained[r]
    while (position !== end && live[base[r] + (position & mask[r])] === 0) position++
    head[r] = position
  }

  function mark(leader: number): void {
    if (listed[leader] !== 0) return
    listed[leader] = 1
    nextListed[leader] = nextListed[0]
    nextListed[0] = leader
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

  function post(r: number, from: number, kind: number, a: number, b: number, c: number): number {
    // An empty ring starts over, so that few messages keep to few rows, which stay in the cache.
    if (head[r] === tail[r]) {
      head[r] = 0
      drained[r] = 0
      tail[r] = 0
    }
    const position = tail[r]
    if ((position - head[r]) >>> 0 > mask[r])
      throw new Error(`mailbox from CPU ${from} is full: raise limits.mailbox-slots`)
    const index = position & mask[r]
    const row = base[r] + index
    events.nextOrder(from)
    slotPs[row] = due[0]
    slotOrder[row] = due[1]
    slotKind[row] = kind
    slotA[row] = a
    slotB[row] = b
    slotC[row] = c
    live[row] = 1
    tail[r] = position + 1
    if (fresh[r] === 0) {
      const leader = partition[ringTo[r]]
      fresh[r] = 1
      nextFresh[r] = firstFresh[leader]
      firstFresh[leader] = r
      mark(leader)
    }
    if ((position - head[r]) >>> 0 > mask[r] - Math.floor(mask[r] / RESERVED_PART)) {
      mailTight[from] = 1
      limitPs[from] = 0
    }
    return index
  }

  return {
    note(from, to, via, kind, a, b, c) {
      setDue(from, to, via)
      if (partition[from] === partition[to]) deliver(to, from, kind, a, b, c)
      else post(pairRing[from * ownerRows + to], from, kind, a, b, c)
    },
    packet(from, to, kind, row, b, c) {
      setDue(from, to, VIA.line)
      if (partition[from] === partition[to]) {
        deliver(to, from, kind, row, b, c)
        return
      }
      const r = pairRing[from * ownerRows + to]
      const index = post(r, from, kind, 0, b, c)
      const transit = skbBase[r] + index
      live[base[r] + index] = 2
      slotA[base[r] + index] = transit
      pool.copy(transit, row)
      users[transit] = 1
      pool.release(row, packetPool[from])
    },
    receive(to, from, row) {
      if (partition[from] === partition[to]) return row
      const own = pool.take(packetPool[to])
      if (own === 0) throw new Error('a CPU has no packet row left: raise limits.packet-rows-per-cpu')
      pool.copy(own, row)
      users[row] = 0
      const r = pairRing[from * ownerRows + to]
      live[base[r] + (row - skbBase[r])] = 0
      advance(r)
      return own
    },
    drain(leader) {
      for (let r = firstFresh[leader]; r !== 0; ) {
        const following = nextFresh[r]
        nextFresh[r] = 0
        fresh[r] = 0
        const end = tail[r]
        for (let position = drained[r]; position !== end; position++) {
          const row = base[r] + (position & mask[r])
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
      for (let to = 1; to < ownerRows; to++) {
        const r = pairRing[cpu * ownerRows + to]
        if (r !== 0 && (tail[r] - head[r]) >>> 0 > mask[r] - Math.floor(mask[r] / RESERVED_PART)) return false
      }
      mailTight[cpu] = 0
      return true
    },
    mark,
    takeMarked() {
      const leader = nextListed[0]
      if (leader === 0) return 0
      nextListed[0] = nextListed[leader]
      nextListed[leader] = 0
      listed[leader] = 0
      return leader
    },
    connected: (from, to) => partition[from] === partition[to] || pairRing[from * ownerRows + to] !== 0,
  }
})
