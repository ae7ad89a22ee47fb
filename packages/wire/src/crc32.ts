/** Reflected polynomial of IEEE 802.3. */
const POLYNOMIAL = 0xedb88320

/** Written once while the module loads, read-only from then on. */
const TABLE: Int32Array = makeTable()

function makeTable(): Int32Array {
  const table = new Int32Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    table[byte] = crc
  }
  return table
}

/**
 * CRC-32 of `length` bytes, unsigned; `initial` is an earlier result to go on from, 0 at the start.
 * Kernel: lib/crc/crc32.c, crc32_le with the inversions that Ethernet adds.
 */
export function crc32(view: DataView, offset: number, length: number, initial: number): number {
  let crc = ~initial
  const end = offset + length
  for (let at = offset; at < end; at++) crc = (crc >>> 8) ^ TABLE[(crc ^ view.getUint8(at)) & 0xff]
  return ~crc >>> 0
}

/** Writes the Ethernet FCS of the `length` bytes at `offset` right behind them; returns 4. */
export function emitFcs(view: DataView, offset: number, length: number): number {
  view.setUint32(offset + length, crc32(view, offset, length, 0), true)
  return 4
}

/** Whether the last four of `length` bytes are the right FCS of those before; false below five bytes. */
export function fcsIsRight(view: DataView, offset: number, length: number): boolean {
  if (length < 5) return false
  return view.getUint32(offset + length - 4, true) === crc32(view, offset, length - 4, 0)
}
