import { defineComponent, f64, i32, u8, u32 } from '@softnet/ecs'

/** Hooks of IPv4 by number. Kernel: include/uapi/linux/netfilter.h, enum nf_inet_hooks */
export const NF_HOOK = { preRouting: 0, localIn: 1, forward: 2, localOut: 3, postRouting: 4 } as const

/** What a field of interfaces holds where there is none; no device has this number, which is a small integer. */
export const NO_DEVICE = 2 ** 30

/** Hooks of a host. */
export const NF_HOOKS = 5

/** What an entry of a hook calls. */
export const NF_ENTRY = { chain: 0, conntrack: 1, nat: 2, confirm: 3, defrag: 4 } as const

/** Entries of each hook: row `1 + host * NF_HOOKS + hook`. Constant in a run. Kernel: struct nf_hook_entries */
export const NfHook = defineComponent('nf_hook', {
  firstEntry: i32,
  entries: i32,
  /** Base chains of type nat, which the entry of address translation calls: rows of `NfHookEntry`. */
  firstNat: i32,
  nats: i32,
})

/** One entry of a hook, in the order in which they are called. Constant in a run. Kernel: struct nf_hook_entry */
export const NfHookEntry = defineComponent('nf_hook_entry', {
  /** One of `NF_ENTRY`. */
  kind: u8,
  /** Row of `NftChain` of a base chain. */
  chain: i32,
})

/** Chains of all tables. Constant in a run. Kernel: include/net/netfilter/nf_tables.h, struct nft_chain */
export const NftChain = defineComponent('nft_chain', {
  firstRule: i32,
  rules: i32,
  /** 1: policy drop. */
  policyDrop: u8,
  /** Row of `NftRule` behind the last rule, which counts what reached the end of a base chain. */
  policyRule: i32,
})

/** Rules: ranges of expressions. Constant in a run. Kernel: struct nft_rule_dp */
export const NftRule = defineComponent('nft_rule', { firstExpr: i32, exprs: i32 })

/** What an expression does. A match is its load and its comparison in one. */
export const NFT_OP = {
  range: 0,
  bits: 1,
  lookup: 2,
  vmap: 3,
  counter: 4,
  limit: 5,
  verdict: 6,
  reject: 7,
  setMark: 8,
  nat: 9,
  notrack: 10,
} as const

/** What a statement that sets a mark does (`arg` of its expression). */
export const NFT_SET = { meta: 0, metaFromCt: 1, ct: 2, ctFromMeta: 3 } as const

/** Verdicts of rules. Kernel: include/uapi/linux/netfilter/nf_tables.h, enum nft_verdicts */
export const NFT_VERDICT = { accept: 0, drop: 1, return: 2, continue: 3, jump: 4, goto: 5 } as const

/** Fields that expressions load. */
export const NFT_FIELD = {
  nfproto: 0,
  l4proto: 1,
  saddr: 2,
  daddr: 3,
  ttl: 4,
  dscp: 5,
  ipLength: 6,
  sport: 7,
  dport: 8,
  udpLength: 9,
  tcpFlags: 10,
  icmpType: 11,
  icmpCode: 12,
  etherSource: 13,
  etherDest: 14,
  iifType: 15,
  length: 16,
  mark: 17,
  packetType: 18,
  iif: 19,
  oif: 20,
  ctState: 21,
  ctDirection: 22,
  ctMark: 23,
} as const

/** Expressions. Constant in a run. Kernel: struct nft_expr */
export const NftExpr = defineComponent('nft_expr', {
  /** One of `NFT_OP`. */
  op: u8,
  /** One of `NFT_FIELD`. */
  field: u8,
  /** 1: matches where the comparison does not. */
  inverted: u8,
  /** Bits of the field that are compared; 0: all. */
  mask: u32,
  /** Smallest and largest value that match; a value to set. */
  low: f64,
  high: f64,
  /** First row of `NftElement` of a set and their number. */
  firstElement: i32,
  elements: i32,
  /** Counter, or row of `NftLimit`. */
  arg: i32,
  /** One of `NFT_VERDICT`, and the row of `NftChain` it goes to. */
  verdict: u8,
  chain: i32,
  /** Cost, cycles; `moreCycles` when the second half of a range is looked at, and on a jump back. */
  cycles: f64,
  moreCycles: f64,
})

/** Elements of sets and verdict maps, ascending and apart. Constant in a run. Kernel: struct nft_set_elem */
export const NftElement = defineComponent('nft_element', { low: f64, high: f64, verdict: u8, chain: i32 })

/** Counters of rules: row `1 + cpu * counters + counter`. Kernel: net/netfilter/nft_counter.c, struct nft_counter */
export const NftCounter = defineComponent('nft_counter', { packets: f64, bytes: f64 })

/** What came of rules, per CPU: row `1 + cpu * rules + rule`. The policy of a base chain is a rule too. */
export const NftRuleCount = defineComponent('nft_rule_count', {
  /** Packets for which every expression of the rule held. */
  packets: f64,
  /** Wire frames lost by its verdict. */
  dropped: f64,
})

/** Work of netfilter per CPU entity. */
export const NfCpu = defineComponent('nf_cpu', {
  /** Packets that went through a hook. */
  packets: f64,
  /** Rules that were looked at. */
  rules: f64,
})

/** Token buckets of limits. Kernel: net/netfilter/nft_limit.c, struct nft_limit_priv */
export const NftLimit = defineComponent('nft_limit', {
  /** Time saved up, ns. */
  tokensNs: f64,
  /** Last packet, ns. */
  lastNs: f64,
  /** Most that can be saved up, ns. Constant. */
  maxNs: f64,
  /** Price of a packet, ns; 0: bytes are counted. Constant. */
  costNs: f64,
  /** Bytes: nanoseconds per unit and bytes per unit. Constant. */
  unitNs: f64,
  rate: f64,
  /** 1: holds for what is over the limit. Constant. */
  over: u8,
})

/** What netfilter knows of a packet while it is in the stack of one CPU: rows beside those of `Skb`. */
export const SkbNf = defineComponent('skb_nf', { mark: u32 }, { role: 'observer' })
