/** Routes in the words of `ip route add`. */
import { parseIpv4, parsePrefix } from './address.js'
import type { RoutePlan, RouteType } from './ip-plan.js'

/** Words a route may begin with. */
export const ROUTE_TYPES: readonly RouteType[] = [
  'unicast',
  'local',
  'broadcast',
  'unreachable',
  'prohibit',
  'blackhole',
  'throw',
]

/** What `parseRoute` accepts, in words. */
export const ROUTE_WORDS =
  '[unicast|local|broadcast|unreachable|prohibit|blackhole|throw] PREFIX|default [via ADDRESS] [dev DEVICE] [src ADDRESS] [metric N] [mtu BYTES] [tos N]'

const U32_MAX = 4_294_967_295

function mask(lengthBits: number): number {
  return lengthBits === 0 ? 0 : (-1 << (32 - lengthBits)) >>> 0
}

function numberWithin(text: string, min: number, max: number): number | null {
  const value = /^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : null
}

/** Reads one route; null if it is none. Kernel: iproute2's words; net/ipv4/fib_frontend.c, rtm_to_fib_config */
export function parseRoute(text: string): RoutePlan | null {
  const words = text.trim().split(/\s+/)
  const type = ROUTE_TYPES.find((each) => each === words[0])
  if (type !== undefined) words.shift()
  const target = words.shift()
  if (target === undefined) return null
  const parsed = target === 'default' ? { address: 0, length: 0 } : parsePrefix(target)
  // ip refuses host bits too.
  if (parsed === null || (parsed.address & ~mask(parsed.length)) !== 0) return null
  const given = { gateway: 0, dev: null as string | null, source: 0, metric: 0, mtu: 0, tos: 0 }
  while (words.length > 0) {
    const key = words.shift()
    const value = words.shift()
    if (value === undefined || !readWord(given, key as string, value)) return null
  }
  const hasNextHop = given.gateway !== 0 || given.dev !== null
  const needsNextHop = type === undefined || type === 'unicast' || type === 'local' || type === 'broadcast'
  if (needsNextHop !== hasNextHop) return null
  return { type: type ?? 'unicast', prefix: parsed.address, lengthBits: parsed.length, ...given }
}

interface Given {
  gateway: number
  dev: string | null
  source: number
  metric: number
  mtu: number
  tos: number
}

function readWord(given: Given, key: string, value: string): boolean {
  const numbers: Readonly<Record<string, readonly [keyof Given, number, number]>> = {
    metric: ['metric', 0, U32_MAX],
    mtu: ['mtu', 68, 65_535],
    tos: ['tos', 0, 255],
  }
  if (key === 'dev') {
    given.dev = value
    return true
  }
  if (key === 'via' || key === 'src') {
    const address = parseIpv4(value)
    if (address === null || address === 0) return false
    given[key === 'via' ? 'gateway' : 'source'] = address
    return true
  }
  const rule = numbers[key]
  if (rule === undefined) return false
  const number = numberWithin(value, rule[1], rule[2])
  if (number === null) return false
  ;(given as unknown as Record<string, number>)[rule[0]] = number
  return true
}
