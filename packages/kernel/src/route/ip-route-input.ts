import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ipCheckMc } from '../igmp/igmp-groups.js'
import { hasEvents } from '../link/fill-link.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { FibRoot, FibRoute, InDev } from './components.js'
import { fibExceptions, hasExceptions } from './fib-exceptions.js'
import { fibLookup } from './fib-lookup.js'
import { fibSelectMultipath } from './fib-multipath.js'
import { fibValidateSource } from './fib-validate-source.js'
import { Flow } from './flow.js'
import { ifAddrs } from './ifaddr.js'
import { skbFlow, usesFlows } from './skb-flow.js'
import { zeronetShift } from './zeronet.js'

/**
 * Routes a packet that came in towards `dest` (its own destination, or the next one of a source route): sets its route
 * columns and returns 0, or `refused(drop)` if it is to be dropped at once.
 */
export type RouteInput = (cpu: number, row: number, dest: number) => number

/** Drop place of a negative answer of `ipRouteInput`. */
export function routeDrop(answer: number): number {
  return -1 - answer
}

const LIMITED_BROADCAST = -1
const DSCP = 0xfc

function refused(drop: number): number {
  return -1 - drop
}

/**
 * Decides what a packet is: ours, everybody's, somebody else's, or refused, with every test on its addresses in Linux's
 * order. A route with `rtError` refuses the packet once it is used (`ip_error`).
 * Kernel: net/ipv4/route.c, ip_route_input_rcu, ip_route_input_slow
 */
export const ipRouteInput = defineSystem<RouteInput>(
  'ip_route_input',
  'route',
  'net/ipv4/route.c, ip_route_input_slow',
  (context) => {
    const { DROP, ERRNO, ETH_P_IP, IPPROTO_IGMP, IPSKB, RTCF, RTN, SCOPE } = NUMBERS

    const { rtType, rtFlags, rtDev, rtGateway, rtMtu, rtError, ipcb } = context.write(Skb)
    const { saddr, dev, ipWord, protocol } = context.read(Skb)
    const { net } = context.read(Cpu)
    const { type, dev: routeDev, gateway, mtu, mtuLocked, firstPath } = context.read(FibRoute)
    const { ruleCount } = context.read(FibRoot)
    const inDev = context.read(InDev)
    const { forwarding, proxyArpPvlan, routeLocalnet, sendRedirects, sharedMedia } = inDev
    const zeronet = zeronetShift(context.resource(PLAN_CONSTANTS).plan.kernel)
    const fib = context.system(fibLookup)
    const validate = context.system(fibValidateSource)
    const addresses = context.system(ifAddrs)
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const learnsPaths = hasExceptions(plan)
    const usesPmtu = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_forward_use_pmtu ?? 0)
    const exceptions = context.system(fibExceptions)
    const isJoined = context.system(ipCheckMc)
    const flows = usesFlows(plan) ? context.system(skbFlow) : null
    const select = context.system(fibSelectMultipath)
    const flow = new Flow()

    // Packets of one batch mostly have one destination, whose route is then at hand. Routes are constant where no
    // device comes or goes.
    const isConstant = !hasEvents(plan)
    let hintHost = -1
    let hintDest = 0
    let hintTos = 0
    let hintRoute = 0

    function find(cpu: number, row: number, dest: number, tos: number): number {
      const at = net[cpu]
      if (flows !== null) flows.input(cpu, row, flow)
      if (!isConstant || (flows !== null && ruleCount[at + 1] !== 0))
        return fib.find(at, dest, tos, 0, SCOPE.universe, flow)
      if (at !== hintHost || dest !== hintDest || tos !== hintTos) {
        hintRoute = fib.find(at, dest, tos, 0, SCOPE.universe, flow)
        hintHost = at
        hintDest = dest
        hintTos = tos
      }
      return hintRoute
    }

    function set(row: number, kind: number, flags: number, out: number): number {
      rtType[row] = kind
      rtFlags[row] = flags | RTCF.input
      rtDev[row] = out
      rtGateway[row] = 0
      rtError[row] = 0
      return 0
    }

    function tosOf(row: number): number {
      return (ipWord[row] >>> 8) & DSCP
    }

    /** Kernel: net/ipv4/route.c, ip_mc_validate_source, ip_route_input_mc */
    function multicastRoute(cpu: number, row: number, source: number, dest: number): number {
      if (!isJoined(dev[row], dest) || protocol[row] !== ETH_P_IP) return refused(DROP.notJoined)
      if (source >>> 28 === 14 || source === LIMITED_BROADCAST) return refused(DROP.invalidSource)
      if (source >>> 24 === 127 && routeLocalnet[dev[row]] === 0) return refused(DROP.localnet)
      if (source >>> zeronet === 0) {
        const linkLocalGroup = dest >>> 8 === 0xe00000
        if (!linkLocalGroup && (ipWord[row] & 255) !== IPPROTO_IGMP) return refused(DROP.invalidSource)
      } else {
        const invalid = validate(cpu, row, source, 0, tosOf(row), 0)
        if (invalid < 0) return invalid
      }
      return set(row, RTN.multicast, RTCF.multicast | RTCF.local, dev[row])
    }

    function broadcastRoute(cpu: number, row: number, source: number): number {
      if (protocol[row] !== ETH_P_IP) return refused(DROP.arpRefused)
      if (source >>> zeronet !== 0) {
        const invalid = validate(cpu, row, source, 0, tosOf(row), 0)
        if (invalid < 0) return invalid
      }
      return set(row, RTN.broadcast, RTCF.broadcast | RTCF.local, dev[row])
    }

    function errorRoute(row: number, error: number): number {
      set(row, RTN.unreachable, 0, dev[row])
      rtError[row] = error
      return 0
    }

    /** Kernel: net/ipv4/route.c, __mkroute_input */
    function forwardRoute(cpu: number, row: number, source: number, dest: number, found: number): number {
      const device = dev[row]
      const route = firstPath[found] === 0 ? found : select(cpu, found, dest, 0, flow)
      const out = routeDev[route]
      const valid = validate(cpu, row, source, dest, tosOf(row), out)
      if (valid < 0) return valid
      if (protocol[row] !== ETH_P_IP) {
        if (out === device && proxyArpPvlan[device] === 0) return refused(DROP.arpRefused)
      } else if (out === device && valid > 0 && sendRedirects[out] !== 0) {
        if (sharedMedia[out] !== 0 || addresses.onlink(out, source, gateway[route] | 0)) ipcb[row] |= IPSKB.doRedirect
      }
      const exception = learnsPaths ? exceptions.find(cpu, route, dest) : 0
      const via = exceptions.gateway(exception) || gateway[route]
      set(row, RTN.unicast, via === 0 ? 0 : RTCF.gateway, out)
      rtGateway[row] = via
      rtMtu[row] = mtu[route] === 0 ? inDev.mtu[out] : mtu[route]
      const learnt = exceptions.pmtu(cpu, exception)
      if (learnt !== 0 && (usesPmtu[net[cpu]] !== 0 || exceptions.locked(exception) || mtuLocked[route] !== 0))
        rtMtu[row] = learnt
      return 0
    }

    return (cpu, row, dest) => {
      const source = saddr[row] | 0
      if (dest >>> 28 === 14) return multicastRoute(cpu, row, source, dest)
      if (source >>> 28 === 14 || source === LIMITED_BROADCAST) return refused(DROP.invalidSource)
      if (dest === LIMITED_BROADCAST || (source === 0 && dest === 0)) return broadcastRoute(cpu, row, source)
      if (source >>> zeronet === 0) return refused(DROP.invalidSource)
      if (dest >>> zeronet === 0) return refused(DROP.invalidDest)
      const device = dev[row]
      if ((dest >>> 24 === 127 || source >>> 24 === 127) && routeLocalnet[device] === 0) return refused(DROP.localnet)
      const route = find(cpu, row, dest, tosOf(row))
      if (route < 0) return errorRoute(row, forwarding[device] === 0 ? ERRNO.EHOSTUNREACH : -route)
      if (type[route] === RTN.broadcast) return broadcastRoute(cpu, row, source)
      if (type[route] === RTN.local) {
        const invalid = validate(cpu, row, source, dest, tosOf(row), 0)
        return invalid < 0 ? invalid : set(row, RTN.local, RTCF.local, device)
      }
      if (forwarding[device] === 0) return errorRoute(row, ERRNO.EHOSTUNREACH)
      if (type[route] !== RTN.unicast) return refused(DROP.invalidDest)
      return forwardRoute(cpu, row, source, dest, route)
    }
  },
)
