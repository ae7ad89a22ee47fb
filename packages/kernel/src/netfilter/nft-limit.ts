import { defineSystem } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { Skb } from '../skb/components.js'
import { NftLimit } from './components.js'

const PS_PER_NS = 1000

/** Whether a packet passes a limit (or, with `over`, is beyond it). */
export type NftLimitEval = (cpu: number, row: number, limit: number) => boolean

/** A bucket of time in whole nanoseconds: it fills with the clock, and each packet costs its share. */
export const nftLimit = defineSystem<NftLimitEval>(
  'nft_limit_eval',
  'netfilter',
  'net/netfilter/nft_limit.c, nft_limit_eval',
  (context) => {
    const { tokensNs, lastNs } = context.write(NftLimit)
    const { maxNs, costNs, unitNs, rate, over } = context.read(NftLimit)
    const { clockPs } = context.read(Cpu)
    const { len } = context.read(Skb)

    /** floor(unit × bytes / rate) without a product that needs more than 53 bits. */
    function bytesCostNs(limit: number, bytes: number): number {
      const perByteNs = Math.floor(unitNs[limit] / rate[limit])
      const restNs = unitNs[limit] - perByteNs * rate[limit]
      return perByteNs * bytes + Math.floor((restNs * bytes) / rate[limit])
    }

    return (cpu, row, limit) => {
      const nowNs = Math.floor(clockPs[cpu] / PS_PER_NS)
      const savedNs = Math.min(tokensNs[limit] + nowNs - lastNs[limit], maxNs[limit])
      lastNs[limit] = nowNs
      const cost = unitNs[limit] === 0 ? costNs[limit] : bytesCostNs(limit, len[row])
      const within = savedNs >= cost
      tokensNs[limit] = within ? savedNs - cost : savedNs
      return within !== (over[limit] !== 0)
    }
  },
)
