import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { neighLookup } from '../neigh/neigh-lookup.js'
import { neighbours } from '../neigh/neighbour.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { FibRoute, InDev } from './components.js'
import { fibExceptions } from './fib-exceptions.js'
import { fibLookup } from './fib-lookup.js'
import { ifAddrs } from './ifaddr.js'
import { RouteResult } from './route-result.js'
import { zeronetShift } from './zeronet.js'

/**
 * Takes over what a redirect says of the way to `daddr` (signed), which its CPU has just looked up into `RouteResult`.
 * `row` is the message.
 */
export type IpDoRedirect = (cpu: number, row: number, daddr: number) => void

const LIMITED_BROADCAST = -1
/** Codes 0 to 3 are for nets and hosts, with and without type of service; higher bits are not looked at. */
const CODE_BITS = 7
const CODE_MAX = 3

/** Follows redirects of the router that the way goes by, if what it says is to be believed. Kernel: net/ipv4/route.c, __ip_do_redirect */
export const ipDoRedirect = defineSystem<IpDoRedirect>(
  'ip_do_redirect',
  'route',
  'net/ipv4/route.c, __ip_do_redirect',
  (context) => {
    const { IFF, RTN } = NUMBERS

    const { dev, saddr, tcpSeq, tcpWord } = context.read(Skb)
    const { acceptRedirects, secureRedirects, sharedMedia } = context.read(InDev)
    const { gateway: gateways, dev: routeDev } = context.read(FibRoute)
    const { arp, iff } = context.read(NetDev)
    const { net } = context.read(Cpu)
    const result = context.read(RouteResult)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const zeronet = zeronetShift(plan.kernel)
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)
    const exceptions = context.system(fibExceptions)
    const lookup = context.system(neighLookup)
    const neigh = context.system(neighbours)

    /** Next hop of the way; a learnt MTU makes the destination its own. Kernel: net/ipv4/route.c, rt_bind_exception */
    function nextHop(cpu: number, daddr: number): number {
      if (result.gateway[cpu] !== 0) return result.gateway[cpu]
      return exceptions.find(cpu, result.route[cpu], daddr) === 0 ? 0 : daddr
    }

    /** Whether some route of a device goes by a router. Kernel: net/ipv4/fib_semantics.c, ip_fib_check_default */
    function isKnownRouter(device: number, address: number): boolean {
      for (let route = 1; route < gateways.length; route++)
        if ((gateways[route] | 0) === address && routeDev[route] === device) return true
      return false
    }

    function isBelieved(cpu: number, device: number, from: number, told: number): boolean {
      if (told === from || acceptRedirects[device] === 0) return false
      if (told >>> 28 === 14 || told === LIMITED_BROADCAST || told >>> zeronet === 0) return false
      if (sharedMedia[device] !== 0) return fib.addressType(net[cpu], told, 0) === RTN.unicast
      if (!addresses.onlink(device, told, from)) return false
      return secureRedirects[device] === 0 || isKnownRouter(device, told)
    }

    /** True if packets could be sent to a router now; else it is asked for. */
    function isReachable(cpu: number, device: number, router: number): boolean {
      if (arp[device] === 0 || (iff[device] & (IFF.noarp | IFF.loopback)) !== 0) return true
      const found = lookup.create(cpu, router, device)
      if (found === 0) return false
      if (neigh.isValid(found)) return true
      neigh.ask(cpu, found)
      return false
    }

    return (cpu, row, daddr) => {
      if (((tcpWord[row] >>> 8) & CODE_BITS) > CODE_MAX) return
      const from = saddr[row] | 0
      if (nextHop(cpu, daddr) !== from) return
      const told = tcpSeq[row] | 0
      if (!isBelieved(cpu, dev[row], from, told)) return
      const route = result.route[cpu]
      if (isReachable(cpu, result.dev[cpu], told)) exceptions.redirect(cpu, route, daddr, told)
    }
  },
)
