/** The part of the plan that IP, its neighbours and its routes are made from. */

/** Settings under `net.ipv4` that hold for a host, under their own names. */
export interface Ipv4Plan {
  readonly ip_default_ttl: number
  readonly ip_forward_use_pmtu: number
  readonly ip_no_pmtu_disc: number
  readonly icmp_echo_ignore_all: number
  readonly icmp_echo_ignore_broadcasts: number
  readonly icmp_ignore_bogus_error_responses: number
  readonly icmp_errors_use_inbound_ifaddr: number
  /** Time between two limited messages to one peer, ms; 0: no limit. */
  readonly icmp_ratelimit: number
  /** Bit per ICMP type that is limited. */
  readonly icmp_ratemask: number
  readonly icmp_msgs_per_sec: number
  readonly icmp_msgs_burst: number
  /** What chooses among several next hops: 0 addresses, 1 ports too, 2 those inside of a tunnel, 3 `fib_multipath_hash_fields`. */
  readonly fib_multipath_hash_policy: number
  /** Bit per field. */
  readonly fib_multipath_hash_fields: number
  /** 0: drawn from the seed of the run. */
  readonly fib_multipath_hash_seed: number
  /** 1: routers that are known to be gone are passed over. */
  readonly fib_multipath_use_neigh: number
}

/** `net.ipv4.conf.*`, under their own names. */
export interface InterfaceConf {
  readonly accept_local: number
  /** 1: redirects of the router in use are followed; a router wants it of the device and of `all`. */
  readonly accept_redirects: number
  readonly accept_source_route: number
  readonly drop_unicast_in_l2_multicast: number
  readonly forwarding: number
  /** 1: routes of a device without carrier are passed over. */
  readonly ignore_routes_with_linkdown: number
  readonly route_localnet: number
  readonly rp_filter: number
  /** 1: without shared media, redirects lead to known routers only. */
  readonly secure_redirects: number
  readonly send_redirects: number
  readonly shared_media: number
  /** Who may make an entry of the neighbour table by an unasked message: 0 nobody, 1 anybody, 2 the subnet. */
  readonly arp_accept: number
  /** 1: neighbours of a device that loses its carrier are forgotten. */
  readonly arp_evict_nocarrier: number
  /** 1: a device that comes up announces its addresses. */
  readonly arp_notify: number
  /** Source address of requests: 0 any own one, 1 of the target's subnet, 2 the best one. */
  readonly arp_announce: number
  readonly arp_filter: number
  /** Requests that are answered: 0 for any own address, 1 on its own device, 2 from its subnet too, 3 not host scope, 8 none. */
  readonly arp_ignore: number
  readonly drop_gratuitous_arp: number
  readonly proxy_arp: number
  readonly proxy_arp_pvlan: number
}

/** Names of settings of all devices under `sysctl`; two are each device's own. */
export type ConfAllName = `net.ipv4.conf.all.${Exclude<keyof InterfaceConf, 'forwarding' | 'proxy_arp_pvlan'>}`

/** `net.ipv4.neigh.DEV.*`, under their own names and in their own units. */
export interface NeighPlan {
  readonly base_reachable_time_ms: number
  readonly delay_first_probe_time: number
  readonly retrans_time_ms: number
  readonly ucast_solicit: number
  readonly mcast_solicit: number
  readonly mcast_resolicit: number
  readonly unres_qlen_bytes: number
  /** Seconds. */
  readonly gc_stale_time: number
  /** In hundredths of a second. */
  readonly locktime: number
  /** In hundredths of a second. */
  readonly proxy_delay: number
  readonly proxy_qlen: number
}

/** A neighbour that is known from the start and stays so, as `ip neigh add … nud permanent` makes it. */
export interface NeighbourPlan {
  readonly address: number
  readonly dev: string
  readonly mac: string
}

/** Types of routes a user can add. Kernel: include/uapi/linux/rtnetlink.h, RTN_* */
export type RouteType = 'unicast' | 'local' | 'broadcast' | 'unreachable' | 'prohibit' | 'blackhole' | 'throw'

/** One of several next hops of a route. */
export interface NexthopPlan {
  /** 0: destinations are on the link. */
  readonly gateway: number
  /** Device name; null: the one the gateway is reached by. */
  readonly dev: string | null
  /** Share of the flows, 1 to 256. */
  readonly weight: number
  /** The gateway is on the link whatever the subnets say. */
  readonly onlink?: true
}

/** One route, as `ip route add` takes it. */
export interface RoutePlan {
  readonly type: RouteType
  /** Network address, unsigned 32 bits, host bits zero. */
  readonly prefix: number
  readonly lengthBits: number
  /** Next hop; 0: the destination is on the link. */
  readonly gateway: number
  /** Device name; null: the one the gateway is reached by. */
  readonly dev: string | null
  /** Preferred source address; 0: chosen from the device. */
  readonly source: number
  /** Smaller is preferred among routes of one prefix. */
  readonly metric: number
  /** Path MTU of the route, bytes; 0: that of the device. */
  readonly mtu: number
  /** Type of service the route is for; 0: any. */
  readonly tos: number
  /** Table it is in; left out: local for types local and broadcast, else main. */
  readonly table?: number
  /** No path MTU is learnt, packets go without DF. */
  readonly mtuLocked?: true
  /** Time to live of what the host sends by it; left out: `ip_default_ttl`. */
  readonly hoplimit?: number
  /** The gateway is on the link whatever the subnets say. */
  readonly onlink?: true
  /** Next hops where there are several; `gateway` and `dev` are none then. */
  readonly nexthops?: readonly NexthopPlan[]
}

/** What a rule does. Kernel: include/uapi/linux/fib_rules.h, FR_ACT_* */
export type RuleAction = 'table' | 'goto' | 'nop' | 'unreachable' | 'prohibit' | 'blackhole'

/** One policy rule, as `ip rule add` takes it; what is left out matches everything. */
export interface RulePlan {
  /** Left out: one less than that of the second rule there is. */
  readonly priority?: number
  readonly inverted?: true
  /** Network and length in bits. */
  readonly from?: readonly [number, number]
  readonly to?: readonly [number, number]
  /** Device packets came in by; `lo`: sent by the host. */
  readonly iif?: string
  /** Device the sender asks for. */
  readonly oif?: string
  /** Bits 0x1c of the type of service. */
  readonly tos?: number
  readonly mark?: number
  readonly markMask?: number
  readonly protocol?: number
  /** First and last port. */
  readonly sport?: readonly [number, number]
  readonly dport?: readonly [number, number]
  readonly action: RuleAction
  readonly table?: number
  /** Priority of the rule that `goto` goes on at. */
  readonly target?: number
  /** Routes of prefixes up to so many bits do not count. */
  readonly suppressPrefixLength?: number
}
