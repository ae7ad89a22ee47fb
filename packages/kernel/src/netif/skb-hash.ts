import { defineSystem } from '@softnet/ecs'
import { flowHash } from '@softnet/wire'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { flowKey } from './flow-key.js'

/** Hash of a packet's flow: the card's if it covered the ports, else one of software that is the same both ways. */
export type SkbHash = (cpu: number, row: number) => number

const FRAGMENT = 0x3fff

/** Finds the hash once and keeps it. Kernel: net/core/flow_dissector.c, __skb_get_hash_net */
export const skbHash = defineSystem<SkbHash>(
  'skb_get_hash',
  'netif',
  'net/core/flow_dissector.c, __skb_get_hash_net',
  (context) => {
    const { ETH_P_IP, SKB } = NUMBERS

    const { hash, flags } = context.write(Skb)
    const { saddr, daddr, ports, ipWord, idFrag, protocol } = context.read(Skb)
    // Linux draws this key at boot; here it follows from the seed.
    const constants = context.resource(PLAN_CONSTANTS)
    const { seed } = constants.plan
    const keyLow = perCpu(constants, (_, index) => flowKey(seed, index)[0])
    const keyHigh = perCpu(constants, (_, index) => flowKey(seed, index)[1])
    return (cpu, row) => {
      if ((flags[row] & (SKB.l4Hash | SKB.swHash)) !== 0) return hash[row]
      const isIp = protocol[row] === ETH_P_IP
      const proto = ipWord[row] & 0xff
      const withPorts = isIp && (idFrag[row] & FRAGMENT) === 0 && (proto === 17 || proto === 6)
      const both = withPorts ? ports[row] : 0
      hash[row] = isIp
        ? flowHash(keyLow[cpu], keyHigh[cpu], saddr[row], daddr[row], both >>> 16, both & 0xffff, proto)
        : 0
      flags[row] |= SKB.swHash
      return hash[row]
    }
  },
)
