import { formatIpv4, parseIpv4 } from './address.js'
import { FAULT_IP_SHORT, FAULT_IP_TOT_LEN_LONG, FAULT_IP_VERSION } from './fault.js'

/** Bytes of the fixed header. */
export const IPV6_HLEN = 40

const FIELD_PAYLOAD_LEN = 4
const FIELD_NEXT_HEADER = 6
const FIELD_HOP_LIMIT = 7
const FIELD_SADDR = 8
const FIELD_DADDR = 24

/** Whether `availableBytes` hold a fixed header: 0 or its first fault. Kernel: net/ipv6/ip6_input.c, ip6_rcv_core. */
export function checkIpv6(view: DataView, offset: number, availableBytes: number, packetBytes: number): number {
  if (availableBytes < IPV6_HLEN) return FAULT_IP_SHORT
  if (view.getUint8(offset) >>> 4 !== 6) return FAULT_IP_VERSION
  return ipv6PayloadBytes(view, offset) + IPV6_HLEN > packetBytes ? FAULT_IP_TOT_LEN_LONG : 0
}

/** Traffic class, 0..255. */
export function ipv6TrafficClass(view: DataView, offset: number): number {
  return (view.getUint16(offset) >>> 4) & 0xff
}

/** Flow label, 20 bits. */
export function ipv6FlowLabel(view: DataView, offset: number): number {
  return view.getUint32(offset) & 0xfffff
}

/** Bytes behind the fixed header. */
export function ipv6PayloadBytes(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_PAYLOAD_LEN)
}

/** Protocol or extension header that follows. */
export function ipv6NextHeader(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_NEXT_HEADER)
}

/** Hop limit. */
export function ipv6HopLimit(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_HOP_LIMIT)
}

/** Position of the 16 bytes of the source address. */
export function ipv6SaddrOffset(offset: number): number {
  return offset + FIELD_SADDR
}

/** Position of the 16 bytes of the destination address. */
export function ipv6DaddrOffset(offset: number): number {
  return offset + FIELD_DADDR
}

/** Writes a fixed header; the addresses are 16 bytes each. Returns its length. */
export function emitIpv6(
  view: DataView,
  offset: number,
  trafficClass: number,
  flowLabel: number,
  payloadBytes: number,
  nextHeader: number,
  hopLimit: number,
  saddr: Uint8Array,
  daddr: Uint8Array,
): number {
  view.setUint32(offset, 0x60000000 | ((trafficClass & 0xff) << 20) | (flowLabel & 0xfffff))
  view.setUint16(offset + FIELD_PAYLOAD_LEN, payloadBytes)
  view.setUint8(offset + FIELD_NEXT_HEADER, nextHeader)
  view.setUint8(offset + FIELD_HOP_LIMIT, hopLimit)
  for (let index = 0; index < 16; index++) {
    view.setUint8(offset + FIELD_SADDR + index, saddr[index])
    view.setUint8(offset + FIELD_DADDR + index, daddr[index])
  }
  return IPV6_HLEN
}

/** Reads IPv6 text (RFC 4291, with `::` and a dotted tail) as 16 bytes; undefined for anything else. */
export function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0], halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1], true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  const bytes = new Uint8Array(16)
  for (let index = 0; index < 8; index++) {
    bytes[index * 2] = groups[index] >>> 8
    bytes[index * 2 + 1] = groups[index] & 0xff
  }
  return bytes
}

function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return []
  const parts = text.split(':')
  if (parts.length > 8) return undefined
  const groups: number[] = []
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const dotted = endsAddress && index === parts.length - 1 ? parseIpv4(part) : -1
    if (dotted < 0) return undefined
    groups.push(dotted >>> 16, dotted & 0xffff)
  }
  return groups
}

/** Text of the 16 address bytes at `offset`, shortened as RFC 5952 says. */
export function formatIpv6(view: DataView, offset: number): string {
  const groups: number[] = []
  for (let index = 0; index < 8; index++) groups.push(view.getUint16(offset + index * 2))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${formatIpv4(view.getUint32(offset + 12))}`
  }
  let bestStart = 0
  let bestLength = 1
  for (let start = 0; start < 8; start++) {
    let length = 0
    while (start + length < 8 && groups[start + length] === 0) length++
    if (length > bestLength) {
      bestStart = start
      bestLength = length
    }
  }
  const hex = groups.map((group) => group.toString(16))
  if (bestLength < 2) return hex.join(':')
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`
}
