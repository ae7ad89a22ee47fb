import { defineSystem } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groNormal } from './gro-normal.js'

/**
 * Finishes a held packet that is on no bucket any more: writes the lengths of the whole into its headers and puts it
 * on the NAPI's batch. A packet that stayed alone goes on as it came.
 */
export const groComplete = defineSystem<(cpu: number, napi: number, held: number) => void>(
  'gro_complete',
  'gro',
  'net/core/gro.c, gro_complete; inet_gro_complete, tcp_gro_complete, udp_gro_complete',
  (context) => {
    const { IP_HEADER_BYTES, PROTO_UDP, SKB, STAGE } = NUMBERS

    const { frames, len, ipWord } = context.read(Skb)
    const { flags, gsoSize, totLen, udpLen } = context.write(Skb)
    const normal = context.system(groNormal)
    const pay = context.system(charge)
    return (cpu, napi, held) => {
      pay(cpu, STAGE.gro_flush, 1)
      const segments = frames[held]
      if (segments === 1) {
        gsoSize[held] = 0
        flags[held] &= ~SKB.fragList
      } else {
        flags[held] |= SKB.gso | SKB.csumUnnecessary
        totLen[held] = len[held]
        if ((ipWord[held] & 0xff) === PROTO_UDP) udpLen[held] = len[held] - IP_HEADER_BYTES
      }
      normal.one(cpu, napi, held, segments)
    }
  },
)
