import { checksumFold, checksumPartial, pseudoHeaderSum } from './checksum.js'
import { ETH_HLEN, ETH_P_IP, emitEthernet } from './ethernet.js'
import { emitIpv4, IP_OFFSET, IPPROTO_TCP, IPPROTO_UDP, IPV4_HLEN, ipv4IsFragment } from './ipv4.js'
import { emitTcp, emitTcpChecksum, TCP_HLEN, TCP_HLEN_MAX } from './tcp.js'
import { emitTcpOptions, type TcpOptions, tcpOptionsBytes } from './tcp-options.js'
import { emitUdp, emitUdpChecksum, storeUdpChecksum, UDP_HLEN } from './udp.js'
import { emitVlan, VLAN_HLEN } from './vlan.js'

const IP_CHECK = 10
const UDP_CHECK = 6
const TCP_CHECK = 16
const PACKET_BYTES_MAX = 0xffff

/** What a synthetic frame is to contain; one record is made once and changed for each frame. */
export class FrameFields {
  /** 1 for an Ethernet frame, 0 for a raw IPv4 packet. */ ethernet = 1
  /** Upper 16 bits of the destination MAC. */ dstHi = 0
  /** Lower 32 bits of the destination MAC. */ dstLo = 0
  /** Upper 16 bits of the source MAC. */ srcHi = 0
  /** Lower 32 bits of the source MAC. */ srcLo = 0
  /** Ethertype of a tag to write; 0 for none. */ vlanProto = 0
  /** Control information of that tag. */ vlanTci = 0
  /** Type of service. */ tos = 0
  /** IPv4 identification. */ ipId = 0
  /** IPv4 fragment field: flags and offset. */ fragOff = 0
  /** Time to live. */ ttl = 64
  /** IPv4 protocol of `emitIpFrame`; the others know theirs. */ protocol = 0
  /** IPv4 source. */ saddr = 0
  /** IPv4 destination. */ daddr = 0
  /** Source port. */ sport = 0
  /** Destination port. */ dport = 0
  /** UDP length of the whole datagram where this is its first fragment; 0 otherwise. */ datagramBytes = 0
  /** 0 leaves the UDP checksum out, as `SO_NO_CHECK` does. */ udpChecksum = 1
  /** TCP sequence number. */ tcpSeq = 0
  /** TCP acknowledgment number. */ tcpAck = 0
  /** TCP flags. */ tcpFlags = 0
  /** TCP window, not scaled. */ tcpWindow = 0
  /** TCP urgent pointer. */ tcpUrgent = 0
  /** Bytes of payload in this frame. */ payloadBytes = 0
  /** Payload byte `p` of a datagram is `(payloadPattern + p) mod 256`. */ payloadPattern = 0
  /** Frame length to pad to with zeros, without FCS: 60 as a NIC hands it on, 0 as a sender's tap sees it. */
  padToBytes = 0
  /** 1 makes the IPv4 checksum wrong. */ badIpChecksum = 0
  /** 1 makes the L4 checksum wrong. */ badL4Checksum = 0
}

/**
 * Writes a UDP frame with right checksums and returns its length in bytes, or -1 where it does not fit into the view
 * or into 65535 bytes. A later fragment (offset in `fragOff`) has no UDP header and goes on with the pattern.
 */
export function emitUdpFrame(view: DataView, offset: number, fields: FrameFields): number {
  const position = (fields.fragOff & IP_OFFSET) * 8
  const headerBytes = position === 0 ? UDP_HLEN : 0
  const start = emitHead(view, offset, fields, IPPROTO_UDP, headerBytes + fields.payloadBytes)
  if (start < 0) return -1
  emitPattern(view, start + headerBytes, fields, position === 0 ? 0 : position - UDP_HLEN)
  if (position === 0) emitUdpHeader(view, start, fields)
  return emitTail(view, offset, start + headerBytes + fields.payloadBytes, fields)
}

function emitUdpHeader(view: DataView, at: number, fields: FrameFields): void {
  const split = ipv4IsFragment(fields.fragOff) && fields.datagramBytes !== 0
  const length = split ? fields.datagramBytes : UDP_HLEN + fields.payloadBytes
  emitUdp(view, at, fields.sport, fields.dport, length)
  if (fields.udpChecksum === 0) return
  if (split) {
    // The other fragments are not here, but their bytes follow from the pattern.
    const head = checksumPartial(view, at, UDP_HLEN, pseudoHeaderSum(fields.saddr, fields.daddr, IPPROTO_UDP, length))
    storeUdpChecksum(view, at, checksumFold(head + patternSum(fields.payloadPattern, length - UDP_HLEN)))
  } else {
    emitUdpChecksum(view, at, length, fields.saddr, fields.daddr)
  }
  if (fields.badL4Checksum !== 0) spoil(view, at + UDP_CHECK)
}

/** Writes a TCP frame with right checksums and returns its length in bytes, or -1 where it does not fit. */
export function emitTcpFrame(view: DataView, offset: number, fields: FrameFields, options?: TcpOptions): number {
  const headerBytes = TCP_HLEN + (options === undefined ? 0 : tcpOptionsBytes(options))
  if (headerBytes > TCP_HLEN_MAX) return -1
  const length = headerBytes + fields.payloadBytes
  const start = emitHead(view, offset, fields, IPPROTO_TCP, length)
  if (start < 0) return -1
  const { sport, dport, tcpSeq, tcpAck, tcpFlags, tcpWindow, tcpUrgent } = fields
  emitTcp(view, start, sport, dport, tcpSeq, tcpAck, headerBytes, tcpFlags, tcpWindow, tcpUrgent)
  if (options !== undefined) emitTcpOptions(view, start + TCP_HLEN, options)
  emitPattern(view, start + headerBytes, fields, 0)
  emitTcpChecksum(view, start, length, fields.saddr, fields.daddr)
  if (fields.badL4Checksum !== 0) spoil(view, start + TCP_CHECK)
  return emitTail(view, offset, start + length, fields)
}

/**
 * Writes an IPv4 frame of any `protocol` with pattern payload; returns its length in bytes, or -1 where it does
 * not fit.
 */
export function emitIpFrame(view: DataView, offset: number, fields: FrameFields): number {
  const start = emitHead(view, offset, fields, fields.protocol, fields.payloadBytes)
  if (start < 0) return -1
  emitPattern(view, start, fields, (fields.fragOff & IP_OFFSET) * 8)
  return emitTail(view, offset, start + fields.payloadBytes, fields)
}

/** Bytes of the frame in front of its L4 header. */
export function frameHeadBytes(fields: FrameFields): number {
  const linkBytes = fields.ethernet === 0 ? 0 : ETH_HLEN + (fields.vlanProto === 0 ? 0 : VLAN_HLEN)
  return linkBytes + IPV4_HLEN
}

function emitHead(view: DataView, offset: number, fields: FrameFields, protocol: number, segmentBytes: number): number {
  const frameBytes = frameHeadBytes(fields) + segmentBytes
  if (IPV4_HLEN + segmentBytes > PACKET_BYTES_MAX) return -1
  if (offset + Math.max(frameBytes, fields.padToBytes) > view.byteLength) return -1
  let at = offset
  if (fields.ethernet !== 0) {
    const type = fields.vlanProto === 0 ? ETH_P_IP : fields.vlanProto
    at += emitEthernet(view, at, fields.dstHi, fields.dstLo, fields.srcHi, fields.srcLo, type)
    if (fields.vlanProto !== 0) at += emitVlan(view, at, fields.vlanTci, ETH_P_IP)
  }
  const { tos, ipId, fragOff, ttl, saddr, daddr } = fields
  emitIpv4(view, at, tos, IPV4_HLEN + segmentBytes, ipId, fragOff, ttl, protocol, saddr, daddr)
  if (fields.badIpChecksum !== 0) spoil(view, at + IP_CHECK)
  return at + IPV4_HLEN
}

function emitTail(view: DataView, offset: number, end: number, fields: FrameFields): number {
  const padEnd = offset + fields.padToBytes
  for (let at = end; at < padEnd; at++) view.setUint8(at, 0)
  return Math.max(end, padEnd) - offset
}

function emitPattern(view: DataView, at: number, fields: FrameFields, position: number): void {
  const first = fields.payloadPattern + position
  for (let index = 0; index < fields.payloadBytes; index++) view.setUint8(at + index, (first + index) & 0xff)
}

/** Folded sum over the first `length` bytes of a pattern. */
function patternSum(pattern: number, length: number): number {
  let sum = 0
  for (let index = 0; index < length; index++) {
    const byte = (pattern + index) & 0xff
    sum += (index & 1) === 0 ? byte << 8 : byte
  }
  return checksumFold(sum)
}

/** Makes the checksum at `at` a wrong one that is neither 0 nor 0xffff in disguise. */
function spoil(view: DataView, at: number): void {
  const check = view.getUint16(at)
  view.setUint16(at, check === 0x5555 ? 0x1234 : check ^ 0x5555)
}
