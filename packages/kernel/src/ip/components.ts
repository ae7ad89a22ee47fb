import { defineComponent, i32, u8, u32 } from '@softnet/ecs'

/** IPv4 addresses of the devices of all hosts, and 127.0.0.1 of each host: pool rows from 1. Constant in a run. */
export const IpAddress = defineComponent('ip_address', {
  address: u32,
  /** Prefix length, 0 to 32. */
  lengthBits: u8,
  /** Host index. */
  host: i32,
  /** Device entity; 0: the loopback device, which no packet of a run arrives on. */
  dev: i32,
})

/**
 * The local table of every host, open addressing with linear probing: addresses a packet is delivered for.
 * Kernel: net/ipv4/fib_frontend.c, fib_add_ifaddr (table local)
 */
export const IpLocalHash = defineComponent('ip_local_hash', {
  address: u32,
  host: i32,
  /** Row of `IpAddress` that brought the entry; 0: free slot. */
  row: i32,
  /** One of `LOCAL_TYPE`. */
  type: u8,
})

/** Connected routes of every host, open addressing keyed by prefix and length; the entry names the device. */
export const IpPrefixHash = defineComponent('ip_prefix_hash', {
  prefix: u32,
  lengthBits: u8,
  host: i32,
  /** Row of `IpAddress` that brought the route; 0: free slot. */
  row: i32,
})

/** Rows of `IpPrefixLength` per host. */
export const PREFIX_LENGTH_ROWS = 34

/** Prefix lengths in use, longest first: row `host * PREFIX_LENGTH_ROWS + i` holds length + 1, or 0 at the end. */
export const IpPrefixLength = defineComponent('ip_prefix_length', { lengthPlusOne: u8 })

/** What the local table says of an address. Kernel: include/uapi/linux/rtnetlink.h, RTN_LOCAL, RTN_BROADCAST */
export const LOCAL_TYPE = { none: 0, local: 1, broadcast: 2 } as const
