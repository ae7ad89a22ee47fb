import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { FibRoute, HostDev, InDev } from './components.js'
import { fibLookup } from './fib-lookup.js'
import { ifAddrs } from './ifaddr.js'

/**
 * Checks a packet's source: −1 − drop place if it is refused, 1 if the sender is on the link of the device, else 0.
 * `oif` is the device the packet would leave by, 0 for local delivery.
 */
export type FibValidateSource = (host: number, source: number, tos: number, oif: number, dev: number) => number

const DSCP = 0xfc

/** Martian sources and the reverse-path filter. Kernel: net/ipv4/fib_frontend.c, fib_validate_source */
export const fibValidateSource = defineSystem<FibValidateSource>(
  'fib_validate_source',
  'route',
  'net/ipv4/fib_frontend.c, fib_validate_source',
  (context) => {
    const { DROP, RTN, SCOPE } = NUMBERS

    const { acceptLocal, rpFilter, sendRedirects, firstAddress } = context.read(InDev)
    const { type, dev: routeDev, nhScope } = context.read(FibRoute)
    const { loopback } = context.read(HostDev)
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)

    function refused(drop: number): number {
      return -1 - drop
    }

    /** Kernel: net/ipv4/fib_frontend.c, __fib_validate_source */
    function full(host: number, source: number, tos: number, dev: number, filter: number): number {
      const lastResort = filter === 0 ? 0 : refused(DROP.rpFilter)
      const route = fib.find(host, source, tos & DSCP, 0, SCOPE.universe)
      if (route < 0) return lastResort
      if (type[route] !== RTN.unicast) {
        if (type[route] !== RTN.local) return refused(DROP.invalidSource)
        if (acceptLocal[dev] === 0) return refused(DROP.localSource)
      }
      const isMatch = routeDev[route] === dev || (type[route] === RTN.local && dev === loopback[host + 1])
      if (isMatch) return nhScope[route] >= SCOPE.host ? 1 : 0
      if (firstAddress[dev] === 0) return lastResort
      if (filter === 1) return refused(DROP.rpFilter)
      const back = fib.find(host, source, tos & DSCP, dev, SCOPE.universe)
      return back >= 0 && type[back] === RTN.unicast && nhScope[back] >= SCOPE.host ? 1 : 0
    }

    return (host, source, tos, oif, dev) => {
      const filter = rpFilter[dev]
      if (filter !== 0 || (dev === oif && sendRedirects[dev] !== 0)) return full(host, source, tos, dev, filter)
      if (acceptLocal[dev] !== 0 || addresses.find(host, source) === 0) return 0
      return refused(DROP.localSource)
    }
  },
)
