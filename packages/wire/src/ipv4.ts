import { formatIpv4 } from './address.js'
import { checksumPartial } from './checksum.js'
import {
  FAULT_IP_IHL,
  FAULT_IP_OPTIONS,
  FAULT_IP_OPTIONS_SHORT,
  FAULT_IP_SHORT,
  FAULT_IP_TOT_LEN_LONG,
  FAULT_IP_TOT_LEN_SHORT,
  FAULT_IP_VERSION,
} from './fault.js'

/** Bytes of a header without options. */
export const IPV4_HLEN = 20
/** Bytes of the longest header. */
export const IPV4_HLEN_MAX = 60
/** Bit of the fragment field: may not be fragmented. */
export const IP_DF = 0x4000
/** Bit of the fragment field: more fragments follow. */
export const IP_MF = 0x2000
/** Bits of the fragment field that hold the offset in units of 8 bytes. */
export const IP_OFFSET = 0x1fff
/** Protocol number of ICMP. */
export const IPPROTO_ICMP = 1
/** Protocol number of IGMP. */
export const IPPROTO_IGMP = 2
/** Protocol number of IP inside of IP. */
export const IPPROTO_IPIP = 4
/** Protocol number of TCP. */
export const IPPROTO_TCP = 6
/** Protocol number of UDP. */
export const IPPROTO_UDP = 17

const FIELD_VERSION_IHL = 0
const FIELD_TOS = 1
const FIELD_TOT_LEN = 2
const FIELD_ID = 4
const FIELD_FRAG_OFF = 6
const FIELD_TTL = 8
const FIELD_PROTOCOL = 9
const FIELD_CHECK = 10
const FIELD_SADDR = 12
const FIELD_DADDR = 16

/** Option: no more options. */
export const IPOPT_END = 0
/** Option: one byte of padding. */
export const IPOPT_NOP = 1
/** Option: record route. */
export const IPOPT_RR = 7
/** Option: time stamps. */
export const IPOPT_TIMESTAMP = 68
/** Option: loose source route. */
export const IPOPT_LSRR = 131
/** Option: strict source route. */
export const IPOPT_SSRR = 137
/** Option: CIPSO security label. */
export const IPOPT_CIPSO = 134
/** Option: router alert. */
export const IPOPT_RA = 148

/**
 * Whether `availableBytes` hold a header that can be read: 0 or the first fault in Linux's order of checks.
 * `packetBytes` is the length of the packet on the wire, for the total length. The checksum is not looked at.
 * Kernel: net/ipv4/ip_input.c, ip_rcv_core.
 */
export function checkIpv4(view: DataView, offset: number, availableBytes: number, packetBytes: number): number {
  if (availableBytes < IPV4_HLEN) return FAULT_IP_SHORT
  const first = view.getUint8(offset + FIELD_VERSION_IHL)
  if (first >>> 4 !== 4) return FAULT_IP_VERSION
  const headerBytes = (first & 15) * 4
  if (headerBytes < IPV4_HLEN) return FAULT_IP_IHL
  if (availableBytes < headerBytes) return FAULT_IP_OPTIONS_SHORT
  const totLen = view.getUint16(offset + FIELD_TOT_LEN)
  if (totLen > packetBytes) return FAULT_IP_TOT_LEN_LONG
  if (totLen < headerBytes) return FAULT_IP_TOT_LEN_SHORT
  return 0
}

/** Version nibble; 4 in a sound header. */
export function ipv4Version(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_VERSION_IHL) >>> 4
}

/** Header length in 32-bit words, 0..15. */
export function ipv4Ihl(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_VERSION_IHL) & 15
}

/** Header length in bytes, 0..60. */
export function ipv4HeaderBytes(view: DataView, offset: number): number {
  return (view.getUint8(offset + FIELD_VERSION_IHL) & 15) * 4
}

/** Type of service: DSCP (6 bits) and ECN (2). */
export function ipv4Tos(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_TOS)
}

/** Total length in bytes, header included. */
export function ipv4TotLen(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_TOT_LEN)
}

/** Identification. */
export function ipv4Id(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_ID)
}

/** Fragment field as it stands: reserved bit, `IP_DF`, `IP_MF`, `IP_OFFSET`. */
export function ipv4FragOff(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_FRAG_OFF)
}

/** Whether a fragment field belongs to a fragment, first or later. Kernel: include/net/ip.h, ip_is_fragment. */
export function ipv4IsFragment(fragOff: number): boolean {
  return (fragOff & (IP_MF | IP_OFFSET)) !== 0
}

/** Time to live. */
export function ipv4Ttl(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_TTL)
}

/** Protocol number. */
export function ipv4Protocol(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_PROTOCOL)
}

/** Header checksum as it stands. */
export function ipv4Check(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_CHECK)
}

/** Source address, unsigned 32 bits. */
export function ipv4Saddr(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_SADDR)
}

/** Destination address, unsigned 32 bits. */
export function ipv4Daddr(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_DADDR)
}

/** Whether the header checksum over `headerBytes` is right. Kernel: lib/checksum.c, ip_fast_csum. */
export function ipv4ChecksumIsRight(view: DataView, offset: number, headerBytes: number): boolean {
  return checksumPartial(view, offset, headerBytes, 0) === 0xffff
}

/**
 * Whether the options of `headerBytes` (20..60) are sound: 0 or `FAULT_IP_OPTIONS`. Kernel:
 * net/ipv4/ip_options.c, __ip_options_compile.
 */
export function checkIpv4Options(view: DataView, offset: number, headerBytes: number): number {
  const end = offset + headerBytes
  let at = offset + IPV4_HLEN
  let seen = 0
  while (at < end) {
    const type = view.getUint8(at)
    if (type === IPOPT_END) return 0
    if (type === IPOPT_NOP) {
      at++
      continue
    }
    if (end - at < 2) return FAULT_IP_OPTIONS
    const optionBytes = view.getUint8(at + 1)
    if (optionBytes < 2 || optionBytes > end - at) return FAULT_IP_OPTIONS
    if (type === IPOPT_RA && optionBytes < 4) return FAULT_IP_OPTIONS
    const kind = optionKind(type)
    if (kind !== 0) {
      // Linux takes each of these at most once, and source routes count as one kind.
      if ((seen & kind) !== 0 || !optionIsSound(view, at, kind, optionBytes)) return FAULT_IP_OPTIONS
      seen |= kind
    }
    at += optionBytes
  }
  return 0
}

/**
 * Where a loose or strict source route stands in a header of `headerBytes` whose options are sound: bytes from the
 * header's start, 0 without one. Kernel: net/ipv4/ip_options.c, __ip_options_compile, opt->srr.
 */
export function ipv4SourceRoute(view: DataView, offset: number, headerBytes: number): number {
  for (let at = IPV4_HLEN; at < headerBytes; ) {
    const type = view.getUint8(offset + at)
    if (type === IPOPT_END) return 0
    if (type === IPOPT_SSRR || type === IPOPT_LSRR) return at
    at += type === IPOPT_NOP ? 1 : view.getUint8(offset + at + 1)
  }
  return 0
}

/**
 * Destination of a packet once it has been at every stop left of the source route at `option`, unsigned 32 bits; `daddr`
 * where none is left. Kernel: net/ipv4/ip_options.c, ip_options_rcv_srr.
 */
export function ipv4LastStop(view: DataView, option: number, daddr: number): number {
  const optionBytes = view.getUint8(option + 1)
  let stop = daddr
  for (let pointer = view.getUint8(option + 2); pointer + 3 <= optionBytes; pointer += 4) {
    stop = view.getUint32(option + pointer - 1)
  }
  return stop
}

const KIND_SOURCE_ROUTE = 1
const KIND_RECORD_ROUTE = 2
const KIND_TIMESTAMP = 4

function optionKind(type: number): number {
  if (type === IPOPT_SSRR || type === IPOPT_LSRR) return KIND_SOURCE_ROUTE
  if (type === IPOPT_RR) return KIND_RECORD_ROUTE
  return type === IPOPT_TIMESTAMP ? KIND_TIMESTAMP : 0
}

/** Whether the pointer byte leaves room as Linux demands: one address for routes, one stamp for time stamps. */
function optionIsSound(view: DataView, at: number, kind: number, optionBytes: number): boolean {
  if (optionBytes < (kind === KIND_TIMESTAMP ? 4 : 3)) return false
  const pointer = view.getUint8(at + 2)
  if (kind !== KIND_TIMESTAMP) {
    if (pointer < 4) return false
    return kind === KIND_SOURCE_ROUTE || pointer > optionBytes || pointer + 3 <= optionBytes
  }
  if (pointer < 5) return false
  const flag = view.getUint8(at + 3) & 15
  if (pointer > optionBytes) return flag === 3 || view.getUint8(at + 3) >>> 4 < 15
  const stampBytes = flag === 1 || flag === 3 ? 8 : 4
  return pointer + stampBytes - 1 <= optionBytes
}

/**
 * Writes a header without options, with its checksum; returns its length. `fragOff` is the whole fragment field.
 * Kernel: net/ipv4/ip_output.c, __ip_make_skb and ip_send_check.
 */
export function emitIpv4(
  view: DataView,
  offset: number,
  tos: number,
  totLen: number,
  id: number,
  fragOff: number,
  ttl: number,
  protocol: number,
  saddr: number,
  daddr: number,
): number {
  view.setUint8(offset + FIELD_VERSION_IHL, 0x45)
  view.setUint8(offset + FIELD_TOS, tos)
  view.setUint16(offset + FIELD_TOT_LEN, totLen)
  view.setUint16(offset + FIELD_ID, id)
  view.setUint16(offset + FIELD_FRAG_OFF, fragOff)
  view.setUint8(offset + FIELD_TTL, ttl)
  view.setUint8(offset + FIELD_PROTOCOL, protocol)
  view.setUint32(offset + FIELD_SADDR, saddr)
  view.setUint32(offset + FIELD_DADDR, daddr)
  emitIpv4Checksum(view, offset, IPV4_HLEN)
  return IPV4_HLEN
}

/**
 * Computes and writes the header checksum over `headerBytes`; returns it. Kernel: net/ipv4/ip_output.c,
 * ip_send_check.
 */
export function emitIpv4Checksum(view: DataView, offset: number, headerBytes: number): number {
  view.setUint16(offset + FIELD_CHECK, 0)
  const check = ~checksumPartial(view, offset, headerBytes, 0) & 0xffff
  view.setUint16(offset + FIELD_CHECK, check)
  return check
}

/** One line of text for the header at `offset`, of which 20 bytes must exist. */
export function formatIpv4Header(view: DataView, offset: number): string {
  const fragOff = ipv4FragOff(view, offset)
  const flags = `${(fragOff & IP_DF) !== 0 ? ' DF' : ''}${(fragOff & IP_MF) !== 0 ? ' MF' : ''}`
  const position = (fragOff & IP_OFFSET) === 0 ? '' : ` frag ${(fragOff & IP_OFFSET) * 8}`
  const ends = `${formatIpv4(ipv4Saddr(view, offset))} > ${formatIpv4(ipv4Daddr(view, offset))}`
  const head = `IP ${ends} proto ${ipv4Protocol(view, offset)} ttl ${ipv4Ttl(view, offset)}`
  return `${head} id ${ipv4Id(view, offset)}${flags}${position} length ${ipv4TotLen(view, offset)}`
}
