import { defineSystem } from '@softnet/ecs'
import { IPPROTO_IGMP } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { DROP } from '../count/drops.js'
import { Cpu } from '../cpu/components.js'
import { Skb } from '../skb/components.js'
import { addressTable } from './address-table.js'
import { LOCAL_TYPE } from './components.js'

/** Kinds of route a packet can get. `error`: to be refused by `ip_error` once it is used. */
export const ROUTE = { local: 0, broadcast: 1, multicast: 2, error: 3 } as const

/** Route of a packet, one of `ROUTE`, or `refused(drop)`. */
export type RouteInput = (cpu: number, row: number) => number

/** Drop place of a negative answer of `routeInput`. */
export function routeDrop(answer: number): number {
  return -1 - answer
}

const LIMITED_BROADCAST = -1
/** 224.0.0.1, the group every host is in. */
const ALL_HOSTS = 0xe0000001 | 0

function refused(drop: number): number {
  return -1 - drop
}

/**
 * Decides what a packet is for a host that does not forward: ours, everybody's, or refused, with every test on its
 * addresses in Linux's order. Kernel: net/ipv4/route.c, ip_route_input_rcu, ip_route_input_slow
 */
export const routeInput = defineSystem<RouteInput>(
  'ip_route_input',
  'ip',
  'net/ipv4/route.c, ip_route_input_slow',
  (context) => {
    const { saddr, daddr, dev, ipWord } = context.read(Skb)
    const { host } = context.read(Cpu)
    const table = context.system(addressTable)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const rpFilter = Uint8Array.from(plan.hosts, (each) => each.sysctl['net.ipv4.conf.all.rp_filter'])
    const acceptLocal = Uint8Array.from(plan.hosts, (each) => each.sysctl['net.ipv4.conf.all.accept_local'])
    const routeLocalnet = Uint8Array.from(plan.hosts, (each) => each.sysctl['net.ipv4.conf.all.route_localnet'])

    // Packets of one batch mostly have one destination, whose entry in the constant tables is then at hand.
    let hintHost = -1
    let hintDest = 0
    let hintType: number = LOCAL_TYPE.none

    function destinationType(at: number, dest: number): number {
      if (at !== hintHost || dest !== hintDest) {
        hintType = table.localType(at, dest)
        hintHost = at
        hintDest = dest
      }
      return hintType
    }

    /** 0, or what refuses the source. Kernel: net/ipv4/fib_frontend.c, fib_validate_source */
    function validateSource(at: number, source: number, device: number): number {
      const filter = rpFilter[at]
      if (filter === 0) {
        if (acceptLocal[at] !== 0 || table.addressRow(at, source) === 0) return 0
        return refused(DROP.localSource)
      }
      const type = table.localType(at, source)
      if (type === LOCAL_TYPE.broadcast) return refused(DROP.invalidSource)
      if (type === LOCAL_TYPE.local && acceptLocal[at] === 0) return refused(DROP.localSource)
      const reverse = type === LOCAL_TYPE.local ? table.addressDev(at, source) : table.connectedDev(at, source)
      if (reverse === device) return 0
      if (filter === 1 || reverse < 0) return refused(DROP.rpFilter)
      return 0
    }

    /** Kernel: net/ipv4/route.c, ip_mc_validate_source */
    function multicastRoute(at: number, row: number, source: number, dest: number): number {
      if (dest !== ALL_HOSTS) return refused(DROP.notJoined)
      if (source >>> 28 === 14 || source === LIMITED_BROADCAST) return refused(DROP.invalidSource)
      if (source >>> 24 === 127 && routeLocalnet[at] === 0) return refused(DROP.localnet)
      if (source >>> 24 === 0) {
        const linkLocalGroup = dest >>> 8 === 0xe00000
        if (!linkLocalGroup && (ipWord[row] & 255) !== IPPROTO_IGMP) return refused(DROP.invalidSource)
        return ROUTE.multicast
      }
      const invalid = validateSource(at, source, dev[row])
      return invalid < 0 ? invalid : ROUTE.multicast
    }

    function broadcastRoute(at: number, row: number, source: number): number {
      if (source >>> 24 === 0) return ROUTE.broadcast
      const invalid = validateSource(at, source, dev[row])
      return invalid < 0 ? invalid : ROUTE.broadcast
    }

    return (cpu, row) => {
      const at = host[cpu]
      const source = saddr[row] | 0
      const dest = daddr[row] | 0
      if (dest >>> 28 === 14) return multicastRoute(at, row, source, dest)
      if (source >>> 28 === 14 || source === LIMITED_BROADCAST) return refused(DROP.invalidSource)
      if (dest === LIMITED_BROADCAST || (source === 0 && dest === 0)) return broadcastRoute(at, row, source)
      if (source >>> 24 === 0) return refused(DROP.invalidSource)
      if (dest >>> 24 === 0) return refused(DROP.invalidDest)
      if ((dest >>> 24 === 127 || source >>> 24 === 127) && routeLocalnet[at] === 0) return refused(DROP.localnet)
      const type = destinationType(at, dest)
      if (type === LOCAL_TYPE.none) return ROUTE.error
      if (type === LOCAL_TYPE.broadcast) return broadcastRoute(at, row, source)
      const invalid = validateSource(at, source, dev[row])
      return invalid < 0 ? invalid : ROUTE.local
    }
  },
)
