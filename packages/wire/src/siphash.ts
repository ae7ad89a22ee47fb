/**
 * HalfSipHash, the keyed hash on 32-bit words, and the flow hash made of it.
 *
 * Linux hashes flows with the 64-bit SipHash; its key is random at each boot, so no value can be compared between
 * machines, and the 32-bit variant has the properties that matter: keyed, well mixed, the same in both directions.
 * Functions here keep words signed inside: such numbers are small integers to the engine and cost no allocation.
 */

const V2_START = 0x6c796765
const V3_START = 0x74656462

/**
 * HalfSipHash-c-d with 32-bit result, unsigned, of `length` bytes; plain reference for the fast forms below.
 * Kernel: lib/siphash.c, hsiphash (32-bit form, c = 1, d = 3).
 */
export function halfSipHash(
  key0: number,
  key1: number,
  bytes: Uint8Array,
  compressionRounds: number,
  finalRounds: number,
): number {
  const state = new Int32Array([key0, key1, V2_START ^ key0, V3_START ^ key1])
  const wholeBytes = bytes.length & ~3
  for (let at = 0; at <= wholeBytes; at += 4) {
    let word = at === wholeBytes ? bytes.length << 24 : 0
    const end = Math.min(at + 4, bytes.length)
    for (let index = at; index < end; index++) word |= bytes[index] << (8 * (index - at))
    state[3] ^= word
    for (let round = 0; round < compressionRounds; round++) sipRound(state)
    state[0] ^= word
  }
  state[2] ^= 0xff
  for (let round = 0; round < finalRounds; round++) sipRound(state)
  return (state[1] ^ state[3]) >>> 0
}

function sipRound(state: Int32Array): void {
  let [v0, v1, v2, v3] = state as unknown as [number, number, number, number]
  v0 = (v0 + v1) | 0
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
  v0 = (v0 << 16) | (v0 >>> 16)
  v2 = (v2 + v3) | 0
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
  v0 = (v0 + v3) | 0
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
  v2 = (v2 + v1) | 0
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
  v2 = (v2 << 16) | (v2 >>> 16)
  state[0] = v0
  state[1] = v1
  state[2] = v2
  state[3] = v3
}

/**
 * HalfSipHash-1-3 of four 32-bit words (little-endian bytes of 16), signed.
 * The rounds are a loop over the words: written out eight times the function would be too large to optimise well.
 */
export function halfSipHash4Words(key0: number, key1: number, w0: number, w1: number, w2: number, w3: number): number {
  let v0 = key0 | 0
  let v1 = key1 | 0
  let v2 = V2_START ^ key0
  let v3 = V3_START ^ key1
  for (let step = 0; step < 8; step++) {
    const word = step === 0 ? w0 : step === 1 ? w1 : step === 2 ? w2 : step === 3 ? w3 : step === 4 ? 16 << 24 : 0
    if (step === 5) v2 ^= 0xff
    v3 ^= word
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
    v0 ^= word
  }
  return v1 ^ v3
}

/**
 * Software flow hash of an IPv4 packet, signed 32 bits, never 0; ports are 0 for fragments and other protocols.
 * Addresses and ports are put in order each for themselves, so both directions of a flow give the same number.
 * Kernel: net/core/flow_dissector.c, __flow_hash_consistentify and __skb_get_hash (6.18).
 */
export function flowHashSigned(
  key0: number,
  key1: number,
  saddr: number,
  daddr: number,
  sport: number,
  dport: number,
  protocol: number,
): number {
  const addressesInOrder = saddr >>> 0 <= daddr >>> 0
  const portsInOrder = sport <= dport
  const hash = halfSipHash4Words(
    key0 | 0,
    key1 | 0,
    0x0800_0000 | protocol,
    (addressesInOrder ? saddr : daddr) | 0,
    (addressesInOrder ? daddr : saddr) | 0,
    portsInOrder ? (sport << 16) | dport : (dport << 16) | sport,
  )
  return hash === 0 ? 1 : hash
}

/** `flowHashSigned` as an unsigned number, 1..0xffffffff. */
export function flowHash(
  key0: number,
  key1: number,
  saddr: number,
  daddr: number,
  sport: number,
  dport: number,
  protocol: number,
): number {
  return flowHashSigned(key0 | 0, key1 | 0, saddr | 0, daddr | 0, sport, dport, protocol) >>> 0
}

/**
 * Flow hash with the older order: addresses and ports change places together, decided by the signed difference of the
 * addresses and then by the ports. Unsigned, never 0. Kernel: 4.14 net/core/flow_dissector.c,
 * __flow_hash_consistentify.
 */
export function flowHashPaired(
  key0: number,
  key1: number,
  saddr: number,
  daddr: number,
  sport: number,
  dport: number,
  protocol: number,
): number {
  const difference = (daddr - saddr) | 0
  const swap = difference < 0 || (difference === 0 && dport < sport)
  const hash = halfSipHash4Words(
    key0 | 0,
    key1 | 0,
    0x0800_0000 | protocol,
    (swap ? daddr : saddr) | 0,
    (swap ? saddr : daddr) | 0,
    swap ? (dport << 16) | sport : (sport << 16) | dport,
  )
  return hash === 0 ? 1 : hash >>> 0
}
