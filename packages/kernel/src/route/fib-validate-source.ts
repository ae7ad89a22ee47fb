import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { FibRoot, FibRoute, HostDev, InDev } from './components.js'
import { fibLookup } from './fib-lookup.js'
import { Flow } from './flow.js'
import { ifAddrs } from './ifaddr.js'
import { skbFlow, usesFlows } from './skb-flow.js'

/**
 * Checks a packet's source: −1 − drop place if it is refused, 1 if the sender is on the link of its device, else 0. `dest`
 * is where it goes, 0 for everybody; `oif` the device it would leave by, 0 for local delivery.
 */
export type FibValidateSource = (
  cpu: number,
  row: number,
  source: number,
  dest: number,
  tos: number,
  oif: number,
) => number

const DSCP = 0xfc

/** Martian sources and the reverse-path filter. Kernel: net/ipv4/fib_frontend.c, fib_validate_source */
export const fibValidateSource = defineSystem<FibValidateSource>(
  'fib_validate_source',
  'route',
  'net/ipv4/fib_frontend.c, fib_validate_source',
  (context) => {
    const { DROP, RTN, SCOPE } = NUMBERS

    const { acceptLocal, rpFilter, sendRedirects, firstAddress } = context.read(InDev)
    const { type, nhScope } = context.read(FibRoute)
    const { customLocal, ruleCount } = context.read(FibRoot)
    const { dev: devs } = context.read(Skb)
    const { net } = context.read(Cpu)
    const flows = usesFlows(context.resource(PLAN_CONSTANTS).plan) ? context.system(skbFlow) : null
    const { nets } = context.resource(PLAN_CONSTANTS)
    const flow = new Flow()
    const isPlain = flows === null && nets.every(({ routes }) => routes.every(({ type: kind }) => kind !== 'local'))
    const { loopback } = context.read(HostDev)
    const fib = context.system(fibLookup)
    const addresses = context.system(ifAddrs)

    function refused(drop: number): number {
      return -1 - drop
    }

    /** Kernel: net/ipv4/fib_frontend.c, __fib_validate_source */
    function full(cpu: number, row: number, source: number, dest: number, tos: number, oif: number): number {
      const host = net[cpu]
      const dev = devs[row]
      const filter = rpFilter[dev]
      const lastResort = filter === 0 ? 0 : refused(DROP.rpFilter)
      if (flows !== null) flows.reverse(cpu, row, dest, oif, flow)
      const route = fib.find(host, source, tos & DSCP, 0, SCOPE.universe, flow)
      if (route < 0) return lastResort
      if (type[route] !== RTN.unicast) {
        if (type[route] !== RTN.local) return refused(DROP.invalidSource)
        if (acceptLocal[dev] === 0) return refused(DROP.localSource)
      }
      const isMatch = fib.usesDevice(route, dev) || (type[route] === RTN.local && dev === loopback[host + 1])
      if (isMatch) return nhScope[route] >= SCOPE.host ? 1 : 0
      if (firstAddress[dev] === 0) return lastResort
      if (filter === 1) return refused(DROP.rpFilter)
      const back = fib.find(host, source, tos & DSCP, dev, SCOPE.universe, flow)
      return back >= 0 && type[back] === RTN.unicast && nhScope[back] >= SCOPE.host ? 1 : 0
    }

    return (cpu, row, source, dest, tos, oif) => {
      const dev = devs[row]
      if (rpFilter[dev] !== 0 || (dev === oif && sendRedirects[dev] !== 0))
        return full(cpu, row, source, dest, tos, oif)
      if (acceptLocal[dev] !== 0) return 0
      // Local routes that somebody added and rules make more addresses local, or fewer, than devices have.
      if (!isPlain && (customLocal[net[cpu] + 1] !== 0 || ruleCount[net[cpu] + 1] !== 0))
        return full(cpu, row, source, dest, tos, oif)
      return addresses.find(net[cpu], source) === 0 ? 0 : refused(DROP.localSource)
    }
  },
)
