/** Fields a rule can look at: their types and what else a packet must be for them to exist. */
import type { NftTypeName } from './types.js'

/** What a packet must be before a field of it can be read; nft adds a match for it where the rule has none. */
export type NftDependency = 'ipv4' | 'udp' | 'tcp' | 'icmp' | 'transport' | 'ethernet' | 'none'

interface KeyInfo {
  readonly type: NftTypeName
  readonly dependency: NftDependency
  /** Largest value, where it is less than that of the type. */
  readonly max?: number
}

const KEYS = {
  'ip saddr': { type: 'ipv4_addr', dependency: 'ipv4' },
  'ip daddr': { type: 'ipv4_addr', dependency: 'ipv4' },
  'ip protocol': { type: 'inet_proto', dependency: 'ipv4' },
  'ip ttl': { type: 'integer', dependency: 'ipv4', max: 255 },
  'ip dscp': { type: 'dscp', dependency: 'ipv4' },
  'ip length': { type: 'integer', dependency: 'ipv4', max: 65_535 },
  'udp sport': { type: 'inet_service', dependency: 'udp' },
  'udp dport': { type: 'inet_service', dependency: 'udp' },
  'udp length': { type: 'integer', dependency: 'udp', max: 65_535 },
  'tcp sport': { type: 'inet_service', dependency: 'tcp' },
  'tcp dport': { type: 'inet_service', dependency: 'tcp' },
  'tcp flags': { type: 'tcp_flag', dependency: 'tcp' },
  'th sport': { type: 'inet_service', dependency: 'transport' },
  'th dport': { type: 'inet_service', dependency: 'transport' },
  'icmp type': { type: 'icmp_type', dependency: 'icmp' },
  'icmp code': { type: 'icmp_code', dependency: 'icmp' },
  'ether saddr': { type: 'ether_addr', dependency: 'ethernet' },
  'ether daddr': { type: 'ether_addr', dependency: 'ethernet' },
  'meta l4proto': { type: 'inet_proto', dependency: 'none' },
  'meta nfproto': { type: 'nf_proto', dependency: 'none' },
  'meta length': { type: 'integer', dependency: 'none' },
  'meta mark': { type: 'mark', dependency: 'none' },
  'meta pkttype': { type: 'pkt_type', dependency: 'none' },
  'meta iifname': { type: 'ifname', dependency: 'none' },
  'meta oifname': { type: 'ifname', dependency: 'none' },
  'meta iif': { type: 'iface_index', dependency: 'none' },
  'meta oif': { type: 'iface_index', dependency: 'none' },
  'ct state': { type: 'ct_state', dependency: 'none' },
  'ct direction': { type: 'ct_dir', dependency: 'none' },
  'ct mark': { type: 'mark', dependency: 'none' },
} as const satisfies Record<string, KeyInfo>

/** A field of a packet, by nft's name. */
export type NftKey = keyof typeof KEYS

/** Every field. */
export const NFT_KEYS: Readonly<Record<NftKey, KeyInfo>> = KEYS

/** Names of all fields. */
export const NFT_KEY_NAMES = Object.keys(KEYS) as NftKey[]

/** Fields that nft lets stand without `meta`. */
export const BARE_META: readonly string[] = [
  'iif',
  'oif',
  'iifname',
  'oifname',
  'l4proto',
  'nfproto',
  'mark',
  'pkttype',
]

/** First words of fields. */
export const KEY_GROUPS: readonly string[] = [...new Set(NFT_KEY_NAMES.map((name) => name.split(' ')[0] as string))]

/** Field of two words, or undefined. */
export function nftKey(group: string, name: string): NftKey | undefined {
  const key = `${group} ${name}`
  return Object.hasOwn(KEYS, key) ? (key as NftKey) : undefined
}
