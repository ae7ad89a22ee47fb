import { defineSystem } from '@softnet/ecs'
import { costProfile } from '@softnet/scenario/plan'
import { checksumPartial, natMangleIpv4 } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { chargeCycles } from './charge-cycles.js'
import { IPS, NfConn, SkbConn } from './conntrack-components.js'

/** Writes the translated address and port into the headers of a packet, where its connection has any; false: drop it. */
export type NatPacket = (cpu: number, row: number, manip: number) => boolean

const ICMP_HLEN = 8
const IPV4_HLEN = 20
const ICMP_REDIRECT = 5
const NAT = IPS.srcNat | IPS.dstNat
const DONE = IPS.srcNatDone | IPS.dstNatDone

/** Changes columns and bytes of a packet as its connection says. Kernel: net/netfilter/nf_nat_core.c, nf_nat_packet */
export const natPacket = defineSystem<NatPacket>(
  'nf_nat_packet',
  'netfilter',
  'net/netfilter/nf_nat_core.c, nf_nat_packet',
  (context) => {
    const { CTINFO, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPS, MANIP, STAGE } = NUMBERS

    const skb = context.write(Skb)
    const { ipWord, tcpWord, page } = context.read(Skb)
    const { conn: connOf, info } = context.read(SkbConn)
    const c = context.read(NfConn)
    const pages = context.system(packetPages)
    const bytes = context.system(skbBytes)
    const price = context.system(chargeCycles)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const cycles = costProfile(plan.profile).netfilter.nat_manip.cycles
    // Tuple of the other direction, signed words: turned round it is what the packet becomes.
    let otherSaddr = 0
    let otherDaddr = 0
    let otherPorts = 0

    /** Port of a packet's new source or destination; the id of an ICMP query. */
    function portFor(protocol: number, manip: number): number {
      return protocol === IPPROTO_ICMP || manip === MANIP.destination ? otherPorts >>> 16 : otherPorts & 0xffff
    }

    /** The first header of a packet. */
    function outer(row: number, manip: number, withPort: boolean): void {
      const address = manip === MANIP.source ? otherDaddr : otherSaddr
      const protocol = ipWord[row] & 255
      const hasPort = protocol === IPPROTO_UDP || protocol === IPPROTO_TCP || protocol === IPPROTO_ICMP
      const port = withPort && hasPort ? portFor(protocol, manip) : -1
      if (page[row] !== 0) {
        const at = pages.first(page[row])
        natMangleIpv4(pages.view, at, at + bytes.length(row), manip === MANIP.destination, address >>> 0, port)
      }
      if (manip === MANIP.source) skb.saddr[row] = address
      else skb.daddr[row] = address
      if (port < 0) return
      const ports = skb.ports[row]
      if (protocol === IPPROTO_ICMP) {
        skb.ports[row] = (port << 16) >>> 0
        skb.tcpSeq[row] = ((port << 16) | (skb.tcpSeq[row] & 0xffff)) >>> 0
      } else if (manip === MANIP.source) skb.ports[row] = ((port << 16) | (ports & 0xffff)) >>> 0
      else skb.ports[row] = ((ports & 0xffff0000) | port) >>> 0
    }

    /** The header that an ICMP error quotes: it went the other way. Kernel: net/netfilter/nf_nat_proto.c, nf_nat_icmp_reply_translation */
    function quoted(row: number, manip: number): boolean {
      const first = pages.first(page[row])
      const end = first + bytes.length(row)
      const header = ((ipWord[row] >>> 24) & 15) * 4
      const at = first + header + ICMP_HLEN
      if (at + IPV4_HLEN > end) return false
      const { view } = pages
      const isSource = manip === MANIP.destination
      const address = isSource ? otherSaddr : otherDaddr
      const protocol = view.getUint8(at + 9)
      const port = isSource || protocol === IPPROTO_ICMP ? otherPorts >>> 16 : otherPorts & 0xffff
      natMangleIpv4(view, at, end, !isSource, address >>> 0, port)
      view.setUint16(first + header + 2, 0)
      view.setUint16(first + header + 2, ~checksumPartial(view, first + header, end - first - header, 0) & 0xffff)
      return true
    }

    /** Whether an error may pass as it is: a redirect is none of a translated connection's. */
    function isRefused(row: number, conn: number): boolean {
      const isRedirect = (ipWord[row] & 255) === IPPROTO_ICMP && (tcpWord[row] & 255) === ICMP_REDIRECT
      return isRedirect && ((c.status[conn] & NAT) !== 0 || (c.status[conn] & DONE) !== DONE)
    }

    return (cpu, row, manip) => {
      const conn = connOf[row]
      const isReply = info[row] === CTINFO.establishedReply || info[row] === CTINFO.relatedReply
      const isRelated = info[row] === CTINFO.related || info[row] === CTINFO.relatedReply
      if (isRelated && isRefused(row, conn)) return false
      // What is the source of the one direction is the destination of the other.
      const bit = (manip === MANIP.source) !== isReply ? IPS.srcNat : IPS.dstNat
      if ((c.status[conn] & bit) === 0) return true
      price.cycles[0] = cycles
      price.charge(cpu, STAGE.nf_nat_inet_fn)
      otherSaddr = (isReply ? c.saddr[conn] : c.replySaddr[conn]) | 0
      otherDaddr = (isReply ? c.daddr[conn] : c.replyDaddr[conn]) | 0
      otherPorts = (isReply ? c.ports[conn] : c.replyPorts[conn]) | 0
      if (page[row] !== 0 && !bytes.cow(cpu, row)) return false
      if (isRelated && page[row] !== 0 && !quoted(row, manip)) return false
      outer(row, manip, !isRelated)
      return true
    }
  },
)
