import { defineComponent, i32, u8, u16, u32 } from '@softnet/ecs'

/** Types of routes. Kernel: include/uapi/linux/rtnetlink.h, RTN_* */
export const RTN = {
  unspec: 0,
  unicast: 1,
  local: 2,
  broadcast: 3,
  multicast: 5,
  blackhole: 6,
  unreachable: 7,
  prohibit: 8,
  throw: 9,
} as const

/** How far a route or an address reaches; larger is nearer. Kernel: include/uapi/linux/rtnetlink.h, RT_SCOPE_* */
export const SCOPE = { universe: 0, link: 253, host: 254, nowhere: 255 } as const

/** Tables that every host has; local and main lie in one trie while there are no rules, as in Linux. Kernel: RT_TABLE_LOCAL, RT_TABLE_MAIN, RT_TABLE_DEFAULT */
export const TABLE = { fallback: 253, main: 254, local: 255 } as const

/** Flags of a route, values of `Skb.rtFlags`. Kernel: include/uapi/linux/in_route.h, RTCF_* */
export const RTCF = {
  local: 1,
  broadcast: 2,
  multicast: 4,
  /** The route was found for a packet that came in (`rt_is_input_route`). */
  input: 8,
  /** The next hop is a gateway (`rt_uses_gateway`). */
  gateway: 16,
} as const

/** Errors of a routing decision. Kernel: include/uapi/asm-generic/errno.h */
export const ERRNO = {
  EPERM: 1,
  ENODEV: 19,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENONET: 64,
  EPROTO: 71,
  EDESTADDRREQ: 89,
  ENOPROTOOPT: 92,
  EOPNOTSUPP: 95,
  ENETDOWN: 100,
  ENOBUFS: 105,
  ECONNREFUSED: 111,
  EHOSTDOWN: 112,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EINVAL: 22,
  EMSGSIZE: 90,
  ENETUNREACH: 101,
  EHOSTUNREACH: 113,
} as const

/** What rules do. Kernel: include/uapi/linux/fib_rules.h, FR_ACT_* */
export const RULE = { table: 1, goto: 2, nop: 3, blackhole: 6, unreachable: 7, prohibit: 8 } as const

/** Where the tries of each namespace begin: row its index + 1. Constant in a run. */
export const FibRoot = defineComponent('fib_root', {
  /** Tables local and main, in one trie while there are no rules; else main. */
  node: i32,
  /** Table default, 0 if it is empty. */
  fallback: i32,
  /** Table local, or that one trie: for questions about addresses. */
  local: i32,
  /** First row of `FibRule`, and how many there are; 0: only the usual three rules, that nobody looks at. */
  firstRule: i32,
  ruleCount: i32,
  /** 1: somebody has added local routes (`fib_has_custom_local_routes`). */
  customLocal: u8,
})

/** Policy rules, in order within their namespace. Kernel: include/net/fib_rules.h, struct fib_rule */
export const FibRule = defineComponent('fib_rule', {
  inverted: u8,
  from: i32,
  fromBits: u8,
  to: i32,
  toBits: u8,
  /** Device entity, 0: any; −1: sent by the host itself. */
  iif: i32,
  oif: i32,
  tos: u8,
  mark: u32,
  markMask: u32,
  protocol: u8,
  /** Ports; last 0: any. */
  sportFirst: u16,
  sportLast: u16,
  dportFirst: u16,
  dportLast: u16,
  /** One of `RULE`. */
  action: u8,
  /** Root of the trie of its table, 0 if that is empty. */
  node: i32,
  /** Row that a goto goes on at, 0 if there is none. */
  target: i32,
  /** Routes of prefixes up to so many bits do not count; −1: all do. */
  suppressBits: i32,
})

/**
 * Inner nodes of the forwarding tries. A node stands for the addresses whose bits above `pos + bits` equal `key`; others
 * that come by have left the path it compresses, and `best` is theirs. Kernel: net/ipv4/fib_trie.c, struct key_vector
 */
export const FibNode = defineComponent('fib_node', {
  key: u32,
  /** Address bits below those the node looks at, 0 to 32. */
  pos: u8,
  /** Address bits it looks at: it has 2^bits children. */
  bits: u8,
  /** Row of `FibPrefix` for addresses outside of the node, 0 for none. */
  best: i32,
  /** First row of its children in `FibChild`. */
  child: i32,
})

/** Children of nodes: a row of `FibNode`, or minus a row of `FibPrefix`, or 0 where no prefix covers the addresses. */
export const FibChild = defineComponent('fib_child', { node: i32 })

/** Prefixes that have routes. Constant in a run. */
export const FibPrefix = defineComponent('fib_prefix', {
  prefix: u32,
  lengthBits: u8,
  /** First of its routes, most preferred first, linked by `FibRoute.next`. */
  route: i32,
  /** Longest shorter prefix that contains it, 0 for none. */
  covering: i32,
})

/** Routes; one with several next hops has a row for each. Kernel: net/ipv4/fib_lookup.h, struct fib_alias; include/net/ip_fib.h, struct fib_info, struct fib_nh */
export const FibRoute = defineComponent('fib_route', {
  next: i32,
  /** One of `RTN`. */
  type: u8,
  /** Where there are several next hops: row of the first one, and of the one behind this, 0 for none. */
  firstPath: i32,
  nextPath: i32,
  weight: u16,
  tos: u8,
  scope: u8,
  /** Scope of the next hop: host where the destination is on the link. */
  nhScope: u8,
  metric: u32,
  /** Device entity, 0 for types without one. */
  dev: i32,
  gateway: u32,
  /** `fib_prefsrc`, 0 for none. */
  prefsrc: u32,
  /** RTAX_MTU, 0 for none; locked: no other is learnt. */
  mtu: u32,
  mtuLocked: u8,
  /** RTAX_HOPLIMIT, 0 for none. */
  hoplimit: u8,
  /** 1: its device or next hop is gone (RTNH_F_DEAD). */
  dead: u8,
  /** 1: somebody has added it; else an address brings it, again when its device comes up. */
  added: u8,
})

/** IPv4 addresses of devices: rows of a device are linked in order of their addition. Constant in a run. */
export const IfAddr = defineComponent('ifaddr', {
  address: u32,
  lengthBits: u8,
  scope: u8,
  host: i32,
  dev: i32,
  /** 1: an earlier address of the device has the same subnet (IFA_F_SECONDARY). */
  secondary: u8,
  /** Next address of the device, 0 at the end. */
  next: i32,
  /** Next in the chain of `IfAddrHash`. */
  chain: i32,
})

/** Addresses by value: head of a chain of `IfAddr`. Kernel: net/ipv4/devinet.c, inet_addr_lst */
export const IfAddrHash = defineComponent('ifaddr_hash', { head: i32 })

/** IPv4 side of a device, by entity: its addresses and what `net.ipv4.conf` says of it. Kernel: struct in_device */
export const InDev = defineComponent('in_dev', {
  firstAddress: i32,
  /** Effective settings, joined from the device's and `all`. */
  acceptLocal: u8,
  acceptSourceRoute: u8,
  dropUnicastInL2Multicast: u8,
  forwarding: u8,
  routeLocalnet: u8,
  rpFilter: u8,
  sendRedirects: u8,
  sharedMedia: u8,
  /** Redirects are followed: `IN_DEV_RX_REDIRECTS`. */
  acceptRedirects: u8,
  /** Without shared media, only to routers that are known. */
  secureRedirects: u8,
  arpAccept: u8,
  arpAnnounce: u8,
  arpEvictNocarrier: u8,
  arpFilter: u8,
  arpIgnore: u8,
  arpNotify: u8,
  dropGratuitousArp: u8,
  ignoreRoutesWithLinkdown: u8,
  proxyArp: u8,
  proxyArpPvlan: u8,
  /** MTU as IPv4 uses it; u16 holds it but for loopback. */
  mtu: u32,
})

/** Loopback device of each host: row host index + 1. */
export const HostDev = defineComponent('host_dev', { loopback: i32, firstDevice: i32, deviceCount: u16 })
