import { ETH_HLEN, ETH_P_IP, ETH_P_IPV6, ethernetProtocol } from './ethernet.js'

/** BSD loopback: address family in the byte order of the capturing machine. */
export const LINKTYPE_NULL = 0
/** Ethernet. */
export const LINKTYPE_ETHERNET = 1
/** Raw IP, as DLT_RAW is numbered on most systems. */
export const LINKTYPE_RAW_BSD = 12
/** Raw IP, as DLT_RAW is numbered on OpenBSD. */
export const LINKTYPE_RAW_OPENBSD = 14
/** Raw IP, version told by the first nibble. */
export const LINKTYPE_RAW = 101
/** OpenBSD loopback: address family in network byte order. */
export const LINKTYPE_LOOP = 108
/** Linux cooked capture, version 1. */
export const LINKTYPE_LINUX_SLL = 113
/** Raw IPv4. */
export const LINKTYPE_IPV4 = 228
/** Raw IPv6. */
export const LINKTYPE_IPV6 = 229
/** Linux cooked capture, version 2. */
export const LINKTYPE_LINUX_SLL2 = 276

const SLL_BYTES = 16
const SLL_PROTOCOL = 14
const SLL2_BYTES = 20
const LOOPBACK_BYTES = 4

/** Bytes of the link header of a link type, which is where the network header starts; -1 for an unknown one. */
export function linkHeaderBytes(linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return ETH_HLEN
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
      return 0
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return LOOPBACK_BYTES
    case LINKTYPE_LINUX_SLL:
      return SLL_BYTES
    case LINKTYPE_LINUX_SLL2:
      return SLL2_BYTES
    default:
      return -1
  }
}

/**
 * Ethertype of a frame of `availableBytes` whose link header is whole (`linkHeaderBytes`); 0 where nothing tells it.
 */
export function linkEtherType(linkType: number, view: DataView, offset: number, availableBytes: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return ethernetProtocol(view, offset, availableBytes)
    case LINKTYPE_IPV4:
      return ETH_P_IP
    case LINKTYPE_IPV6:
      return ETH_P_IPV6
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
      return availableBytes < 1 ? 0 : versionEtherType(view.getUint8(offset) >>> 4)
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return familyEtherType(view.getUint32(offset))
    case LINKTYPE_LINUX_SLL:
      return view.getUint16(offset + SLL_PROTOCOL)
    case LINKTYPE_LINUX_SLL2:
      return view.getUint16(offset)
    default:
      return 0
  }
}

function versionEtherType(version: number): number {
  if (version === 4) return ETH_P_IP
  return version === 6 ? ETH_P_IPV6 : 0
}

/** Families are small numbers, so the order in which one was written shows in where its byte stands. */
function familyEtherType(word: number): number {
  const family = word > 0xffff ? ((word >>> 24) & 0xff) | ((word >>> 8) & 0xff00) : word
  if (family === 2) return ETH_P_IP
  // AF_INET6 on Linux, NetBSD and OpenBSD, FreeBSD, Darwin.
  return family === 10 || family === 24 || family === 28 || family === 30 ? ETH_P_IPV6 : 0
}
