import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groPolicy } from './gro-policy.js'

/** Largest packet of the years before BIG TCP, bytes. Kernel: include/linux/netdevice.h, GRO_LEGACY_MAX_SIZE */
const LEGACY_MAX_BYTES = 65536
/** Kernel: include/linux/skbuff.h, MAX_SKB_FRAGS */
const MAX_FRAGS = 17
/** Aligned sizeof(struct sk_buff), bytes: what a packet still weighs after its head page was taken. */
const SK_BUFF_BYTES = 256

/** Joins packets. Both return 0 if the held packet must not grow, otherwise `OUTCOME.merged`, with `stolen` or without. */
export interface SkbGroReceive {
  /** Adds `bytes` of L4 payload to a held packet, which may reach its device's gro_max_size only if `big`. */
  segment(held: number, row: number, bytes: number, flush: boolean, big: boolean): number
  /** Chains the whole skb. Kernel: net/core/gro.c, skb_gro_receive_list */
  list(held: number, row: number, bytes: number): number
}

/**
 * Merging of one packet into a held one: frames, bytes and truesize add up. A head that lies in a page is taken as a
 * fragment until 17 are used; a head from kmalloc, or the 18th, goes to the frag_list with its full truesize.
 */
export const skbGroReceive = defineSystem<SkbGroReceive>(
  'skb_gro_receive',
  'gro',
  'net/core/gro.c, skb_gro_receive',
  (context) => {
    const { OUTCOME, SKB } = NUMBERS

    const { flags, dev, allocCpu } = context.read(Skb)
    const { clockPs } = context.read(Cpu)
    const { frames, wireBytes, len, payload, truesize, groFrags } = context.write(Skb)
    const { groMaxSizeBytes, copybreakBytes, virtualDevice } = context.read(NetDev)
    const trace = context.resource(TRACE_SINK)
    const { maxSizeSettable, copiedHeadIsPage } = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)

    function grow(held: number, row: number, bytes: number, truesizeBytes: number): void {
      if (trace.on) trace.merge(allocCpu[row], clockPs[allocCpu[row]], held, row)
      frames[held] += frames[row]
      wireBytes[held] += wireBytes[row]
      len[held] += bytes
      payload[held] += bytes
      truesize[held] += truesizeBytes
    }

    function headIsPage(row: number): boolean {
      if ((flags[row] & SKB.noEthernet) !== 0) return false
      const device = dev[row]
      if (virtualDevice[device] !== 0) return false
      return copiedHeadIsPage || wireBytes[row] > copybreakBytes[device]
    }

    return {
      segment(held, row, bytes, flush, big) {
        if (((flags[held] ^ flags[row]) & SKB.ppRecycle) !== 0) return 0
        const grown = len[held] + bytes
        const limit = maxSizeSettable ? groMaxSizeBytes[dev[row]] : LEGACY_MAX_BYTES
        if (grown >= limit || flush || (!big && grown >= LEGACY_MAX_BYTES)) return 0
        if (headIsPage(row) && groFrags[held] < MAX_FRAGS) {
          groFrags[held]++
          // A datagram stays linked behind the held packet: it keeps the weight that it brought.
          truesize[row] -= SK_BUFF_BYTES
          grow(held, row, bytes, truesize[row])
          return OUTCOME.merged | OUTCOME.stolen
        }
        // The chained skb is now the last one, and later pages become its fragments.
        groFrags[held] = 0
        grow(held, row, bytes, truesize[row])
        return OUTCOME.merged
      },
      list(held, row, bytes) {
        if (len[held] + len[row] >= LEGACY_MAX_BYTES) return 0
        grow(held, row, bytes, truesize[row])
        return OUTCOME.merged
      },
    }
  },
)
