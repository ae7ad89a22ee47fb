/** SipHash on 64-bit words, as Linux hashes flows with a known seed; words are pairs of signed 32-bit halves. */

/** The state before the key: the words of "somepseudorandomlygeneratedbytes". */
const START = Int32Array.of(
  0x70736575,
  0x736f6d65,
  0x6e646f6d,
  0x646f7261,
  0x6e657261,
  0x6c796765,
  0x79746573,
  0x74656462,
)
/** The four words of the state: low half, high half. */
const v = new Int32Array(8)

function add(to: number, of: number): void {
  const low = (v[to] >>> 0) + (v[of] >>> 0)
  v[to] = low | 0
  v[to + 1] = (v[to + 1] + v[of + 1] + (low > 0xffffffff ? 1 : 0)) | 0
}

/** Rotates a word left by less than 32 bits, then joins another one to it. */
function rotateXor(at: number, bits: number, other: number): void {
  const low = v[at]
  const high = v[at + 1]
  v[at] = ((low << bits) | (high >>> (32 - bits))) ^ v[other]
  v[at + 1] = ((high << bits) | (low >>> (32 - bits))) ^ v[other + 1]
}

function swapHalves(at: number): void {
  const low = v[at]
  v[at] = v[at + 1]
  v[at + 1] = low
}

/** Kernel: include/linux/siphash.h, SIPHASH_PERMUTATION */
function round(): void {
  add(0, 2)
  rotateXor(2, 13, 0)
  swapHalves(0)
  add(4, 6)
  rotateXor(6, 16, 4)
  add(0, 6)
  rotateXor(6, 21, 0)
  add(4, 2)
  rotateXor(2, 17, 4)
  swapHalves(4)
}

function absorb(low: number, high: number): void {
  v[6] ^= low
  v[7] ^= high
  round()
  round()
  v[0] ^= low
  v[1] ^= high
}

/**
 * Low half, signed, of SipHash-2-4 of 32-bit words (their little-endian bytes). Both words of the key have the halves
 * given. Kernel: lib/siphash.c, siphash
 */
export function siphash24Words(words: Int32Array, keyLow: number, keyHigh: number): number {
  for (let i = 0; i < 8; i++) v[i] = START[i] ^ (i % 2 === 0 ? keyLow : keyHigh)
  const pairs = words.length & ~1
  for (let i = 0; i < pairs; i += 2) absorb(words[i], words[i + 1])
  absorb(words.length > pairs ? words[pairs] : 0, ((words.length * 4) & 0xff) << 24)
  v[4] ^= 0xff
  round()
  round()
  round()
  round()
  return v[0] ^ v[2] ^ v[4] ^ v[6]
}
