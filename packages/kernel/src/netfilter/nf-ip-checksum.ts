import { defineSystem } from '@softnet/ecs'
import { checksumFold, pseudoHeaderSum } from '@softnet/wire'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'

/** Whether a packet's checksums hold, as netfilter looks at them before it answers. */
export interface NfIpChecksum {
  /** Right, or known to be. Kernel: net/netfilter/utils.c, nf_ip_checksum */
  isRight(row: number): boolean
  /** The same of a packet that an ICMP error may answer: some protocols are not looked at. Kernel: include/net/netfilter/nf_reject.h, nf_reject_verify_csum */
  mayReject(row: number): boolean
}

const PLAIN_WORDS = 5
const IPPROTO_GRE = 47
const GRE_CSUM = 0x8000
/** Protocols with no checksum of sixteen bits over all of the payload: ESP, AH, SCTP, UDP-Lite. */
const OTHER_CHECKS: readonly number[] = [50, 51, 132, 136]
const RIGHT = 0xffff

/**
 * The sum of the whole packet, IP header included: a header whose options this host has written to is not right until it is
 * sent, and no error answers it. Kernel: net/netfilter/utils.c, nf_ip_checksum
 */
export const nfIpChecksum = defineSystem<NfIpChecksum>(
  'nf_ip_checksum',
  'netfilter',
  'net/netfilter/utils.c, nf_ip_checksum',
  (context) => {
    const { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, SKB } = NUMBERS

    const { flags, faults, ipWord, len, saddr, daddr } = context.read(Skb)
    const bytes = context.system(skbBytes)

    function isRight(row: number): boolean {
      if ((flags[row] & SKB.csumUnnecessary) !== 0) return true
      if ((flags[row] & SKB.csumBad) !== 0) return false
      if (!bytes.has(row)) return true
      const words = (ipWord[row] >>> 24) & 15
      const protocol = ipWord[row] & 255
      const isKnown = protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_ICMP
      if (!isKnown) return bytes.sum(row, 0, len[row]) === RIGHT
      // Of a segment that is not whole nobody has looked at the checksum yet.
      if (protocol === IPPROTO_TCP && faults[row] !== 0) {
        const pseudo = pseudoHeaderSum(saddr[row], daddr[row], protocol, len[row] - words * 4)
        return checksumFold(bytes.sum(row, 0, len[row]) + pseudo) === RIGHT
      }
      return words === PLAIN_WORDS || bytes.sum(row, 0, words * 4) === RIGHT
    }

    return {
      isRight,
      mayReject(row) {
        const protocol = ipWord[row] & 255
        if (protocol === IPPROTO_UDP && (flags[row] & SKB.csumZero) !== 0) return true
        if (OTHER_CHECKS.includes(protocol)) return true
        const isBare = protocol === IPPROTO_GRE && bytes.has(row)
        if (isBare && (bytes.u16(row, ((ipWord[row] >>> 24) & 15) * 4) & GRE_CSUM) === 0) return true
        return isRight(row)
      },
    }
  },
)
