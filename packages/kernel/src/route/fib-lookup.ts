import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { thisCpu } from '../cpu/this-cpu.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { NUMBERS } from '../numbers.js'
import { ERRNO, FibChild, FibNode, FibPrefix, FibRoot, FibRoute, InDev, RTN } from './components.js'
import { ifAddrs } from './ifaddr.js'
import { zeronetShift } from './zeronet.js'

/** Errors that a route's type stands for, negative; 0 where packets can use it. Kernel: net/ipv4/fib_semantics.c, fib_props */
const TYPE_ERROR: Readonly<Record<number, number>> = {
  [RTN.blackhole]: -ERRNO.EINVAL,
  [RTN.unreachable]: -ERRNO.EHOSTUNREACH,
  [RTN.prohibit]: -ERRNO.EACCES,
  [RTN.throw]: -ERRNO.EAGAIN,
}

/** The routing tables of a host; addresses are signed 32-bit integers. */
export interface FibLookup {
  /**
   * Row of the route for an address (above 0), or a negative errno. `oif` 0: any device; `tos` without the ECN bits.
   * Kernel: include/net/ip_fib.h, fib_lookup
   */
  find(host: number, address: number, tos: number, oif: number, scope: number): number
  /** Row of `FibPrefix` of the longest prefix that holds an address, 0 for none, whatever its routes. */
  prefix(host: number, address: number): number
  /** Type of an address, `RTN.unicast` where no route is found; `dev` 0: any. Kernel: net/ipv4/fib_frontend.c, inet_addr_type */
  addressType(host: number, address: number, dev: number): number
  /** Source address that goes with a route. Kernel: net/ipv4/fib_semantics.c, fib_result_prefsrc */
  prefsrc(host: number, route: number): number
}

/** Longest-prefix lookup. Its work grows with the depth of the trie, as in Linux. Kernel: net/ipv4/fib_trie.c, fib_table_lookup */
export const fibLookup = defineSystem<FibLookup>(
  'fib_table_lookup',
  'route',
  'net/ipv4/fib_trie.c, fib_table_lookup',
  (context) => {
    const { DEV, ERRNO, RTN, SCOPE, TABLE } = NUMBERS

    const { node: root } = context.read(FibRoot)
    const { key, pos, bits, best, child } = context.read(FibNode)
    const { node: children } = context.read(FibChild)
    const { route: firstRoute, covering } = context.read(FibPrefix)
    const routes = context.read(FibRoute)
    const { next, type, tos: routeTos, scope: routeScope, dev, gateway, prefsrc, table, dead, nhScope, added } = routes
    const { plan, cpuRows, firstDevice } = context.resource(PLAN_CONSTANTS)
    const zeronet = zeronetShift(plan.kernel)
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    const { ignoreRoutesWithLinkdown } = context.read(InDev)
    const here = context.system(thisCpu)
    const addresses = context.system(ifAddrs)
    const typeError = Int16Array.from({ length: 16 }, (_, each) => TYPE_ERROR[each] ?? 0)

    function longest(host: number, address: number): number {
      let at = root[host + 1]
      while (at > 0) {
        const index = (address ^ key[at]) >>> pos[at]
        if (index >>> bits[at] !== 0) return best[at]
        at = children[child[at] + index]
      }
      return -at
    }

    /** True if the route's device is down or has no carrier, as this CPU knows it. Kernel: net/ipv4/fib_trie.c, fib_lookup_good_nhc */
    function isGone(route: number): boolean {
      if (dead[route] !== 0) return true
      if (views === null || dev[route] === 0 || nhScope[route] === SCOPE.nowhere) return false
      const bits = views[(dev[route] - firstDevice) * cpuRows + here.id()]
      if ((bits & DEV.down) !== 0 || ((bits & DEV.flushed) !== 0 && added[route] !== 0)) return true
      return (bits & DEV.linkDown) !== 0 && ignoreRoutesWithLinkdown[dev[route]] !== 0
    }

    function usable(route: number, tos: number, oif: number, scope: number): boolean {
      if (routeTos[route] !== 0 && routeTos[route] !== tos) return false
      return routeScope[route] >= scope && (oif === 0 || typeError[type[route]] !== 0 || oif === dev[route])
    }

    function find(host: number, address: number, tos: number, oif: number, scope: number): number {
      for (let prefix = longest(host, address); prefix !== 0; prefix = covering[prefix]) {
        for (let route = firstRoute[prefix]; route !== 0; route = next[route]) {
          if (isGone(route) || !usable(route, tos, oif, scope)) continue
          const error = typeError[type[route]]
          if (error === 0) return route
          // A throw route ends the search of the only table there is.
          return error === -ERRNO.EAGAIN ? -ERRNO.ENETUNREACH : error
        }
      }
      return -ERRNO.ENETUNREACH
    }

    return {
      find,
      prefix: longest,
      addressType(host, address, onlyDev) {
        if (address >>> zeronet === 0 || address === -1) return RTN.broadcast
        if (address >>> 28 === 14) return RTN.multicast
        for (let prefix = longest(host, address); prefix !== 0; prefix = covering[prefix]) {
          for (let route = firstRoute[prefix]; route !== 0; route = next[route]) {
            if (isGone(route) || table[route] !== TABLE.local) continue
            return onlyDev === 0 || dev[route] === onlyDev ? type[route] : RTN.unicast
          }
        }
        return RTN.unicast
      },
      prefsrc(host, route) {
        const given = prefsrc[route] | 0
        if (given !== 0) return given
        return addresses.select(host, dev[route], gateway[route] | 0, routeScope[route])
      },
    }
  },
)
