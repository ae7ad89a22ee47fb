import type { World } from '@softnet/ecs'
import {
  ETH_HLEN,
  ETH_P_8021Q,
  ETH_P_IP,
  emitEthernet,
  emitIcmp,
  emitIpFrame,
  emitIpv4Checksum,
  emitTcpChecksum,
  emitTcpFrame,
  emitUdpChecksum,
  emitUdpFrame,
  FrameFields,
  ICMP_HLEN,
  IP_MF,
  IP_OFFSET,
  IPPROTO_ICMP,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HLEN,
  macHi,
  macLo,
  TCP_HLEN,
  UDP_HLEN,
  VLAN_HLEN,
} from '@softnet/wire'
import { NetDev } from '../nic/components.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { PacketByte, PacketPage } from '../skb/packet-pages.js'
import { OTHER_MAC, SENDER_MAC } from '../traffic/capture-frames.js'
import { ReplayFrame } from '../traffic/components.js'
import { replayedBytes } from './replayed-bytes.js'

const BROADCAST_MAC = 0xffffffffffff
/** Hardware address of group 224.0.0.0; the low 23 bits of a group are added. */
const GROUP_MAC = 0x01005e000000
const GROUP_MASK = 0x7fffff
const IP_TOT_LEN = 2
const IP_TTL = 8
const IP_SADDR = 12
const IP_DADDR = 16
const UDP_LENGTH = 4
const TCP_FLAGS = 13
/** Position of the EtherType, where a tag begins. */
const ETHER_TYPE = 12
const WORD_MAX = 0xffff
const IPV4 = 4

/** One packet as bytes. */
export interface PacketBytes {
  /** Ethernet frame without FCS, a copy. */
  readonly bytes: Uint8Array
  /** Its length where `bytes` is cut because the replayed capture was. */
  readonly originalBytes: number
}

/** Turns packets into bytes. */
export interface PacketEncoder {
  /** A packet that `Skb.dev` has received. */
  received(row: number): PacketBytes
  /** A packet that `Skb.dev` is about to send, with the hardware addresses it goes by. */
  sent(row: number): PacketBytes
}

/**
 * Turns packets of a world into the bytes a packet socket would see on `Skb.dev`: those of the capture where the packet
 * is a replayed one, else a frame that says what the columns say, with a pattern as payload (TCP: byte of sequence
 * number s is s mod 256; others: byte p of each datagram is p mod 256).
 *
 * A merged packet has right checksums over the whole, where Linux leaves the sum of the pseudo header in it: readers
 * would call that wrong. Kernel: net/packet/af_packet.c, tpacket_rcv; net/ipv4/tcp_offload.c, tcp_gro_complete
 */
export function packetBytes(world: World): PacketEncoder {
  const skb = world.columns(Skb)
  const { macHigh, macLow } = world.columns(NetDev)
  const { flags, len, totLen, udpLen, ipWord, idFrag, vlanTci, packetType, saddr, daddr, ports, dev } = skb
  const { tcpSeq, tcpAck, tcpWord, frames, gsoSize, page, protocol, macHigh: toHigh, macLow: toLow } = skb
  const { first: pageFirst, bytes: lengthOf } = world.columns(PacketPage)
  const { value: pageBytes } = world.columns(PacketByte)
  const lastFrame = world.columns(ReplayFrame).offsetPs.length - 1
  const replayed = replayedBytes(world)
  const fields = new FrameFields()
  let buffer = new Uint8Array(1 << 12)
  let view = new DataView(buffer.buffer)

  function reserve(bytes: number): void {
    if (bytes <= buffer.length) return
    buffer = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)))
    view = new DataView(buffer.buffer)
  }

  function setDestination(row: number): void {
    const type = packetType[row]
    if (type === PACKET_TYPE.host) {
      fields.dstHi = macHigh[dev[row]]
      fields.dstLo = macLow[dev[row]]
      return
    }
    const group = GROUP_MAC + (daddr[row] & GROUP_MASK)
    const mac = type === PACKET_TYPE.broadcast ? BROADCAST_MAC : type === PACKET_TYPE.multicast ? group : OTHER_MAC
    fields.dstHi = macHi(mac)
    fields.dstLo = macLo(mac)
  }

  function setSender(row: number): void {
    const isKnown = (flags[row] & SKB.senderKnown) !== 0 && (flags[row] & SKB.outgoing) === 0
    fields.srcHi = isKnown ? toHigh[row] : macHi(SENDER_MAC)
    fields.srcLo = isKnown ? toLow[row] : macLo(SENDER_MAC)
  }

  /** A packet whose bytes are in a page, behind the header that the columns tell. */
  function inPage(row: number, linkBytes: number): void {
    const first = pageFirst[page[row] - lastFrame]
    const there = Math.min(len[row], lengthOf[page[row] - lastFrame])
    setDestination(row)
    setSender(row)
    emitEthernet(view, 0, fields.dstHi, fields.dstLo, fields.srcHi, fields.srcLo, protocol[row])
    if (linkBytes > ETH_HLEN) {
      view.setUint16(ETH_HLEN - 2, ETH_P_8021Q)
      view.setUint16(ETH_HLEN, vlanTci[row])
      view.setUint16(ETH_HLEN + 2, protocol[row])
    }
    buffer.set(pageBytes.subarray(first, first + there), linkBytes)
    buffer.fill(0, linkBytes + there, linkBytes + len[row])
  }

  function setFields(row: number): void {
    const own = flags[row]
    const word = ipWord[row]
    setDestination(row)
    setSender(row)
    fields.vlanProto = (own & SKB.vlan) === 0 ? 0 : ETH_P_8021Q
    fields.vlanTci = vlanTci[row]
    fields.tos = (word >>> 8) & 0xff
    fields.ttl = (word >>> 16) & 0xff
    fields.protocol = word & 0xff
    fields.ipId = idFrag[row] >>> 16
    fields.fragOff = idFrag[row] & WORD_MAX
    fields.saddr = saddr[row]
    fields.daddr = daddr[row]
    fields.sport = ports[row] >>> 16
    fields.dport = ports[row] & WORD_MAX
    fields.udpChecksum = (own & SKB.csumZero) === 0 ? 1 : 0
    fields.tcpSeq = tcpSeq[row]
    fields.tcpAck = tcpAck[row]
    fields.tcpFlags = tcpWord[row] & 0x1ff
    fields.tcpWindow = tcpWord[row] >>> 16
    fields.payloadPattern = fields.protocol === IPPROTO_TCP ? tcpSeq[row] & 0xff : 0
    fields.badIpChecksum = (own & SKB.ipCsumBad) === 0 ? 0 : 1
    fields.badL4Checksum = (own & SKB.csumBad) === 0 ? 0 : 1
  }

  /** Writes the frame that `fields` describe, with `ipBytes` behind the link header, padded to `frameBytes`. */
  function emit(ipBytes: number, frameBytes: number): void {
    const l4Bytes = fields.protocol === IPPROTO_TCP ? TCP_HLEN : fields.protocol === IPPROTO_UDP ? UDP_HLEN : 0
    fields.payloadBytes = Math.max(0, ipBytes - IPV4_HLEN - l4Bytes)
    fields.padToBytes = frameBytes
    if (fields.protocol === IPPROTO_TCP) emitTcpFrame(view, 0, fields)
    else if (fields.protocol === IPPROTO_UDP) emitUdpFrame(view, 0, fields)
    else emitIpFrame(view, 0, fields)
  }

  function single(row: number, linkBytes: number): void {
    // Of a truncated packet the sender's checksum still covers all: it is written whole, and cut by the caller.
    reserve(linkBytes + Math.max(len[row], totLen[row]) + IPV4_HLEN + TCP_HLEN)
    emit(totLen[row], linkBytes + len[row])
    if (fields.protocol === IPPROTO_ICMP && (fields.fragOff & IP_OFFSET) === 0) writeIcmp(row, linkBytes + IPV4_HLEN)
    const version = ipWord[row] >>> 28
    if (version === IPV4) return
    view.setUint8(linkBytes, (version << 4) | (view.getUint8(linkBytes) & 15))
    if (fields.badIpChecksum === 0) emitIpv4Checksum(view, linkBytes, IPV4_HLEN)
  }

  /** A message without bytes: its data is the pattern, from the header's end on. */
  function writeIcmp(row: number, at: number): void {
    const l4Bytes = totLen[row] - IPV4_HLEN
    if (l4Bytes < ICMP_HLEN) return
    for (let i = ICMP_HLEN; i < l4Bytes; i++) buffer[at + i] = i - ICMP_HLEN
    const type = tcpWord[row] & 0xff
    emitIcmp(view, at, type, (tcpWord[row] >>> 8) & 0xff, tcpSeq[row], l4Bytes)
    if (fields.badL4Checksum !== 0) view.setUint16(at + 2, view.getUint16(at + 2) ^ 0x5555)
  }

  function merged(row: number, linkBytes: number): void {
    const isTcp = fields.protocol === IPPROTO_TCP
    const start = linkBytes + IPV4_HLEN + (isTcp ? TCP_HLEN : UDP_HLEN)
    const end = linkBytes + len[row]
    const segmentBytes = gsoSize[row]
    reserve(end)
    emit(0, 0)
    for (let at = start; at < end; at++) {
      const position = at - start
      buffer[at] = isTcp ? tcpSeq[row] + position : segmentBytes === 0 ? position : position % segmentBytes
    }
    finishMerged(row, linkBytes)
  }

  /** Gives the headers of a merged packet, whose bytes are all there, the lengths and checksums of the whole. */
  function finishMerged(row: number, linkBytes: number): void {
    const ipBytes = len[row]
    const l4 = linkBytes + IPV4_HLEN
    // Longer packets (BIG TCP) have no length in the header.
    view.setUint16(linkBytes + IP_TOT_LEN, ipBytes > WORD_MAX ? 0 : ipBytes)
    emitIpv4Checksum(view, linkBytes, IPV4_HLEN)
    if ((ipWord[row] & 0xff) === IPPROTO_TCP) {
      view.setUint8(l4 + TCP_FLAGS, tcpWord[row] & 0xff)
      emitTcpChecksum(view, l4, ipBytes - IPV4_HLEN, saddr[row], daddr[row])
    } else {
      view.setUint16(l4 + UDP_LENGTH, udpLen[row])
      emitUdpChecksum(view, l4, ipBytes - IPV4_HLEN, saddr[row], daddr[row])
    }
  }

  function received(row: number): PacketBytes {
    const linkBytes = ETH_HLEN + ((flags[row] & SKB.vlan) === 0 ? 0 : VLAN_HLEN)
    const originalBytes = linkBytes + len[row]
    const isMerged = frames[row] > 1
    let capturedBytes = originalBytes
    if (page[row] > lastFrame) {
      reserve(originalBytes)
      inPage(row, linkBytes)
    } else if (page[row] !== 0) {
      reserve(originalBytes)
      capturedBytes = replayed(row, buffer, originalBytes)
      if (isMerged && capturedBytes === originalBytes) finishMerged(row, linkBytes)
    } else {
      setFields(row)
      if (isMerged) merged(row, linkBytes)
      else single(row, linkBytes)
    }
    return { bytes: buffer.slice(0, capturedBytes), originalBytes }
  }

  /** What forwarding and translation have changed in the headers of a frame that was replayed. */
  function updateHeaders(frame: DataView, row: number): void {
    if (frame.byteLength < ETH_HLEN + IPV4_HLEN || protocol[row] !== ETH_P_IP) return
    const moved =
      frame.getUint32(ETH_HLEN + IP_SADDR) !== saddr[row] || frame.getUint32(ETH_HLEN + IP_DADDR) !== daddr[row]
    const headerBytes = (frame.getUint8(ETH_HLEN) & 15) * 4
    frame.setUint8(ETH_HLEN + IP_TTL, (ipWord[row] >>> 16) & 0xff)
    frame.setUint32(ETH_HLEN + IP_SADDR, saddr[row])
    frame.setUint32(ETH_HLEN + IP_DADDR, daddr[row])
    emitIpv4Checksum(frame, ETH_HLEN, headerBytes)
    const l4 = ETH_HLEN + headerBytes
    const isWhole = (idFrag[row] & (IP_MF | IP_OFFSET)) === 0 && frame.byteLength >= ETH_HLEN + totLen[row]
    const own = ipWord[row] & 0xff
    if (!moved || !isWhole || (own !== IPPROTO_TCP && own !== IPPROTO_UDP)) return
    frame.setUint32(l4, ports[row])
    if (own === IPPROTO_TCP) emitTcpChecksum(frame, l4, totLen[row] - headerBytes, saddr[row], daddr[row])
    else emitUdpChecksum(frame, l4, totLen[row] - headerBytes, saddr[row], daddr[row])
  }

  function withAddresses(packet: PacketBytes, row: number): PacketBytes {
    const { bytes } = packet
    const frame = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const device = dev[row]
    // Where nobody asks for addresses the other side has that of every sender.
    const isKnown = toHigh[row] !== 0 || toLow[row] !== 0
    const high = isKnown ? toHigh[row] : macHi(SENDER_MAC)
    const low = isKnown ? toLow[row] : macLo(SENDER_MAC)
    emitEthernet(frame, 0, high, low, macHigh[device], macLow[device], protocol[row])
    return packet
  }

  /** Puts the tag in that the card, or the kernel before the driver, puts in. */
  function withTag({ bytes, originalBytes }: PacketBytes, row: number): PacketBytes {
    const tagged = new Uint8Array(bytes.length + VLAN_HLEN)
    tagged.set(bytes.subarray(0, ETHER_TYPE))
    tagged.set(bytes.subarray(ETHER_TYPE), ETHER_TYPE + VLAN_HLEN)
    const frame = new DataView(tagged.buffer)
    frame.setUint16(ETHER_TYPE, ETH_P_8021Q)
    frame.setUint16(ETHER_TYPE + 2, vlanTci[row])
    return { bytes: tagged, originalBytes: originalBytes + VLAN_HLEN }
  }

  function sent(row: number): PacketBytes {
    if ((flags[row] & SKB.vlan) === 0) return untagged(row)
    flags[row] &= ~SKB.vlan
    const packet = untagged(row)
    flags[row] |= SKB.vlan
    return withTag(packet, row)
  }

  function untagged(row: number): PacketBytes {
    if (page[row] > lastFrame) {
      const first = pageFirst[page[row] - lastFrame]
      const bytes = new Uint8Array(ETH_HLEN + len[row])
      bytes.set(pageBytes.subarray(first, first + len[row]), ETH_HLEN)
      return withAddresses({ bytes, originalBytes: bytes.length }, row)
    }
    const packet = withAddresses(received(row), row)
    if (page[row] !== 0) updateHeaders(new DataView(packet.bytes.buffer), row)
    return packet
  }

  return { received, sent }
}
