/** What a protocol handler decided about a packet and the held one it belongs to; bits of one number. */
export const OUTCOME = {
  /** The packet has joined the held one. */
  merged: 1,
  /** Its head page was taken: nothing of it remains (MERGED_FREE). */
  stolen: 2,
  /** The held packet is finished now. */
  complete: 4,
  /** The packet itself must not be held. */
  flush: 8,
  /** Held packets of its kind chain whole skbs (fraglist). */
  list: 16,
} as const

/** An `OUTCOME` is below this; `InetGroReceive` adds the held packet's row times it. */
export const OUTCOME_LIMIT = 32

/** Buckets per NAPI in `GroBucket`, whatever the version uses. Kernel: include/net/gro.h, GRO_HASH_BUCKETS */
export const GRO_BUCKETS = 8

/** IPv4 header without options, bytes: the only one GRO accepts. */
export const IP_HEADER_BYTES = 20

/** IPv4 protocol numbers with a GRO handler. */
export const PROTO_TCP = 6
export const PROTO_UDP = 17
