import { defineSystem, mix32, streamKey, type World } from '@softnet/ecs'
import { ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, IP_OFFSET } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { counters } from '../count/counters.js'
import { SNMP } from '../count/snmp.js'
import { Cpu } from '../cpu/components.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { ICMP_PEER_ROWS, ICMP_PEER_WAYS, IcmpLimit, IcmpPeer } from './components.js'

/** `icmp_msgs_per_sec`: messages per second of the global limit. */
export const ICMP_MSGS_PER_SEC = 1000
/** `icmp_msgs_burst`: largest number of messages the global limit saves up. */
export const ICMP_MSGS_BURST = 50
/** `icmp_ratelimit`: one message per peer in this time, ms. */
export const ICMP_RATELIMIT_MS = 1000
/** Messages a peer that was quiet gets at once. Kernel: net/ipv4/icmp.c, XRLIM_BURST_FACTOR */
export const ICMP_PEER_BURST = 6

/** Refills of the global limit are at least 1/50 s apart. */
const REFILL_FRACTION = 50
/** A peer seen for the first time counts as quiet for this long. */
const NEW_PEER_SEC = 60
const PURPOSE = 0x69636d70

/** Declares the tables of the ICMP limits. */
export function declareIcmp(world: World, layout: Layout): void {
  world.pool(IcmpLimit, layout.cpuRows - 1)
  world.pool(IcmpPeer, layout.cpuRows * ICMP_PEER_ROWS - 1)
}

/** Keys the random streams of the global limits. */
export function fillIcmp(world: World, layout: Layout): void {
  const { keyLow, keyHigh, stampJiffies } = world.columns(IcmpLimit)
  for (const cpu of layout.cpus) {
    const [low, high] = streamKey(layout.plan.seed, cpu, PURPOSE)
    keyLow[cpu] = low
    keyHigh[cpu] = high
    // The last refill is long past, so that the first message finds a whole second's worth.
    stampJiffies[cpu] = -1e9
  }
}

/** Answers a packet with an ICMP error of a type and code (destination unreachable if left out); returns whether it may. */
export type IcmpSend = (cpu: number, row: number, type?: number, code?: number) => boolean

/**
 * Decides whether an ICMP error answers a packet, and counts it: the conditions, the global limit, then the limit per
 * peer, in Linux's order. Kernel: net/ipv4/icmp.c, __icmp_send, icmpv4_global_allow, icmpv4_xrlim_allow
 */
export const icmpSend = defineSystem<IcmpSend>('icmp_send', 'icmp', 'net/ipv4/icmp.c, __icmp_send', (context) => {
  const { flags, idFrag, packetType, saddr } = context.read(Skb)
  const { clockPs } = context.read(Cpu)
  const { credit, drawn, keyHigh, keyLow, stampJiffies } = context.write(IcmpLimit)
  const { address, lastPlusOne, tokensJiffies } = context.write(IcmpPeer)
  const count = context.system(counters)
  const { hz, jiffyPs } = context.resource(PLAN_CONSTANTS)
  const refillJiffies = Math.floor(hz / REFILL_FRACTION)
  const costJiffies = Math.floor((ICMP_RATELIMIT_MS * hz) / 1000)
  const routeFlags = SKB.routeBroadcast | SKB.routeMulticast

  /** Kernel: net/ipv4/icmp.c, icmp_global_allow */
  function globalAllow(cpu: number, now: number): boolean {
    if (credit[cpu] > 0) return true
    const delta = Math.min(now - stampJiffies[cpu], hz)
    if (delta < refillJiffies) return false
    const incr = Math.floor((ICMP_MSGS_PER_SEC * delta) / hz)
    if (incr === 0) return false
    stampJiffies[cpu] = now
    credit[cpu] = Math.min(credit[cpu] + incr, ICMP_MSGS_BURST)
    return true
  }

  /** Takes 0, 1 or 2 messages by chance, so that nobody can count along. Kernel: icmp_global_consume */
  function globalConsume(cpu: number): void {
    const word = mix32(keyLow[cpu] ^ drawn[cpu], keyHigh[cpu])
    drawn[cpu]++
    credit[cpu] -= Math.floor((word * 3) / 4294967296)
  }

  /** Slot of a peer; takes a free or the least recently used one of its slots for a new peer. */
  function peerSlot(cpu: number, row: number, now: number): number {
    const peer = saddr[row] | 0
    const base = cpu * ICMP_PEER_ROWS
    const first = (Math.imul(peer, 0x9e3779b1) >>> 16) & (ICMP_PEER_ROWS - 1) & ~(ICMP_PEER_WAYS - 1)
    let oldest = base + first
    for (let way = 0; way < ICMP_PEER_WAYS; way++) {
      const slot = base + first + way
      if (lastPlusOne[slot] !== 0 && (address[slot] | 0) === peer) return slot
      if (lastPlusOne[slot] < lastPlusOne[oldest]) oldest = slot
    }
    address[oldest] = peer
    tokensJiffies[oldest] = NEW_PEER_SEC * hz
    lastPlusOne[oldest] = now + 1
    return oldest
  }

  /** Kernel: net/ipv4/icmp.c, inet_peer_xrlim_allow */
  function peerAllow(cpu: number, row: number, now: number): boolean {
    const slot = peerSlot(cpu, row, now)
    let tokens = tokensJiffies[slot] + (now + 1 - lastPlusOne[slot])
    if (tokens > ICMP_PEER_BURST * costJiffies) tokens = ICMP_PEER_BURST * costJiffies
    const allowed = tokens >= costJiffies
    tokensJiffies[slot] = allowed ? tokens - costJiffies : tokens
    lastPlusOne[slot] = now + 1
    return allowed
  }

  return (cpu, row, type = ICMP_DEST_UNREACH) => {
    if (packetType[row] !== PACKET_TYPE.host || (flags[row] & routeFlags) !== 0) return false
    if ((idFrag[row] & IP_OFFSET) !== 0) return false
    const now = Math.floor(clockPs[cpu] / jiffyPs)
    if (!globalAllow(cpu, now)) {
      count.snmp(cpu, SNMP.IcmpOutRateLimitGlobal, 1)
      return false
    }
    if (!peerAllow(cpu, row, now)) {
      count.snmp(cpu, SNMP.IcmpOutRateLimitHost, 1)
      return false
    }
    globalConsume(cpu)
    count.snmp(cpu, SNMP.IcmpOutMsgs, 1)
    count.snmp(cpu, type === ICMP_TIME_EXCEEDED ? SNMP.IcmpOutTimeExcds : SNMP.IcmpOutDestUnreachs, 1)
    return true
  }
})
