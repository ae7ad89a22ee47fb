import { defineComponent, defineSystem, f64, i32, u8, u32, type World } from '@softnet/ecs'
import type { Plan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { allHomes } from '../build/fill-cpus.js'
import type { Layout } from '../build/layout.js'
import type { Partitions } from '../build/partitions.js'
import { Cpu } from '../cpu/components.js'

/** What was learnt of the way to an address: rows `1 + homeNumber * EXCEPTION_ROWS + slot`. Kernel: include/net/ip_fib.h, struct fib_nh_exception */
export const FibException = defineComponent('fib_exception', {
  /** Route it is an exception of; 0: free row. */
  route: i32,
  address: u32,
  /** Path MTU, bytes; 0: that of the route. */
  pmtu: u32,
  /** Next hop that a router has told of, 0: that of the route. */
  gateway: u32,
  /** 1: below the least path MTU, so that nothing is to be found out (`fnhe_mtu_locked`). */
  locked: u8,
  /** Jiffy up to which it holds. */
  expiresJiffy: f64,
})

/** Exceptions in a table, and slots an address may lie in. */
const EXCEPTION_ROWS = 256
const WAYS = 4
/** Whether packets of a plan can tell of ways: programs, captures and other hosts can, drawn traffic does not. */
export function hasExceptions(plan: Plan): boolean {
  return (
    plan.hosts.length > 1 ||
    plan.traffic.some(({ kind }) => kind === 'replay') ||
    plan.hosts.some(
      ({ devices, netns }) => netns !== undefined || devices.some((each) => each.driver.program !== undefined),
    )
  )
}

/** Declares the tables of exceptions, where there can be any. */
export function declareExceptions(world: World, layout: Layout, partitions: Partitions): void {
  if (hasExceptions(layout.plan)) world.pool(FibException, allHomes(layout, partitions).length * EXCEPTION_ROWS)
}

/** What was learnt of ways; rows are those of `FibException`, addresses signed. */
export interface FibExceptions {
  /** Row of an address by a route, 0 if nothing was learnt that still holds. Kernel: net/ipv4/route.c, find_exception */
  find(cpu: number, route: number, address: number): number
  /** Path MTU of a row, 0 if none was learnt. Kernel: net/ipv4/route.c, ipv4_mtu */
  pmtu(cpu: number, row: number): number
  /** Whether it must not be probed: packets go without DF. Kernel: ip_mtu_locked */
  locked(row: number): boolean
  /** Next hop of a row, signed, 0 if none was learnt. Kernel: net/ipv4/route.c, fill_route_from_fnhe */
  gateway(row: number): number
  /** A router has told the MTU of the way; `oldMtu` is what was known. Kernel: net/ipv4/route.c, __ip_rt_update_pmtu */
  learn(cpu: number, route: number, address: number, mtu: number, oldMtu: number): void
  /** A router has told of a better next hop. Kernel: net/ipv4/route.c, __ip_do_redirect */
  redirect(cpu: number, route: number, address: number, gateway: number): void
}

const NONE: FibExceptions = {
  find: () => 0,
  pmtu: () => 0,
  locked: () => false,
  gateway: () => 0,
  learn: () => {},
  redirect: () => {},
}

/** Exceptions of next hops. Kernel: net/ipv4/route.c, update_or_create_fnhe */
export const fibExceptions = defineSystem<FibExceptions>(
  'fib_nh_exception',
  'route',
  'net/ipv4/route.c, update_or_create_fnhe',
  (context) => {
    const { plan, hz, jiffyPs, nets } = context.resource(PLAN_CONSTANTS)
    if (!hasExceptions(plan)) return NONE
    const { route: routes, address: addresses, pmtu, locked, gateway, expiresJiffy } = context.write(FibException)
    const { clockPs, homeNumber, net } = context.read(Cpu)
    const minPmtu = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.min_pmtu'])
    const mtuExpiresSec = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.mtu_expires'])
    const gcTimeoutSec = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.gc_timeout'])

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function base(cpu: number, address: number): number {
      const slot = (Math.imul(address, 0x9e3779b1) >>> 16) & (EXCEPTION_ROWS - 1) & ~(WAYS - 1)
      return 1 + homeNumber[cpu] * EXCEPTION_ROWS + slot
    }

    function find(cpu: number, route: number, address: number): number {
      const first = base(cpu, address)
      for (let row = first; row < first + WAYS; row++) {
        if (routes[row] === route && (addresses[row] | 0) === address && expiresJiffy[row] >= jiffies(cpu)) return row
      }
      return 0
    }

    /** A row for what is learnt now: that of the same address, or the one that ends first. */
    function take(cpu: number, route: number, address: number): number {
      const known = find(cpu, route, address)
      if (known !== 0) return known
      const first = base(cpu, address)
      let oldest = first
      for (let row = first; row < first + WAYS; row++) if (expiresJiffy[row] < expiresJiffy[oldest]) oldest = row
      routes[oldest] = route
      addresses[oldest] = address
      locked[oldest] = 0
      pmtu[oldest] = 0
      gateway[oldest] = 0
      return oldest
    }

    /** Path MTUs hold for less long than the row does by a jiffy. */
    function pmtuOf(cpu: number, row: number): number {
      return row === 0 || expiresJiffy[row] <= jiffies(cpu) ? 0 : pmtu[row]
    }

    return {
      find,
      pmtu: pmtuOf,
      locked: (row) => row !== 0 && locked[row] !== 0,
      gateway: (row) => (row === 0 ? 0 : gateway[row] | 0),
      learn(cpu, route, address, mtu, oldMtu) {
        const known = find(cpu, route, address)
        if (oldMtu < mtu || (known !== 0 && locked[known] !== 0)) return
        const expires = mtuExpiresSec[net[cpu]] * hz[cpu]
        const isLow = mtu < minPmtu[net[cpu]]
        // What is known already is put off no earlier than half of its time has gone.
        const isKnown = known !== 0 && pmtu[known] === mtu && jiffies(cpu) < expiresJiffy[known] - expires / 2
        if (isKnown && !isLow) return
        const row = take(cpu, route, address)
        locked[row] = isLow ? 1 : 0
        pmtu[row] = isLow ? Math.min(oldMtu, minPmtu[net[cpu]]) : mtu
        expiresJiffy[row] = jiffies(cpu) + expires
      },
      redirect(cpu, route, address, via) {
        const row = take(cpu, route, address)
        gateway[row] = via
        expiresJiffy[row] = jiffies(cpu) + gcTimeoutSec[net[cpu]] * hz[cpu]
      },
    }
  },
)
