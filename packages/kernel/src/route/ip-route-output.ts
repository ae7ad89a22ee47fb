import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { thisCpu } from '../cpu/this-cpu.js'
import { ipCheckMc } from '../igmp/igmp-groups.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { FibRoute, HostDev, InDev } from './components.js'
import { fibExceptions } from './fib-exceptions.js'
import { fibLookup } from './fib-lookup.js'
import { fibSelectMultipath } from './fib-multipath.js'
import { ANY_FLOW, Flow } from './flow.js'
import { ifAddrs } from './ifaddr.js'
import { RouteResult } from './route-result.js'
import { zeronetShift } from './zeronet.js'

/** What a sender asks for; addresses signed, 0: not given. */
export interface RouteOutput {
  /**
   * Finds the way to `daddr` into `RouteResult`, the source address with it. Returns 0 or a negative errno.
   * `scope` link: without gateways. `flow` says more of the sender; its source is the one given here. Kernel: net/ipv4/route.c, ip_route_output_key_hash
   */
  find(cpu: number, daddr: number, saddr: number, tos: number, oif: number, flow?: Flow, scope?: number): number
}

const LOOPBACK_ADDRESS = 0x7f000001
const LIMITED_BROADCAST = -1
/** ECN bits do not take part in routing. */
const DSCP = 0xfc

function isMulticast(address: number): boolean {
  return address >>> 28 === 14
}

/** 224.0.0.0/24. */
function isLocalMulticast(address: number): boolean {
  return address >>> 8 === 0xe00000
}

/** Chooses route and source of packets the host sends. Kernel: net/ipv4/route.c, ip_route_output_key_hash_rcu */
export const ipRouteOutput = defineSystem<RouteOutput>(
  'ip_route_output',
  'route',
  'net/ipv4/route.c, ip_route_output_key_hash_rcu',
  (context) => {
    const { DEV, ERRNO, IFF, RTCF, RTN, SCOPE } = NUMBERS

    const result = context.write(RouteResult)
    const { net } = context.read(Cpu)
    const { type, dev, gateway, mtu, mtuLocked, hoplimit, prefsrc, firstPath } = context.read(FibRoute)
    const { iff } = context.read(NetDev)
    const { mtu: devMtu, routeLocalnet } = context.read(InDev)
    const { loopback } = context.read(HostDev)
    const { plan, cpuRows, firstDevice } = context.resource(PLAN_CONSTANTS)
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    const here = context.system(thisCpu)
    const zeronet = zeronetShift(plan.kernel)
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)
    const exceptions = context.system(fibExceptions)
    const isJoined = context.system(ipCheckMc)
    const select = context.system(fibSelectMultipath)
    const own = new Flow()

    /** Kernel: net/ipv4/route.c, __mkroute_output */
    function make(cpu: number, route: number, found: number, out: number, saddr: number, daddr: number): number {
      const isLoopback = (iff[out] & IFF.loopback) !== 0
      if (routeLocalnet[out] === 0 && saddr >>> 24 === 127 && !isLoopback) return -ERRNO.EINVAL
      let kind = found
      let via = route
      let flags = isLoopback || found === RTN.local ? RTCF.local : 0
      if (daddr === LIMITED_BROADCAST) {
        kind = RTN.broadcast
        via = 0
      } else if (isMulticast(daddr)) {
        kind = RTN.multicast
        via = 0
      } else if (daddr >>> zeronet === 0) return -ERRNO.EINVAL
      if (kind === RTN.broadcast) flags |= RTCF.broadcast | RTCF.local
      else if (kind === RTN.multicast) flags = RTCF.multicast | (isJoined(out, daddr) ? RTCF.local : 0)
      const exception = via > 0 && kind === RTN.unicast ? exceptions.find(cpu, via, daddr) : 0
      const next = via > 0 && kind === RTN.unicast ? exceptions.gateway(exception) || gateway[via] | 0 : 0
      if (next !== 0) flags |= RTCF.gateway
      result.type[cpu] = kind
      result.flags[cpu] = flags
      result.dev[cpu] = out
      result.gateway[cpu] = next
      const learnt = exceptions.pmtu(cpu, exception)
      result.route[cpu] = via
      const isLocked = exceptions.locked(exception) || (via > 0 && mtuLocked[via] !== 0)
      result.locked[cpu] = isLocked ? 1 : 0
      result.hoplimit[cpu] = via > 0 ? hoplimit[via] : 0
      result.mtu[cpu] = learnt !== 0 ? learnt : via > 0 && mtu[via] !== 0 ? mtu[via] : devMtu[out]
      result.saddr[cpu] = saddr
      result.daddr[cpu] = daddr
      return 0
    }

    /** Source given and no device: 0 to go on, a device to use, or an error. */
    function checkSource(at: number, saddr: number, daddr: number, oif: number): number {
      if (isMulticast(saddr) || saddr === LIMITED_BROADCAST) return -ERRNO.EINVAL
      const row = addresses.find(at, saddr)
      // What is no address of a device may still be one of the table of local routes, as 127.0.0.0/8 is.
      const local = row === 0 ? fib.localRoute(at, saddr) : 0
      if (local < 0) return -ERRNO.ENETUNREACH
      if (oif !== 0 || (!isMulticast(daddr) && daddr !== LIMITED_BROADCAST)) return 0
      return row === 0 ? dev[local] : addresses.deviceOf(row)
    }

    /** Whether a device is down, as this CPU knows it. */
    function isDown(dev: number): boolean {
      return views !== null && dev >= firstDevice && (views[(dev - firstDevice) * cpuRows + here.id()] & DEV.down) !== 0
    }

    function bySource(
      cpu: number,
      at: number,
      daddr: number,
      given: number,
      tos: number,
      oif: number,
      flow: Flow,
      scope: number,
    ): number {
      let saddr = given
      if (oif !== 0 && saddr === 0) {
        if (isLocalMulticast(daddr) || daddr === LIMITED_BROADCAST)
          return make(cpu, 0, RTN.unicast, oif, addresses.select(at, oif, 0, SCOPE.link), daddr)
        if (isMulticast(daddr)) saddr = addresses.select(at, oif, 0, scope)
        else if (daddr === 0) saddr = addresses.select(at, oif, 0, SCOPE.host)
      } else if (oif !== 0 && (isLocalMulticast(daddr) || daddr === LIMITED_BROADCAST))
        return make(cpu, 0, RTN.unicast, oif, saddr, daddr)
      if (daddr === 0) {
        const own = saddr === 0 ? LOOPBACK_ADDRESS : saddr
        return make(cpu, 0, RTN.local, loopback[at + 1], own, own)
      }
      return lookUp(cpu, at, daddr, saddr, tos, oif, flow, scope)
    }

    function lookUp(
      cpu: number,
      at: number,
      daddr: number,
      given: number,
      tos: number,
      oif: number,
      flow: Flow,
      scope: number,
    ): number {
      // A flow of which nothing is known is shared: its source stays unknown.
      const known = flow === ANY_FLOW ? own : flow
      known.saddr = given
      let route = fib.find(at, daddr, tos & DSCP, oif, scope, known)
      if (route < 0) {
        if (oif === 0) return route
        // The tables may be wrong about a device that was named: the destination is taken to be on its link.
        const saddr = given !== 0 ? given : addresses.select(at, oif, 0, SCOPE.link)
        return make(cpu, 0, RTN.unicast, oif, saddr, daddr)
      }
      if (type[route] === RTN.local) {
        const source = (prefsrc[route] | 0) !== 0 ? prefsrc[route] | 0 : daddr
        return make(cpu, route, RTN.local, loopback[at + 1], given !== 0 ? given : source, daddr)
      }
      if (oif === 0 && firstPath[route] !== 0) route = select(cpu, route, daddr, given, known)
      return make(cpu, route, type[route], dev[route], given !== 0 ? given : fib.prefsrc(at, route), daddr)
    }

    return {
      find(cpu, daddr, saddr, tos, oif, flow = ANY_FLOW, scope = SCOPE.universe) {
        const at = net[cpu]
        if (saddr !== 0) {
          const checked = checkSource(at, saddr, daddr, oif)
          if (checked < 0) return checked
          if (checked > 0) return make(cpu, 0, RTN.unicast, checked, saddr, daddr)
        }
        if (oif !== 0 && isDown(oif)) return -ERRNO.ENETUNREACH
        return bySource(cpu, at, daddr, saddr, tos, oif, flow, scope)
      },
    }
  },
)
