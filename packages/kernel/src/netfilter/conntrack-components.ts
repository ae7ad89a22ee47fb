import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** How a packet stands to its connection. Kernel: nf_conntrack_common.h, enum ip_conntrack_info */
export const CTINFO = {
  established: 0,
  related: 1,
  new: 2,
  establishedReply: 3,
  relatedReply: 4,
  untracked: 7,
} as const

/** Bits of `NfConn.status`. Kernel: nf_conntrack_common.h, enum ip_conntrack_status */
export const IPS = {
  seenReply: 1,
  assured: 2,
  srcNat: 4,
  dstNat: 8,
  srcNatDone: 16,
  dstNatDone: 32,
} as const

/** What a tracker says of a packet. */
export const TRACK = { accept: 1, invalid: 0, repeat: -1 } as const

/** Kinds of translation. Kernel: enum nf_nat_manip_type */
export const MANIP = { source: 0, destination: 1 } as const

/** Values of `NfConn.live`. */
export const CONN = { free: 0, unconfirmed: 1, confirmed: 2 } as const

/**
 * Connections, a range of rows per host. A tuple is addresses and ports; of ICMP the source port is the id and the
 * destination port type × 256 + code. Kernel: include/net/netfilter/nf_conntrack.h, struct nf_conn
 */
export const NfConn = defineComponent('nf_conn', {
  /** One of `CONN`. */
  live: u8,
  protocol: u8,
  /** Bits of `IPS`. */
  status: u8,
  /** TCP: state, see `TCP_CT`. */
  tcpState: u8,
  /** TCP: index of the last packet | direction << 3. */
  tcpLast: u8,
  /** Tuple of the original direction. */
  saddr: u32,
  daddr: u32,
  /** Source port × 65536 + destination port. */
  ports: u32,
  /** Tuple of the reply direction. */
  replySaddr: u32,
  replyDaddr: u32,
  replyPorts: u32,
  mark: u32,
  /** Confirmed: jiffy at which it ends; before: jiffies from its confirmation. */
  timeoutJiffies: f64,
  /** UDP: jiffy from which it counts as a stream. */
  streamJiffies: f64,
  /** Next in the chain of the original and of the reply tuple: row × 2 + direction, 0 at the end. */
  nextOriginal: i32,
  nextReply: i32,
  /** Next with a source whose hash is the same, once that is translated or kept for good. */
  nextSource: i32,
})

/** Chains of the hash table, a range per host: row × 2 + direction of the first, 0 for none. */
export const NfConnBucket = defineComponent('nf_conn_bucket', { first: i32 })

/** Connections by their source, beside the chains of `NfConnBucket`; only where rules translate. Kernel: nf_nat_core.c, nf_nat_bysource */
export const NfNatBucket = defineComponent('nf_nat_bucket', { first: i32 })

/** Tables of hosts: row 1 + host index. Kernel: nf_conntrack_htable_size, struct nf_conntrack_net */
export const NfConnTable = defineComponent('nf_conn_table', {
  /** Rows of `NfConn` of the host. Constant. */
  firstConn: i32,
  conns: i32,
  firstBucket: i32,
  buckets: i32,
  /** Head of the free rows, linked by `nextOriginal`. */
  firstFree: i32,
  /** Entries, unconfirmed ones too. */
  count: i32,
  /** nf_conntrack_max. */
  max: i32,
  /** Jiffy of the next background scan. */
  gcJiffies: f64,
})

/** Statistics per CPU entity. Kernel: struct ip_conntrack_stat */
export const NfConnStat = defineComponent('nf_conn_stat', {
  found: f64,
  invalid: f64,
  insertFailed: f64,
  drop: f64,
  earlyDrop: f64,
  error: f64,
  clashResolve: f64,
  chainTooLong: f64,
  /** Values drawn for ports and lengths of chains. */
  drawn: f64,
  keyLow: u32,
  keyHigh: u32,
})

/** Connection of a packet while it is in the stack of one CPU: rows beside those of `Skb`. */
export const SkbConn = defineComponent(
  'skb_conn',
  {
    /** Row of `NfConn`, 0 for none. */
    conn: i32,
    /** One of `CTINFO`. */
    info: u8,
  },
  { role: 'observer' },
)

/** Address translation of rules: `NftExpr.arg`. Constant in a run. Kernel: struct nf_nat_range2 */
export const NatRange = defineComponent('nf_nat_range', {
  /** 1: destination, 0: source. */
  destination: u8,
  /** 1: addresses are given; 2: that of the device (redirect, masquerade). */
  addresses: u8,
  firstAddress: u32,
  lastAddress: u32,
  /** 1: ports are given. */
  hasPorts: u8,
  firstPort: u16,
  lastPort: u16,
  random: u8,
  persistent: u8,
})
