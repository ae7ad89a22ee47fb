import { FAULT_TCP_OPTIONS } from './fault.js'

const TCPOPT_EOL = 0
const TCPOPT_NOP = 1
const TCPOPT_MSS = 2
const TCPOPT_WINDOW = 3
const TCPOPT_SACK_PERM = 4
const TCPOPT_SACK = 5
const TCPOPT_TIMESTAMP = 8

/** Most SACK blocks that fit into 40 bytes. */
export const TCP_SACK_BLOCKS_MAX = 4

/** The options that Linux acts on, as numbers; one record is made once and used for many headers. */
export class TcpOptions {
  /** Maximum segment size, bytes; 0 where absent. */
  mss = 0
  /** Window scale as sent (0..255; Linux takes more than 14 as 14); -1 where absent. */
  windowScale = -1
  /** 1 where SACK is permitted. */
  sackPermitted = 0
  /** 1 where the time stamps count. */
  timestampPresent = 0
  /** Time stamp of the sender, unsigned 32 bits. */
  tsVal = 0
  /** Time stamp echoed, unsigned 32 bits. */
  tsEcr = 0
  /** Number of SACK blocks, 0..4. */
  sackCount = 0
  /** Left and right edges of the blocks, `[left0, right0, left1, …]`, unsigned 32 bits. */
  readonly sackEdges: Uint32Array = new Uint32Array(2 * TCP_SACK_BLOCKS_MAX)

  constructor() {
    // A first value beyond the small integers makes the engine keep these fields as doubles, written without
    // allocation.
    this.tsVal = 0xffffffff
    this.tsEcr = 0xffffffff
    clearTcpOptions(this)
  }
}

/** Sets every option to absent. */
export function clearTcpOptions(options: TcpOptions): void {
  options.mss = 0
  options.windowScale = -1
  options.sackPermitted = 0
  options.timestampPresent = 0
  options.tsVal = 0
  options.tsEcr = 0
  options.sackCount = 0
}

/**
 * Reads `optionBytes` (0..40) at `offset` into `out`; returns 0, or `FAULT_TCP_OPTIONS` where a length is impossible
 * (what was read before it stays, as in Linux). Options of a wrong length for their kind are passed over.
 * Kernel: net/ipv4/tcp_input.c, tcp_parse_options (whether an option counts in this state is decided there).
 */
export function parseTcpOptions(view: DataView, offset: number, optionBytes: number, out: TcpOptions): number {
  clearTcpOptions(out)
  const end = offset + optionBytes
  let at = offset
  while (at < end) {
    const kind = view.getUint8(at)
    if (kind === TCPOPT_EOL) return 0
    if (kind === TCPOPT_NOP) {
      at++
      continue
    }
    if (end - at < 2) return FAULT_TCP_OPTIONS
    const length = view.getUint8(at + 1)
    if (length < 2 || length > end - at) return FAULT_TCP_OPTIONS
    readOption(view, at, kind, length, out)
    at += length
  }
  return 0
}

function readOption(view: DataView, at: number, kind: number, length: number, out: TcpOptions): void {
  if (kind === TCPOPT_MSS && length === 4) out.mss = view.getUint16(at + 2)
  else if (kind === TCPOPT_WINDOW && length === 3) out.windowScale = view.getUint8(at + 2)
  else if (kind === TCPOPT_SACK_PERM && length === 2) out.sackPermitted = 1
  else if (kind === TCPOPT_TIMESTAMP && length === 10) {
    out.timestampPresent = 1
    out.tsVal = view.getUint32(at + 2)
    out.tsEcr = view.getUint32(at + 6)
  } else if (kind === TCPOPT_SACK && length >= 10 && length <= 34 && (length - 2) % 8 === 0) {
    out.sackCount = (length - 2) / 8
    for (let index = 0; index < out.sackCount * 2; index++) out.sackEdges[index] = view.getUint32(at + 2 + index * 4)
  }
}

/** Whether the lengths of `optionBytes` at `offset` are possible: 0 or `FAULT_TCP_OPTIONS`. */
export function checkTcpOptions(view: DataView, offset: number, optionBytes: number): number {
  const end = offset + optionBytes
  let at = offset
  while (at < end) {
    const kind = view.getUint8(at)
    if (kind === TCPOPT_EOL) return 0
    if (kind === TCPOPT_NOP) {
      at++
      continue
    }
    if (end - at < 2) return FAULT_TCP_OPTIONS
    const length = view.getUint8(at + 1)
    if (length < 2 || length > end - at) return FAULT_TCP_OPTIONS
    at += length
  }
  return 0
}

/** Bytes that `emitTcpOptions` will write, a multiple of four; above 40 they do not fit into a header. */
export function tcpOptionsBytes(options: TcpOptions): number {
  const stampBytes = options.timestampPresent !== 0 ? 12 : 0
  const permitBytes = options.sackPermitted !== 0 && stampBytes === 0 ? 4 : 0
  const sackBytes = options.sackCount > 0 ? 4 + 8 * options.sackCount : 0
  return (options.mss > 0 ? 4 : 0) + stampBytes + permitBytes + (options.windowScale >= 0 ? 4 : 0) + sackBytes
}

/**
 * Writes the options in Linux's order and padding; returns their length in bytes.
 * Kernel: net/ipv4/tcp_output.c, tcp_options_write.
 */
export function emitTcpOptions(view: DataView, offset: number, options: TcpOptions): number {
  let at = offset
  if (options.mss > 0) {
    view.setUint32(at, (TCPOPT_MSS << 24) | (4 << 16) | (options.mss & 0xffff))
    at += 4
  }
  if (options.timestampPresent !== 0) {
    const lead = options.sackPermitted !== 0 ? (TCPOPT_SACK_PERM << 8) | 2 : (TCPOPT_NOP << 8) | TCPOPT_NOP
    view.setUint32(at, (lead << 16) | (TCPOPT_TIMESTAMP << 8) | 10)
    view.setUint32(at + 4, options.tsVal)
    view.setUint32(at + 8, options.tsEcr)
    at += 12
  } else if (options.sackPermitted !== 0) {
    view.setUint32(at, (TCPOPT_NOP << 24) | (TCPOPT_NOP << 16) | (TCPOPT_SACK_PERM << 8) | 2)
    at += 4
  }
  if (options.windowScale >= 0) {
    view.setUint32(at, (TCPOPT_NOP << 24) | (TCPOPT_WINDOW << 16) | (3 << 8) | (options.windowScale & 0xff))
    at += 4
  }
  if (options.sackCount > 0) {
    view.setUint32(at, (TCPOPT_NOP << 24) | (TCPOPT_NOP << 16) | (TCPOPT_SACK << 8) | (2 + 8 * options.sackCount))
    at += 4
    for (let index = 0; index < options.sackCount * 2; index++, at += 4) view.setUint32(at, options.sackEdges[index])
  }
  return at - offset
}

/** Text of the options, as tcpdump lists them. */
export function formatTcpOptions(options: TcpOptions): string {
  const parts: string[] = []
  if (options.mss > 0) parts.push(`mss ${options.mss}`)
  if (options.sackPermitted !== 0) parts.push('sackOK')
  if (options.timestampPresent !== 0) parts.push(`TS val ${options.tsVal} ecr ${options.tsEcr}`)
  if (options.windowScale >= 0) parts.push(`wscale ${options.windowScale}`)
  for (let index = 0; index < options.sackCount; index++) {
    parts.push(`sack {${options.sackEdges[index * 2]}:${options.sackEdges[index * 2 + 1]}}`)
  }
  return parts.join(',')
}
