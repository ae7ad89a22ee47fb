import { defineSystem } from '@softnet/ecs'
import { ipv4MulticastMacLo } from '@softnet/wire'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmit } from '../qdisc/dev-queue-xmit.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { neighLookup } from './neigh-lookup.js'
import { neighbours } from './neighbour.js'

/** Hands a packet to the device of its route with the hardware address of its next hop; 0 or a negative errno. */
export type NeighOutput = (cpu: number, row: number) => number

const GROUP_HIGH = 0x0100
const BROADCAST_HIGH = 0xffff
const BROADCAST_LOW = 0xffffffff

/** Finds the hardware address a packet goes to; groups and broadcasts need none to be asked for. Kernel: include/net/route.h, ip_neigh_for_gw */
export const neighOutput = defineSystem<NeighOutput>(
  'neigh_output',
  'neigh',
  'include/net/neighbour.h, neigh_output',
  (context) => {
    const { DROP, ERRNO, IFF, RTN } = NUMBERS

    const { macHigh, macLow } = context.write(Skb)
    const { daddr, rtDev, rtGateway, rtType } = context.read(Skb)
    const { arp, iff } = context.read(NetDev)
    const xmit = context.system(devQueueXmit)
    const lookup = context.system(neighLookup)
    const neigh = context.system(neighbours)
    const kfree = context.system(kfreeSkb)
    return (cpu, row) => {
      const dev = rtDev[row]
      if (arp[dev] === 0 || (iff[dev] & (IFF.noarp | IFF.loopback)) !== 0) {
        macHigh[row] = 0
        macLow[row] = 0
        return xmit(cpu, row)
      }
      const hop = rtGateway[row] === 0 ? daddr[row] | 0 : rtGateway[row] | 0
      if (hop >>> 28 === 14) {
        macHigh[row] = GROUP_HIGH
        macLow[row] = ipv4MulticastMacLo(hop)
        return xmit(cpu, row)
      }
      if (rtType[row] === RTN.broadcast && rtGateway[row] === 0) {
        macHigh[row] = BROADCAST_HIGH
        macLow[row] = BROADCAST_LOW
        return xmit(cpu, row)
      }
      const found = lookup.create(cpu, hop, dev)
      if (found !== 0) return neigh.output(cpu, found, row)
      kfree(cpu, row, DROP.neighCreateFail)
      return -ERRNO.ENOBUFS
    }
  },
)
