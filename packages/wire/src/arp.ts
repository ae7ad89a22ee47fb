import { formatIpv4, formatMac } from './address.js'
import { ETH_P_IP } from './ethernet.js'
import { FAULT_ARP_FORMAT, FAULT_ARP_SHORT } from './fault.js'

/** Bytes of ARP for IPv4 over Ethernet. */
export const ARP_LEN = 28
/** Operation: who has. */
export const ARPOP_REQUEST = 1
/** Operation: is at. */
export const ARPOP_REPLY = 2

const ARPHRD_ETHER = 1
const FIELD_HTYPE = 0
const FIELD_PTYPE = 2
const FIELD_HLEN = 4
const FIELD_PLEN = 5
const FIELD_OP = 6
const FIELD_SHA = 8
const FIELD_SPA = 14
const FIELD_THA = 18
const FIELD_TPA = 24

/**
 * Whether the bytes are ARP for IPv4 over Ethernet: 0, `FAULT_ARP_SHORT` or `FAULT_ARP_FORMAT`. Kernel:
 * net/ipv4/arp.c, arp_rcv.
 */
export function checkArp(view: DataView, offset: number, availableBytes: number): number {
  if (availableBytes < ARP_LEN) return FAULT_ARP_SHORT
  const sound =
    view.getUint16(offset + FIELD_HTYPE) === ARPHRD_ETHER &&
    view.getUint16(offset + FIELD_PTYPE) === ETH_P_IP &&
    view.getUint8(offset + FIELD_HLEN) === 6 &&
    view.getUint8(offset + FIELD_PLEN) === 4
  return sound ? 0 : FAULT_ARP_FORMAT
}

/** Operation, `ARPOP_REQUEST` or `ARPOP_REPLY` among others. */
export function arpOp(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_OP)
}

/** Upper 16 bits of the sender's MAC. */
export function arpSenderHi(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_SHA)
}

/** Lower 32 bits of the sender's MAC. */
export function arpSenderLo(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_SHA + 2)
}

/** Sender's IPv4 address. */
export function arpSenderIp(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_SPA)
}

/** Upper 16 bits of the target's MAC. */
export function arpTargetHi(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_THA)
}

/** Lower 32 bits of the target's MAC. */
export function arpTargetLo(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_THA + 2)
}

/** Target's IPv4 address. */
export function arpTargetIp(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_TPA)
}

/** Writes the 28 bytes of a message; returns their number. Kernel: net/ipv4/arp.c, arp_create. */
export function emitArp(
  view: DataView,
  offset: number,
  op: number,
  senderHi: number,
  senderLo: number,
  senderIp: number,
  targetHi: number,
  targetLo: number,
  targetIp: number,
): number {
  view.setUint16(offset + FIELD_HTYPE, ARPHRD_ETHER)
  view.setUint16(offset + FIELD_PTYPE, ETH_P_IP)
  view.setUint8(offset + FIELD_HLEN, 6)
  view.setUint8(offset + FIELD_PLEN, 4)
  view.setUint16(offset + FIELD_OP, op)
  view.setUint16(offset + FIELD_SHA, senderHi)
  view.setUint32(offset + FIELD_SHA + 2, senderLo)
  view.setUint32(offset + FIELD_SPA, senderIp)
  view.setUint16(offset + FIELD_THA, targetHi)
  view.setUint32(offset + FIELD_THA + 2, targetLo)
  view.setUint32(offset + FIELD_TPA, targetIp)
  return ARP_LEN
}

/** One line of text for the message at `offset`, which must be whole. */
export function formatArp(view: DataView, offset: number): string {
  const op = arpOp(view, offset)
  const sender = formatIpv4(arpSenderIp(view, offset))
  const target = formatIpv4(arpTargetIp(view, offset))
  if (op === ARPOP_REQUEST) return `ARP who-has ${target} tell ${sender}`
  if (op === ARPOP_REPLY)
    return `ARP ${sender} is-at ${formatMac(arpSenderHi(view, offset), arpSenderLo(view, offset))}`
  return `ARP operation ${op}`
}
