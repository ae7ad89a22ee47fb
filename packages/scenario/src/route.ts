/** Routes in the words of `ip route add`. */
import { parseIpv4, parsePrefix } from './address.js'
import type { NexthopPlan, RoutePlan, RouteType } from './ip-plan.js'

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
  '[unicast|local|broadcast|unreachable|prohibit|blackhole|throw] PREFIX|default [via ADDRESS] [dev DEVICE] [onlink] [table NAME|N] [src ADDRESS] [metric N] [mtu [lock] BYTES] [hoplimit N] [tos N] [nexthop via ADDRESS [dev DEVICE] [weight 1-256] [onlink]]…'

/** Tables that have a name. Kernel: include/uapi/linux/rtnetlink.h, RT_TABLE_* */
const TABLE_NAMES: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 }

/** Next hops of one route at most. */
const MAX_NEXTHOPS = 32
const U32_MAX = 4_294_967_295

function mask(lengthBits: number): number {
  return lengthBits === 0 ? 0 : (-1 << (32 - lengthBits)) >>> 0
}

/** A whole number, decimal or hexadecimal, or null. */
export function numberWithin(text: string | undefined, min: number, max: number): number | null {
  const value = /^(?:\d{1,10}|0x[0-9a-fA-F]{1,8})$/.test(text ?? '') ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : null
}

/** Number of a routing table by its name or number; null if it is none. */
export function parseTable(text: string | undefined): number | null {
  return TABLE_NAMES[text ?? ''] ?? numberWithin(text, 1, U32_MAX)
}

/** Prefix or `default` without host bits, or null. */
export function parseNetwork(text: string, whole: string): { address: number; length: number } | null {
  const parsed = text === whole ? { address: 0, length: 0 } : parsePrefix(text)
  return parsed === null || (parsed.address & ~mask(parsed.length)) !== 0 ? null : parsed
}

/** What is collected while the words are read. */
interface Draft extends Omit<RoutePlan, 'type' | 'prefix' | 'lengthBits' | 'nexthops'> {
  gateway: number
  dev: string | null
  source: number
  metric: number
  mtu: number
  tos: number
  table?: number
  mtuLocked?: true
  hoplimit?: number
  onlink?: true
}

/** Reads one route; null if it is none. Kernel: iproute2's words; net/ipv4/fib_frontend.c, rtm_to_fib_config */
export function parseRoute(text: string): RoutePlan | null {
  const words = text.trim().split(/\s+/)
  const type = ROUTE_TYPES.find((each) => each === words[0])
  if (type !== undefined) words.shift()
  const parsed = parseNetwork(words.shift() ?? '', 'default')
  // ip refuses host bits too.
  if (parsed === null) return null
  const given: Draft = { gateway: 0, dev: null, source: 0, metric: 0, mtu: 0, tos: 0 }
  while (words.length > 0 && words[0] !== 'nexthop') if (!readWord(given, words)) return null
  const nexthops = readNexthops(words)
  if (nexthops === null) return null
  const isUnicast = type === undefined || type === 'unicast'
  const hasNextHop = given.gateway !== 0 || given.dev !== null
  const needsNextHop = isUnicast || type === 'local' || type === 'broadcast'
  if (nexthops.length > 0 ? hasNextHop || !isUnicast : needsNextHop !== hasNextHop) return null
  const many = nexthops.length > 0 ? { nexthops } : {}
  return { type: type ?? 'unicast', prefix: parsed.address, lengthBits: parsed.length, ...given, ...many }
}

/** Takes an address or a device; false if the word is neither. */
function readHop(given: { gateway: number; dev: string | null; onlink?: true }, words: string[]): boolean | null {
  const [key, value] = words
  if (key === 'onlink') {
    words.shift()
    given.onlink = true
    return true
  }
  if (key !== 'dev' && key !== 'via') return null
  words.splice(0, 2)
  if (value === undefined) return false
  if (key === 'dev') {
    given.dev = value
    return true
  }
  given.gateway = parseIpv4(value) ?? 0
  return given.gateway !== 0
}

function readNexthops(words: string[]): NexthopPlan[] | null {
  const found: NexthopPlan[] = []
  while (words.shift() === 'nexthop') {
    const hop: { gateway: number; dev: string | null; weight: number; onlink?: true } = {
      gateway: 0,
      dev: null,
      weight: 1,
    }
    while (words.length > 0 && words[0] !== 'nexthop') {
      const isHop = readHop(hop, words)
      if (isHop === true) continue
      if (isHop === false || words[0] !== 'weight') return null
      const weight = numberWithin(words[1], 1, 256)
      if (weight === null) return null
      hop.weight = weight
      words.splice(0, 2)
    }
    if (hop.gateway === 0 && hop.dev === null) return null
    found.push(hop)
  }
  return found.length > MAX_NEXTHOPS ? null : found
}

type NumberKey = 'metric' | 'tos' | 'hoplimit'

const NUMBERS: Readonly<Record<string, readonly [NumberKey, number, number]>> = {
  metric: ['metric', 0, U32_MAX],
  tos: ['tos', 0, 255],
  hoplimit: ['hoplimit', 1, 255],
}

function readWord(given: Draft, words: string[]): boolean {
  const isHop = readHop(given, words)
  if (isHop !== null) return isHop
  const key = words.shift() as string
  if (key === 'mtu' && words[0] === 'lock') {
    words.shift()
    given.mtuLocked = true
  }
  const value = words.shift()
  if (value === undefined) return false
  if (key === 'src') {
    given.source = parseIpv4(value) ?? 0
    return given.source !== 0
  }
  if (key === 'table') {
    const table = parseTable(value)
    if (table !== null) given.table = table
    return table !== null
  }
  if (key === 'mtu') {
    given.mtu = numberWithin(value, 68, 65_535) ?? 0
    return given.mtu !== 0
  }
  const rule = NUMBERS[key]
  const number = rule === undefined ? null : numberWithin(value, rule[1], rule[2])
  if (rule === undefined || number === null) return false
  // Two bits of the byte are ECN's, which the kernel refuses.
  if (rule[0] === 'tos' && (number & 3) !== 0) return false
  given[rule[0]] = number
  return true
}
