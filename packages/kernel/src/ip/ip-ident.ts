import { defineComponent, defineSystem, f64, mix32, mixSigned32, streamKey, u32, type World } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { allHomes } from '../build/fill-cpus.js'
import type { Layout } from '../build/layout.js'
import type { Partitions } from '../build/partitions.js'
import { Cpu } from '../cpu/components.js'

/** Generators of IP ids; flows of one hash share one. Kernel: net/ipv4/route.c, ip_idents */
export const IpIdent = defineComponent('ip_ident', {
  id: u32,
  /** Jiffy of the last id. */
  stampJiffies: f64,
  /** Ids drawn with a random step so far. */
  drawn: f64,
})

/** Generators in a table. */
export const IP_IDENT_ROWS = 256

const PURPOSE = 0x69706964

/** Declares the generators of IP ids. */
export function declareIdents(world: World, layout: Layout, partitions: Partitions): void {
  world.pool(IpIdent, allHomes(layout, partitions).length * IP_IDENT_ROWS)
}

/** Draws the id of a packet; `segments` of them at once for GSO. Addresses as in the header. */
export type IpSelectIdent = (cpu: number, saddr: number, daddr: number, protocol: number, segments: number) => number

/**
 * Ids step by one within a jiffy and by a random amount over time, so that nobody can count a host's packets. CPUs of
 * one partition share a table; Linux has one. Kernel: net/ipv4/route.c, __ip_select_ident, ip_idents_reserve
 */
export const ipSelectIdent = defineSystem<IpSelectIdent>(
  '__ip_select_ident',
  'ip',
  'net/ipv4/route.c, __ip_select_ident',
  (context) => {
    const { id, stampJiffies, drawn } = context.write(IpIdent)
    const { clockPs, home, homeNumber } = context.read(Cpu)
    const { jiffyPs, plan } = context.resource(PLAN_CONSTANTS)
    const [keyLow, keyHigh] = streamKey(plan.seed, 0, PURPOSE)
    return (cpu, saddr, daddr, protocol, segments) => {
      const hash = mixSigned32(
        mixSigned32(saddr ^ keyLow, daddr ^ keyHigh),
        (protocol + Math.imul(home[cpu], 0x9e3779b1)) | 0,
      )
      const row = 1 + homeNumber[cpu] * IP_IDENT_ROWS + (hash & (IP_IDENT_ROWS - 1))
      const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      let step = 0
      if (drawn[row] === 0) id[row] = hash
      if (now !== stampJiffies[row]) {
        const word = mix32(hash ^ keyLow, (drawn[row] + keyHigh) >>> 0)
        step = Math.floor((word * Math.min(now - stampJiffies[row], 0xffff)) / 4294967296)
        stampJiffies[row] = now
      }
      drawn[row]++
      id[row] = (id[row] + segments + step) >>> 0
      return (id[row] - segments) & 0xffff
    }
  },
)
