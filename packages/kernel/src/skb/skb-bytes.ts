import { defineSystem } from '@softnet/ecs'
import { checksumPartial, pseudoHeaderSum } from '@softnet/wire'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { ReplayByte, ReplayFrame } from '../traffic/components.js'
import { Skb } from './components.js'
import { packetPages } from './packet-pages.js'

const IPV4_HLEN = 20
const UDP_HLEN = 8
const TCP_HLEN = 20
const ICMP_HLEN = 8

/** The bytes of packets inside of the machine; positions count from the network header. */
export interface SkbBytes {
  /** True if the packet's bytes are real. */
  has(row: number): boolean
  /** Byte at a position, 0 where the packet has none. */
  u8(row: number, at: number): number
  /** Big-endian numbers at a position, unsigned. */
  u16(row: number, at: number): number
  u32(row: number, at: number): number
  /** Bytes from the network header to the end of the packet. */
  length(row: number): number
  /** Gives the packet a page that nobody shares, so that it may be written; false if there is none. Kernel: skb_cow */
  cow(cpu: number, row: number): boolean
  /** Writes a byte of a packet that has a page of its own. */
  setU8(row: number, at: number, value: number): void
  setU16(row: number, at: number, value: number): void
  setU32(row: number, at: number, value: number): void
  /** Writes the IP header's fixed part from the columns, with its checksum. Kernel: net/ipv4/ip_output.c, ip_send_check */
  sendCheck(row: number): void
  /** Lowers the TTL by one in a page of its own; the checksum follows by the difference. Kernel: include/net/ip.h, ip_decrease_ttl */
  decreaseTtl(row: number): void
  /** Sum of `count` bytes, folded, as the Internet checksum adds them. */
  sum(row: number, at: number, count: number): number
  /** Copies the first bytes of the packet, real or as the columns tell them, to `view`; at most `count`. Returns how many. */
  copy(row: number, view: DataView, at: number, count: number): number
  /** The same from position `from` on; bytes that the packet has not got become 0. */
  copyFrom(row: number, from: number, view: DataView, at: number, count: number): void
}

/** Reads and writes packets as bytes. Kernel: net/core/skbuff.c, skb_copy_bits, skb_cow */
export const skbBytes = defineSystem<SkbBytes>('skb_bytes', 'skb', 'net/core/skbuff.c, skb_copy_bits', (context) => {
  const { ETH_HLEN, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, SKB, VLAN_HLEN } = NUMBERS

  const s = context.write(Skb)
  const { page, flags, len, ipWord, idFrag, totLen, saddr, daddr, ports, udpLen, tcpSeq, tcpAck, tcpWord } = s
  const { packetPool } = context.read(Cpu)
  const pages = context.system(packetPages)
  const { firstByte, capturedBytes, flags: frameFlags } = context.read(ReplayFrame)
  const replay = context.write(ReplayByte).value
  const replayView = new DataView(replay.buffer, replay.byteOffset, replay.length)
  const scratch = new DataView(new ArrayBuffer(65_600))

  function ihlBytes(row: number): number {
    return ((ipWord[row] >>> 24) & 15) * 4
  }

  function length(row: number): number {
    return (flags[row] & SKB.pulled) !== 0 ? len[row] + ihlBytes(row) : len[row]
  }

  function linkBytes(id: number): number {
    return ETH_HLEN + ((frameFlags[id] & SKB.vlan) !== 0 ? VLAN_HLEN : 0)
  }

  function view(id: number): DataView {
    return pages.owns(id) ? pages.view : replayView
  }

  function start(id: number): number {
    return pages.owns(id) ? pages.first(id) : firstByte[id] + linkBytes(id)
  }

  function held(id: number): number {
    return pages.owns(id) ? pages.length(id) : capturedBytes[id] - linkBytes(id)
  }

  /** Number of `size` bytes at a position; 0 where they are not all there. */
  function number(row: number, at: number, size: number): number {
    const id = page[row]
    if (id === 0 || at < 0 || at + size > held(id)) return 0
    const bytes = view(id)
    const from = start(id) + at
    return size === 1 ? bytes.getUint8(from) : size === 2 ? bytes.getUint16(from) : bytes.getUint32(from)
  }

  /** The fixed IP header of the columns. */
  function writeHeader(row: number, out: DataView, at: number): void {
    const word = ipWord[row]
    out.setUint8(at, ((word >>> 28) << 4) | ((word >>> 24) & 15))
    out.setUint8(at + 1, (word >>> 8) & 0xff)
    out.setUint16(at + 2, totLen[row])
    out.setUint32(at + 4, idFrag[row])
    out.setUint8(at + 8, (word >>> 16) & 0xff)
    out.setUint8(at + 9, word & 0xff)
    out.setUint16(at + 10, 0)
    out.setUint32(at + 12, saddr[row])
    out.setUint32(at + 16, daddr[row])
  }

  function finishHeader(row: number, out: DataView, at: number): void {
    out.setUint16(at + 10, ~checksumPartial(out, at, Math.max(IPV4_HLEN, ihlBytes(row)), 0) & 0xffff)
  }

  /** Writes a whole packet without real bytes into the scratch buffer. */
  function synthesize(row: number): void {
    const all = Math.min(length(row), scratch.byteLength)
    writeHeader(row, scratch, 0)
    finishHeader(row, scratch, 0)
    const protocol = ipWord[row] & 0xff
    const isLater = (idFrag[row] & 0x1fff) !== 0
    const l4 = isLater
      ? 0
      : protocol === IPPROTO_UDP
        ? UDP_HLEN
        : protocol === IPPROTO_TCP
          ? TCP_HLEN
          : protocol === IPPROTO_ICMP
            ? ICMP_HLEN
            : 0
    const position = isLater ? (idFrag[row] & 0x1fff) * 8 - (protocol === IPPROTO_UDP ? UDP_HLEN : 0) : 0
    for (let at = IPV4_HLEN + l4; at < all; at++) scratch.setUint8(at, (position + at - IPV4_HLEN - l4) & 0xff)
    if (l4 === 0) return
    writeL4(row, protocol, all)
  }

  function writeL4(row: number, protocol: number, all: number): void {
    const l4Bytes = all - IPV4_HLEN
    const at = IPV4_HLEN
    let check = 0
    scratch.setUint32(at, ports[row])
    if (protocol === IPPROTO_UDP) {
      scratch.setUint16(at + 4, udpLen[row])
      scratch.setUint16(at + 6, 0)
      check = at + 6
    } else if (protocol === IPPROTO_TCP) {
      scratch.setUint32(at + 4, tcpSeq[row])
      scratch.setUint32(at + 8, tcpAck[row])
      scratch.setUint16(at + 12, (TCP_HLEN << 10) | (tcpWord[row] & 0x1ff))
      scratch.setUint16(at + 14, tcpWord[row] >>> 16)
      scratch.setUint32(at + 16, 0)
      check = at + 16
    } else {
      scratch.setUint16(at, ((tcpWord[row] & 0xff) << 8) | ((tcpWord[row] >>> 8) & 0xff))
      scratch.setUint16(at + 2, 0)
      scratch.setUint32(at + 4, tcpSeq[row])
      check = at + 2
    }
    if ((flags[row] & SKB.csumZero) !== 0 && protocol === IPPROTO_UDP) return
    const pseudo = protocol === IPPROTO_ICMP ? 0 : pseudoHeaderSum(saddr[row], daddr[row], protocol, l4Bytes)
    const sum = ~checksumPartial(scratch, at, l4Bytes, pseudo) & 0xffff
    const value = sum === 0 && protocol === IPPROTO_UDP ? 0xffff : sum
    scratch.setUint16(check, (flags[row] & SKB.csumBad) !== 0 ? value ^ 0x5555 : value)
  }

  function copyFrom(row: number, from: number, out: DataView, at: number, count: number): void {
    const id = page[row]
    if (id === 0) synthesize(row)
    const source = id === 0 ? scratch : view(id)
    const first = (id === 0 ? 0 : start(id)) + from
    const there = Math.max(0, Math.min(count, (id === 0 ? length(row) : held(id)) - from))
    for (let i = 0; i < there; i++) out.setUint8(at + i, source.getUint8(first + i))
    for (let i = there; i < count; i++) out.setUint8(at + i, 0)
  }

  return {
    has: (row) => page[row] !== 0,
    u8: (row, at) => number(row, at, 1),
    u16: (row, at) => number(row, at, 2),
    u32: (row, at) => number(row, at, 4),
    length,
    cow(cpu, row) {
      const id = page[row]
      if (pages.owns(id) && !pages.isShared(id)) return true
      const bytes = Math.min(length(row), held(id))
      const own = pages.take(packetPool[cpu], bytes)
      if (own === 0) return false
      const from = start(id)
      const source = pages.owns(id) ? pages.bytes : replay
      pages.bytes.set(source.subarray(from, from + bytes), pages.first(own))
      if (pages.owns(id)) pages.put(id, packetPool[cpu])
      page[row] = own
      return true
    },
    setU8(row, at, value) {
      pages.view.setUint8(pages.first(page[row]) + at, value)
    },
    setU16(row, at, value) {
      pages.view.setUint16(pages.first(page[row]) + at, value)
    },
    setU32(row, at, value) {
      pages.view.setUint32(pages.first(page[row]) + at, value)
    },
    sendCheck(row) {
      const at = pages.first(page[row])
      writeHeader(row, pages.view, at)
      finishHeader(row, pages.view, at)
    },
    decreaseTtl(row) {
      const at = pages.first(page[row])
      const sum = pages.view.getUint16(at + 10) + 0x100
      const folded = (sum & 0xffff) + (sum >>> 16)
      pages.view.setUint8(at + 8, pages.view.getUint8(at + 8) - 1)
      pages.view.setUint16(at + 10, folded === 0xffff ? 0 : folded)
    },
    sum(row, at, count) {
      const id = page[row]
      const there = Math.max(0, Math.min(count, held(id) - at))
      return checksumPartial(view(id), start(id) + at, there, 0)
    },
    copy(row, out, at, count) {
      const wanted = Math.min(count, page[row] === 0 ? length(row) : Math.min(length(row), held(page[row])))
      copyFrom(row, 0, out, at, wanted)
      return wanted
    },
    copyFrom,
  }
})
