import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ICMP_PEER_ROWS, ICMP_PEER_WAYS, InetPeer } from './components.js'

/** A peer seen for the first time counts as quiet for this long. */
const NEW_PEER_SEC = 60

/** What a host remembers of those it talked to; peers are named by the signed address. Kernel: net/ipv4/inetpeer.c, struct inet_peer */
export interface InetPeers {
  /** Row of a peer; the one used longest ago among its slots makes room for a new one. Kernel: inet_getpeer_v4 */
  get(cpu: number, address: number, nowJiffies: number): number
  /** Takes `costJiffies` from a bucket of at most `burstJiffies` tokens; false if they are not there. */
  take(peer: number, nowJiffies: number, costJiffies: number, burstJiffies: number): boolean
  /** Whether a peer that takes a detour may be told now; each redirect it ignores doubles the wait. Kernel: net/ipv4/route.c, ip_rt_send_redirect */
  redirectDue(cpu: number, peer: number, nowJiffies: number): boolean
  /** Notes that it was told. */
  redirectSent(peer: number, nowJiffies: number): void
}

/** Peers of those who share a table. Kernel: net/ipv4/inetpeer.c, inet_getpeer */
export const inetPeers = defineSystem<InetPeers>(
  'inet_getpeer',
  'icmp',
  'net/ipv4/inetpeer.c, inet_getpeer',
  (context) => {
    const { address, lastPlusOne, tokensJiffies, redirects, usedPlusOne } = context.write(InetPeer)
    const { homeNumber, net } = context.read(Cpu)
    const { hz, nets } = context.resource(PLAN_CONSTANTS)
    const most = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.redirect_number'])
    const loadJiffies = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.redirect_load'])
    const silenceJiffies = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.route.redirect_silence'])
    return {
      get(cpu, peer, now) {
        const base = 1 + (homeNumber[cpu] * nets.length + net[cpu]) * ICMP_PEER_ROWS
        const first = (Math.imul(peer, 0x9e3779b1) >>> 16) & (ICMP_PEER_ROWS - 1) & ~(ICMP_PEER_WAYS - 1)
        let oldest = base + first
        for (let way = 0; way < ICMP_PEER_WAYS; way++) {
          const row = base + first + way
          if (usedPlusOne[row] !== 0 && (address[row] | 0) === peer) {
            usedPlusOne[row] = now + 1
            return row
          }
          if (usedPlusOne[row] < usedPlusOne[oldest]) oldest = row
        }
        address[oldest] = peer
        tokensJiffies[oldest] = 0
        redirects[oldest] = 0
        lastPlusOne[oldest] = now + 1 - NEW_PEER_SEC * hz[cpu]
        usedPlusOne[oldest] = now + 1
        return oldest
      },
      take(row, now, cost, burst) {
        let tokens = tokensJiffies[row] + (now + 1 - lastPlusOne[row])
        if (tokens > burst) tokens = burst
        const allowed = tokens >= cost
        tokensJiffies[row] = allowed ? tokens - cost : tokens
        lastPlusOne[row] = now + 1
        return allowed
      },
      redirectDue(cpu, row, now) {
        const last = lastPlusOne[row] - 1
        if (now > last + silenceJiffies[net[cpu]]) {
          tokensJiffies[row] = 0
          redirects[row] = 0
        }
        if (redirects[row] >= most[net[cpu]]) {
          lastPlusOne[row] = now + 1
          return false
        }
        return redirects[row] === 0 || now > last + loadJiffies[net[cpu]] * 2 ** redirects[row]
      },
      redirectSent(row, now) {
        lastPlusOne[row] = now + 1
        redirects[row]++
      },
    }
  },
)
