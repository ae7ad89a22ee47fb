/** Classic BPF programs, as SO_ATTACH_FILTER takes them: the rules by which the kernel accepts one. */

/** One instruction. Kernel: include/uapi/linux/filter.h, struct sock_filter */
export type BpfInstruction = readonly [code: number, jt: number, jf: number, k: number]

/** A program; the first instruction is at position 0. */
export type BpfProgram = readonly BpfInstruction[]

/** Codes of instructions. Kernel: include/uapi/linux/bpf_common.h */
export const BPF = {
  ldWordAbs: 0x20,
  ldHalfAbs: 0x28,
  ldByteAbs: 0x30,
  ldWordInd: 0x40,
  ldHalfInd: 0x48,
  ldByteInd: 0x50,
  ldImm: 0x00,
  ldLen: 0x80,
  ldMem: 0x60,
  ldxImm: 0x01,
  ldxLen: 0x81,
  ldxMem: 0x61,
  ldxMsh: 0xb1,
  st: 0x02,
  stx: 0x03,
  addK: 0x04,
  addX: 0x0c,
  subK: 0x14,
  subX: 0x1c,
  mulK: 0x24,
  mulX: 0x2c,
  divK: 0x34,
  divX: 0x3c,
  orK: 0x44,
  orX: 0x4c,
  andK: 0x54,
  andX: 0x5c,
  lshK: 0x64,
  lshX: 0x6c,
  rshK: 0x74,
  rshX: 0x7c,
  neg: 0x84,
  modK: 0x94,
  modX: 0x9c,
  xorK: 0xa4,
  xorX: 0xac,
  ja: 0x05,
  jeqK: 0x15,
  jeqX: 0x1d,
  jgtK: 0x25,
  jgtX: 0x2d,
  jgeK: 0x35,
  jgeX: 0x3d,
  jsetK: 0x45,
  jsetX: 0x4d,
  retK: 0x06,
  retA: 0x16,
  tax: 0x07,
  txa: 0x87,
} as const

const CODES: ReadonlySet<number> = new Set(Object.values(BPF))
const MAX_INSTRUCTIONS = 4096
const MEMORY_WORDS = 16
const WORD_BITS = 32
const JUMP_CLASS = 5

const PACKET_LOADS: readonly number[] = [BPF.ldWordAbs, BPF.ldHalfAbs, BPF.ldByteAbs]
/** SKF_AD_OFF and the fields behind it. */
const ANCILLARY = 0xfffff000
const ANCILLARY_FIELDS = [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]

function checkInstruction([code, jt, jf, k]: BpfInstruction, at: number, length: number): string | null {
  if (!CODES.has(code)) return `a known code, not 0x${code.toString(16)}`
  if ((code === BPF.divK || code === BPF.modK) && k === 0) return 'a divisor other than 0'
  if ((code === BPF.lshK || code === BPF.rshK) && k >= WORD_BITS) return 'a shift of less than 32'
  const usesMemory = code === BPF.ldMem || code === BPF.ldxMem || code === BPF.st || code === BPF.stx
  if (usesMemory && k >= MEMORY_WORDS) return 'a memory word from 0 to 15'
  if (PACKET_LOADS.includes(code) && k >= ANCILLARY && !ANCILLARY_FIELDS.includes(k - ANCILLARY))
    return 'an offset below SKF_AD_OFF, or that of a known field behind it'
  if (code === BPF.ja) return k < length - at - 1 ? null : 'a jump that stays in the program'
  if ((code & 7) === JUMP_CLASS && at + Math.max(jt, jf) + 1 >= length) return 'jumps that stay in the program'
  return null
}

/** Why the kernel would refuse a program (text for «accepted»), or null. Kernel: net/core/filter.c, bpf_check_classic */
export function bpfFault(program: BpfProgram): string | null {
  if (program.length === 0 || program.length > MAX_INSTRUCTIONS) return `1 to ${MAX_INSTRUCTIONS} instructions`
  for (const [at, instruction] of program.entries()) {
    const fault = checkInstruction(instruction, at, program.length)
    if (fault !== null) return `instruction ${at}: ${fault}`
  }
  const [last] = program[program.length - 1] as BpfInstruction
  return last === BPF.retK || last === BPF.retA ? memoryFault(program) : 'a last instruction that returns'
}

/** The first load of a memory word that some way through the program has not stored. Kernel: net/core/filter.c, check_load_and_stores */
function memoryFault(program: BpfProgram): string | null {
  // What every jump to an instruction has stored; jumps lead forward, so all are known when it is reached.
  const storedAt = new Int32Array(program.length).fill(-1)
  let stored = 0
  for (const [at, [code, jt, jf, k]] of program.entries()) {
    stored &= storedAt[at]!
    if (code === BPF.st || code === BPF.stx) stored |= 1 << k
    const isLoad = code === BPF.ldMem || code === BPF.ldxMem
    if (isLoad && (stored & (1 << k)) === 0) return `instruction ${at}: a memory word that was stored before`
    if ((code & 7) !== JUMP_CLASS) continue
    for (const distance of code === BPF.ja ? [k] : [jt, jf]) storedAt[at + 1 + distance]! &= stored
    stored = -1
  }
  return null
}
