import { formatIpv4 } from './address.js'
import { checksumPartial } from './checksum.js'
import { FAULT_L4_SHORT } from './fault.js'

/** Bytes of a message of versions 1 and 2, and of the fixed part of a version 3 report. */
export const IGMP_HLEN = 8
/** Type: membership query. */
export const IGMP_HOST_MEMBERSHIP_QUERY = 0x11
/** Type: version 1 report. */
export const IGMP_HOST_MEMBERSHIP_REPORT = 0x12
/** Type: version 2 report. */
export const IGMPV2_HOST_MEMBERSHIP_REPORT = 0x16
/** Type: leave a group. */
export const IGMP_HOST_LEAVE_MESSAGE = 0x17
/** Type: version 3 report. */
export const IGMPV3_HOST_MEMBERSHIP_REPORT = 0x22

const FIELD_TYPE = 0
const FIELD_CODE = 1
const FIELD_CHECK = 2
const FIELD_GROUP = 4

/** Whether `availableBytes` hold a message: 0 or `FAULT_L4_SHORT`. Kernel: net/ipv4/igmp.c, igmp_rcv. */
export function checkIgmp(availableBytes: number): number {
  return availableBytes < IGMP_HLEN ? FAULT_L4_SHORT : 0
}

/** Message type. */
export function igmpType(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_TYPE)
}

/** Longest answer time of a query, in tenths of a second (encoded above 127 in version 3). */
export function igmpMaxResponse(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_CODE)
}

/** Group address of versions 1 and 2 and of queries; 0 in a general query. */
export function igmpGroup(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_GROUP)
}

/** Whether the checksum over `length` bytes (all present) is right. */
export function igmpChecksumIsRight(view: DataView, offset: number, length: number): boolean {
  return checksumPartial(view, offset, length, 0) === 0xffff
}

/** Writes an 8-byte message with its checksum; returns 8. */
export function emitIgmp(view: DataView, offset: number, type: number, maxResponse: number, group: number): number {
  view.setUint8(offset + FIELD_TYPE, type)
  view.setUint8(offset + FIELD_CODE, maxResponse)
  view.setUint16(offset + FIELD_CHECK, 0)
  view.setUint32(offset + FIELD_GROUP, group)
  view.setUint16(offset + FIELD_CHECK, ~checksumPartial(view, offset, IGMP_HLEN, 0) & 0xffff)
  return IGMP_HLEN
}

/** One line of text for the message at `offset`, which must be whole. */
export function formatIgmp(view: DataView, offset: number): string {
  return `IGMP type 0x${igmpType(view, offset).toString(16)} group ${formatIpv4(igmpGroup(view, offset))}`
}
