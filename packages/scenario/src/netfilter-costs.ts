/** Units that rules and connection tracking are charged in, finer than stages. */
import type { StageCost } from './stages.js'

/** One unit each; a cost profile gives all of them their cycles. */
export const NETFILTER_COSTS = [
  'rule', // going to the next rule
  'payload', // two or four bytes of a header into a register, by the fast path
  'payload_byte', // one byte, by the fast path
  'payload_slow', // three or six bytes, by skb_copy_bits
  'meta', // nft_meta_get_eval and nft_ct_get_eval of a number
  'meta_ifname', // name of an interface into a register
  'byteorder', // turning a number of the host round
  'cmp', // equal or not, up to 16 bytes, by the fast path
  'cmp_slow', // less, more, and each end of a range
  'bitwise', // mask of four bytes
  'range', // outside of a range
  'lookup_bitmap', // set of ports or of single bytes
  'lookup_hash', // set of addresses; verdict maps of single values
  'lookup_hash_name', // set of names of interfaces
  'lookup_rbtree', // set with ranges or prefixes
  'lookup_rbtree_level', // each level of its tree
  'counter', // packets and bytes per CPU
  'limit', // token bucket under its lock
  'immediate', // verdict or value into a register
  'jump', // first rule of another chain
  'return', // back to the rule behind the jump
  'set', // mark of a packet or a connection
  'reject', // answer to a packet, or the limit that forbids it
  'conntrack_new', // making a connection and taking it into the table
  'nat_setup', // choosing the addresses and ports of a new connection
  'nat_manip', // writing them into a packet
] as const

/** Name of a unit. */
export type NetfilterCost = (typeof NETFILTER_COSTS)[number]

/** Cycles of every unit with their sources. */
export type NetfilterCosts = Readonly<Record<NetfilterCost, StageCost>>
