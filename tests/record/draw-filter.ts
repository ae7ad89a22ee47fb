/** Random classic BPF programs that the kernel accepts. */
import type { Draw } from '../support/draw.js'

const LOADS = [0x20, 0x28, 0x30, 0x30, 0x28, 0x40, 0x48, 0x50, 0x80, 0x00, 0x60]
const INDEX_LOADS = [0x01, 0x81, 0x61, 0xb1]
const STORES = [0x02, 0x03]
const ARITHMETIC = [
  0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x74, 0x84, 0x94, 0xa4, 0xac,
]
const JUMPS = [0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d]
const MOVES = [0x07, 0x87]
const RETURNED = [0, 1, 8, 10, 20, 65_535]
const ABSOLUTE = [0x20, 0x28, 0x30]
const NETWORK_OFFSET = 0xfff00000
const MEMORY = [0x60, 0x61, 0x02, 0x03]
const DIVISIONS = [0x34, 0x94]
const SHIFTS = [0x64, 0x74]

type Instruction = readonly [number, number, number, number]

function constant(draw: Draw, code: number): number {
  if (MEMORY.includes(code)) return draw.below(4)
  if (DIVISIONS.includes(code)) return draw.between(1, 9)
  if (SHIFTS.includes(code)) return draw.below(32)
  if (ABSOLUTE.includes(code) && draw.chance(0.2)) return NETWORK_OFFSET + draw.below(24)
  return draw.chance(0.8) ? draw.below(24) : draw.pick([5000, 40_000, 0x0a090002, 0xffffffff, 1500])
}

/** A program of up to a dozen instructions; it writes each memory word before any is read. */
export function drawFilter(draw: Draw): string {
  const program: Instruction[] = [0, 1, 2, 3].map((word): Instruction => [0x02, 0, 0, word])
  const length = draw.between(1, 10)
  for (let at = 0; at < length; at++) {
    const code = draw.pick([...LOADS, ...LOADS, ...INDEX_LOADS, ...STORES, ...ARITHMETIC, ...MOVES, ...JUMPS, ...JUMPS])
    const room = length - at - 1
    const isJump = JUMPS.includes(code)
    program.push([code, isJump ? draw.below(room + 1) : 0, isJump ? draw.below(room + 1) : 0, constant(draw, code)])
  }
  program.push([draw.chance(0.8) ? 0x06 : 0x16, 0, 0, draw.pick(RETURNED)])
  return `[${program.map((each) => `(${each.join(', ')})`).join(', ')}]`
}
