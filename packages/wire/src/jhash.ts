/** Start value that every Jenkins hash in the kernel adds. Kernel: include/linux/jhash.h, JHASH_INITVAL. */
export const JHASH_INITVAL = 0xdeadbeef

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** Reverses the bytes of a 32-bit word; result signed. */
function swapBytes(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)
}

/** The last mixing step of lookup3; result signed. */
function finalMix(a0: number, b0: number, c0: number): number {
  let a = a0
  let b = b0
  let c = c0
  c = ((c ^ b) - rotateLeft(b, 14)) | 0
  a = ((a ^ c) - rotateLeft(c, 11)) | 0
  b = ((b ^ a) - rotateLeft(a, 25)) | 0
  c = ((c ^ b) - rotateLeft(b, 16)) | 0
  a = ((a ^ c) - rotateLeft(c, 4)) | 0
  b = ((b ^ a) - rotateLeft(a, 14)) | 0
  c = ((c ^ b) - rotateLeft(b, 24)) | 0
  return c
}

/** Jenkins hash of four 32-bit words with a start value, unsigned. Kernel: include/linux/jhash.h, jhash2 with length 4. */
export function jhash4words(w0: number, w1: number, w2: number, w3: number, initval: number): number {
  const start = (initval + JHASH_INITVAL + 16) | 0
  let a = (w0 + start) | 0
  let b = (w1 + start) | 0
  let c = (w2 + start) | 0
  a = ((a - c) ^ rotateLeft(c, 4)) | 0
  c = (c + b) | 0
  b = ((b - a) ^ rotateLeft(a, 6)) | 0
  a = (a + c) | 0
  c = ((c - b) ^ rotateLeft(b, 8)) | 0
  b = (b + a) | 0
  a = ((a - c) ^ rotateLeft(c, 16)) | 0
  c = (c + b) | 0
  b = ((b - a) ^ rotateLeft(a, 19)) | 0
  a = (a + c) | 0
  c = ((c - b) ^ rotateLeft(b, 4)) | 0
  b = (b + a) | 0
  return finalMix((a + w3) | 0, b, c) >>> 0
}

/** Jenkins hash of three 32-bit words with a start value, unsigned. Kernel: include/linux/jhash.h, jhash_3words. */
export function jhash3words(a: number, b: number, c: number, initval: number): number {
  const start = (initval + JHASH_INITVAL + 12) | 0
  return finalMix((a + start) | 0, (b + start) | 0, (c + start) | 0) >>> 0
}

/** Jenkins hash of two 32-bit words with a start value, unsigned. Kernel: include/linux/jhash.h, jhash_2words. */
export function jhash2words(a: number, b: number, initval: number): number {
  const start = (initval + JHASH_INITVAL + 8) | 0
  return finalMix((a + start) | 0, (b + start) | 0, start) >>> 0
}

/** Jenkins hash of one 32-bit word with a start value, unsigned. Kernel: include/linux/jhash.h, jhash_1word. */
export function jhash1word(a: number, initval: number): number {
  const start = (initval + JHASH_INITVAL + 4) | 0
  return finalMix((a + start) | 0, start, start) >>> 0
}

/**
 * Hash over a socket's local and foreign address and port (host order), with the boot secret, unsigned.
 * The words are laid out as a little-endian machine reads them, so a known secret gives Linux's own number on x86.
 * Kernel: net/ipv4/udp.c, udp_ehashfn; include/net/inet_hashtables.h, __inet_ehashfn.
 */
export function inetEhash(laddr: number, lport: number, faddr: number, fport: number, secret: number): number {
  const foreignPort = ((fport & 0xff) << 8) | ((fport >>> 8) & 0xff)
  return jhash3words(swapBytes(laddr), swapBytes(faddr), (lport << 16) | foreignPort, secret)
}
