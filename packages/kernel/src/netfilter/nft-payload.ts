import { defineSystem } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { SkbNf } from './components.js'
import { NfConn, SkbConn } from './conntrack-components.js'
import { hardwareAddresses } from './hardware-address.js'

/** Loads a field of a packet. */
export interface NftLoad {
  /** One entry: the field as a number, or −1 where the packet has none (the rule then does not match). In a column it is not boxed. */
  readonly register: Float64Array
  load(field: number, row: number, inDev: number, outDev: number): void
}

const NFPROTO_IPV4 = 2
const ARPHRD_ETHER = 1
const ARPHRD_NONE = 0xfffe
const NONE = -1

/** Loads fields into registers. Kernel: net/netfilter/nft_payload.c, nft_payload_eval; nft_meta.c, nft_meta_get_eval */
export const nftLoad = defineSystem<NftLoad>(
  'nft_payload_eval',
  'netfilter',
  'net/netfilter/nft_payload.c, nft_payload_eval',
  (context) => {
    const { CTINFO, CT_STATE, FAULT_L4_SHORT, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IP_OFFSET, NFT_FIELD, SKB } =
      NUMBERS
    const SEGMENTED = SKB.gso | SKB.fragList

    const { saddr, daddr, ports, ipWord, idFrag, totLen, udpLen, tcpWord, len, flags, faults, packetType } =
      context.read(Skb)
    const { mark } = context.read(SkbNf)
    const addresses = context.system(hardwareAddresses)
    const { conn, info } = context.read(SkbConn)
    const { mark: connMark } = context.read(NfConn)

    /** Kernel: net/netfilter/nft_ct.c, nft_ct_get_eval, NFT_CT_STATE */
    function ctState(row: number): number {
      if (conn[row] === 0) return info[row] === CTINFO.untracked ? CT_STATE.untracked : CT_STATE.invalid
      switch (info[row]) {
        case CTINFO.new:
          return CT_STATE.new
        case CTINFO.related:
        case CTINFO.relatedReply:
          return CT_STATE.related
        default:
          return CT_STATE.established
      }
    }

    function hasTransport(row: number): boolean {
      return (idFrag[row] & IP_OFFSET) === 0 && (faults[row] & FAULT_L4_SHORT) === 0
    }

    function is(row: number, protocol: number): boolean {
      return (ipWord[row] & 255) === protocol && hasTransport(row)
    }

    /** TCP and UDP have ports; of other protocols nothing is known behind the IP header. */
    function hasPorts(row: number): boolean {
      const protocol = ipWord[row] & 255
      return (protocol === IPPROTO_TCP || protocol === IPPROTO_UDP) && hasTransport(row)
    }

    function headerBytes(row: number): number {
      return ((ipWord[row] >>> 24) & 15) * 4
    }

    function transport(field: number, row: number): number {
      switch (field) {
        case NFT_FIELD.sport:
          return hasPorts(row) ? ports[row] >>> 16 : NONE
        case NFT_FIELD.dport:
          return hasPorts(row) ? ports[row] & 0xffff : NONE
        case NFT_FIELD.udpLength:
          if (!is(row, IPPROTO_UDP)) return NONE
          return (flags[row] & SEGMENTED) !== 0 ? (len[row] - headerBytes(row)) & 0xffff : udpLen[row]
        case NFT_FIELD.tcpFlags:
          return is(row, IPPROTO_TCP) ? tcpWord[row] & 255 : NONE
        case NFT_FIELD.icmpType:
          return is(row, IPPROTO_ICMP) ? tcpWord[row] & 255 : NONE
        case NFT_FIELD.icmpCode:
          return is(row, IPPROTO_ICMP) ? (tcpWord[row] >>> 8) & 255 : NONE
        case NFT_FIELD.ctMark:
          return conn[row] === 0 ? NONE : connMark[conn[row]]
        default:
          return NONE
      }
    }

    function value(field: number, row: number, inDev: number, outDev: number): number {
      switch (field) {
        case NFT_FIELD.l4proto:
          return ipWord[row] & 255
        case NFT_FIELD.nfproto:
          return NFPROTO_IPV4
        case NFT_FIELD.saddr:
          return saddr[row]
        case NFT_FIELD.daddr:
          return daddr[row]
        case NFT_FIELD.iif:
          return inDev
        case NFT_FIELD.oif:
          return outDev
        case NFT_FIELD.mark:
          return mark[row]
        case NFT_FIELD.ttl:
          return (ipWord[row] >>> 16) & 255
        case NFT_FIELD.dscp:
          return (ipWord[row] >>> 10) & 63
        case NFT_FIELD.ipLength:
          return (flags[row] & SEGMENTED) !== 0 ? len[row] & 0xffff : totLen[row]
        case NFT_FIELD.length:
          return len[row]
        case NFT_FIELD.packetType:
          return packetType[row]
        case NFT_FIELD.iifType:
          return (flags[row] & SKB.noEthernet) !== 0 ? ARPHRD_NONE : ARPHRD_ETHER
        case NFT_FIELD.etherSource:
          return addresses.source(row)
        case NFT_FIELD.etherDest:
          return addresses.destination(row)
        case NFT_FIELD.ctState:
          return ctState(row)
        case NFT_FIELD.ctDirection:
          if (conn[row] === 0) return NONE
          return info[row] === CTINFO.establishedReply || info[row] === CTINFO.relatedReply ? 1 : 0
        default:
          return transport(field, row)
      }
    }

    const register = new Float64Array(1)
    return {
      register,
      load(field, row, inDev, outDev) {
        register[0] = value(field, row, inDev, outDev)
      },
    }
  },
)
