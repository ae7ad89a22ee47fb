import { defineSystem } from '@softnet/ecs'
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '@softnet/wire'
import { SKB, Skb } from '../skb/components.js'
import { ReplayByte, ReplayFrame } from '../traffic/components.js'

/** Addresses, ports and protocol of the packet that an ICMP error quotes. */
export interface QuotedTuple {
  /** Reads the quote; false where the packet has no bytes or too few of them. */
  read(row: number): boolean
  /** Identifier of an ICMP query or answer; of a packet without bytes, where a source port would be. */
  icmpId(row: number): number
  readonly saddr: number
  readonly daddr: number
  readonly ports: number
  readonly protocol: number
}

const ETHER_BYTES = 14
const TAG_BYTES = 4
const ICMP_BYTES = 8
const IPV4_BYTES = 20
const PORT_BYTES = 4
const ICMP_ID_OFFSET = 4
const ICMP_ID_END = 6

/** Reads what replayed ICMP errors quote. Kernel: net/netfilter/nf_conntrack_proto_icmp.c, nf_conntrack_inet_error */
export const quotedTuple = defineSystem<QuotedTuple>(
  'nf_ct_get_tuplepr',
  'netfilter',
  'net/netfilter/nf_conntrack_core.c, nf_ct_get_tuplepr',
  (context) => {
    const { page, ipWord, ports } = context.read(Skb)
    const { firstByte, capturedBytes, flags } = context.read(ReplayFrame)
    const { value: bytes } = context.read(ReplayByte)
    const word = (at: number): number => bytes[at] * 256 + bytes[at + 1]
    const address = (at: number): number => (word(at) * 65_536 + word(at + 2)) >>> 0
    const found = {
      saddr: 0,
      daddr: 0,
      ports: 0,
      protocol: 0,
      icmpId(row: number): number {
        const frame = page[row]
        if (frame === 0) return ports[row] >>> 16
        const tag = (flags[frame] & SKB.vlan) !== 0 ? TAG_BYTES : 0
        const at = firstByte[frame] + ETHER_BYTES + tag + ((ipWord[row] >>> 24) & 15) * 4 + ICMP_ID_OFFSET
        return at + 2 <= firstByte[frame] + capturedBytes[frame] ? word(at) : 0
      },
      read(row: number): boolean {
        const frame = page[row]
        if (frame === 0) return false
        const tag = (flags[frame] & SKB.vlan) !== 0 ? TAG_BYTES : 0
        const inner = firstByte[frame] + ETHER_BYTES + tag + ((ipWord[row] >>> 24) & 15) * 4 + ICMP_BYTES
        const end = firstByte[frame] + capturedBytes[frame]
        if (inner + IPV4_BYTES > end) return false
        const l4 = inner + (bytes[inner] & 15) * 4
        const protocol = bytes[inner + 9]
        found.protocol = protocol
        found.saddr = address(inner + 12)
        found.daddr = address(inner + 16)
        found.ports = 0
        if (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP) {
          if (l4 + PORT_BYTES > end) return false
          found.ports = address(l4)
        } else if (protocol === IPPROTO_ICMP) {
          if (l4 + ICMP_ID_END > end) return false
          found.ports = (word(l4 + 4) * 65_536 + word(l4)) >>> 0
        }
        return true
      },
    }
    return found
  },
)
