import { defineSystem, mix32, streamKey, type World } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { allHomes } from '../build/fill-cpus.js'
import type { Layout } from '../build/layout.js'
import type { Partitions } from '../build/partitions.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { ICMP_PEER_ROWS, IcmpLimit, InetPeer } from './components.js'
import { inetPeers } from './inet-peer.js'

/** Messages a peer that was quiet gets at once. Kernel: net/ipv4/icmp.c, XRLIM_BURST_FACTOR */
export const ICMP_PEER_BURST = 6

/** Refills of the global limit are at least 1/50 s apart. */
const REFILL_FRACTION = 50
const PURPOSE = 0x69636d70
const TYPE_MAX = 18
const DEST_UNREACH = 3
const FRAG_NEEDED = 4

/** Tables of limits: one per namespace for those who share `Cpu.home`. */
function tables(layout: Layout, partitions: Partitions): number {
  return allHomes(layout, partitions).length * layout.nets.length
}

/** Declares the tables of the ICMP limits. */
export function declareIcmp(world: World, layout: Layout, partitions: Partitions): void {
  world.pool(IcmpLimit, tables(layout, partitions))
  world.pool(InetPeer, tables(layout, partitions) * ICMP_PEER_ROWS)
}

/** Keys the random streams of the global limits. */
export function fillIcmp(world: World, layout: Layout, partitions: Partitions): void {
  const { keyLow, keyHigh, stampJiffies } = world.columns(IcmpLimit)
  for (let row = 1; row <= tables(layout, partitions); row++) {
    const [low, high] = streamKey(layout.plan.seed, row, PURPOSE)
    keyLow[row] = low
    keyHigh[row] = high
    // The last refill is long past, so that the first message finds a whole second's worth.
    stampJiffies[row] = -1e9
  }
}

/** Answers of `globalAllow`. */
export const ICMP_ALLOW = { no: 0, unlimited: 1, limited: 2 } as const

/** The limits of what ICMP sends. */
export interface IcmpLimits {
  /** One of `ICMP_ALLOW`; counts a refusal. Kernel: net/ipv4/icmp.c, icmpv4_global_allow */
  globalAllow(cpu: number, type: number, code: number): number
  /** Whether a peer may get a message by a device; takes it from the global limit too. Kernel: icmpv4_xrlim_allow */
  peerAllow(cpu: number, allow: number, peer: number, dev: number): boolean
}

/** The global limit, then the limit per peer, in Linux's order. Kernel: net/ipv4/icmp.c, icmp_global_allow, inet_peer_xrlim_allow */
export const icmpLimits = defineSystem<IcmpLimits>(
  'icmp_limit',
  'icmp',
  'net/ipv4/icmp.c, icmp_global_allow',
  (context) => {
    const { IFF, SNMP } = NUMBERS

    const { clockPs, homeNumber, net } = context.read(Cpu)
    const { credit, drawn, keyHigh, keyLow, stampJiffies } = context.write(IcmpLimit)
    const { iff } = context.read(NetDev)
    const count = context.system(counters)
    const peers = context.system(inetPeers)
    const { hz, jiffyPs, nets } = context.resource(PLAN_CONSTANTS)
    const refillJiffies = hz.map((each) => Math.floor(each / REFILL_FRACTION))
    const costJiffies = Float64Array.from(nets, (each) => Math.floor((each.ipv4.icmp_ratelimit * each.hz) / 1000))
    const mask = Uint32Array.from(nets, ({ ipv4 }) => ipv4.icmp_ratemask)
    const perSecond = Float64Array.from(nets, ({ ipv4 }) => ipv4.icmp_msgs_per_sec)
    const burst = Float64Array.from(nets, ({ ipv4 }) => ipv4.icmp_msgs_burst)

    function bucketAllow(cpu: number): boolean {
      const at = 1 + homeNumber[cpu] * nets.length + net[cpu]
      if (credit[at] > 0) return true
      const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      const delta = Math.min(now - stampJiffies[at], hz[cpu])
      if (delta < refillJiffies[cpu]) return false
      const incr = Math.floor((perSecond[net[cpu]] * delta) / hz[cpu])
      if (incr === 0) return false
      stampJiffies[at] = now
      credit[at] = Math.min(credit[at] + incr, burst[net[cpu]])
      return true
    }

    /** Takes 0, 1 or 2 messages by chance, so that nobody can count along. Kernel: icmp_global_consume */
    function consume(cpu: number): void {
      const at = 1 + homeNumber[cpu] * nets.length + net[cpu]
      const word = mix32(keyLow[at] ^ drawn[at], keyHigh[at])
      drawn[at]++
      credit[at] -= Math.floor((word * 3) / 4294967296)
    }

    return {
      globalAllow(cpu, type, code) {
        const isFree = type > TYPE_MAX || (type === DEST_UNREACH && code === FRAG_NEEDED)
        if (isFree || ((mask[net[cpu]] >>> type) & 1) === 0) return ICMP_ALLOW.unlimited
        if (bucketAllow(cpu)) return ICMP_ALLOW.limited
        count.snmp(cpu, SNMP.IcmpOutRateLimitGlobal, 1)
        return ICMP_ALLOW.no
      },
      peerAllow(cpu, allow, peer, dev) {
        if (allow !== ICMP_ALLOW.limited) return true
        if ((iff[dev] & IFF.loopback) === 0) {
          const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
          const cost = costJiffies[net[cpu]]
          if (!peers.take(peers.get(cpu, peer, now), now, cost, ICMP_PEER_BURST * cost)) {
            count.snmp(cpu, SNMP.IcmpOutRateLimitHost, 1)
            return false
          }
        }
        consume(cpu)
        return true
      },
    }
  },
)
