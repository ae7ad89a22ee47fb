import type { TrafficPlan } from '@softnet/scenario/plan'
import {
  checksumUpdate16,
  checksumUpdate32,
  ETH_P_IP,
  IP_OFFSET,
  IPPROTO_TCP,
  IPPROTO_UDP,
  IPV4_HLEN,
  macHi,
  macLo,
  type ParsedFrame,
  parseMac,
} from '@softnet/wire'

/** What a replay changes in each frame. */
export type Rewrite = Extract<TrafficPlan, { kind: 'replay' }>['rewrite']

const IP_CHECK = 10
const IP_SADDR = 12
const IP_DADDR = 16
const L4_DPORT = 2
const UDP_CHECK = 6
const TCP_CHECK = 16

/** Position of the L4 checksum that covers the addresses; 0 where there is none in these bytes. */
function l4CheckOffset(frame: ParsedFrame, capturedBytes: number): number {
  if (frame.l4Offset === 0 || (frame.fragOff & IP_OFFSET) !== 0) return 0
  let at = 0
  if (frame.protocol === IPPROTO_UDP) at = frame.l4Offset + UDP_CHECK
  else if (frame.protocol === IPPROTO_TCP) at = frame.l4Offset + TCP_CHECK
  return at !== 0 && at + 2 <= capturedBytes ? at : 0
}

function storeL4(view: DataView, at: number, protocol: number, check: number): void {
  view.setUint16(at, check === 0 && protocol === IPPROTO_UDP ? 0xffff : check)
}

function rewriteAddress(view: DataView, frame: ParsedFrame, field: number, l4Check: number, address: number): void {
  const at = frame.networkOffset + field
  const old = view.getUint32(at)
  const ipCheck = frame.networkOffset + IP_CHECK
  view.setUint32(at, address)
  view.setUint16(ipCheck, checksumUpdate32(view.getUint16(ipCheck), old, address))
  if (l4Check === 0) return
  const check = view.getUint16(l4Check)
  if (frame.protocol === IPPROTO_UDP && check === 0) return
  storeL4(view, l4Check, frame.protocol, checksumUpdate32(check, old, address))
}

/**
 * Changes the bytes of a parsed Ethernet frame. Checksums follow by increments, so right ones stay right and wrong ones
 * stay wrong; a UDP checksum of zero stays zero.
 */
export function rewriteFrame(view: DataView, frame: ParsedFrame, capturedBytes: number, rewrite: Rewrite): void {
  if (rewrite.dmac !== null && capturedBytes >= 6) {
    const mac = parseMac(rewrite.dmac)
    view.setUint16(0, macHi(mac))
    view.setUint32(2, macLo(mac))
  }
  const headerEnd = frame.networkOffset + IPV4_HLEN
  if (frame.etherType !== ETH_P_IP || frame.networkOffset === 0 || headerEnd > capturedBytes) return
  if (frame.ipVersion !== 4) return
  const l4Check = l4CheckOffset(frame, capturedBytes)
  if (rewrite.saddr !== null) rewriteAddress(view, frame, IP_SADDR, l4Check, rewrite.saddr)
  if (rewrite.daddr !== null) rewriteAddress(view, frame, IP_DADDR, l4Check, rewrite.daddr)
  if (rewrite.dport === null || frame.l4Offset === 0 || (frame.fragOff & IP_OFFSET) !== 0) return
  if (frame.protocol !== IPPROTO_UDP && frame.protocol !== IPPROTO_TCP) return
  const at = frame.l4Offset + L4_DPORT
  if (at + 2 > capturedBytes) return
  const old = view.getUint16(at)
  view.setUint16(at, rewrite.dport)
  if (l4Check === 0) return
  const check = view.getUint16(l4Check)
  if (frame.protocol === IPPROTO_UDP && check === 0) return
  storeL4(view, l4Check, frame.protocol, checksumUpdate16(check, old, rewrite.dport))
}
