import type { World } from '@softnet/ecs'
import { ETH_HLEN, FAULT_CAPTURE_TRUNCATED, IPPROTO_TCP, IPV4_HLEN, UDP_HLEN, VLAN_HLEN } from '@softnet/wire'
import { SKB, Skb } from '../skb/components.js'
import { ARRIVAL, ReplayByte, ReplayFrame, Source } from '../traffic/components.js'

/** Bytes of both hardware addresses: what stands before a tag. */
const ADDRESS_BYTES = 12

/**
 * Reads the bytes of replayed packets back out of the frames they came from: writes up to `frameBytes` to the start of
 * `out` and returns how many there are; fewer where the capture had cut a frame short. Headers of a merged packet are
 * those of its first segment.
 */
export function replayedBytes(world: World): (row: number, out: Uint8Array, frameBytes: number) => number {
  const { page, flags, frames, next, fragHead } = world.columns(Skb)
  const replay = world.columns(ReplayFrame)
  const { firstByte, capturedBytes, payload, tcpSeq, tcpWord, ipWord, saddr, daddr, ports, faults } = replay
  const { value: bytes } = world.columns(ReplayByte)
  const { kind, frameBase, frameCount } = world.columns(Source)

  /** Row of `Source` that sends a frame. */
  function sourceOf(frame: number): number {
    for (let s = 1; s < kind.length; s++) {
      const isOwn = frame >= frameBase[s] && frame < frameBase[s] + frameCount[s]
      if (kind[s] === ARRIVAL.replay && isOwn) return s
    }
    throw new Error(`no source sends frame ${frame}`)
  }

  function sameFlow(a: number, b: number): boolean {
    const sameAddresses = saddr[a] === saddr[b] && daddr[a] === daddr[b] && ports[a] === ports[b]
    return sameAddresses && ((ipWord[a] ^ ipWord[b]) & 0xff) === 0
  }

  /** Copies the frame without a tag that the packet has not got any more; returns the bytes written. */
  function copyFrame(frame: number, out: Uint8Array, untag: boolean): number {
    const first = firstByte[frame]
    const end = first + capturedBytes[frame]
    if (!untag) {
      out.set(bytes.subarray(first, end))
      return capturedBytes[frame]
    }
    out.set(bytes.subarray(first, first + ADDRESS_BYTES))
    out.set(bytes.subarray(first + ADDRESS_BYTES + VLAN_HLEN, end), ADDRESS_BYTES)
    return capturedBytes[frame] - VLAN_HLEN
  }

  /** Bytes before the payload of a frame that GRO takes: no IP options. */
  function headerBytes(frame: number): number {
    const tagBytes = (replay.flags[frame] & SKB.vlan) === 0 ? 0 : VLAN_HLEN
    const l4Bytes = (ipWord[frame] & 0xff) === IPPROTO_TCP ? ((tcpWord[frame] >>> 12) & 15) * 4 : UDP_HLEN
    return ETH_HLEN + tagBytes + IPV4_HLEN + l4Bytes
  }

  /** Puts the payload of a segment at `at`; returns the bytes the capture has of it. */
  function copyPayload(frame: number, out: Uint8Array, at: number): number {
    const header = headerBytes(frame)
    const there = Math.max(0, Math.min(capturedBytes[frame] - header, payload[frame], out.length - at))
    const first = firstByte[frame] + header
    out.set(bytes.subarray(first, first + there), at)
    return there
  }

  /**
   * The frame that GRO joined behind `frame`: the next of the flow in the capture and, as TCP joins only what follows
   * without a gap, the one with the next sequence number; 0 if there is none.
   */
  function following(frame: number): number {
    const s = sourceOf(frame)
    const base = frameBase[s]
    const isTcp = (ipWord[frame] & 0xff) === IPPROTO_TCP
    const wanted = (tcpSeq[frame] + payload[frame]) >>> 0
    for (let step = 1; step <= frameCount[s]; step++) {
      const other = base + ((frame - base + step) % frameCount[s])
      if (sameFlow(frame, other) && payload[other] > 0 && (!isTcp || tcpSeq[other] === wanted)) return other
    }
    return 0
  }

  return (row, out, frameBytes) => {
    const frame = page[row]
    const untag = (replay.flags[frame] & ~flags[row] & SKB.vlan) !== 0
    let at = copyFrame(frame, out, untag)
    if (frames[row] <= 1) {
      const cut = (faults[frame] & FAULT_CAPTURE_TRUNCATED) !== 0
      if (cut || at >= frameBytes) return Math.min(at, frameBytes)
      out.fill(0, at, frameBytes)
      return frameBytes
    }
    // Datagrams stay chained behind the first while the packet keeps its CPU; of TCP only the capture remembers.
    let segment = fragHead[row]
    let last = frame
    let complete = at - (headerBytes(frame) - (untag ? VLAN_HLEN : 0)) >= payload[frame]
    while (at < frameBytes && complete) {
      const other = segment === 0 ? following(last) : page[segment]
      if (other === 0) break
      const there = copyPayload(other, out, at)
      at += there
      complete = there === payload[other]
      if (segment !== 0) segment = next[segment]
      last = other
    }
    return Math.min(at, frameBytes)
  }
}
