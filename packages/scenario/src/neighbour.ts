/** Permanent neighbours in the words of `ip neigh add`. */
import { isGroupMac, parseIpv4, parseMac } from './address.js'
import type { NeighbourPlan } from './ip-plan.js'

/** What `parseNeighbour` accepts, in words. */
export const NEIGHBOUR_WORDS = 'ADDRESS lladdr MAC dev DEVICE'

/** Reads one neighbour; null if it is none. Kernel: iproute2's words; net/core/neighbour.c, neigh_add */
export function parseNeighbour(text: string): NeighbourPlan | null {
  const [first = '', ...rest] = text.trim().split(/\s+/)
  const address = parseIpv4(first)
  if (address === null || address === 0 || address >>> 28 === 14 || rest.length !== 4) return null
  const given = new Map([
    [rest[0], rest[1]],
    [rest[2], rest[3]],
  ])
  const mac = parseMac(given.get('lladdr') ?? '')
  const dev = given.get('dev')
  if (mac === null || isGroupMac(mac) || dev === undefined) return null
  return { address, dev, mac }
}
