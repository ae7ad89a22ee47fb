/** The verification key that Microsoft published for RSS, 40 bytes; default key of a simulated NIC. */
export const MICROSOFT_RSS_KEY: readonly number[] = [
  0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b,
  0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac,
  0x01, 0xfa,
]

/** Bytes of the usual key. */
export const RSS_KEY_BYTES = 40
/** Bytes of the longest key a driver takes. Kernel: include/linux/netdevice.h, NETDEV_RSS_KEY_LEN. */
export const RSS_KEY_BYTES_MAX = 52

const INPUT_BYTES = 12

/** The 32 bits of `key` that start at bit `bitIndex` (0 = most significant bit of byte 0); bits past the end are 0. */
function keyWindow(key: ArrayLike<number>, bitIndex: number): number {
  let window = 0
  for (let bit = bitIndex; bit < bitIndex + 32; bit++) {
    const byte = bit >>> 3 < key.length ? key[bit >>> 3] : 0
    window = (window << 1) | ((byte >>> (7 - (bit & 7))) & 1)
  }
  return window
}

/** Toeplitz hash of any bytes in network order, unsigned; the plain reference, bit by bit. */
export function toeplitzHash(key: ArrayLike<number>, bytes: ArrayLike<number>): number {
  let hash = 0
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    if (((bytes[bit >>> 3] >>> (7 - (bit & 7))) & 1) !== 0) hash ^= keyWindow(key, bit)
  }
  return hash >>> 0
}

/** RSS hash of IPv4 packets for one key, by one table look-up per input byte (12 KiB per key, filled once). */
export class Toeplitz {
  /** Part of the hash that byte `b` at input position `i` contributes, at `i * 256 + b`. Read-only. */
  readonly table: Int32Array

  constructor(key: ArrayLike<number>) {
    this.table = new Int32Array(INPUT_BYTES * 256)
    for (let position = 0; position < INPUT_BYTES; position++) {
      const first = position * 256
      for (let bit = 0; bit < 8; bit++) this.table[first + (0x80 >>> bit)] = keyWindow(key, position * 8 + bit)
      // The hash is linear: a byte contributes what its lowest bit and the rest of it contribute.
      for (let byte = 1; byte < 256; byte++) {
        const rest = byte & (byte - 1)
        if (rest !== 0) this.table[first + byte] = this.table[first + rest] ^ this.table[first + (byte ^ rest)]
      }
    }
  }

  /** Hash over addresses and ports (`sport << 16 | dport`), unsigned 32 bits. */
  hash4tuple(saddr: number, daddr: number, ports: number): number {
    return toeplitz4tuple(this.table, saddr | 0, daddr | 0, ports | 0) >>> 0
  }

  /** Hash over the addresses alone, unsigned 32 bits. */
  hash2tuple(saddr: number, daddr: number): number {
    return toeplitz2tuple(this.table, saddr | 0, daddr | 0) >>> 0
  }
}

/** Makes the table for a key of 40 to 52 bytes; other lengths are a fault of the caller and throw. */
export function createToeplitz(key: ArrayLike<number>): Toeplitz {
  if (key.length < RSS_KEY_BYTES || key.length > RSS_KEY_BYTES_MAX) {
    throw new RangeError(`RSS key of ${key.length} bytes; accepted: ${RSS_KEY_BYTES} to ${RSS_KEY_BYTES_MAX}`)
  }
  return new Toeplitz(key)
}

/** `hash4tuple` on a bare table, signed 32 bits, for loops that keep the table in a constant. */
export function toeplitz4tuple(table: Int32Array, saddr: number, daddr: number, ports: number): number {
  return (
    toeplitz2tuple(table, saddr, daddr) ^
    table[2048 + (ports >>> 24)] ^
    table[2304 + ((ports >>> 16) & 255)] ^
    table[2560 + ((ports >>> 8) & 255)] ^
    table[2816 + (ports & 255)]
  )
}

/** `hash2tuple` on a bare table, signed 32 bits. */
export function toeplitz2tuple(table: Int32Array, saddr: number, daddr: number): number {
  return (
    table[saddr >>> 24] ^
    table[256 + ((saddr >>> 16) & 255)] ^
    table[512 + ((saddr >>> 8) & 255)] ^
    table[768 + (saddr & 255)] ^
    table[1024 + (daddr >>> 24)] ^
    table[1280 + ((daddr >>> 16) & 255)] ^
    table[1536 + ((daddr >>> 8) & 255)] ^
    table[1792 + (daddr & 255)]
  )
}
