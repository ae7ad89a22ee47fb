/** Packets nobody should send: drawn from a seed, put into captures of any link type. */

import { internetSum } from './capture-file.js'
import type { Draw } from './draw.js'
import type { Receiver } from './linux-receive.js'

/** Link types that a replay takes, with what stands before the IP packet. */
export const LINKS: readonly { readonly type: number; readonly header: (draw: Draw) => number[] }[] = [
  { type: 1, header: () => [] },
  {
    type: 0,
    header: (draw) =>
      draw.pick([
        [2, 0, 0, 0],
        [0, 0, 0, 2],
        [30, 0, 0, 0],
        [draw.below(256), 1, 2, 3],
      ]),
  },
  { type: 12, header: () => [] },
  { type: 14, header: () => [] },
  { type: 101, header: () => [] },
  { type: 108, header: () => [0, 0, 0, 2] },
  { type: 113, header: (draw) => [0, draw.below(6), 0, 1, 0, 6, 2, 0, 0, 0, 0, 2, 0, 0, 8, draw.pick([0, 6])] },
  { type: 228, header: () => [] },
  { type: 229, header: () => [] },
  {
    type: 276,
    header: (draw) => [8, draw.pick([0, 6]), 0, 0, 0, 0, 0, 1, 0, 1, draw.below(6), 6, 2, 0, 0, 0, 0, 2, 0, 0],
  },
]

const bytesOf = (draw: Draw, count: number) => Buffer.from(Array.from({ length: count }, () => draw.below(256)))

function fixed(packet: Buffer, at: number, part: readonly Buffer[]): void {
  packet.writeUInt16BE(0, at)
  packet.writeUInt16BE(0xffff - internetSum(...part), at)
}

/** Puts right checksums into an IPv4 packet, as far as there is room for them. */
function fixChecksums(packet: Buffer): void {
  const headerBytes = (packet.readUInt8(0) & 15) * 4
  if (headerBytes < 20 || headerBytes > packet.length) return
  const l4 = packet.subarray(headerBytes, Math.min(packet.length, packet.readUInt16BE(2)))
  const protocol = packet.readUInt8(9)
  const pseudo = Buffer.concat([packet.subarray(12, 20), Buffer.from([0, protocol, l4.length >> 8, l4.length & 255])])
  if (protocol === 17 && l4.length >= 8) {
    const bytes = l4.readUInt16BE(4)
    pseudo.writeUInt16BE(bytes, 10)
    if (bytes <= l4.length && bytes >= 8) fixed(l4, 6, [pseudo, l4.subarray(0, bytes)])
  }
  if (protocol === 6 && l4.length >= 18) fixed(l4, 16, [pseudo, l4])
  if (protocol === 1 && l4.length >= 4) fixed(l4, 2, [l4])
  fixed(packet, 10, [packet.subarray(0, headerBytes)])
}

/** An IPv4 packet from the peer to the host that is right in all. */
function soundPacket(draw: Draw, host: Receiver): Buffer {
  const protocol = draw.pick([17, 17, 17, 6, 1, 2, 132])
  const headerBytes = draw.chance(0.1) ? 20 + 4 * draw.between(1, 10) : 20
  const bytes = headerBytes + 8 + draw.below(draw.pick([4, 40, 400, 1400]))
  const packet = Buffer.concat([Buffer.alloc(headerBytes), bytesOf(draw, bytes - headerBytes)])
  packet.set([
    0x40 | (headerBytes / 4),
    draw.below(4),
    bytes >> 8,
    bytes & 255,
    draw.below(256),
    7,
    0x40,
    0,
    64,
    protocol,
  ])
  packet.write(host.peer + host.address, 12, 'hex')
  packet.fill(1, 20, headerBytes)
  const l4 = packet.subarray(headerBytes)
  l4.writeUInt16BE(draw.chance(0.7) ? draw.pick(host.ports) : draw.below(65_536), 2)
  if (protocol === 17) l4.writeUInt16BE(l4.length, 4)
  if (protocol === 6 && l4.length > 12) l4.writeUInt8(draw.pick([0x50, 0x50, 0x80]), 12)
  if (protocol === 1) l4.writeUInt8(draw.pick([0, 8, 8, draw.below(256)]), 0)
  fixChecksums(packet)
  return packet
}

/** Fields of the headers whose wrong values have rules of their own: byte position and length. */
const FIELDS: readonly (readonly [at: number, bytes: number])[] = [
  [0, 1],
  [1, 1],
  [2, 2],
  [6, 2],
  [9, 1],
  [10, 2],
  [22, 2],
  [24, 2],
  [26, 2],
  [32, 1],
]

function damage(draw: Draw, packet: Buffer): Buffer<ArrayBufferLike> {
  const [at, bytes] = draw.pick(FIELDS)
  switch (draw.below(6)) {
    case 0:
      return packet.subarray(0, draw.below(packet.length + 1))
    case 1:
      return Buffer.concat([packet, bytesOf(draw, draw.below(60))])
    case 2:
    case 3:
      if (at + bytes > packet.length) return packet
      packet.writeUIntBE(
        draw.pick([0, 1, 4, 7, 8, 19, 20, 21, packet.length, packet.length - 20, draw.word()]) % 256 ** bytes,
        at,
        bytes,
      )
      return packet
    case 4: {
      const bit = draw.below(packet.length * 8)
      packet.writeUInt8(packet.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      return packet
    }
    default:
      return packet
  }
}

/** Any packet: sound, damaged, damaged with right checksums, or noise. */
export function hostilePacket(draw: Draw, host: Receiver): Buffer {
  if (draw.chance(0.05)) return bytesOf(draw, draw.below(200))
  const packet: Buffer = damage(draw, soundPacket(draw, host))
  if (packet.length >= 20 && draw.chance(0.6)) fixChecksums(packet)
  return packet
}

/** Any Ethernet frame without FCS, mostly one for the host. */
export function hostileFrame(draw: Draw, host: Receiver): Buffer {
  if (draw.chance(0.02)) return bytesOf(draw, draw.below(80))
  const mac = draw.chance(0.9) ? host.mac : draw.pick(['ffffffffffff', '01005e000001', '020000000099', '000000000000'])
  const type = draw.chance(0.95)
    ? 0x0800
    : draw.pick([0x0806, 0x86dd, 0x88cc, 0x0040, 0x8100, 0, 0xffff, draw.below(65_536)])
  const head = Buffer.from(`${mac}020000000002${type.toString(16).padStart(4, '0')}`, 'hex')
  return Buffer.concat([head, hostilePacket(draw, host)])
}

/** A pcap file with nanosecond times, little-endian, frames `gapNs` apart. */
export function pcapOf(linkType: number, frames: readonly Buffer[], gapNs: number): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b23c4d, 0)
  header.set([2, 0, 4, 0], 4)
  header.writeUInt32LE(262_144, 16)
  header.writeUInt32LE(linkType, 20)
  const parts: Buffer[] = [header]
  frames.forEach((frame, index) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(Math.floor((index * gapNs) / 1e9), 0)
    record.writeUInt32LE((index * gapNs) % 1e9, 4)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    parts.push(record, frame)
  })
  return Buffer.concat(parts)
}
