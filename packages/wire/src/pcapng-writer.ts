import {
  IF_NAME,
  IF_TSOFFSET,
  IF_TSRESOL,
  OPT_COMMENT,
  PCAPNG_BYTE_ORDER_MAGIC,
  PCAPNG_ENHANCED_PACKET,
  PCAPNG_INTERFACE,
  PCAPNG_SECTION_HEADER,
} from './pcapng.js'

const SHB_USERAPPL = 4
const EPB_FLAGS = 2
const NANOSECONDS = 9

/** An interface to be described; its id is its position among those of the section. */
export interface PcapngInterfaceOptions {
  /** Device name. */
  readonly name: string
  /** Link type, `LINKTYPE_…`. */
  readonly linkType: number
  /** Longest frame kept, bytes; 0 (the default) for no limit. */
  readonly snapLength?: number
  /** Whole seconds since 1970 at time 0 of the packets' times; 0 by default. */
  readonly epochSeconds?: number
}

/** What may be said of a packet besides its bytes. */
export interface PcapngPacketOptions {
  /** Bytes on the wire where `data` is cut. */
  readonly originalBytes?: number
  /** Text shown beside the packet. */
  readonly comment?: string
  /** Way the frame took through the interface. */
  readonly direction?: 'inbound' | 'outbound'
}

/** Section header block (little-endian, length left open); `application` names the writer. */
export function pcapngSectionHeader(application?: string): Uint8Array {
  const options = application === undefined ? [] : [textOption(SHB_USERAPPL, application)]
  const { bytes, view } = makeBlock(PCAPNG_SECTION_HEADER, 16, options)
  view.setUint32(8, PCAPNG_BYTE_ORDER_MAGIC, true)
  view.setUint16(12, 1, true)
  view.setUint16(14, 0, true)
  view.setBigInt64(16, -1n, true)
  return bytes
}

/** Interface description block with name and times in nanoseconds. */
export function pcapngInterfaceBlock(options: PcapngInterfaceOptions): Uint8Array {
  const list = [textOption(IF_NAME, options.name), option(IF_TSRESOL, Uint8Array.of(NANOSECONDS))]
  if (options.epochSeconds !== undefined) {
    const seconds = new Uint8Array(8)
    new DataView(seconds.buffer).setBigInt64(0, BigInt(Math.floor(options.epochSeconds)), true)
    list.push(option(IF_TSOFFSET, seconds))
  }
  const { bytes, view } = makeBlock(PCAPNG_INTERFACE, 8, list)
  view.setUint16(8, options.linkType, true)
  view.setUint32(12, options.snapLength ?? 0, true)
  return bytes
}

/**
 * Enhanced packet block with a copy of `data`; `timestampNs` is a whole number from 0 to 2^53, `interfaceId` the
 * position of the interface block in its section.
 */
export function pcapngPacketBlock(
  interfaceId: number,
  timestampNs: number,
  data: Uint8Array,
  options: PcapngPacketOptions = {},
): Uint8Array {
  const list: Uint8Array[] = []
  if (options.comment !== undefined) list.push(textOption(OPT_COMMENT, options.comment))
  if (options.direction !== undefined) {
    list.push(option(EPB_FLAGS, Uint8Array.of(options.direction === 'inbound' ? 1 : 2, 0, 0, 0)))
  }
  const { bytes, view } = makeBlock(PCAPNG_ENHANCED_PACKET, 20 + pad4(data.length), list)
  view.setUint32(8, interfaceId, true)
  view.setUint32(12, Math.floor(timestampNs / 0x100000000), true)
  view.setUint32(16, timestampNs % 0x100000000, true)
  view.setUint32(20, data.length, true)
  view.setUint32(24, options.originalBytes ?? data.length, true)
  bytes.set(data, 28)
  return bytes
}

function pad4(length: number): number {
  return (length + 3) & ~3
}

/** One option with its padding; the length field has 16 bits, so longer values are cut. */
function option(code: number, value: Uint8Array): Uint8Array {
  const kept = value.subarray(0, 0xffff)
  const bytes = new Uint8Array(4 + pad4(kept.length))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, code, true)
  view.setUint16(2, kept.length, true)
  bytes.set(kept, 4)
  return bytes
}

function textOption(code: number, text: string): Uint8Array {
  return option(code, new TextEncoder().encode(text))
}

/** A block with its head, tail and options set, and `bodyBytes` (a multiple of 4) of zeros in between. */
function makeBlock(
  type: number,
  bodyBytes: number,
  options: readonly Uint8Array[],
): { bytes: Uint8Array; view: DataView } {
  const endBytes = options.length === 0 ? 0 : 4
  const optionBytes = options.reduce((sum, each) => sum + each.length, 0) + endBytes
  const bytes = new Uint8Array(12 + bodyBytes + optionBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, bytes.length, true)
  view.setUint32(bytes.length - 4, bytes.length, true)
  let at = 8 + bodyBytes
  for (const each of options) {
    bytes.set(each, at)
    at += each.length
  }
  return { bytes, view }
}
