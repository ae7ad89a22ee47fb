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
  /** Path MTU, bytes. */
  pmtu: u32,
  /** 1: below the least path MTU, so that nothing is to be found out (`fnhe_mtu_locked`). */
  locked: u8,
  /** Jiffy up to which it holds. */
  expiresJiffy: f64,
})

/** Exceptions in a table, and slots an address may lie in. */
const EXCEPTION_ROWS = 256
const WAYS = 4
/** Kernel: net/ipv4/route.c, DEFAULT_MIN_PMTU, DEFAULT_MTU_EXPIRES */
const MIN_PMTU = 552
const MTU_EXPIRES_SEC = 600

/** Whether packets of a plan can tell of narrow ways: programs and other hosts can, drawn traffic does not. */
export function hasExceptions(plan: Plan): boolean {
  return (
    plan.hosts.length > 1 ||
    plan.hosts.some(
      ({ devices, netns }) => netns !== undefined || devices.some((each) => each.driver.program !== undefined),
    )
  )
}

/** Declares the tables of exceptions, where there can be any. */
export function declareExceptions(world: World, layout: Layout, partitions: Partitions): void {
  if (hasExceptions(layout.plan)) world.pool(FibException, allHomes(layout, partitions).length * EXCEPTION_ROWS)
}

/** Path MTUs. */
export interface FibExceptions {
  /** Path MTU to an address by a route, 0 if none was learnt. Kernel: net/ipv4/route.c, find_exception */
  pmtu(cpu: number, route: number, address: number): number
  /** Whether it must not be probed: packets go without DF. Kernel: ip_mtu_locked */
  locked(cpu: number, route: number, address: number): boolean
  /** A router has told the MTU of the way; `oldMtu` is what was known. Kernel: net/ipv4/route.c, __ip_rt_update_pmtu */
  learn(cpu: number, route: number, address: number, mtu: number, oldMtu: number): void
}

const NONE: FibExceptions = { pmtu: () => 0, locked: () => false, learn: () => {} }

/** Exceptions of next hops. Kernel: net/ipv4/route.c, update_or_create_fnhe */
export const fibExceptions = defineSystem<FibExceptions>(
  'fib_nh_exception',
  'route',
  'net/ipv4/route.c, update_or_create_fnhe',
  (context) => {
    const { plan, hz, jiffyPs } = context.resource(PLAN_CONSTANTS)
    if (!hasExceptions(plan)) return NONE
    const { route: routes, address: addresses, pmtu, locked, expiresJiffy } = context.write(FibException)
    const { clockPs, homeNumber } = context.read(Cpu)

    function jiffies(cpu: number): number {
      return Math.floor(clockPs[cpu] / jiffyPs[cpu])
    }

    function base(cpu: number, address: number): number {
      const slot = (Math.imul(address, 0x9e3779b1) >>> 16) & (EXCEPTION_ROWS - 1) & ~(WAYS - 1)
      return 1 + homeNumber[cpu] * EXCEPTION_ROWS + slot
    }

    /** Row of an exception that still holds, 0 for none. */
    function find(cpu: number, route: number, address: number): number {
      const first = base(cpu, address)
      for (let row = first; row < first + WAYS; row++) {
        if (routes[row] === route && (addresses[row] | 0) === address && expiresJiffy[row] >= jiffies(cpu)) return row
      }
      return 0
    }

    /** A row for a new exception: that of the same address, or the one that ends first. */
    function take(cpu: number, route: number, address: number): number {
      const first = base(cpu, address)
      let oldest = first
      for (let row = first; row < first + WAYS; row++) {
        if (routes[row] === route && (addresses[row] | 0) === address) return row
        if (expiresJiffy[row] < expiresJiffy[oldest]) oldest = row
      }
      return oldest
    }

    return {
      pmtu(cpu, route, address) {
        const row = find(cpu, route, address)
        return row === 0 ? 0 : pmtu[row]
      },
      locked(cpu, route, address) {
        const row = find(cpu, route, address)
        return row !== 0 && locked[row] !== 0
      },
      learn(cpu, route, address, mtu, oldMtu) {
        if (oldMtu < mtu || this.locked(cpu, route, address)) return
        const row = take(cpu, route, address)
        routes[row] = route
        addresses[row] = address
        locked[row] = mtu < MIN_PMTU ? 1 : 0
        pmtu[row] = mtu < MIN_PMTU ? Math.min(oldMtu, MIN_PMTU) : mtu
        expiresJiffy[row] = jiffies(cpu) + MTU_EXPIRES_SEC * hz[cpu]
      },
    }
  },
)
