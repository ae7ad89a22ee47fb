/** Multiplicative hash to `bits` (1..32) bits. Kernel: include/linux/hash.h, hash_32. */
export function hash32(value: number, bits: number): number {
  return Math.imul(value, 0x61c88647) >>> (32 - bits)
}

/**
 * Maps a 32-bit hash (signed or unsigned) onto 0..count-1, exactly, for counts up to 2^32.
 * Kernel: include/linux/kernel.h, reciprocal_scale.
 */
export function reciprocalScale(hash: number, count: number): number {
  const unsigned = hash >>> 0
  if (count <= 0x200000) return Math.floor((unsigned * count) / 0x100000000)
  // The whole product would pass 2^53, so the low half contributes only its carry.
  const carry = Math.floor(((unsigned & 0xffff) * count) / 0x10000)
  return Math.floor(((unsigned >>> 16) * count + carry) / 0x10000)
}
