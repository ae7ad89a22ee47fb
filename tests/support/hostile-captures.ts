/** Capture files that something has damaged, drawn from a seed. */
import type { Draw } from './draw.js'

const WORDS = [0, 1, 15, 16, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffc, 65_536, 262_145, 0x0a0d0d0a, 0xa1b2c3d4]
const MAGICS = [0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a, 0xa1b2cd34, 0x1f8b0800, 0x28b52ffd, 0]

function flip(draw: Draw, file: Buffer): void {
  if (file.length === 0) return
  const bit = draw.below(file.length * 8)
  file.writeUInt8(file.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
}

function word(draw: Draw, file: Buffer, at: number): void {
  if (at + 4 > file.length) return
  const value = draw.chance(0.8) ? draw.pick(WORDS) : draw.word()
  if (draw.chance(0.8)) file.writeUInt32LE(value, at)
  else file.writeUInt32BE(value, at)
}

/** A copy of a capture with something wrong in it: cut anywhere, bits flipped, lengths absurd, pieces lost or twice. */
export function damagedCapture(draw: Draw, whole: Buffer): Buffer {
  const file = Buffer.from(whole)
  switch (draw.below(9)) {
    case 0:
      return file.subarray(0, draw.below(file.length + 1))
    case 1:
      for (let count = draw.between(1, 30); count > 0; count--) flip(draw, file)
      return file
    case 2:
      word(draw, file, 4 * draw.below(file.length / 4))
      return file
    case 3:
      // The headers, where every word means something.
      word(draw, file, 4 * draw.below(50))
      return file
    case 4:
      file.writeUInt32LE(draw.pick(MAGICS), 0)
      return file
    case 5: {
      const [from, to] = [draw.below(file.length), draw.below(file.length)]
      return Buffer.concat([file.subarray(0, from), file.subarray(to)])
    }
    case 6:
      return Buffer.concat([file, file.subarray(draw.below(64))])
    case 7:
      // A link type of another kind, in a pcap header and in the first interface of a pcapng file.
      for (const at of [20, 116])
        file.writeUInt16LE(draw.pick([0, 1, 12, 101, 105, 113, 127, 147, 228, 229, 276, 65_535]), at)
      return file
    default:
      return Buffer.from(Array.from({ length: draw.below(300) }, () => draw.below(256)))
  }
}
