import { ARP_LEN, arpOp, arpSenderIp, arpTargetIp, checkArp } from './arp.js'
import { checksumPartial, pseudoHeaderSum } from './checksum.js'
import {
  ETH_P_ARP,
  ETH_P_IP,
  ETH_P_IPV6,
  ethernetDstHi,
  ethernetDstLo,
  ethernetSrcHi,
  ethernetSrcLo,
  macIsBroadcast,
  macIsMulticast,
} from './ethernet.js'
import {
  FAULT_CAPTURE_TRUNCATED,
  FAULT_IP_TOT_LEN_LONG,
  FAULT_L4_SHORT,
  FAULT_LINK_SHORT,
  FAULT_LINK_TYPE,
  FAULT_TCP_DOFF_LONG,
  FAULT_UDP_LENGTH_LONG,
  FAULT_UDP_LENGTH_SHORT,
} from './fault.js'
import { checkIcmp, icmpCode, icmpRest, icmpType } from './icmp.js'
import { checkIgmp } from './igmp.js'
import * as ipv4 from './ipv4.js'
import { checkIpv6, IPV6_HLEN, ipv6HopLimit, ipv6NextHeader, ipv6PayloadBytes, ipv6TrafficClass } from './ipv6.js'
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  linkEtherType,
  linkHeaderBytes,
} from './link-type.js'
import * as tcp from './tcp.js'
import { checkTcpOptions } from './tcp-options.js'
import { checkUdp, UDP_HLEN, udpCheck, udpDport, udpLength, udpSport } from './udp.js'
import { checkVlan, isVlanType, VLAN_HLEN, vlanInnerType, vlanTci } from './vlan.js'

/** The packet carries no L4 checksum, or its protocol has none that is known here. */
export const L4_CHECKSUM_NONE = 0
/** The L4 checksum was computed and is right. */
export const L4_CHECKSUM_OK = 1
/** The L4 checksum was computed and is wrong. */
export const L4_CHECKSUM_BAD = 2
/** The bytes needed are not there: a fragment, a truncated capture, or an impossible length. */
export const L4_CHECKSUM_UNVERIFIABLE = 3

/** Sent to this machine, as far as the frame tells. Kernel: include/uapi/linux/if_packet.h, PACKET_HOST. */
export const PACKET_HOST = 0
/** Sent to everybody. Kernel: include/uapi/linux/if_packet.h, PACKET_BROADCAST. */
export const PACKET_BROADCAST = 1
/** Sent to a group. Kernel: include/uapi/linux/if_packet.h, PACKET_MULTICAST. */
export const PACKET_MULTICAST = 2

/**
 * Any value past the small integers: a field that starts with it is kept as a double and written without
 * allocation.
 */
const WIDE = 0xffffffff

/** Bit of `fragSum`: the low 16 bits are a sum. */
export const FRAG_SUM_KNOWN = 0x10000

/**
 * The fields of one frame as numbers. One record is made once and filled again for each frame; every field is 0 where
 * the frame has nothing for it. Offsets count from the first byte of the frame; addresses, sequence numbers and hashes
 * are unsigned 32 bits.
 */
export class ParsedFrame {
  /** Upper 16 bits of the destination MAC. */ dstHi = 0
  /** Lower 32 bits of the destination MAC. */ dstLo = WIDE
  /** Upper 16 bits of the source MAC. */ srcHi = 0
  /** Lower 32 bits of the source MAC. */ srcLo = WIDE
  /** `PACKET_HOST`, `PACKET_BROADCAST`, `PACKET_MULTICAST`, or what a cooked capture says (0..4). */ packetType = 0
  /** Ethertype behind at most one tag; a second tag stays here as its own type. */ etherType = 0
  /** Ethertype of the removed tag; 0 where there was none. */ vlanProto = 0
  /** Control information of the removed tag. */ vlanTci = 0
  /** Where the network header starts. */ networkOffset = 0
  /** Version nibble of an IP packet. */ ipVersion = 0
  /** IPv4 header length in 32-bit words. */ ihl = 0
  /** Type of service or traffic class. */ tos = 0
  /** Length of the IP packet by its own header, bytes. */ totLenBytes = 0
  /** IPv4 identification. */ ipId = 0
  /** IPv4 fragment field: flags and offset. */ fragOff = 0
  /** Time to live or hop limit. */ ttl = 0
  /** IPv4 protocol or IPv6 next header. */ protocol = 0
  /** 1 where the IPv4 header checksum is right. */ ipChecksumOk = 0
  /** IPv4 source, or the sender of an ARP message. */ saddr = WIDE
  /** IPv4 destination, or the target of an ARP message. */ daddr = WIDE
  /** ARP operation. */ arpOp = 0
  /** Where the L4 header (or the rest of a later fragment) starts. */ l4Offset = 0
  /** Source port of UDP or TCP. */ sport = 0
  /** Destination port of UDP or TCP. */ dport = 0
  /** UDP length field. */ udpLengthBytes = 0
  /** One of `L4_CHECKSUM_NONE`, `_OK`, `_BAD`, `_UNVERIFIABLE`. */ l4ChecksumState = 0
  /** Where the header's source route starts, from the header's own start; 0: none. */ sourceRouteOffset = 0
  /** Destination behind the last stop of the source route; `daddr` without one. */ lastStop = WIDE
  /** `l4ChecksumState` as it is once `lastStop` is the destination. */ lastStopChecksumState = 0
  /** Sum of a fragment's bytes behind the IP header, as far as reassembly takes them, with `FRAG_SUM_KNOWN`; else 0. */
  fragSum = 0
  /** TCP sequence number. */ tcpSeq = WIDE
  /** TCP acknowledgment number. */ tcpAck = WIDE
  /** TCP flags, `TCP_FIN` … `TCP_AE`. */ tcpFlags = 0
  /** TCP window, not scaled. */ tcpWindow = 0
  /** TCP header length in 32-bit words. */ tcpDoff = 0
  /** Hash of the TCP option bytes, equal for equal options. */ optionsHash = WIDE
  /** ICMP type. */ icmpType = 0
  /** ICMP code. */ icmpCode = 0
  /** Second word of an ICMP header. */ icmpRest = WIDE
  /** Where the payload starts. */ payloadOffset = 0
  /** Payload bytes by the headers; a truncated capture may hold fewer. */ payloadBytes = 0
  /** Bytes behind the end of the IP packet, such as Ethernet padding. */ paddingBytes = 0
  /** Bytes captured. */ capturedBytes = 0
  /** Bytes on the wire, without FCS. */ wireBytes = WIDE
  /** What was malformed, `FAULT_…` bits. */ fault = 0

  constructor() {
    clearFrame(this)
  }
}

/** Sets every field to 0. */
export function clearFrame(out: ParsedFrame): void {
  out.dstHi = 0
  out.dstLo = 0
  out.srcHi = 0
  out.srcLo = 0
  out.packetType = 0
  out.etherType = 0
  out.vlanProto = 0
  out.vlanTci = 0
  out.networkOffset = 0
  out.ipVersion = 0
  out.ihl = 0
  out.tos = 0
  out.totLenBytes = 0
  out.ipId = 0
  out.fragOff = 0
  out.ttl = 0
  out.protocol = 0
  out.ipChecksumOk = 0
  out.saddr = 0
  out.daddr = 0
  out.arpOp = 0
  out.l4Offset = 0
  out.sport = 0
  out.dport = 0
  out.udpLengthBytes = 0
  out.l4ChecksumState = 0
  out.sourceRouteOffset = 0
  out.lastStop = 0
  out.lastStopChecksumState = 0
  out.fragSum = 0
  out.tcpSeq = 0
  out.tcpAck = 0
  out.tcpFlags = 0
  out.tcpWindow = 0
  out.tcpDoff = 0
  out.optionsHash = 0
  out.icmpType = 0
  out.icmpCode = 0
  out.icmpRest = 0
  out.payloadOffset = 0
  out.payloadBytes = 0
  out.paddingBytes = 0
  out.capturedBytes = 0
  out.wireBytes = 0
  out.fault = 0
}

/**
 * Reads the frame of `capturedBytes` at `offset` into `out` and returns `out.fault`; `wireBytes` is its length on the
 * wire where the capture cut it. Never throws as long as `capturedBytes` lie inside `view`.
 * Kernel: eth_type_trans, skb_vlan_untag, ip_rcv_core, __udp4_lib_rcv, tcp_v4_rcv, in their order of checks.
 */
export function parseFrame(
  out: ParsedFrame,
  view: DataView,
  offset: number,
  capturedBytes: number,
  linkType: number,
  wireBytes: number = capturedBytes,
): number {
  clearFrame(out)
  out.capturedBytes = capturedBytes
  out.wireBytes = Math.max(wireBytes, capturedBytes)
  if (out.wireBytes > capturedBytes) out.fault |= FAULT_CAPTURE_TRUNCATED
  const linkBytes = linkHeaderBytes(linkType)
  if (linkBytes < 0) {
    out.fault |= FAULT_LINK_TYPE
    return out.fault
  }
  if (capturedBytes < linkBytes) {
    out.fault |= FAULT_LINK_SHORT
    return out.fault
  }
  parseLinkAddresses(out, view, offset, linkType)
  out.networkOffset = linkBytes
  out.etherType = linkEtherType(linkType, view, offset, capturedBytes)
  if (isVlanType(out.etherType)) {
    out.fault |= checkVlan(capturedBytes - linkBytes)
    if (capturedBytes - linkBytes < VLAN_HLEN) return out.fault
    out.vlanProto = out.etherType
    out.vlanTci = vlanTci(view, offset + linkBytes)
    out.etherType = vlanInnerType(view, offset + linkBytes)
    out.networkOffset = linkBytes + VLAN_HLEN
  }
  if (out.etherType === ETH_P_IP) parseIpv4(out, view, offset)
  else if (out.etherType === ETH_P_ARP) parseArp(out, view, offset)
  else if (out.etherType === ETH_P_IPV6) parseIpv6Fixed(out, view, offset)
  else setPayload(out, out.networkOffset, out.wireBytes - out.networkOffset)
  return out.fault
}

function parseLinkAddresses(out: ParsedFrame, view: DataView, offset: number, linkType: number): void {
  if (linkType === LINKTYPE_ETHERNET) {
    out.dstHi = ethernetDstHi(view, offset)
    out.dstLo = ethernetDstLo(view, offset)
    out.srcHi = ethernetSrcHi(view, offset)
    out.srcLo = ethernetSrcLo(view, offset)
    if (macIsBroadcast(out.dstHi, out.dstLo)) out.packetType = PACKET_BROADCAST
    else if (macIsMulticast(out.dstHi)) out.packetType = PACKET_MULTICAST
  } else if (linkType === LINKTYPE_LINUX_SLL) {
    out.packetType = view.getUint16(offset)
    if (view.getUint16(offset + 4) === 6) setSource(out, view, offset + 6)
  } else if (linkType === LINKTYPE_LINUX_SLL2) {
    out.packetType = view.getUint8(offset + 10)
    if (view.getUint8(offset + 11) === 6) setSource(out, view, offset + 12)
  }
}

function setSource(out: ParsedFrame, view: DataView, at: number): void {
  out.srcHi = view.getUint16(at)
  out.srcLo = view.getUint32(at + 2)
}

function setPayload(out: ParsedFrame, payloadOffset: number, payloadBytes: number): void {
  out.payloadOffset = payloadOffset
  out.payloadBytes = Math.max(payloadBytes, 0)
}

function parseArp(out: ParsedFrame, view: DataView, offset: number): void {
  const at = offset + out.networkOffset
  const fault = checkArp(view, at, out.capturedBytes - out.networkOffset)
  out.fault |= fault
  if (fault !== 0) return
  out.arpOp = arpOp(view, at)
  out.saddr = arpSenderIp(view, at)
  out.daddr = arpTargetIp(view, at)
  out.paddingBytes = out.wireBytes - out.networkOffset - ARP_LEN
}

function parseIpv6Fixed(out: ParsedFrame, view: DataView, offset: number): void {
  const at = offset + out.networkOffset
  const packetBytes = out.wireBytes - out.networkOffset
  const fault = checkIpv6(view, at, out.capturedBytes - out.networkOffset, packetBytes)
  out.fault |= fault
  if (fault !== 0 && fault !== FAULT_IP_TOT_LEN_LONG) return
  out.ipVersion = 6
  out.tos = ipv6TrafficClass(view, at)
  out.totLenBytes = ipv6PayloadBytes(view, at) + IPV6_HLEN
  out.protocol = ipv6NextHeader(view, at)
  out.ttl = ipv6HopLimit(view, at)
  out.l4Offset = out.networkOffset + IPV6_HLEN
  setPayload(out, out.l4Offset, out.totLenBytes - IPV6_HLEN)
  if (packetBytes > out.totLenBytes) out.paddingBytes = packetBytes - out.totLenBytes
}

function parseIpv4(out: ParsedFrame, view: DataView, offset: number): void {
  const at = offset + out.networkOffset
  const packetBytes = out.wireBytes - out.networkOffset
  const availableBytes = out.capturedBytes - out.networkOffset
  if (availableBytes > 0) out.ipVersion = ipv4.ipv4Version(view, at)
  const fault = ipv4.checkIpv4(view, at, availableBytes, packetBytes)
  out.fault |= fault
  if (availableBytes < ipv4.IPV4_HLEN) return
  out.ihl = ipv4.ipv4Ihl(view, at)
  out.tos = ipv4.ipv4Tos(view, at)
  out.totLenBytes = ipv4.ipv4TotLen(view, at)
  out.ipId = ipv4.ipv4Id(view, at)
  out.fragOff = ipv4.ipv4FragOff(view, at)
  out.ttl = ipv4.ipv4Ttl(view, at)
  out.protocol = ipv4.ipv4Protocol(view, at)
  out.saddr = ipv4.ipv4Saddr(view, at)
  out.daddr = ipv4.ipv4Daddr(view, at)
  out.lastStop = out.daddr
  const headerBytes = out.ihl * 4
  if (headerBytes >= ipv4.IPV4_HLEN && headerBytes <= availableBytes) {
    out.ipChecksumOk = ipv4.ipv4ChecksumIsRight(view, at, headerBytes) ? 1 : 0
    if (headerBytes > ipv4.IPV4_HLEN) parseOptions(out, view, at, headerBytes)
  }
  if (fault !== 0 && fault !== FAULT_IP_TOT_LEN_LONG) return
  out.l4Offset = out.networkOffset + headerBytes
  if (packetBytes > out.totLenBytes) out.paddingBytes = packetBytes - out.totLenBytes
  const segmentBytes = out.totLenBytes - headerBytes
  const heldBytes = Math.min(availableBytes - headerBytes, segmentBytes)
  parseL4(out, view, offset + out.l4Offset, heldBytes, segmentBytes)
}

function parseOptions(out: ParsedFrame, view: DataView, at: number, headerBytes: number): void {
  const fault = ipv4.checkIpv4Options(view, at, headerBytes)
  out.fault |= fault
  if (fault !== 0) return
  out.sourceRouteOffset = ipv4.ipv4SourceRoute(view, at, headerBytes)
  if (out.sourceRouteOffset !== 0) out.lastStop = ipv4.ipv4LastStop(view, at + out.sourceRouteOffset, out.daddr)
}

/** Reassembly takes whole units of eight bytes of every fragment but the last. Kernel: net/ipv4/ip_fragment.c, ip_frag_queue */
function sumFragment(out: ParsedFrame, view: DataView, at: number, heldBytes: number, segmentBytes: number): void {
  const takenBytes = (out.fragOff & ipv4.IP_MF) !== 0 ? segmentBytes & ~7 : segmentBytes
  if (takenBytes > heldBytes) return
  out.fragSum = FRAG_SUM_KNOWN | checksumPartial(view, at, takenBytes, 0)
}

/** `heldBytes` of the `segmentBytes` behind the IP header are in the capture. */
function parseL4(out: ParsedFrame, view: DataView, at: number, heldBytes: number, segmentBytes: number): void {
  setPayload(out, out.l4Offset, segmentBytes)
  if (ipv4.ipv4IsFragment(out.fragOff)) sumFragment(out, view, at, heldBytes, segmentBytes)
  if ((out.fragOff & ipv4.IP_OFFSET) !== 0) {
    setChecksumState(out, L4_CHECKSUM_UNVERIFIABLE)
    return
  }
  switch (out.protocol) {
    case ipv4.IPPROTO_UDP:
      parseUdp(out, view, at, heldBytes, segmentBytes)
      break
    case ipv4.IPPROTO_TCP:
      parseTcp(out, view, at, heldBytes, segmentBytes)
      break
    case ipv4.IPPROTO_ICMP:
      // icmp_rcv sums the message before it looks for a header.
      setChecksumState(out, checksumState(out, view, at, heldBytes, segmentBytes, 0))
      out.fault |= checkIcmp(heldBytes)
      // Linux sums up what there is before it misses the header.
      if (checkIcmp(heldBytes) !== 0) {
        out.l4ChecksumState = checksumState(out, view, at, heldBytes, segmentBytes, 0)
        break
      }
      out.icmpType = icmpType(view, at)
      out.icmpCode = icmpCode(view, at)
      out.icmpRest = icmpRest(view, at)
      setPayload(out, out.l4Offset + 8, segmentBytes - 8)
      break
    case ipv4.IPPROTO_IGMP:
      out.fault |= checkIgmp(heldBytes)
      if (checkIgmp(heldBytes) !== 0) break
      setChecksumState(out, checksumState(out, view, at, heldBytes, segmentBytes, 0))
      break
  }
}

function setChecksumState(out: ParsedFrame, state: number): void {
  out.l4ChecksumState = state
  out.lastStopChecksumState = state
}

/** Sums up a segment behind its pseudo header, and once more for the destination at the end of a source route. */
function verifyTransport(
  out: ParsedFrame,
  view: DataView,
  at: number,
  heldBytes: number,
  coveredBytes: number,
  protocol: number,
): void {
  const pseudoSum = pseudoHeaderSum(out.saddr, out.daddr, protocol, coveredBytes)
  setChecksumState(out, checksumState(out, view, at, heldBytes, coveredBytes, pseudoSum))
  if (out.lastStop === out.daddr) return
  const routedSum = pseudoHeaderSum(out.saddr, out.lastStop, protocol, coveredBytes)
  out.lastStopChecksumState = checksumState(out, view, at, heldBytes, coveredBytes, routedSum)
}

function checksumState(
  out: ParsedFrame,
  view: DataView,
  at: number,
  heldBytes: number,
  coveredBytes: number,
  pseudoSum: number,
): number {
  if (coveredBytes > heldBytes || ipv4.ipv4IsFragment(out.fragOff)) return L4_CHECKSUM_UNVERIFIABLE
  return checksumPartial(view, at, coveredBytes, pseudoSum) === 0xffff ? L4_CHECKSUM_OK : L4_CHECKSUM_BAD
}

function parseUdp(out: ParsedFrame, view: DataView, at: number, heldBytes: number, segmentBytes: number): void {
  const fault = checkUdp(view, at, heldBytes, segmentBytes)
  // The length of a fragmented datagram counts all fragments.
  if (fault !== FAULT_UDP_LENGTH_LONG || !ipv4.ipv4IsFragment(out.fragOff)) out.fault |= fault
  if (fault === FAULT_L4_SHORT) return
  out.sport = udpSport(view, at)
  out.dport = udpDport(view, at)
  out.udpLengthBytes = udpLength(view, at)
  const coveredBytes = Math.min(out.udpLengthBytes, segmentBytes)
  setPayload(out, out.l4Offset + UDP_HLEN, coveredBytes - UDP_HLEN)
  if (udpCheck(view, at) === 0) return
  if (fault === FAULT_UDP_LENGTH_SHORT || fault === FAULT_UDP_LENGTH_LONG) {
    setChecksumState(out, L4_CHECKSUM_UNVERIFIABLE)
    return
  }
  verifyTransport(out, view, at, heldBytes, out.udpLengthBytes, ipv4.IPPROTO_UDP)
}

function parseTcp(out: ParsedFrame, view: DataView, at: number, heldBytes: number, segmentBytes: number): void {
  const fault = tcp.checkTcp(view, at, heldBytes, segmentBytes)
  out.fault |= fault
  if (fault === FAULT_L4_SHORT) return
  out.sport = tcp.tcpSport(view, at)
  out.dport = tcp.tcpDport(view, at)
  out.tcpSeq = tcp.tcpSeq(view, at)
  out.tcpAck = tcp.tcpAck(view, at)
  out.tcpFlags = tcp.tcpFlags(view, at)
  out.tcpWindow = tcp.tcpWindow(view, at)
  out.tcpDoff = tcp.tcpDoff(view, at)
  const headerBytes = out.tcpDoff * 4
  if (fault !== 0) {
    if (fault === FAULT_TCP_DOFF_LONG) setPayload(out, out.l4Offset + headerBytes, 0)
    setChecksumState(out, L4_CHECKSUM_UNVERIFIABLE)
    return
  }
  setPayload(out, out.l4Offset + headerBytes, segmentBytes - headerBytes)
  verifyTransport(out, view, at, heldBytes, segmentBytes, ipv4.IPPROTO_TCP)
  const optionBytes = headerBytes - tcp.TCP_HLEN
  if (headerBytes > heldBytes) return
  out.optionsHash = tcp.tcpOptionsHash(view, at + tcp.TCP_HLEN, optionBytes)
  out.fault |= checkTcpOptions(view, at + tcp.TCP_HLEN, optionBytes)
}
