/** Settings of IPv4 that a host starts with, and how those of a device and of `all` work together. */
import type { InterfaceConf, Ipv4Plan, NeighPlan } from './ip-plan.js'

/** `net.ipv4` as a host starts. Kernel: net/ipv4/route.c, icmp.c and sysctl_net_ipv4.c */
export const DEFAULT_IPV4: Ipv4Plan = {
  ip_default_ttl: 64,
  ip_forward_use_pmtu: 0,
  ip_no_pmtu_disc: 0,
  icmp_echo_ignore_all: 0,
  icmp_echo_ignore_broadcasts: 1,
  icmp_ignore_bogus_error_responses: 1,
  icmp_errors_use_inbound_ifaddr: 0,
  icmp_ratelimit: 1000,
  icmp_ratemask: 0x1818,
  icmp_msgs_per_sec: 1000,
  icmp_msgs_burst: 50,
  fib_multipath_hash_policy: 0,
  fib_multipath_hash_fields: 7,
  fib_multipath_hash_seed: 0,
  fib_multipath_use_neigh: 0,
}

/** `net.ipv4.conf.*` as a host starts. Kernel: net/ipv4/devinet.c, ipv4_devconf */
export const DEFAULT_CONF: InterfaceConf = {
  accept_local: 0,
  accept_redirects: 1,
  accept_source_route: 0,
  drop_unicast_in_l2_multicast: 0,
  forwarding: 0,
  route_localnet: 0,
  rp_filter: 0,
  secure_redirects: 1,
  send_redirects: 1,
  shared_media: 1,
  arp_accept: 0,
  arp_announce: 0,
  arp_evict_nocarrier: 1,
  arp_filter: 0,
  arp_ignore: 0,
  arp_notify: 0,
  drop_gratuitous_arp: 0,
  ignore_routes_with_linkdown: 0,
  proxy_arp: 0,
  proxy_arp_pvlan: 0,
}

/** `net.ipv4.neigh.*` as a host starts. Kernel: net/ipv4/arp.c, arp_tbl */
export const DEFAULT_NEIGH: NeighPlan = {
  base_reachable_time_ms: 30_000,
  delay_first_probe_time: 5,
  retrans_time_ms: 1000,
  ucast_solicit: 3,
  mcast_solicit: 3,
  mcast_resolicit: 0,
  unres_qlen_bytes: 212_992,
  gc_stale_time: 60,
  locktime: 100,
  proxy_delay: 80,
  proxy_qlen: 64,
}

/** How a value of `all` and that of a device become one; `router`: both are wanted where the device forwards, else one.
   Kernel: include/linux/inetdevice.h, IN_DEV_ANDCONF and its kin */
const JOIN: Readonly<Record<keyof InterfaceConf, 'and' | 'or' | 'max' | 'own' | 'router'>> = {
  accept_local: 'or',
  accept_redirects: 'router',
  accept_source_route: 'and',
  drop_unicast_in_l2_multicast: 'or',
  forwarding: 'own',
  route_localnet: 'or',
  rp_filter: 'max',
  secure_redirects: 'or',
  send_redirects: 'or',
  shared_media: 'or',
  arp_accept: 'max',
  arp_announce: 'max',
  arp_evict_nocarrier: 'and',
  arp_filter: 'or',
  arp_ignore: 'max',
  arp_notify: 'max',
  drop_gratuitous_arp: 'or',
  ignore_routes_with_linkdown: 'or',
  proxy_arp: 'or',
  proxy_arp_pvlan: 'own',
}

/** Names of the settings of an interface. */
export const CONF_NAMES = Object.keys(JOIN) as readonly (keyof InterfaceConf)[]

/** What holds for packets of a device. */
export function effectiveConf(all: InterfaceConf, own: InterfaceConf): InterfaceConf {
  const joined: Record<string, number> = {}
  for (const name of CONF_NAMES) {
    const [a, b] = [all[name], own[name]]
    const rule = JOIN[name] === 'router' ? (own.forwarding === 1 ? 'and' : 'or') : JOIN[name]
    joined[name] = rule === 'and' ? Math.min(a, b) : rule === 'own' ? b : Math.max(a, b)
  }
  return joined as unknown as InterfaceConf
}
