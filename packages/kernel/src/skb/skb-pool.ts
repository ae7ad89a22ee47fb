import { defineSystem, PoolOwner, PoolSlot } from '@softnet/ecs'
import { IP_MF, IP_OFFSET } from '@softnet/wire'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from './components.js'
import { packetPages } from './packet-pages.js'
import { SKB_DESTRUCTOR } from './skb-destructor.js'
import { stampsPackets } from './stamps-packets.js'

const PROTO_UDP = 17
const FRAGMENT = IP_MF | IP_OFFSET

/** Packet rows: take, give back, copy. */
export interface SkbPool {
  /** A free row of the pool, or 0 when it is exhausted. `users` is 1; other columns hold what the last packet left. */
  take(owner: number): number
  /** Gives a row back without counting anything. */
  release(row: number, owner: number): void
  /** Copies a frame from its lane into a row that the driver will make a packet of. */
  arrive(to: number, from: number): void
  /** Copies every field of a packet to another row, except the list link and `users`. */
  copy(to: number, from: number): void
  /** Gives back the page of a row, if it has one of those that are not a replay's. */
  dropPage(row: number, owner: number): void
  /** Makes sure that no other packet has the page of a row: what leaves a partition takes its bytes along. */
  unshare(row: number, owner: number): void
}

/** Pool of packet rows per partition: the row freed last is taken first, because it is still in the cache. */
export const skbPool = defineSystem<SkbPool>('skb_pool', 'skb', 'net/core/skbuff.c, napi_skb_cache_get', (context) => {
  const { SKB } = NUMBERS

  const { base, free, freeMin } = context.write(PoolOwner)
  const { row: slots } = context.write(PoolSlot)
  const s = context.write(Skb)
  const pages = context.system(packetPages)
  const {
    users,
    next,
    serial,
    arrivalPs,
    duePs,
    fragHead,
    fragTail,
    macHash,
    frames,
    wireBytes,
    len,
    truesize,
    saddr,
    daddr,
    ports,
    ipWord,
    idFrag,
    totLen,
    udpLen,
    protocol,
    packetType,
    vlanTci,
    flags,
    faults,
    hash,
    tcpSeq,
    tcpAck,
    tcpWord,
    tcpOptions,
    gsoSize,
    payload,
    queue,
    dev,
    allocCpu,
    sock,
    request,
    page,
    tstampPs,
    fragSum,
    priority,
    macHigh,
    macLow,
  } = s
  const stamping = stampsPackets(context.resource(PLAN_CONSTANTS).plan.hosts)

  /** What a frame brings with it, whatever has become of its packet. */
  function copyFrame(to: number, from: number): void {
    serial[to] = serial[from]
    arrivalPs[to] = arrivalPs[from]
    duePs[to] = duePs[from]
    fragHead[to] = 0
    fragTail[to] = 0
    macHash[to] = macHash[from]
    wireBytes[to] = wireBytes[from]
    len[to] = len[from]
    saddr[to] = saddr[from]
    daddr[to] = daddr[from]
    ports[to] = ports[from]
    const word = ipWord[from]
    ipWord[to] = word
    idFrag[to] = idFrag[from]
    totLen[to] = totLen[from]
    udpLen[to] = udpLen[from]
    protocol[to] = protocol[from]
    packetType[to] = packetType[from]
    vlanTci[to] = vlanTci[from]
    flags[to] = flags[from]
    faults[to] = faults[from]
    hash[to] = hash[from]
    payload[to] = payload[from]
    request[to] = request[from]
    page[to] = page[from]
    if ((idFrag[from] & FRAGMENT) !== 0) fragSum[to] = fragSum[from]
    if ((word & 0xff) === PROTO_UDP) return
    tcpSeq[to] = tcpSeq[from]
    tcpAck[to] = tcpAck[from]
    tcpWord[to] = tcpWord[from]
    tcpOptions[to] = tcpOptions[from]
  }

  function dropPage(row: number, owner: number): void {
    if (pages.owns(page[row])) pages.put(page[row], owner)
    page[row] = 0
  }

  return {
    dropPage,
    unshare(row, owner) {
      const id = page[row]
      if (!pages.owns(id) || !pages.isShared(id)) return
      const own = pages.take(owner, pages.length(id))
      if (own === 0) throw new Error('a CPU has no packet page left: raise limits.packet-pages-per-cpu')
      const first = pages.first(id)
      pages.bytes.copyWithin(pages.first(own), first, first + pages.length(id))
      pages.put(id, owner)
      page[row] = own
    },
    take(owner) {
      const n = free[owner]
      if (n === 0) return 0
      free[owner] = n - 1
      if (n - 1 < freeMin[owner]) freeMin[owner] = n - 1
      const row = slots[base[owner] + n - 1]
      users[row] = 1
      return row
    },
    release(row, owner) {
      // Segments that GRO chained to the packet end with it.
      for (let segment = fragHead[row]; segment !== 0; ) {
        const following = next[segment]
        if (page[segment] !== 0) dropPage(segment, owner)
        users[segment] = 0
        slots[base[owner] + free[owner]] = segment
        free[owner]++
        segment = following
      }
      fragHead[row] = 0
      if (page[row] !== 0) dropPage(row, owner)
      users[row] = 0
      slots[base[owner] + free[owner]] = row
      free[owner]++
    },
    arrive(to, from) {
      copyFrame(to, from)
      if ((flags[from] & SKB.senderKnown) !== 0) {
        macHigh[to] = macHigh[from]
        macLow[to] = macLow[from]
      }
      frames[to] = 1
      gsoSize[to] = 0
      sock[to] = 0
      if (stamping) tstampPs[to] = 0
    },
    copy(to, from) {
      copyFrame(to, from)
      frames[to] = frames[from]
      truesize[to] = truesize[from]
      gsoSize[to] = gsoSize[from]
      queue[to] = queue[from]
      dev[to] = dev[from]
      allocCpu[to] = allocCpu[from]
      sock[to] = sock[from]
      if ((flags[from] & (SKB.outgoing | SKB.senderKnown)) !== 0) {
        priority[to] = priority[from]
        macHigh[to] = macHigh[from]
        macLow[to] = macLow[from]
      }
      if (stamping) tstampPs[to] = tstampPs[from]
      if (pages.owns(page[to])) pages.get(page[to])
    },
  }
})

/** Frees a packet that ends here; `drop` names the place and reason. */
export type KfreeSkb = (cpu: number, row: number, drop: number) => void

/** Frees a packet with a drop reason and counts its wire frames as lost. Kernel: net/core/skbuff.c, sk_skb_reason_drop */
export const kfreeSkb = defineSystem<KfreeSkb>(
  'kfree_skb',
  'skb',
  'net/core/skbuff.c, sk_skb_reason_drop',
  (context) => {
    const { DROP, SKB, STAGE } = NUMBERS

    const pool = context.system(skbPool)
    const count = context.system(counters)
    const { frames, flags } = context.read(Skb)
    const { clockPs, packetPool } = context.read(Cpu)
    const owner = context.resource(SKB_DESTRUCTOR)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    return (cpu, row, drop) => {
      // The price of a full socket (udp_drop) has the freeing in it.
      if (drop !== DROP.rcvbuf) spend(cpu, STAGE.kfree_skb, 1)
      count.drop(cpu, drop, frames[row], clockPs[cpu])
      if ((flags[row] & SKB.charged) !== 0) owner.orphan(cpu, row)
      if (trace.on) trace.kfreeSkb(cpu, clockPs[cpu], row, drop)
      pool.release(row, packetPool[cpu])
    }
  },
)

/** Frees a packet the kernel has used up (not lost, not delivered to a socket). */
export const consumeSkb = defineSystem<(cpu: number, row: number) => void>(
  'consume_skb',
  'skb',
  'net/core/skbuff.c, consume_skb',
  (context) => {
    const { SKB, STAGE } = NUMBERS

    const pool = context.system(skbPool)
    const count = context.system(counters)
    const { frames, flags } = context.read(Skb)
    const { clockPs, packetPool } = context.read(Cpu)
    const owner = context.resource(SKB_DESTRUCTOR)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    return (cpu, row) => {
      spend(cpu, STAGE.kfree_skb, 1)
      count.consume(cpu, frames[row])
      if (trace.on) trace.consumeSkb(cpu, clockPs[cpu], row)
      if ((flags[row] & SKB.charged) !== 0) owner.orphan(cpu, row)
      pool.release(row, packetPool[cpu])
    }
  },
)
