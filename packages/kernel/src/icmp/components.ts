import { defineComponent, f64, i32, u32 } from '@softnet/ecs'

/**
 * Global limit of ICMP errors, one bucket per CPU entity.
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

/** Peers remembered per CPU. */
export const ICMP_PEER_ROWS = 1024

/** Slots one peer may lie in; the oldest of them makes room for a new peer. */
export const ICMP_PEER_WAYS = 4

/** Limit per destination of ICMP errors: row `cpu * ICMP_PEER_ROWS + slot`. Kernel: net/ipv4/inetpeer.c, inet_peer */
export const IcmpPeer = defineComponent('icmp_peer', {
  address: u32,
  /** Tokens, in jiffies. */
  tokensJiffies: f64,
  /** Jiffy of the last use + 1; 0: free slot. */
  lastPlusOne: f64,
})
