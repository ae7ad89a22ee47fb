import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { groPolicy } from './gro-policy.js'

/** Values of `Skb.groIdMode` of a held packet. */
const ID_FIXED = 2
const ID_INCREMENTING = 1

const TOS_AND_TTL = 0x00ffff00

/**
 * True if the IPv4 headers of a held packet and the next of its flow forbid merging: ttl, tos (with ECN), DF, or an IP
 * id that neither counts up by one nor stays the same. The second packet of a flow decides which of the two it is.
 * Kernel: include/net/gro.h, inet_gro_flush; before 6.10 inside net/ipv4/af_inet.c, inet_gro_receive
 */
export const inetGroFlush = defineSystem<(held: number, row: number) => boolean>(
  'inet_gro_flush',
  'gro',
  'include/net/gro.h, inet_gro_flush',
  (context) => {
    const { IP_DF } = NUMBERS

    const { ipWord, idFrag, frames } = context.read(Skb)
    const { groIdMode } = context.write(Skb)
    const { fixedIdWithoutDf } = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)
    return (held, row) => {
      if (((ipWord[held] ^ ipWord[row]) & TOS_AND_TTL) !== 0) return true
      const first = idFrag[held]
      const own = idFrag[row]
      if (((first ^ own) & IP_DF) !== 0) return true
      const distance = ((own >>> 16) - (first >>> 16)) & 0xffff
      const segments = frames[held]
      if (segments === 1) {
        groIdMode[held] = distance === 0 && (fixedIdWithoutDf || (own & IP_DF) !== 0) ? ID_FIXED : ID_INCREMENTING
      }
      return distance !== (groIdMode[held] === ID_FIXED ? 0 : segments & 0xffff)
    }
  },
)
