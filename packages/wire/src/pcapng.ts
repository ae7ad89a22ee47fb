import {
  CAPTURE_FRAME_BYTES_MAX,
  CAPTURE_INTERFACES_MAX,
  CaptureClock,
  type CaptureFault,
  type CaptureFrame,
  type CaptureInterface,
  type CaptureReader,
  captureText,
  FaultList,
} from './capture.js'

/** Block type: section header; reads the same in both byte orders. */
export const PCAPNG_SECTION_HEADER = 0x0a0d0d0a
/** Block type: interface description. */
export const PCAPNG_INTERFACE = 1
/** Block type: the obsolete packet block. */
export const PCAPNG_OBSOLETE_PACKET = 2
/** Block type: simple packet. */
export const PCAPNG_SIMPLE_PACKET = 3
/** Block type: enhanced packet. */
export const PCAPNG_ENHANCED_PACKET = 6
/** The number in a section header that shows its byte order. */
export const PCAPNG_BYTE_ORDER_MAGIC = 0x1a2b3c4d

/** Option: end of the options. */
export const OPT_ENDOFOPT = 0
/** Option: comment, UTF-8. */
export const OPT_COMMENT = 1
/** Option of an interface: its name. */
export const IF_NAME = 2
/** Option of an interface: resolution of time stamps. */
export const IF_TSRESOL = 9
/** Option of an interface: bytes of FCS. */
export const IF_FCSLEN = 13
/** Option of an interface: seconds to add to time stamps. */
export const IF_TSOFFSET = 14

/** Head and tail of every block. */
const BLOCK_BYTES_MIN = 12
const SECTION_HEADER_BYTES_MIN = 28
const INTERFACE_BYTES_MIN = 20
const PACKET_BYTES_MIN = 32
const SIMPLE_PACKET_BYTES_MIN = 16
const NS_PER_SECOND = 1_000_000_000n

/** How an interface counts time: ns = ticks × multiplier / divisor + offset. */
interface Resolution {
  multiplier: bigint
  divisor: bigint
  offsetNs: bigint
}

/** Whether the bytes begin with a pcapng section header. */
export function isPcapng(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x0a && bytes[1] === 0x0d && bytes[2] === 0x0d && bytes[3] === 0x0a
}

/** Reader of pcapng files: several sections and interfaces, both byte orders; other blocks are passed over. */
export class PcapngReader implements CaptureReader {
  readonly format = 'pcapng'
  readonly interfaces: CaptureInterface[] = []
  private readonly resolutions: Resolution[] = []
  private readonly list = new FaultList()
  private readonly clock = new CaptureClock()
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private littleEndian = true
  private at = 0
  private inSection = false
  private sectionInterfaceStart = 0
  private lastTimestampNs = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (!isPcapng(bytes)) this.stop(0, 'no pcapng section header at the start; accepted: block type 0a0d0d0a')
  }

  get faults(): readonly CaptureFault[] {
    return this.list.faults
  }

  get faultCount(): number {
    return this.list.count
  }

  get firstTimestampNs(): bigint | undefined {
    return this.clock.firstNs
  }

  next(frame: CaptureFrame): boolean {
    while (this.at < this.view.byteLength) {
      const start = this.at
      const end = this.readBlockEnd(start)
      if (end < 0) return false
      this.at = end
      if (this.readBlock(start, end, frame)) return true
    }
    return false
  }

  private stop(offset: number, message: string): number {
    this.list.add(offset, message)
    this.at = this.view.byteLength
    return -1
  }

  private u16(at: number): number {
    return this.view.getUint16(at, this.littleEndian)
  }

  private u32(at: number): number {
    return this.view.getUint32(at, this.littleEndian)
  }

  /** End of the block at `start`, or -1 where its frame is broken: behind that no block can be found. */
  private readBlockEnd(start: number): number {
    const leftBytes = this.view.byteLength - start
    if (leftBytes < BLOCK_BYTES_MIN) return this.stop(start, `file ends inside a block head (${leftBytes} of 12 bytes)`)
    const isSection = this.view.getUint32(start) === PCAPNG_SECTION_HEADER
    if (isSection && !this.readByteOrder(start)) return -1
    const blockBytes = this.u32(start + 4)
    const leastBytes = isSection ? SECTION_HEADER_BYTES_MIN : BLOCK_BYTES_MIN
    if (blockBytes < leastBytes || blockBytes % 4 !== 0) {
      return this.stop(start + 4, `block length ${blockBytes}; accepted: a multiple of 4 from ${leastBytes}`)
    }
    if (blockBytes > leftBytes)
      return this.stop(start, `file ends inside a block (${leftBytes} of ${blockBytes} bytes)`)
    const trailing = this.u32(start + blockBytes - 4)
    if (trailing !== blockBytes) {
      return this.stop(
        start + blockBytes - 4,
        `block length ${blockBytes} is repeated as ${trailing} at the block's end`,
      )
    }
    return start + blockBytes
  }

  private readByteOrder(start: number): boolean {
    if (this.view.getUint32(start + 8, true) === PCAPNG_BYTE_ORDER_MAGIC) this.littleEndian = true
    else if (this.view.getUint32(start + 8, false) === PCAPNG_BYTE_ORDER_MAGIC) this.littleEndian = false
    else {
      this.stop(start + 8, 'section header without the byte-order magic 1a2b3c4d')
      return false
    }
    return true
  }

  /** Whether the block was a packet that went into `frame`. */
  private readBlock(start: number, end: number, frame: CaptureFrame): boolean {
    const type = this.u32(start)
    if (type === PCAPNG_SECTION_HEADER) {
      this.readSection(start)
      return false
    }
    // Blocks of a section in an unknown version cannot be told, so they are passed over.
    if (!this.inSection) return false
    switch (type) {
      case PCAPNG_INTERFACE:
        this.readInterface(start, end)
        return false
      case PCAPNG_ENHANCED_PACKET:
      case PCAPNG_OBSOLETE_PACKET:
        return this.readPacket(start, end, frame, type)
      case PCAPNG_SIMPLE_PACKET:
        return this.readSimplePacket(start, end, frame)
      default:
        return false
    }
  }

  private readSection(start: number): void {
    const major = this.u16(start + 12)
    this.inSection = major === 1
    if (!this.inSection) this.list.add(start + 12, `section of version ${major}.${this.u16(start + 14)}; accepted: 1.x`)
    this.sectionInterfaceStart = this.interfaces.length
  }

  private readInterface(start: number, end: number): void {
    if (end - start < INTERFACE_BYTES_MIN || this.interfaces.length >= CAPTURE_INTERFACES_MAX) {
      const few = end - start < INTERFACE_BYTES_MIN
      this.stop(
        start,
        few ? `interface block of ${end - start} bytes; accepted: from 20` : 'more than 65536 interfaces',
      )
      return
    }
    const resolution: Resolution = { multiplier: 1000n, divisor: 1n, offsetNs: 0n }
    let name = ''
    let fcsBytes = 0
    let at = start + 16
    while (at < end - 4) {
      const length = this.optionLength(at, end - 4)
      if (length < 0) break
      const code = this.u16(at)
      if (code === OPT_ENDOFOPT) break
      if (code === IF_NAME) name = captureText(this.bytes.subarray(at + 4, at + 4 + length))
      else if (code === IF_TSRESOL && length === 1) setResolution(resolution, this.view.getUint8(at + 4))
      else if (code === IF_FCSLEN && length === 1) fcsBytes = this.view.getUint8(at + 4)
      else if (code === IF_TSOFFSET && length === 8) {
        resolution.offsetNs = this.view.getBigInt64(at + 4, this.littleEndian) * NS_PER_SECOND
      } else if (code === IF_TSRESOL || code === IF_FCSLEN || code === IF_TSOFFSET) {
        this.list.add(at + 2, `interface option ${code} of ${length} bytes; accepted: ${code === IF_TSOFFSET ? 8 : 1}`)
      }
      at += 4 + pad4(length)
    }
    this.interfaces.push({ linkType: this.u16(start + 8), name, snapLength: this.u32(start + 12), fcsBytes })
    this.resolutions.push(resolution)
  }

  /** Length of the option at `at`, or -1 (with a fault) where it does not fit before `end`. */
  private optionLength(at: number, end: number): number {
    const length = end - at < 4 ? -1 : this.u16(at + 2)
    if (length >= 0 && pad4(length) <= end - at - 4) return length
    this.list.add(
      at,
      length < 0 ? 'options end inside an option head' : `option of ${length} bytes passes the block's end`,
    )
    return -1
  }

  private readPacket(start: number, end: number, frame: CaptureFrame, type: number): boolean {
    if (end - start < PACKET_BYTES_MIN)
      return this.refuse(start, `packet block of ${end - start} bytes; accepted: from 32`)
    const id = type === PCAPNG_ENHANCED_PACKET ? this.u32(start + 8) : this.u16(start + 8)
    if (!this.checkInterface(start + 8, id)) return false
    const capturedBytes = this.u32(start + 20)
    const dataOffset = start + 28
    if (pad4(capturedBytes) > end - 4 - dataOffset) {
      return this.refuse(start + 20, `captured length ${capturedBytes} passes the block's end`)
    }
    if (!this.fillFrame(frame, start + 20, id, capturedBytes, this.u32(start + 24), dataOffset)) return false
    this.readTime(frame, start + 12)
    this.readPacketOptions(frame, dataOffset + pad4(capturedBytes), end - 4)
    return true
  }

  private readSimplePacket(start: number, end: number, frame: CaptureFrame): boolean {
    if (end - start < SIMPLE_PACKET_BYTES_MIN)
      return this.refuse(start, 'simple packet block of 12 bytes; accepted: from 16')
    if (!this.checkInterface(start, 0)) return false
    const originalBytes = this.u32(start + 8)
    const { snapLength } = this.interfaces[this.sectionInterfaceStart]
    const capturedBytes = snapLength === 0 ? originalBytes : Math.min(originalBytes, snapLength)
    if (pad4(capturedBytes) > end - 4 - (start + 12)) {
      return this.refuse(start + 8, `packet length ${originalBytes} passes the block's end`)
    }
    if (!this.fillFrame(frame, start + 8, 0, capturedBytes, originalBytes, start + 12)) return false
    // This block has no time; the last one known keeps the order.
    frame.timestampNs = this.lastTimestampNs
    return true
  }

  private refuse(offset: number, message: string): false {
    this.list.add(offset, message)
    return false
  }

  private checkInterface(offset: number, id: number): boolean {
    const known = this.interfaces.length - this.sectionInterfaceStart
    if (id < known) return true
    return this.refuse(offset, `packet of interface ${id}; this section has described ${known}`)
  }

  private fillFrame(
    frame: CaptureFrame,
    offset: number,
    id: number,
    capturedBytes: number,
    originalBytes: number,
    dataOffset: number,
  ): boolean {
    if (capturedBytes > CAPTURE_FRAME_BYTES_MAX) {
      return this.refuse(offset, `captured length ${capturedBytes}; accepted: 0 to ${CAPTURE_FRAME_BYTES_MAX}`)
    }
    const interfaceIndex = this.sectionInterfaceStart + id
    const { linkType, snapLength } = this.interfaces[interfaceIndex]
    if (snapLength !== 0 && capturedBytes > snapLength) {
      this.list.add(offset, `captured length ${capturedBytes} is above the interface's snapshot length ${snapLength}`)
    }
    if (originalBytes < capturedBytes) {
      this.list.add(offset, `original length ${originalBytes} is below the captured length ${capturedBytes}`)
    }
    frame.interfaceIndex = interfaceIndex
    frame.linkType = linkType
    frame.capturedBytes = capturedBytes
    frame.originalBytes = Math.max(originalBytes, capturedBytes)
    frame.dataOffset = dataOffset
    frame.commentOffset = 0
    frame.commentBytes = 0
    return true
  }

  private readTime(frame: CaptureFrame, at: number): void {
    const ticks = (BigInt(this.u32(at)) << 32n) | BigInt(this.u32(at + 4))
    const { multiplier, divisor, offsetNs } = this.resolutions[frame.interfaceIndex]
    const relativeNs = this.clock.relativeNs((ticks * multiplier) / divisor + offsetNs)
    if (!Number.isSafeInteger(relativeNs)) this.list.add(at, 'time is more than 104 days from the first frame')
    frame.timestampNs = relativeNs
    this.lastTimestampNs = relativeNs
  }

  private readPacketOptions(frame: CaptureFrame, start: number, end: number): void {
    let at = start
    while (at < end) {
      const length = this.optionLength(at, end)
      if (length < 0) return
      const code = this.u16(at)
      if (code === OPT_ENDOFOPT) return
      if (code === OPT_COMMENT && frame.commentOffset === 0) {
        frame.commentOffset = at + 4
        frame.commentBytes = length
      }
      at += 4 + pad4(length)
    }
  }
}

/** Next multiple of four; plain arithmetic because lengths in a hostile file reach 2^32. */
function pad4(length: number): number {
  return Math.ceil(length / 4) * 4
}

/** Powers of ten, or of two where the highest bit is set; up to 127 either way, so the numbers stay small. */
function setResolution(resolution: Resolution, code: number): void {
  const exponent = BigInt(code & 0x7f)
  if ((code & 0x80) !== 0) {
    resolution.multiplier = NS_PER_SECOND
    resolution.divisor = 1n << exponent
  } else if (exponent <= 9n) {
    resolution.multiplier = 10n ** (9n - exponent)
    resolution.divisor = 1n
  } else {
    resolution.multiplier = 1n
    resolution.divisor = 10n ** (exponent - 9n)
  }
}
