import { formatMac } from './address.js'
import { FAULT_LINK_SHORT } from './fault.js'

/** Bytes of an Ethernet header without tags. */
export const ETH_HLEN = 14
/** Smallest frame without its FCS, bytes. */
export const ETH_ZLEN = 60
/** Bytes of the frame check sequence. */
export const ETH_FCS_LEN = 4
/** Ethertype of IPv4. */
export const ETH_P_IP = 0x0800
/** Ethertype of ARP. */
export const ETH_P_ARP = 0x0806
/** Ethertype of an 802.1Q tag. */
export const ETH_P_8021Q = 0x8100
/** Ethertype of an 802.1ad service tag. */
export const ETH_P_8021AD = 0x88a8
/** Ethertype of IPv6. */
export const ETH_P_IPV6 = 0x86dd
/** Linux's own type for raw 802.3 frames (Novell). */
export const ETH_P_802_3 = 0x0001
/** Linux's own type for frames with an 802.2 LLC header. */
export const ETH_P_802_2 = 0x0004
/** Smallest value of the type field that is an ethertype and not a length. */
export const ETH_P_802_3_MIN = 0x0600

const FIELD_DST = 0
const FIELD_SRC = 6
const FIELD_TYPE = 12

/** Whether `availableBytes` hold an Ethernet header: 0 or `FAULT_LINK_SHORT`. */
export function checkEthernet(availableBytes: number): number {
  return availableBytes < ETH_HLEN ? FAULT_LINK_SHORT : 0
}

/** Upper 16 bits of the destination address. */
export function ethernetDstHi(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_DST)
}

/** Lower 32 bits of the destination address. */
export function ethernetDstLo(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_DST + 2)
}

/** Upper 16 bits of the source address. */
export function ethernetSrcHi(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_SRC)
}

/** Lower 32 bits of the source address. */
export function ethernetSrcLo(view: DataView, offset: number): number {
  return view.getUint32(offset + FIELD_SRC + 2)
}

/** The type field as it stands: an ethertype from 0x600 on, else an 802.3 length. */
export function ethernetTypeField(view: DataView, offset: number): number {
  return view.getUint16(offset + FIELD_TYPE)
}

/**
 * Ethertype of a frame of `availableBytes`; 802.3 lengths become `ETH_P_802_3` or `ETH_P_802_2`.
 * Kernel: net/ethernet/eth.c, eth_type_trans.
 */
export function ethernetProtocol(view: DataView, offset: number, availableBytes: number): number {
  const type = view.getUint16(offset + FIELD_TYPE)
  if (type >= ETH_P_802_3_MIN) return type
  if (availableBytes >= ETH_HLEN + 2 && view.getUint16(offset + ETH_HLEN) === 0xffff) return ETH_P_802_3
  return ETH_P_802_2
}

/** Writes the 14 bytes of a header; returns its length. */
export function emitEthernet(
  view: DataView,
  offset: number,
  dstHi: number,
  dstLo: number,
  srcHi: number,
  srcLo: number,
  type: number,
): number {
  view.setUint16(offset + FIELD_DST, dstHi)
  view.setUint32(offset + FIELD_DST + 2, dstLo)
  view.setUint16(offset + FIELD_SRC, srcHi)
  view.setUint32(offset + FIELD_SRC + 2, srcLo)
  view.setUint16(offset + FIELD_TYPE, type)
  return ETH_HLEN
}

/** Whether the address is ff:ff:ff:ff:ff:ff. Kernel: include/linux/etherdevice.h, is_broadcast_ether_addr. */
export function macIsBroadcast(hi: number, lo: number): boolean {
  return (hi & 0xffff) === 0xffff && (lo | 0) === -1
}

/** Whether the group bit is set, broadcast included. Kernel: include/linux/etherdevice.h, is_multicast_ether_addr. */
export function macIsMulticast(hi: number): boolean {
  return (hi & 0x0100) !== 0
}

/** Whether all bits are zero. Kernel: include/linux/etherdevice.h, is_zero_ether_addr. */
export function macIsZero(hi: number, lo: number): boolean {
  return (hi & 0xffff) === 0 && (lo | 0) === 0
}

/**
 * Lower 32 bits of the group address for an IPv4 group; the upper 16 are 0x0100. Kernel: include/net/ip.h,
 * ip_eth_mc_map.
 */
export function ipv4MulticastMacLo(group: number): number {
  return (0x5e000000 | (group & 0x7fffff)) >>> 0
}

/** One line of text for the header at `offset`, which must be whole. */
export function formatEthernet(view: DataView, offset: number): string {
  const src = formatMac(ethernetSrcHi(view, offset), ethernetSrcLo(view, offset))
  const dst = formatMac(ethernetDstHi(view, offset), ethernetDstLo(view, offset))
  return `${src} > ${dst}, ethertype 0x${ethernetTypeField(view, offset).toString(16).padStart(4, '0')}`
}
