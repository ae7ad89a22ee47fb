/** Data types of nft's values: how they are read and written. */
import { formatIpv4 } from '../address.js'

/** Types of fields and of sets. */
export type NftTypeName =
  | 'ipv4_addr'
  | 'inet_service'
  | 'inet_proto'
  | 'ifname'
  | 'iface_index'
  | 'ether_addr'
  | 'mark'
  | 'icmp_type'
  | 'icmp_code'
  | 'dscp'
  | 'tcp_flag'
  | 'ct_state'
  | 'ct_dir'
  | 'pkt_type'
  | 'nf_proto'
  | 'integer'

/** A type: its largest value, the names of its values, and whether values are listed with names. */
export interface NftType {
  readonly max: number
  readonly names: Readonly<Record<string, number>>
  /** Words for a fault. */
  readonly words: string
  /** Names are only read; numbers are written. */
  readonly numeric?: boolean
  /** Values are bits that can be joined with commas. */
  readonly bits?: boolean
}

/** Bits of `ct state`. Kernel: include/uapi/linux/netfilter/nf_conntrack_common.h, NF_CT_STATE_BIT */
export const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const

const SERVICES = {
  echo: 7,
  discard: 9,
  ftp: 21,
  ssh: 22,
  telnet: 23,
  smtp: 25,
  domain: 53,
  bootps: 67,
  bootpc: 68,
  tftp: 69,
  http: 80,
  pop3: 110,
  ntp: 123,
  imap2: 143,
  snmp: 161,
  bgp: 179,
  ldap: 389,
  https: 443,
  syslog: 514,
  openvpn: 1194,
  mysql: 3306,
  postgresql: 5432,
} as const

const PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ah: 51,
  sctp: 132,
  udplite: 136,
} as const

const ICMP_TYPES = {
  'echo-reply': 0,
  'destination-unreachable': 3,
  'source-quench': 4,
  redirect: 5,
  'echo-request': 8,
  'router-advertisement': 9,
  'router-solicitation': 10,
  'time-exceeded': 11,
  'parameter-problem': 12,
  'timestamp-request': 13,
  'timestamp-reply': 14,
  'info-request': 15,
  'info-reply': 16,
  'address-mask-request': 17,
  'address-mask-reply': 18,
} as const

/** Codes of destination unreachable by nft's names. */
export const ICMP_CODES = {
  'net-unreachable': 0,
  'host-unreachable': 1,
  'prot-unreachable': 2,
  'port-unreachable': 3,
  'frag-needed': 4,
  'net-prohibited': 9,
  'host-prohibited': 10,
  'admin-prohibited': 13,
} as const

const DSCP = Object.fromEntries([
  ...Array.from({ length: 8 }, (_, n) => [`cs${n}`, n * 8]),
  ...[1, 2, 3, 4].flatMap((c) => [1, 2, 3].map((d) => [`af${c}${d}`, c * 8 + d * 2])),
  ['ef', 46],
]) as Record<string, number>

/** Bits of the flags byte of TCP. */
export const TCP_FLAGS = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ecn: 64, cwr: 128 } as const

/** Every type. */
export const NFT_TYPES: Readonly<Record<NftTypeName, NftType>> = {
  ipv4_addr: { max: 0xffffffff, names: {}, words: 'an IPv4 address or prefix such as 192.0.2.0/24' },
  inet_service: { max: 65_535, names: SERVICES, words: 'a port from 0 to 65535 or a service name', numeric: true },
  inet_proto: { max: 255, names: PROTOCOLS, words: 'an IP protocol by name or number' },
  ifname: { max: 0, names: {}, words: 'the name of an interface in quotes, such as "eth0" or "eth*"' },
  iface_index: { max: 0, names: {}, words: 'the name of a device of the host' },
  ether_addr: { max: 2 ** 48 - 1, names: {}, words: 'a hardware address such as 02:00:00:00:00:01' },
  mark: { max: 0xffffffff, names: {}, words: 'a mark from 0 to 0xffffffff' },
  icmp_type: { max: 255, names: ICMP_TYPES, words: 'an ICMP type by name or number' },
  icmp_code: { max: 255, names: ICMP_CODES, words: 'an ICMP code by name or number' },
  dscp: { max: 63, names: DSCP, words: 'a code point such as cs1, af21, ef or 0 to 63' },
  tcp_flag: { max: 255, names: TCP_FLAGS, words: `TCP flags: ${Object.keys(TCP_FLAGS).join(', ')}`, bits: true },
  ct_state: {
    max: 127,
    names: CT_STATE,
    words: `states of a connection: ${Object.keys(CT_STATE).join(', ')}`,
    bits: true,
  },
  ct_dir: { max: 1, names: { original: 0, reply: 1 }, words: 'original or reply' },
  pkt_type: {
    max: 3,
    names: { host: 0, unicast: 0, broadcast: 1, multicast: 2, other: 3 },
    words: 'host, broadcast, multicast or other',
  },
  nf_proto: { max: 255, names: { ipv4: 2, ipv6: 10 }, words: 'ipv4 or ipv6' },
  integer: { max: 0xffffffff, names: {}, words: 'a number' },
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** Writes one value the way `nft list ruleset` does; ends of a range are written as numbers. */
export function formatNftValue(type: NftTypeName, value: number, asNumber = false): string {
  if (type === 'ipv4_addr') return formatIpv4(value)
  if (type === 'mark') return `0x${hex(value, 8)}`
  if (type === 'ether_addr') return (hex(value, 12).match(/../g) as string[]).join(':')
  const { names, bits, numeric } = NFT_TYPES[type]
  const known = Object.entries(names)
  if (asNumber) return type === 'dscp' ? `0x${hex(value, 2)}` : String(value)
  const exact = known.find(([, number]) => number === value)
  if (exact !== undefined && numeric !== true) return exact[0]
  if (bits === true && value !== 0) {
    const parts = known.filter(([, bit]) => (value & bit) !== 0)
    if (parts.reduce((sum, [, bit]) => sum | bit, 0) === value) return parts.map(([name]) => name).join(',')
  }
  if (type === 'dscp') return `0x${hex(value, 2)}`
  return String(value)
}
