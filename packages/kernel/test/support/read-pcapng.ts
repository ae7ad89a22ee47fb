/** A pcapng reader of its own, written after the format's specification: it shares nothing with the writer under test. */

/** An interface as its description block says it. */
export interface ReadInterface {
  readonly name: string
  readonly linkType: number
  /** Power of ten that one unit of time is below a second. */
  readonly resolution: number
}

/** A packet with its exact time. */
export interface ReadPacket {
  readonly interface: number
  readonly time: bigint
  readonly originalBytes: number
  readonly bytes: Buffer
}

/** One section. */
export interface ReadCapture {
  readonly application: string
  readonly interfaces: readonly ReadInterface[]
  readonly packets: readonly ReadPacket[]
}

function options(block: Buffer, from: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>()
  for (let at = from; at + 4 <= block.length - 4; ) {
    const code = block.readUInt16LE(at)
    const length = block.readUInt16LE(at + 2)
    if (code === 0) break
    found.set(code, block.subarray(at + 4, at + 4 + length))
    at += 4 + Math.ceil(length / 4) * 4
  }
  return found
}

/** Reads a little-endian file of one section. */
export function readPcapng(chunks: readonly Uint8Array[]): ReadCapture {
  const file = Buffer.concat(chunks)
  const interfaces: ReadInterface[] = []
  const packets: ReadPacket[] = []
  let application = ''
  for (let at = 0; at < file.length; ) {
    const length = file.readUInt32LE(at + 4)
    const block = file.subarray(at, at + length)
    if (length % 4 !== 0 || block.length !== length || block.readUInt32LE(length - 4) !== length) {
      throw new Error(`block at ${at} has the length ${length}`)
    }
    const type = block.readUInt32LE(0)
    if ((at === 0) !== (type === 0x0a0d0d0a)) throw new Error(`block at ${at} has the type ${type}`)
    if (type === 0x0a0d0d0a) {
      if (block.readUInt32LE(8) !== 0x1a2b3c4d) throw new Error('not little-endian')
      application = options(block, 24).get(4)?.toString() ?? ''
    } else if (type === 1) {
      const found = options(block, 16)
      interfaces.push({
        name: found.get(2)?.toString() ?? '',
        linkType: block.readUInt16LE(8),
        resolution: found.get(9)?.readUInt8(0) ?? 6,
      })
    } else if (type === 6) {
      const captured = block.readUInt32LE(20)
      packets.push({
        interface: block.readUInt32LE(8),
        time: (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16)),
        originalBytes: block.readUInt32LE(24),
        bytes: block.subarray(28, 28 + captured),
      })
    } else throw new Error(`unexpected block ${type}`)
    at += length
  }
  return { application, interfaces, packets }
}

/** Sum of 16-bit words as RFC 1071 defines it, in whole numbers; 0xffff over data that contains its right checksum. */
export function internetSum(...parts: readonly Uint8Array[]): number {
  const all = Buffer.concat(parts)
  let sum = 0
  for (let at = 0; at < all.length; at++) sum += (all[at] as number) * (at % 2 === 0 ? 256 : 1)
  return sum === 0 ? 0 : ((sum - 1) % 0xffff) + 1
}

/** A frame taken apart. */
export interface ReadFrame {
  readonly destination: string
  readonly source: string
  /** VLAN id, −1 without a tag. */
  readonly vlan: number
  readonly etherType: number
  readonly version: number
  readonly totalLength: number
  readonly ipChecksumRight: boolean
  readonly protocol: number
  readonly addresses: string
  readonly ports: string
  readonly tcpSeq: number
  readonly tcpFlags: number
  readonly udpLength: number
  /** Field of the L4 checksum. */
  readonly l4Checksum: number
  readonly l4ChecksumRight: boolean
  /** Internet sum over pseudo header and L4. */
  readonly l4Sum: number
  readonly payload: Buffer
  /** Bytes behind what the IP header tells of. */
  readonly trailer: Buffer
}

function dotted(bytes: Buffer): string {
  return [...bytes].join('.')
}

/** Takes an IPv4 frame apart; total length 0 reaches to its end. */
export function readFrame(bytes: Buffer): ReadFrame {
  const isTagged = bytes.readUInt16BE(12) === 0x8100
  const ip = bytes.subarray(isTagged ? 18 : 14)
  const headerBytes = (ip.readUInt8(0) & 15) * 4
  const totalLength = ip.readUInt16BE(2)
  const packet = totalLength === 0 ? ip : ip.subarray(0, totalLength)
  const protocol = ip.readUInt8(9)
  const l4 = packet.subarray(headerBytes)
  const pseudo = Buffer.alloc(12)
  ip.copy(pseudo, 0, 12, 20)
  pseudo.writeUInt32BE(l4.length, 8)
  // Longer than 65535 bytes the pseudo header has no room for protocol and length apart: both are added.
  const protocolWord = Buffer.from([0, protocol])
  const isTcp = protocol === 6
  const l4Sum = internetSum(pseudo, protocolWord, l4)
  return {
    destination: bytes.subarray(0, 6).toString('hex'),
    source: bytes.subarray(6, 12).toString('hex'),
    vlan: isTagged ? bytes.readUInt16BE(14) & 0xfff : -1,
    etherType: bytes.readUInt16BE(isTagged ? 16 : 12),
    version: ip.readUInt8(0) >> 4,
    totalLength,
    ipChecksumRight: internetSum(ip.subarray(0, headerBytes)) === 0xffff,
    protocol,
    addresses: `${dotted(ip.subarray(12, 16))} ${dotted(ip.subarray(16, 20))}`,
    ports: `${l4.readUInt16BE(0)} ${l4.readUInt16BE(2)}`,
    tcpSeq: isTcp ? l4.readUInt32BE(4) : 0,
    tcpFlags: isTcp ? l4.readUInt8(13) : 0,
    udpLength: isTcp ? 0 : l4.readUInt16BE(4),
    l4Checksum: l4.readUInt16BE(isTcp ? 16 : 6),
    l4ChecksumRight: l4Sum === 0xffff,
    l4Sum,
    payload: l4.subarray(isTcp ? (l4.readUInt8(12) >> 4) * 4 : 8),
    trailer: ip.subarray(packet.length),
  }
}
