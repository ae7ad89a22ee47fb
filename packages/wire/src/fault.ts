/**
 * What can be wrong with the bytes of a frame, one bit each.
 *
 * A malformed packet is ordinary input: every check returns such a code (0 means sound) and nothing throws.
 * The bits of several layers can be united in one 32-bit number.
 */

/** Fewer bytes than the link-layer header. Kernel: net/ethernet/eth.c, eth_type_trans. */
export const FAULT_LINK_SHORT = 1 << 0
/** A VLAN type with fewer than four bytes behind it. Kernel: net/core/skbuff.c, skb_vlan_untag. */
export const FAULT_VLAN_SHORT = 1 << 1
/** The link type of the capture is not one that frames are known for. */
export const FAULT_LINK_TYPE = 1 << 2
/** Fewer than 20 (IPv6: 40) bytes of network header. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_SHORT = 1 << 3
/** The version nibble differs from the ethertype. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_VERSION = 1 << 4
/** Header length below five words. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_IHL = 1 << 5
/** The header with its options is longer than the bytes there are. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_OPTIONS_SHORT = 1 << 6
/** An IPv4 option whose length or pointer is impossible. Kernel: net/ipv4/ip_options.c, __ip_options_compile. */
export const FAULT_IP_OPTIONS = 1 << 7
/** Total length beyond the end of the frame on the wire. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_TOT_LEN_LONG = 1 << 8
/** Total length smaller than the header. Kernel: net/ipv4/ip_input.c, ip_rcv_core. */
export const FAULT_IP_TOT_LEN_SHORT = 1 << 9
/** The capture holds fewer bytes than the frame had on the wire; the frame itself may be sound. */
export const FAULT_CAPTURE_TRUNCATED = 1 << 10
/** Fewer bytes than the UDP, TCP, ICMP or IGMP header. Kernel: net/ipv4/udp.c, __udp4_lib_rcv; tcp_v4_rcv. */
export const FAULT_L4_SHORT = 1 << 11
/** UDP length below 8. Kernel: net/ipv4/udp.c, __udp4_lib_rcv. */
export const FAULT_UDP_LENGTH_SHORT = 1 << 12
/** UDP length beyond the IP payload. Kernel: net/ipv4/udp.c, __udp4_lib_rcv. */
export const FAULT_UDP_LENGTH_LONG = 1 << 13
/** TCP data offset below five words. Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_rcv. */
export const FAULT_TCP_DOFF_SHORT = 1 << 14
/** TCP data offset beyond the IP payload. Kernel: net/ipv4/tcp_ipv4.c, tcp_v4_rcv. */
export const FAULT_TCP_DOFF_LONG = 1 << 15
/** A TCP option whose length is impossible; Linux stops reading there. Kernel: tcp_input.c, tcp_parse_options. */
export const FAULT_TCP_OPTIONS = 1 << 16
/** Fewer than 28 bytes of ARP for IPv4 over Ethernet. Kernel: net/ipv4/arp.c, arp_rcv. */
export const FAULT_ARP_SHORT = 1 << 17
/** ARP for other address kinds or lengths than IPv4 over Ethernet. Kernel: net/ipv4/arp.c, arp_rcv. */
export const FAULT_ARP_FORMAT = 1 << 18

const FAULT_NAMES: readonly string[] = [
  'LINK_SHORT',
  'VLAN_SHORT',
  'LINK_TYPE',
  'IP_SHORT',
  'IP_VERSION',
  'IP_IHL',
  'IP_OPTIONS_SHORT',
  'IP_OPTIONS',
  'IP_TOT_LEN_LONG',
  'IP_TOT_LEN_SHORT',
  'CAPTURE_TRUNCATED',
  'L4_SHORT',
  'UDP_LENGTH_SHORT',
  'UDP_LENGTH_LONG',
  'TCP_DOFF_SHORT',
  'TCP_DOFF_LONG',
  'TCP_OPTIONS',
  'ARP_SHORT',
  'ARP_FORMAT',
]

/** Names of the bits set in `fault`, lowest bit first; empty for 0. */
export function faultNames(fault: number): string[] {
  return FAULT_NAMES.filter((_, bitIndex) => (fault & (1 << bitIndex)) !== 0)
}
