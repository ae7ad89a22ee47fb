/**
 * The Internet checksum (RFC 1071) and its incremental update (RFC 1624).
 *
 * A *sum* is the folded one's-complement sum, 0..0xffff, and can be passed on as `initial`; a *checksum* is its
 * complement, as it stands in a header. A sum over bytes that already contain a right checksum is 0xffff.
 */

/** Longest run whose 16-bit words can be added without passing 32 bits. */
const RUN_BYTES = 0x10000

/** Folds a sum below 2^32 to 16 bits. Kernel: include/asm-generic/checksum.h, csum_fold (without the complement). */
export function checksumFold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16)
  return (once & 0xffff) + (once >>> 16)
}

/** Header checksum of a sum below 2^32. Kernel: include/asm-generic/checksum.h, csum_fold. */
export function checksumFinish(sum: number): number {
  return ~checksumFold(sum) & 0xffff
}

/**
 * Sum over `length` bytes of `view` from `offset`, plus `initial` (0..0xffff); the bytes must exist.
 * Kernel: lib/checksum.c, csum_partial.
 */
export function checksumPartial(view: DataView, offset: number, length: number, initial: number): number {
  let sum = initial
  let at = offset
  const end = offset + length
  while (end - at > RUN_BYTES) {
    sum = sumRun(view, at, at + RUN_BYTES, sum)
    at += RUN_BYTES
  }
  return sumRun(view, at, end, sum)
}

function sumRun(view: DataView, start: number, end: number, initial: number): number {
  let sum = initial
  let at = start
  for (; at + 16 <= end; at += 16) {
    const a = view.getUint32(at)
    const b = view.getUint32(at + 4)
    const c = view.getUint32(at + 8)
    const d = view.getUint32(at + 12)
    const ab = (a >>> 16) + (a & 0xffff) + (b >>> 16) + (b & 0xffff)
    const cd = (c >>> 16) + (c & 0xffff) + (d >>> 16) + (d & 0xffff)
    // A run stays below 2^32, so wrapping to signed loses nothing and keeps the additions in integer registers.
    sum = (sum + ab + cd) | 0
  }
  for (; at + 4 <= end; at += 4) {
    const word = view.getUint32(at)
    sum = (sum + (word >>> 16) + (word & 0xffff)) | 0
  }
  if (at + 2 <= end) {
    sum = (sum + view.getUint16(at)) | 0
    at += 2
  }
  if (at < end) sum = (sum + (view.getUint8(at) << 8)) | 0
  return checksumFold(sum)
}

/** The same sum over a `Uint8Array`, for callers that hold no view of the bytes. */
export function checksumPartialBytes(bytes: Uint8Array, offset: number, length: number, initial: number): number {
  let high = 0
  let low = 0
  let sum = initial
  let at = offset
  const end = offset + length
  while (at < end) {
    const runEnd = Math.min(end, at + RUN_BYTES)
    for (; at + 4 <= runEnd; at += 4) {
      high += bytes[at] + bytes[at + 2]
      low += bytes[at + 1] + bytes[at + 3]
    }
    for (; at + 2 <= runEnd; at += 2) {
      high += bytes[at]
      low += bytes[at + 1]
    }
    if (at < runEnd) high += bytes[at++]
    sum = checksumFold(sum + checksumFold(high * 256) + checksumFold(low))
    high = 0
    low = 0
  }
  return sum
}

/**
 * Checksum of `length` bytes, as it is stored in a header whose checksum field is zero. Kernel: lib/checksum.c,
 * ip_compute_csum.
 */
export function checksum(view: DataView, offset: number, length: number, initial: number): number {
  return ~checksumPartial(view, offset, length, initial) & 0xffff
}

/**
 * Joins the sum of a block to the sum of what stands before it, `blockOffset` bytes into the data.
 * Kernel: include/net/checksum.h, csum_block_add.
 */
export function checksumBlockAdd(sum: number, blockSum: number, blockOffset: number): number {
  const swapped = ((blockSum & 0xff) << 8) | (blockSum >>> 8)
  return checksumFold(sum + ((blockOffset & 1) === 0 ? blockSum : swapped))
}

/** Sum over the IPv4 pseudo header; `length` is that of the L4 header and payload. Kernel: csum_tcpudp_nofold. */
export function pseudoHeaderSum(saddr: number, daddr: number, protocol: number, length: number): number {
  return checksumFold(
    (saddr >>> 16) +
      (saddr & 0xffff) +
      (daddr >>> 16) +
      (daddr & 0xffff) +
      protocol +
      (length >>> 16) +
      (length & 0xffff),
  )
}

/** New checksum after one 16-bit word changed. Kernel: include/net/checksum.h, csum_replace2. */
export function checksumUpdate16(check: number, oldWord: number, newWord: number): number {
  return checksumFinish((~check & 0xffff) + (~oldWord & 0xffff) + (newWord & 0xffff))
}

/** New checksum after one aligned 32-bit word changed. Kernel: include/net/checksum.h, csum_replace4. */
export function checksumUpdate32(check: number, oldWord: number, newWord: number): number {
  return checksumFinish(
    (~check & 0xffff) + (~oldWord >>> 16) + (~oldWord & 0xffff) + (newWord >>> 16) + (newWord & 0xffff),
  )
}
