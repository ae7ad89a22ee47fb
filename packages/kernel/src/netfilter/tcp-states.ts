/** States of a tracked TCP connection. Kernel: nf_conntrack_tcp.h, enum tcp_conntrack */
export const TCP_CT = {
  none: 0,
  synSent: 1,
  synRecv: 2,
  established: 3,
  finWait: 4,
  closeWait: 5,
  lastAck: 6,
  timeWait: 7,
  close: 8,
  synSent2: 9,
  invalid: 10,
  ignore: 11,
} as const

/** Kinds of segment. Kernel: nf_conntrack_proto_tcp.c, enum tcp_bit_set */
export const TCP_KIND = { syn: 0, synack: 1, fin: 2, ack: 3, rst: 4, none: 5 } as const

/** Names of the states as /proc/net/nf_conntrack prints them. */
export const TCP_CT_NAMES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
]

const STATES = 10
const KINDS = 6
const SHORT: Readonly<Record<string, number>> = {
  SS: TCP_CT.synSent,
  SR: TCP_CT.synRecv,
  ES: TCP_CT.established,
  FW: TCP_CT.finWait,
  CW: TCP_CT.closeWait,
  LA: TCP_CT.lastAck,
  TW: TCP_CT.timeWait,
  CL: TCP_CT.close,
  S2: TCP_CT.synSent2,
  IV: TCP_CT.invalid,
  IG: TCP_CT.ignore,
}

/** Rows: kind of segment; columns: state before, from NONE to SYN_SENT2. */
const ORIGINAL = `
  SS SS IG IG IG IG IG SS SS S2
  IV IV SR IV IV IV IV IV IV SR
  IV IV FW FW LA LA LA TW CL IV
  ES IV ES ES CW CW TW TW CL IV
  IV CL CL CL CL CL CL CL CL CL
  IV IV IV IV IV IV IV IV IV IV`
const REPLY = `
  IV S2 IV IV IV IV IV SS IV S2
  IV SR IG IG IG IG IG IG IG SR
  IV IV FW FW LA LA LA TW CL IV
  IV IG SR ES CW CW TW TW CL IG
  IV CL CL CL CL CL CL CL CL CL
  IV IV IV IV IV IV IV IV IV IV`

/** Next state: index (direction * 6 + kind) * 10 + state. Kernel: nf_conntrack_proto_tcp.c, tcp_conntracks */
export const TCP_TRANSITIONS = Uint8Array.from(
  `${ORIGINAL} ${REPLY}`
    .trim()
    .split(/\s+/)
    .map((name) => SHORT[name] as number),
)

/** State after a segment of a kind. */
export function tcpTransition(reply: number, kind: number, state: number): number {
  return TCP_TRANSITIONS[(reply * KINDS + kind) * STATES + state] as number
}
