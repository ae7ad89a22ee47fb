import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

/** Addresses, ports and protocol of the packet that an ICMP error quotes. */
export interface QuotedTuple {
  /** Reads the quote; false where the packet has no bytes or too few of them. */
  read(row: number): boolean
  /** Identifier of an ICMP query or answer. */
  icmpId(row: number): number
  readonly saddr: number
  readonly daddr: number
  readonly ports: number
  readonly protocol: number
}

const ICMP_BYTES = 8
const IPV4_BYTES = 20
const PORT_BYTES = 4

/** Reads what ICMP errors quote. Kernel: net/netfilter/nf_conntrack_proto_icmp.c, nf_conntrack_inet_error */
export const quotedTuple = defineSystem<QuotedTuple>(
  'nf_ct_get_tuplepr',
  'netfilter',
  'net/netfilter/nf_conntrack_core.c, nf_ct_get_tuplepr',
  (context) => {
    const { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IP_OFFSET } = NUMBERS

    const { ipWord, ports, tcpSeq } = context.read(Skb)
    const bytes = context.system(skbBytes)
    const found = {
      saddr: 0,
      daddr: 0,
      ports: 0,
      protocol: 0,
      icmpId(row: number): number {
        // A source without bytes puts the id where a source port would be.
        return bytes.has(row) || ports[row] === 0 ? tcpSeq[row] >>> 16 : ports[row] >>> 16
      },
      read(row: number): boolean {
        if (!bytes.has(row)) return false
        const inner = ((ipWord[row] >>> 24) & 15) * 4 + ICMP_BYTES
        const end = bytes.length(row)
        if (inner + IPV4_BYTES > end || (bytes.u16(row, inner + 6) & IP_OFFSET) !== 0) return false
        const l4 = inner + (bytes.u8(row, inner) & 15) * 4
        if (l4 > end) return false
        const protocol = bytes.u8(row, inner + 9)
        found.protocol = protocol
        found.saddr = bytes.u32(row, inner + 12)
        found.daddr = bytes.u32(row, inner + 16)
        found.ports = 0
        if (protocol === IPPROTO_UDP || protocol === IPPROTO_TCP) {
          if (l4 + PORT_BYTES > end) return false
          found.ports = bytes.u32(row, l4)
        } else if (protocol === IPPROTO_ICMP) {
          if (l4 + ICMP_BYTES > end) return false
          found.ports = ((bytes.u16(row, l4 + 4) << 16) | bytes.u16(row, l4)) >>> 0
        }
        return true
      },
    }
    return found
  },
)
