import { checksumPartial, pseudoHeaderSum } from './checksum.js'
import { FAULT_L4_SHORT, FAULT_TCP_DOFF_LONG, FAULT_TCP_DOFF_SHORT } from './fault.js'
import { IPPROTO_TCP } from './ipv4.js'

/** Bytes of a header without options. */
export const TCP_HLEN = 20
/** Bytes of the longest header. */
export const TCP_HLEN_MAX = 60
/** Flag: no more data from the sender. */
export const TCP_FIN = 0x001
/** Flag: synchronise sequence numbers. */
export const TCP_SYN = 0x002
/** Flag: reset the connection. */
export const TCP_RST = 0x004
/** Flag: push. */
export const TCP_PSH = 0x008
/** Flag: the acknowledgment field counts. */
export const TCP_ACK = 0x010
/** Flag: the urgent pointer counts. */
export const TCP_URG = 0x020
/** Flag: ECN echo. */
export const TCP_ECE = 0x040
/** Flag: congestion window reduced. */
export const TCP_CWR = 0x080
/** Flag: accurate ECN, the former nonce sum. */
export const TCP_AE = 0x100
/** All bits that `tcpFlags` can return, the three reserved ones included. */
export const TCP_FLAGS_MASK = 0xfff

const FIELD_SPORT = 0
const FIELD_DPORT = 2
const FIELD_SEQ = 4
const FIELD_ACK = 8
const FIELD_DOFF_FLAGS = 12
const FIELD_WINDOW = 14
const FIELD_CHECK = 16
const FIELD_URGENT = 18

/**
 * Whether `availableBytes` hold a header that fits into `segmentBytes` of IP payload: 0 or its first fault.
 * Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_rcv.
 */
export function checkTcp(view: DataView, offset: number, availableBytes: number, segmentBytes: number): number {
  if (availableBytes < TCP_HLEN) return FAULT_L4_SHORT
  const headerBytes = tcpHeaderBytes(view, offset)
  if (headerBytes < TCP_HLEN) return FAULT_TCP_DOFF_SHORT
  return headerBytes > segmentBytes ? FAULT_TCP_DOFF_LONG : 0
}

/** Source port. */
export function tcpSport(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_SPORT)
}

/** Destination port. */
export function tcpDport(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_DPORT)
}

/** Sequence number, unsigned 32 bits. */
export function tcpSeq(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_SEQ)
}

/** Acknowledgment number, unsigned 32 bits. */
export function tcpAck(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_ACK)
}

/** Header length in 32-bit words, 0..15. */
export function tcpDoff(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_DOFF_FLAGS) >>> 4
}

/** Header length in bytes, 0..60. */
export function tcpHeaderBytes(view: DataView, offset: number): number {
  return (view.getUint8(offset + FIELD_DOFF_FLAGS) >>> 4) * 4
}

/** Flags, `TCP_FIN` to `TCP_AE`, with the reserved bits above them. */
export function tcpFlags(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_DOFF_FLAGS) & TCP_FLAGS_MASK
}

/** Window as it stands, not scaled. */
export function tcpWindow(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_WINDOW)
}

/** Checksum as it stands. */
export function tcpCheck(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_CHECK)
}

/** Urgent pointer. */
export function tcpUrgent(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_URGENT)
}

/** Whether the checksum over `length` bytes of header and payload (all present) is right. Kernel: tcp_v4_check. */
export function tcpChecksumIsRight(
  view: DataView,
  offset: number,
  length: number,
  saddr: number,
  daddr: number,
): boolean {
  return checksumPartial(view, offset, length, pseudoHeaderSum(saddr, daddr, IPPROTO_TCP, length)) === 0xffff
}

/**
 * Hash of the option bytes (0..40, a multiple of four), unsigned; equal options give equal hashes.
 * Stands for the comparison word by word when segments are merged. Kernel: net/ipv4/tcp_offload.c, tcp_gro_receive.
 */
export function tcpOptionsHash(view: DataView, offset: number, optionBytes: number): number {
  let hash = optionBytes | 0
  for (let at = offset; at < offset + optionBytes; at += 4) {
    hash = Math.imul(hash ^ view.getUint32(at), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash >>> 0
}

/** Writes a header with checksum 0, for `headerBytes` (20..60) with the options; returns `headerBytes`. */
export function emitTcp(
  view: DataView,
  offset: number,
  sport: number,
  dport: number,
  seq: number,
  ack: number,
  headerBytes: number,
  flags: number,
  window: number,
  urgent: number,
): number {
  view.setUint16(offset + FIELD_SPORT, sport)
  view.setUint16(offset + FIELD_DPORT, dport)
  view.setUint32(offset + FIELD_SEQ, seq)
  view.setUint32(offset + FIELD_ACK, ack)
  view.setUint16(offset + FIELD_DOFF_FLAGS, ((headerBytes >>> 2) << 12) | (flags & TCP_FLAGS_MASK))
  view.setUint16(offset + FIELD_WINDOW, window)
  view.setUint16(offset + FIELD_CHECK, 0)
  view.setUint16(offset + FIELD_URGENT, urgent)
  return headerBytes
}

/**
 * Computes and writes the checksum over header and payload; returns it. Kernel: net/ipv4/tcp_ipv4.c,
 * tcp_v4_send_check.
 */
export function emitTcpChecksum(view: DataView, offset: number, length: number, saddr: number, daddr: number): number {
  view.setUint16(offset + FIELD_CHECK, 0)
  const sum = checksumPartial(view, offset, length, pseudoHeaderSum(saddr, daddr, IPPROTO_TCP, length))
  return storeTcpChecksum(view, offset, sum)
}

/** Stores the complement of a folded sum as checksum; returns it. */
export function storeTcpChecksum(view: DataView, offset: number, sum: number): number {
  const check = ~sum & 0xffff
  view.setUint16(offset + FIELD_CHECK, check)
  return check
}

/** Flags in tcpdump's letters, such as `S.`; `none` when nothing is set. */
export function formatTcpFlags(flags: number): string {
  const letters: readonly (readonly [number, string])[] = [
    [TCP_FIN, 'F'],
    [TCP_SYN, 'S'],
    [TCP_RST, 'R'],
    [TCP_PSH, 'P'],
    [TCP_URG, 'U'],
    [TCP_CWR, 'W'],
    [TCP_ECE, 'E'],
    [TCP_AE, 'e'],
    [TCP_ACK, '.'],
  ]
  const text = letters.map(([bit, letter]) => ((flags & bit) !== 0 ? letter : '')).join('')
  return text === '' ? 'none' : text
}

/** One line of text for the header at `offset`, of which 20 bytes must exist. */
export function formatTcp(view: DataView, offset: number): string {
  const ports = `${tcpSport(view, offset)} > ${tcpDport(view, offset)}`
  const flags = formatTcpFlags(tcpFlags(view, offset))
  const numbers = `seq ${tcpSeq(view, offset)} ack ${tcpAck(view, offset)}`
  return `TCP ${ports} [${flags}] ${numbers} win ${tcpWindow(view, offset)}`
}
