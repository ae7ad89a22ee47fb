/**
 * Address translation in the bytes of a packet: the changed words are taken out of the checksums and the new ones put in,
 * nothing is summed anew.
 */
import { checksumUpdate16, checksumUpdate32 } from './checksum.js'

const PROTOCOL = 9
const IP_CHECK = 10
const SADDR = 12
const DADDR = 16
const TCP_CHECK = 16
const UDP_CHECK = 6
const ICMP_CHECK = 2
const ICMP_ID = 4
const FRAGMENT_OFFSET = 0x1fff
const TCP = 6
const UDP = 17
const ICMP = 1
/** Types whose bytes 4 and 5 are an id. */
const ICMP_WITH_ID: readonly number[] = [0, 8, 13, 14, 15, 16, 17, 18]

/**
 * Writes a source (or destination) address and port into the IPv4 packet at `offset`, and keeps the checksums of IP, TCP,
 * UDP and ICMP right. `port` is the id of an ICMP query, and is left alone where the packet has none (−1: always). The
 * packet ends at `end`. A UDP checksum of zero stays zero. Kernel: net/netfilter/nf_nat_proto.c, nf_nat_ipv4_manip_pkt
 */
export function natMangleIpv4(
  view: DataView,
  offset: number,
  end: number,
  destination: boolean,
  address: number,
  port: number,
): void {
  const at = offset + (destination ? DADDR : SADDR)
  const before = view.getUint32(at)
  const l4 = offset + (view.getUint8(offset) & 15) * 4
  // Only the first fragment has the transport header.
  if ((view.getUint16(offset + 6) & FRAGMENT_OFFSET) === 0) {
    mangleTransport(view, l4, end, view.getUint8(offset + PROTOCOL), destination, before, address, port)
  }
  view.setUint32(at, address)
  view.setUint16(offset + IP_CHECK, checksumUpdate32(view.getUint16(offset + IP_CHECK), before, address >>> 0))
}

function mangleTransport(
  view: DataView,
  l4: number,
  end: number,
  protocol: number,
  destination: boolean,
  before: number,
  after: number,
  port: number,
): void {
  if (protocol === ICMP) {
    mangleIcmp(view, l4, end, port)
    return
  }
  if (protocol !== TCP && protocol !== UDP) return
  const checkAt = l4 + (protocol === TCP ? TCP_CHECK : UDP_CHECK)
  const portAt = l4 + (destination ? 2 : 0)
  if (portAt + 2 > end) return
  const old = view.getUint16(portAt)
  const now = port < 0 ? old : port
  view.setUint16(portAt, now)
  if (checkAt + 2 > end) return
  const check = view.getUint16(checkAt)
  if (protocol === UDP && check === 0) return
  const updated = checksumUpdate16(checksumUpdate32(check, before, after >>> 0), old, now)
  // Zero would say that there is no checksum.
  view.setUint16(checkAt, protocol === UDP && updated === 0 ? 0xffff : updated)
}

function mangleIcmp(view: DataView, l4: number, end: number, id: number): void {
  if (id < 0 || l4 + ICMP_ID + 2 > end || !ICMP_WITH_ID.includes(view.getUint8(l4))) return
  const old = view.getUint16(l4 + ICMP_ID)
  view.setUint16(l4 + ICMP_ID, id)
  view.setUint16(l4 + ICMP_CHECK, checksumUpdate16(view.getUint16(l4 + ICMP_CHECK), old, id))
}
