import { checksumPartial, pseudoHeaderSum } from './checksum.js'
import { FAULT_L4_SHORT, FAULT_UDP_LENGTH_LONG, FAULT_UDP_LENGTH_SHORT } from './fault.js'
import { IPPROTO_UDP } from './ipv4.js'

/** Bytes of the header. */
export const UDP_HLEN = 8

const FIELD_SPORT = 0
const FIELD_DPORT = 2
const FIELD_LENGTH = 4
const FIELD_CHECK = 6

/**
 * Whether `availableBytes` hold a header that fits into `segmentBytes` of IP payload: 0 or its first fault.
 * Kernel: net/ipv4/udp.c, __udp4_lib_rcv.
 */
export function checkUdp(view: DataView, offset: number, availableBytes: number, segmentBytes: number): number {
  if (availableBytes < UDP_HLEN) return FAULT_L4_SHORT
  const length = view.getUint16(offset + FIELD_LENGTH)
  if (length > segmentBytes) return FAULT_UDP_LENGTH_LONG
  return length < UDP_HLEN ? FAULT_UDP_LENGTH_SHORT : 0
}

/** Source port. */
export function udpSport(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_SPORT)
}

/** Destination port. */
export function udpDport(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_DPORT)
}

/** Length of header and payload in bytes, as it stands. */
export function udpLength(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_LENGTH)
}

/** Checksum as it stands; 0 means that there is none. */
export function udpCheck(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_CHECK)
}

/**
 * Whether the checksum over `length` bytes (all present) is right; true where there is none. Kernel:
 * udp4_csum_init.
 */
export function udpChecksumIsRight(
  view: DataView,
  offset: number,
  length: number,
  saddr: number,
  daddr: number,
): boolean {
  if (udpCheck(view, offset) === 0) return true
  return checksumPartial(view, offset, length, pseudoHeaderSum(saddr, daddr, IPPROTO_UDP, length)) === 0xffff
}

/** Writes a header with checksum 0; `emitUdpChecksum` completes it. Returns its length. */
export function emitUdp(view: DataView, offset: number, sport: number, dport: number, length: number): number {
  view.setUint16(offset + FIELD_SPORT, sport)
  view.setUint16(offset + FIELD_DPORT, dport)
  view.setUint16(offset + FIELD_LENGTH, length)
  view.setUint16(offset + FIELD_CHECK, 0)
  return UDP_HLEN
}

/** Computes and writes the checksum over header and payload (a result of 0 is sent as 0xffff). Kernel: udp_set_csum. */
export function emitUdpChecksum(view: DataView, offset: number, length: number, saddr: number, daddr: number): number {
  view.setUint16(offset + FIELD_CHECK, 0)
  const sum = checksumPartial(view, offset, length, pseudoHeaderSum(saddr, daddr, IPPROTO_UDP, length))
  return storeUdpChecksum(view, offset, sum)
}

/** Stores the complement of a folded sum as checksum, never as 0; returns what was stored. */
export function storeUdpChecksum(view: DataView, offset: number, sum: number): number {
  const check = (~sum & 0xffff) === 0 ? 0xffff : ~sum & 0xffff
  view.setUint16(offset + FIELD_CHECK, check)
  return check
}

/** One line of text for the header at `offset`, which must be whole. */
export function formatUdp(view: DataView, offset: number): string {
  return `UDP ${udpSport(view, offset)} > ${udpDport(view, offset)} length ${udpLength(view, offset)}`
}
