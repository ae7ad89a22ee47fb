import { checksumPartial } from './checksum.js'
import { FAULT_L4_SHORT } from './fault.js'

/** Bytes of the header. */
export const ICMP_HLEN = 8
/** Type: answer to an echo request. */
export const ICMP_ECHOREPLY = 0
/** Type: destination unreachable. */
export const ICMP_DEST_UNREACH = 3
/** Type: redirect. */
export const ICMP_REDIRECT = 5
/** Type: echo request. */
export const ICMP_ECHO = 8
/** Type: time exceeded. */
export const ICMP_TIME_EXCEEDED = 11
/** Code of `ICMP_TIME_EXCEEDED`: fragments did not come in time. */
export const ICMP_EXC_FRAGTIME = 1
/** Type: parameter problem. */
export const ICMP_PARAMETERPROB = 12
/** Code of `ICMP_DEST_UNREACH`: no such port. */
export const ICMP_PORT_UNREACH = 3
/** Code of `ICMP_DEST_UNREACH`: fragmentation needed; the MTU is in the low half of the rest. */
export const ICMP_FRAG_NEEDED = 4

const FIELD_TYPE = 0
const FIELD_CODE = 1
const FIELD_CHECK = 2
const FIELD_REST = 4

/** Whether `availableBytes` hold a header: 0 or `FAULT_L4_SHORT`. Kernel: net/ipv4/icmp.c, icmp_rcv. */
export function checkIcmp(availableBytes: number): number {
  return availableBytes < ICMP_HLEN ? FAULT_L4_SHORT : 0
}

/** Message type. */
export function icmpType(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_TYPE)
}

/** Message code. */
export function icmpCode(view: DataView, offset: number): number {
  return view.getUint8(offset + FIELD_CODE)
}

/** Checksum as it stands. */
export function icmpCheck(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_CHECK)
}

/** The second word, unsigned: identifier and sequence of an echo, MTU, gateway. */
export function icmpRest(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_REST)
}

/** Identifier of an echo. */
export function icmpEchoId(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_REST)
}

/** Sequence number of an echo. */
export function icmpEchoSequence(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_REST + 2)
}

/** Whether the checksum over `length` bytes (all present) is right. */
export function icmpChecksumIsRight(view: DataView, offset: number, length: number): boolean {
  return checksumPartial(view, offset, length, 0) === 0xffff
}

/** Writes a header over a payload that is already there, with the checksum over `length` bytes; returns 8. */
export function emitIcmp(
  view: DataView,
  offset: number,
  type: number,
  code: number,
  rest: number,
  length: number,
): number {
  view.setUint8(offset + FIELD_TYPE, type)
  view.setUint8(offset + FIELD_CODE, code)
  view.setUint16(offset + FIELD_CHECK, 0)
  view.setUint32(offset + FIELD_REST, rest)
  view.setUint16(offset + FIELD_CHECK, ~checksumPartial(view, offset, length, 0) & 0xffff)
  return ICMP_HLEN
}

/** One line of text for the header at `offset`, which must be whole. */
export function formatIcmp(view: DataView, offset: number): string {
  const type = icmpType(view, offset)
  if (type !== ICMP_ECHO && type !== ICMP_ECHOREPLY) return `ICMP type ${type} code ${icmpCode(view, offset)}`
  const kind = type === ICMP_ECHO ? 'request' : 'reply'
  return `ICMP echo ${kind} id ${icmpEchoId(view, offset)} seq ${icmpEchoSequence(view, offset)}`
}
