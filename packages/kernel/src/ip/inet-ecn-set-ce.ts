import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

const TOS_SHIFT = 8
const ECN_MASK = 3

/** Marks a packet as having met congestion; false if its sender does not know of ECN. Kernel: include/net/inet_ecn.h, INET_ECN_set_ce */
export type InetEcnSetCe = (cpu: number, row: number) => boolean

/** Kernel: include/net/inet_ecn.h, IP_ECN_set_ce */
export const inetEcnSetCe = defineSystem<InetEcnSetCe>(
  'inet_ecn_set_ce',
  'ip',
  'include/net/inet_ecn.h, INET_ECN_set_ce',
  (context) => {
    const { ETH_P_IP } = NUMBERS

    const { ipWord } = context.write(Skb)
    const { protocol, page } = context.read(Skb)
    const bytes = context.system(skbBytes)
    return (cpu, row) => {
      if (protocol[row] !== ETH_P_IP || ((ipWord[row] >>> TOS_SHIFT) & ECN_MASK) === 0) return false
      if (page[row] !== 0 && !bytes.cow(cpu, row)) return false
      ipWord[row] = (ipWord[row] | (ECN_MASK << TOS_SHIFT)) >>> 0
      if (page[row] !== 0) bytes.sendCheck(row)
      return true
    }
  },
)
