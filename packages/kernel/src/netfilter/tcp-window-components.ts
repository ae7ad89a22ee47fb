import { defineComponent, u8, u16, u32 } from '@softnet/ecs'

/** Bits of `NfConnSeen.flags`. Kernel: include/uapi/linux/netfilter/nf_conntrack_tcp.h, IP_CT_TCP_FLAG_* */
export const SEEN = {
  windowScale: 1,
  sackPermitted: 2,
  /** This side has begun to close. */
  closeInit: 4,
  /** Picked up in the middle: nothing is outside of a window that is not known. */
  liberal: 8,
  dataUnacknowledged: 16,
  maxAckSet: 32,
  /** Of what was remembered of a SYN that was let pass. */
  challengeAck: 64,
  simultaneousOpen: 128,
} as const

/** What becomes of a segment. Kernel: nf_conntrack_proto_tcp.c, enum nf_ct_tcp_action */
export const WINDOW = {
  /** It moves the connection on. */
  accept: 0,
  /** It is let pass and moves nothing. */
  ignore: 1,
  /** It belongs to no connection. */
  invalid: 2,
} as const

/** What was seen of each side of a TCP connection: row `conn * 2 + direction`. Kernel: struct ip_ct_tcp_state */
export const NfConnSeen = defineComponent('nf_conn_seen', {
  /** Highest sequence number sent, and end. */
  end: u32,
  /** Highest sequence number it may send, and end. */
  maxEnd: u32,
  /** Largest window it offered, bytes; 0: nothing seen yet. */
  maxWindow: u32,
  maxAck: u32,
  scale: u8,
  /** Bits of `SEEN`. */
  flags: u8,
})

/** What was seen last of a TCP connection: rows beside those of `NfConn`. Kernel: struct ip_ct_tcp */
export const NfConnTcp = defineComponent('nf_conn_tcp', {
  lastSeq: u32,
  lastAck: u32,
  lastEnd: u32,
  lastWindow: u16,
  lastScale: u8,
  /** Bits of `SEEN`. */
  lastFlags: u8,
  /** Equal segments that followed each other. */
  retrans: u8,
})
