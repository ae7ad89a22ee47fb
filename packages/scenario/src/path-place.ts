/** The path of a packet as places a packet passes, and the place each drop belongs to. */

import type { DropRow } from './result.js'

/** Places of the path, in the order a packet meets them. */
export const PATH_PLACES = ['wire', 'nic', 'ring', 'napi', 'backlog', 'core', 'ip', 'socket', 'app', 'out'] as const

/** One place of the receive path. */
export type PathPlace = (typeof PATH_PLACES)[number]

/** Reasons that name their place whatever function reports them. */
const PLACE_OF_REASON: ReadonlyMap<string, PathPlace> = new Map<string, PathPlace>([
  ['NIC_WIRE_ERROR', 'wire'],
  ['LINK_LOSS', 'wire'],
  ['SWITCH_FULL', 'wire'],
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
  ['NEIGH_CREATEFAIL', 'out'],
  ['NEIGH_FAILED', 'out'],
  ['NEIGH_QUEUEFULL', 'out'],
  ['QDISC_OVERLIMIT', 'out'],
  ['QDISC_DROP', 'out'],
  ['QDISC_CONGESTED', 'out'],
  ['FQ_FLOW_LIMIT', 'out'],
])

/** Beginnings of kernel function names, longest match first within a place. */
const PLACE_OF_FUNCTION: readonly (readonly [RegExp, PathPlace])[] = [
  [/^wire_rx$/, 'wire'],
  [/^ndo_stop$/, 'ring'],
  [/^ndo_tx_timeout$/, 'out'],
  [/^(__dev_(queue|xmit)|veth_|_*dev_forward|qdisc_|neigh_flush|wire_tx)/, 'out'],
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
