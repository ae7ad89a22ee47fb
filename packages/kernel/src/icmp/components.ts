import { defineComponent, f64, i32, u32 } from '@softnet/ecs'

/**
 * Global limit of ICMP errors: row `1 + homeNumber * namespaces + namespace`.
 * Kernel: net/ipv4/icmp.c, icmp_global_allow, icmp_global_consume
 */
export const IcmpLimit = defineComponent('icmp_limit', {
  /** Messages that may still be sent; a charge of two can take it to −1. */
  credit: i32,
  /** Jiffy of the last refill. */
  stampJiffies: f64,
  /** Key of the charges' own random stream, and how many were drawn. */
  keyLow: u32,
  keyHigh: u32,
  drawn: f64,
})

/** Peers remembered in a table. */
export const ICMP_PEER_ROWS = 1024

/** Slots one peer may lie in; the oldest of them makes room for a new peer. */
export const ICMP_PEER_WAYS = 4

/** Peers, `ICMP_PEER_ROWS` rows for each of `IcmpLimit`: limits of errors and redirects per address. Kernel: net/ipv4/inetpeer.c, inet_peer */
export const InetPeer = defineComponent('icmp_peer', {
  address: u32,
  /** `rate_tokens`, jiffies. */
  tokensJiffies: f64,
  /** `rate_last` + 1, jiffies; may be negative. */
  lastPlusOne: f64,
  /** `n_redirects`: redirects it was sent and has not followed. */
  redirects: u32,
  /** Jiffy of the last use + 1; 0: free row. */
  usedPlusOne: f64,
})
