/** The receive path as places a packet passes, and the place each drop belongs to. */
import type { DropRow, ResultDocument } from '@softnet/scenario'

/** Places of the path, in the order a packet meets them. */
export const PATH_PLACES = ['wire', 'nic', 'ring', 'napi', 'backlog', 'core', 'ip', 'socket', 'app'] as const

/** One place of the receive path. */
export type PathPlace = (typeof PATH_PLACES)[number]

/** Reasons that name their place whatever function reports them. */
const PLACE_OF_REASON: ReadonlyMap<string, PathPlace> = new Map<string, PathPlace>([
  ['NIC_WIRE_ERROR', 'wire'],
  ['NIC_RX_MISSED', 'nic'],
  ['NIC_RX_NO_BUFFER', 'ring'],
  ['XDP_NATIVE_DROP', 'napi'],
  ['CPU_BACKLOG', 'backlog'],
  ['SOCKET_RCVBUFF', 'socket'],
  ['PROTO_MEM', 'socket'],
  ['NO_SOCKET', 'socket'],
  ['SOCKET_FILTER', 'socket'],
  ['OTHERHOST', 'ip'],
  ['IP_CSUM', 'ip'],
  ['IP_INHDR', 'ip'],
  ['IP_NOPROTO', 'ip'],
  ['IP_RPFILTER', 'ip'],
  ['NETFILTER_DROP', 'ip'],
  ['SKB_UCOPY_FAULT', 'app'],
  ['QUEUE_PURGE', 'app'],
])

/** Beginnings of kernel function names, longest match first within a place. */
const PLACE_OF_FUNCTION: readonly (readonly [RegExp, PathPlace])[] = [
  [/^(nic|ethtool|ntuple|rss)/, 'nic'],
  [/recvmsg|^skb_copy|^sys_/, 'app'],
  [/^_*(udp|tcp|sock|sk_|raw|icmp)/, 'socket'],
  [/^_*(ip_|ip4|inet|fib_|xfrm|nf_)/, 'ip'],
  [/backlog|^_*netif_rx|get_rps_cpu/, 'backlog'],
  [/receive_skb|do_xdp_generic|generic_xdp|vlan|rx_handler/, 'core'],
  [/napi|gro|clean_rx|poll|alloc_skb|build_skb|xdp/, 'napi'],
]

/** Place of the path at which a packet with this drop row was lost; `core` when neither reason nor function tells. */
export function dropPlace(drop: Pick<DropRow, 'where' | 'reason'>): PathPlace {
  const known = PLACE_OF_REASON.get(drop.reason)
  if (known !== undefined) return known
  for (const [pattern, place] of PLACE_OF_FUNCTION) {
    if (pattern.test(drop.where)) return place
  }
  if (/^(IP_|FRAG_)/.test(drop.reason)) return 'ip'
  if (/^(UDP_|TCP_|SOCKET_|ICMP_)/.test(drop.reason)) return 'socket'
  return 'core'
}

/** One place of the path in one run, in wire frames. */
export interface PathStage {
  readonly place: PathPlace
  /** Frames that reached the place. */
  readonly entered: number
  /** Frames that left the place for the next one. */
  readonly passed: number
  readonly lost: number
  /** Frames the kernel took for itself here (ARP, ICMP …). */
  readonly consumed: number
  /** Frames that were here when the run ended. */
  readonly waiting: number
  /** What was lost here, greatest first. */
  readonly drops: readonly DropRow[]
}

/** Where the places of `ResultDocument.waiting` are on the path. */
const WAITING: Readonly<Partial<Record<PathPlace, keyof ResultDocument['waiting']>>> = {
  wire: 'wire',
  nic: 'nic',
  ring: 'ring',
  napi: 'softirq',
  backlog: 'backlog',
  socket: 'socket',
}

/** Frames through each place: what was offered, less what was lost, kept, or is waiting; the last passes what was delivered. */
export function pathStages(result: Pick<ResultDocument, 'packets' | 'waiting' | 'drops'>): PathStage[] {
  const byPlace = new Map<PathPlace, DropRow[]>(PATH_PLACES.map((place) => [place, []]))
  for (const drop of result.drops) byPlace.get(dropPlace(drop))!.push(drop)
  let entered = result.packets.offered
  return PATH_PLACES.map((place) => {
    const drops = byPlace.get(place)!.sort((a, b) => b.count - a.count)
    const lost = drops.reduce((sum, drop) => sum + drop.count, 0)
    const consumed = place === 'ip' ? result.packets.consumed : 0
    const from = WAITING[place]
    const waiting = from === undefined ? 0 : result.waiting[from]
    const passed = place === 'app' ? result.packets.delivered : Math.max(0, entered - lost - consumed - waiting)
    const stage = { place, entered, passed, lost, consumed, waiting, drops }
    entered = passed
    return stage
  })
}

/** Conservation of wire frames: offered + created = delivered + consumed + sent + dropped + in flight. */
export interface Conservation {
  /** `4 offered = 3 delivered + 1 dropped`; terms that are zero are left out. */
  readonly text: string
  readonly left: number
  readonly right: number
  readonly holds: boolean
}

/** Checks and words the conservation of a run. */
export function conservation(
  packets: ResultDocument['packets'],
  formatNumber: (value: number) => string = String,
): Conservation {
  const left = packets.offered + packets.created
  const right = packets.delivered + packets.consumed + packets.sent + packets.dropped + packets.in_flight
  const side = (terms: readonly (readonly [number, string])[]): string =>
    terms
      .filter(([count], i) => i === 0 || count !== 0)
      .map(([count, name]) => `${formatNumber(count)} ${name}`)
      .join(' + ')
  const sources = side([
    [packets.offered, 'offered'],
    [packets.created, 'created'],
  ])
  const sinks = side([
    [packets.delivered, 'delivered'],
    [packets.consumed, 'consumed'],
    [packets.sent, 'sent'],
    [packets.dropped, 'dropped'],
    [packets.in_flight, 'in flight'],
  ])
  return { text: `${sources} ${left === right ? '=' : '≠'} ${sinks}`, left, right, holds: left === right }
}
