import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { fibLookup } from './fib-lookup.js'
import { ANY_FLOW } from './flow.js'
import { ifAddrs } from './ifaddr.js'
import { zeronetShift } from './zeronet.js'

const DSCP = 0xfc

/** Our address for the sender of a packet that came in: its destination if that is ours alone. Kernel: net/ipv4/fib_frontend.c, fib_compute_spec_dst */
export const specDst = defineSystem<(cpu: number, row: number) => number>(
  'fib_compute_spec_dst',
  'route',
  'net/ipv4/fib_frontend.c, fib_compute_spec_dst',
  (context) => {
    const { RTCF, SCOPE } = NUMBERS

    const { rtFlags, saddr, daddr, dev, ipWord } = context.read(Skb)
    const { net } = context.read(Cpu)
    const fib = context.system(fibLookup)
    const zeronet = zeronetShift(context.resource(PLAN_CONSTANTS).plan.kernel)
    const addresses = context.system(ifAddrs)
    const kinds = RTCF.local | RTCF.broadcast | RTCF.multicast
    return (cpu, row) => {
      if ((rtFlags[row] & kinds) === RTCF.local) return daddr[row] | 0
      const at = net[cpu]
      const source = saddr[row] | 0
      if (source >>> zeronet === 0) return addresses.select(at, dev[row], source, SCOPE.link)
      const route = fib.find(at, source, (ipWord[row] >>> 8) & DSCP, 0, SCOPE.universe, ANY_FLOW)
      return route > 0 ? fib.prefsrc(at, route) : addresses.select(at, dev[row], source, SCOPE.universe)
    }
  },
)
