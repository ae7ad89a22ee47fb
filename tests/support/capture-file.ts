/** Reads captures by the text of the two formats alone: it shares nothing with the readers and writers under test. */

/** One frame of a capture. */
export interface FileFrame {
  /** Time, ns since 1970. */
  readonly timeNs: bigint
  readonly bytes: Buffer
}

const SECOND_NS = 1_000_000_000n

function framesOfPcap(file: Buffer): FileFrame[] {
  const frames: FileFrame[] = []
  for (let at = 24; at < file.length; at += 16 + file.readUInt32LE(at + 8)) {
    const timeNs = BigInt(file.readUInt32LE(at)) * SECOND_NS + BigInt(file.readUInt32LE(at + 4))
    frames.push({ timeNs, bytes: file.subarray(at + 16, at + 16 + file.readUInt32LE(at + 8)) })
  }
  return frames
}

function framesOfPcapng(file: Buffer): FileFrame[] {
  const frames: FileFrame[] = []
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    if (file.readUInt32LE(at) !== 6) continue
    const timeNs = (BigInt(file.readUInt32LE(at + 12)) << 32n) | BigInt(file.readUInt32LE(at + 16))
    frames.push({ timeNs, bytes: file.subarray(at + 28, at + 28 + file.readUInt32LE(at + 20)) })
  }
  return frames
}

/** Frames of a little-endian pcap or pcapng file with nanosecond times. */
export function framesOf(file: Buffer): FileFrame[] {
  const magic = file.readUInt32LE(0)
  if (magic === 0xa1b23c4d) return framesOfPcap(file)
  if (magic === 0x0a0d0d0a) return framesOfPcapng(file)
  throw new Error(`magic ${magic.toString(16)}`)
}

/** An Ethernet frame with IPv4 taken apart as far as counting needs it; numbers of other frames are −1. */
export interface SortedFrame {
  readonly to: string
  readonly etherType: number
  readonly totalBytes: number
  readonly isFragment: boolean
  readonly protocol: number
  readonly sport: number
  readonly dport: number
  readonly payload: Buffer
}

/** Takes a frame without VLAN tag and IP options apart. */
export function sortFrame(bytes: Buffer): SortedFrame {
  const to = bytes.toString('hex', 0, 6)
  const etherType = bytes.readUInt16BE(12)
  const none = { isFragment: false, protocol: -1, sport: -1, dport: -1, totalBytes: -1, payload: Buffer.alloc(0) }
  if (etherType !== 0x0800) return { to, etherType, ...none }
  const totalBytes = bytes.readUInt16BE(16)
  const isFragment = (bytes.readUInt16BE(20) & 0x3fff) !== 0
  const protocol = bytes.readUInt8(23)
  const l4 = bytes.subarray(34, 14 + totalBytes)
  if (isFragment || (protocol !== 6 && protocol !== 17))
    return { ...none, to, etherType, totalBytes, isFragment, protocol }
  const headerBytes = protocol === 17 ? 8 : (l4.readUInt8(12) >> 4) * 4
  const [sport, dport] = [l4.readUInt16BE(0), l4.readUInt16BE(2)]
  return { to, etherType, totalBytes, isFragment, protocol, sport, dport, payload: l4.subarray(headerBytes) }
}

/** Sum of 16-bit words as RFC 1071 has it; 0xffff over data that holds its right checksum. */
export function internetSum(...parts: readonly Uint8Array[]): number {
  const all = Buffer.concat(parts)
  let sum = 0
  for (let at = 0; at < all.length; at++) sum += (all[at] as number) * (at % 2 === 0 ? 256 : 1)
  return sum === 0 ? 0 : ((sum - 1) % 0xffff) + 1
}
