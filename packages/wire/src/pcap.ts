import {
  CAPTURE_FRAME_BYTES_MAX,
  CaptureClock,
  type CaptureFault,
  type CaptureFrame,
  type CaptureInterface,
  type CaptureReader,
  FaultList,
} from './capture.js'

/** Magic number of times in microseconds. */
export const PCAP_MAGIC_US = 0xa1b2c3d4
/** Magic number of times in nanoseconds. */
export const PCAP_MAGIC_NS = 0xa1b23c4d
/** Bytes of the file header. */
export const PCAP_FILE_HEADER_BYTES = 24
/** Bytes in front of each frame. */
export const PCAP_RECORD_HEADER_BYTES = 16

/** Whether the bytes begin with a magic number of classic pcap, in either byte order. */
export function isPcap(bytes: Uint8Array): boolean {
  return pcapByteOrder(bytes) !== 0
}

/** 1 little-endian, 2 big-endian, 0 not pcap. */
function pcapByteOrder(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset, 4)
  for (const magic of [PCAP_MAGIC_US, PCAP_MAGIC_NS]) {
    if (view.getUint32(0, true) === magic) return 1
    if (view.getUint32(0, false) === magic) return 2
  }
  return 0
}

/** Reader of classic pcap files (libpcap 2.x), both byte orders, microseconds and nanoseconds. */
export class PcapReader implements CaptureReader {
  readonly format = 'pcap'
  readonly interfaces: CaptureInterface[] = []
  private readonly list = new FaultList()
  private readonly clock = new CaptureClock()
  private readonly view: DataView
  private readonly littleEndian: boolean
  private nanosecondsPerTick = 1000
  private at = PCAP_FILE_HEADER_BYTES

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const order = pcapByteOrder(bytes)
    this.littleEndian = order === 1
    if (order === 0) this.stop(0, 'no pcap magic number; accepted: a1b2c3d4 (µs) and a1b23c4d (ns), either byte order')
    else if (bytes.length < PCAP_FILE_HEADER_BYTES)
      this.stop(0, `file of ${bytes.length} bytes ends inside the 24-byte pcap header`)
    else this.readHeader()
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

  private stop(offset: number, message: string): false {
    this.list.add(offset, message)
    this.at = this.view.byteLength
    return false
  }

  private readHeader(): void {
    if (this.view.getUint32(0, this.littleEndian) === PCAP_MAGIC_NS) this.nanosecondsPerTick = 1
    const major = this.view.getUint16(4, this.littleEndian)
    if (major !== 2) {
      this.stop(4, `pcap version ${major}.x; accepted: 2.x`)
      return
    }
    const snapLength = this.view.getUint32(16, this.littleEndian)
    const network = this.view.getUint32(20, this.littleEndian)
    // The upper bits tell whether and how many 16-bit units of FCS each frame ends with.
    const fcsBytes = (network & 0x04000000) !== 0 ? (network >>> 28) * 2 : 0
    this.interfaces.push({ linkType: network & 0xffff, name: '', snapLength, fcsBytes })
  }

  next(frame: CaptureFrame): boolean {
    const { view, littleEndian, at } = this
    const leftBytes = view.byteLength - at
    if (leftBytes <= 0) return false
    if (leftBytes < PCAP_RECORD_HEADER_BYTES)
      return this.stop(at, `file ends inside a record header (${leftBytes} of 16 bytes)`)
    const capturedBytes = view.getUint32(at + 8, littleEndian)
    if (capturedBytes > CAPTURE_FRAME_BYTES_MAX) {
      return this.stop(at + 8, `captured length ${capturedBytes}; accepted: 0 to ${CAPTURE_FRAME_BYTES_MAX}`)
    }
    if (capturedBytes > leftBytes - PCAP_RECORD_HEADER_BYTES) {
      return this.stop(
        at,
        `file ends inside a frame (${leftBytes - PCAP_RECORD_HEADER_BYTES} of ${capturedBytes} bytes)`,
      )
    }
    this.readTime(frame, at)
    const originalBytes = view.getUint32(at + 12, littleEndian)
    const { linkType, snapLength } = this.interfaces[0]
    if (snapLength !== 0 && capturedBytes > snapLength) {
      this.list.add(at + 8, `captured length ${capturedBytes} is above the file's snapshot length ${snapLength}`)
    }
    if (originalBytes < capturedBytes) {
      this.list.add(at + 12, `original length ${originalBytes} is below the captured length ${capturedBytes}`)
    }
    frame.interfaceIndex = 0
    frame.linkType = linkType
    frame.capturedBytes = capturedBytes
    frame.originalBytes = Math.max(originalBytes, capturedBytes)
    frame.dataOffset = at + PCAP_RECORD_HEADER_BYTES
    frame.commentOffset = 0
    frame.commentBytes = 0
    this.at = frame.dataOffset + capturedBytes
    return true
  }

  private readTime(frame: CaptureFrame, at: number): void {
    const seconds = this.view.getUint32(at, this.littleEndian)
    const ticks = this.view.getUint32(at + 4, this.littleEndian)
    const ns = ticks * this.nanosecondsPerTick
    if (ns >= 1e9) this.list.add(at + 4, `fraction of ${ticks} is a second or more`)
    frame.timestampNs = this.clock.relativeNs(BigInt(seconds) * 1_000_000_000n + BigInt(ns))
  }
}

/** What `pcapFileHeader` needs. */
export interface PcapHeaderOptions {
  /** Link type, `LINKTYPE_…`. */
  readonly linkType: number
  /** Longest frame kept, bytes; 262144 by default. */
  readonly snapLength?: number
  /** True for the byte order of big-endian machines. */
  readonly bigEndian?: boolean
  /** True for times in microseconds; nanoseconds by default. */
  readonly microseconds?: boolean
}

/** The 24 bytes at the start of a classic pcap file. */
export function pcapFileHeader(options: PcapHeaderOptions): Uint8Array {
  const bytes = new Uint8Array(PCAP_FILE_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  const littleEndian = options.bigEndian !== true
  view.setUint32(0, options.microseconds === true ? PCAP_MAGIC_US : PCAP_MAGIC_NS, littleEndian)
  view.setUint16(4, 2, littleEndian)
  view.setUint16(6, 4, littleEndian)
  view.setUint32(16, options.snapLength ?? CAPTURE_FRAME_BYTES_MAX, littleEndian)
  view.setUint32(20, options.linkType, littleEndian)
  return bytes
}

/**
 * One record: header and a copy of `data`; time in ns since 1970 (a safe integer), cut to µs where the file has
 * those.
 */
export function pcapRecord(
  options: PcapHeaderOptions,
  timestampNs: number,
  data: Uint8Array,
  originalBytes: number = data.length,
): Uint8Array {
  const bytes = new Uint8Array(PCAP_RECORD_HEADER_BYTES + data.length)
  const view = new DataView(bytes.buffer)
  const littleEndian = options.bigEndian !== true
  const seconds = Math.floor(timestampNs / 1e9)
  const ns = timestampNs - seconds * 1e9
  view.setUint32(0, seconds, littleEndian)
  view.setUint32(4, options.microseconds === true ? Math.floor(ns / 1000) : ns, littleEndian)
  view.setUint32(8, data.length, littleEndian)
  view.setUint32(12, originalBytes, littleEndian)
  bytes.set(data, PCAP_RECORD_HEADER_BYTES)
  return bytes
}
