import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { thisCpu } from '../cpu/this-cpu.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { NUMBERS } from '../numbers.js'
import { ERRNO, FibChild, FibNode, FibPrefix, FibRoot, FibRoute, InDev, RTN } from './components.js'
import { fibRulesLookup } from './fib-rules.js'
import type { Flow } from './flow.js'
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
   * Row of the route for an address (above 0), or a negative errno. Of a route with several next hops it is that of the
   * first one that can be used. `oif` 0: any device. Kernel: include/net/ip_fib.h, fib_lookup
   */
  find(host: number, address: number, tos: number, oif: number, scope: number, flow: Flow): number
  /** Type of an address, `RTN.unicast` where no route is found; `dev` 0: any. Kernel: net/ipv4/fib_frontend.c, inet_addr_type */
  addressType(host: number, address: number, dev: number): number
  /** Row of the route that makes an address a local one, or a negative errno. Kernel: net/ipv4/devinet.c, __ip_dev_find */
  localRoute(host: number, address: number): number
  /** Source address that goes with a route. Kernel: net/ipv4/fib_semantics.c, fib_result_prefsrc */
  prefsrc(host: number, route: number): number
  /** True if the device of a next hop is down or has no carrier, as this CPU knows it. Kernel: net/ipv4/fib_trie.c, fib_lookup_good_nhc */
  isGone(path: number): boolean
  /** Whether a route has a next hop on a device. Kernel: net/ipv4/fib_frontend.c, fib_info_nh_uses_dev */
  usesDevice(route: number, dev: number): boolean
}

/** Bits of the type of service that routes go by. Kernel: include/net/ip_fib.h, fib_dscp_masked_match */
const LEGACY_TOS = 0x1c

/** Longest-prefix lookup. Its work grows with the depth of the trie, as in Linux. Kernel: net/ipv4/fib_trie.c, fib_table_lookup */
export const fibLookup = defineSystem<FibLookup>(
  'fib_table_lookup',
  'route',
  'net/ipv4/fib_trie.c, fib_table_lookup',
  (context) => {
    const { DEV, ERRNO, RTN, SCOPE } = NUMBERS

    const { node: root, fallback, local, ruleCount } = context.read(FibRoot)
    const { key, pos, bits, best, child } = context.read(FibNode)
    const { node: children } = context.read(FibChild)
    const { route: firstRoute, covering, lengthBits } = context.read(FibPrefix)
    const routes = context.read(FibRoute)
    const { next, nextPath, firstPath, type, tos: routeTos, scope: routeScope, dev, gateway, prefsrc } = routes
    const { dead, nhScope, added } = routes
    const { plan, cpuRows, firstDevice } = context.resource(PLAN_CONSTANTS)
    const zeronet = zeronetShift(plan.kernel)
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    const { ignoreRoutesWithLinkdown } = context.read(InDev)
    const here = context.system(thisCpu)
    const addresses = context.system(ifAddrs)
    const byRules = context.system(fibRulesLookup)
    const typeError = Int16Array.from({ length: 16 }, (_, each) => TYPE_ERROR[each] ?? 0)

    function longest(from: number, address: number): number {
      let at = from
      while (at > 0) {
        const index = (address ^ key[at]) >>> pos[at]
        if (index >>> bits[at] !== 0) return best[at]
        at = children[child[at] + index]
      }
      return -at
    }

    function deviceBits(path: number): number {
      return views === null ? 0 : views[(dev[path] - firstDevice) * cpuRows + here.id()]
    }

    /** What is lost when a device goes down comes back with it only where another next hop has kept the route. */
    function isFlushed(path: number): boolean {
      if (firstPath[path] === 0) return added[path] !== 0
      for (let other = firstPath[path]; other !== 0; other = nextPath[other])
        if ((deviceBits(other) & DEV.flushed) === 0) return false
      return true
    }

    function isGone(path: number): boolean {
      if (dead[path] !== 0) return true
      if (views === null || dev[path] === 0 || nhScope[path] === SCOPE.nowhere) return false
      const state = deviceBits(path)
      if ((state & DEV.down) !== 0 || ((state & DEV.flushed) !== 0 && isFlushed(path))) return true
      return (state & DEV.linkDown) !== 0 && ignoreRoutesWithLinkdown[dev[path]] !== 0
    }

    /** First next hop of a route that can be used, 0 for none. */
    function goodPath(route: number, oif: number): number {
      let path = route
      while (path !== 0 && (isGone(path) || (oif !== 0 && oif !== dev[path]))) path = nextPath[path]
      return path
    }

    let matchedPrefix = 0

    function inTable(from: number, address: number, tos: number, oif: number, scope: number): number {
      for (let prefix = longest(from, address); prefix !== 0; prefix = covering[prefix]) {
        for (let route = firstRoute[prefix]; route !== 0; route = next[route]) {
          if (routeTos[route] !== 0 && routeTos[route] !== (tos & LEGACY_TOS)) continue
          if (routeScope[route] < scope) continue
          const error = typeError[type[route]]
          if (error !== 0) return error
          const path = goodPath(route, oif)
          if (path === 0) continue
          matchedPrefix = prefix
          return path
        }
      }
      return -ERRNO.EAGAIN
    }

    function matchedBits(): number {
      return lengthBits[matchedPrefix]
    }

    return {
      isGone,
      find(host, address, tos, oif, scope, flow) {
        if (ruleCount[host + 1] !== 0) return byRules(host, address, tos, oif, scope, flow, inTable, matchedBits)
        let found = inTable(root[host + 1], address, tos, oif, scope)
        if (found === -ERRNO.EAGAIN && fallback[host + 1] !== 0)
          found = inTable(fallback[host + 1], address, tos, oif, scope)
        return found === -ERRNO.EAGAIN ? -ERRNO.ENETUNREACH : found
      },
      addressType(host, address, onlyDev) {
        if (address >>> zeronet === 0 || address === -1) return RTN.broadcast
        if (address >>> 28 === 14) return RTN.multicast
        const route = inTable(local[host + 1], address, 0, 0, SCOPE.universe)
        if (route < 0) return RTN.unicast
        return onlyDev === 0 || dev[route] === onlyDev ? type[route] : RTN.unicast
      },
      localRoute(host, address) {
        const route = inTable(local[host + 1], address, 0, 0, SCOPE.universe)
        return route < 0 || type[route] === RTN.local ? route : -ERRNO.ENETUNREACH
      },
      prefsrc(host, route) {
        const given = prefsrc[route] | 0
        if (given !== 0) return given
        return addresses.select(host, dev[route], gateway[route] | 0, routeScope[route])
      },
      usesDevice(route, device) {
        if (firstPath[route] === 0) return dev[route] === device
        for (let path = firstPath[route]; path !== 0; path = nextPath[path]) if (dev[path] === device) return true
        return false
      },
    }
  },
)
