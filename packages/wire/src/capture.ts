/** Faults kept by a reader; later ones are only counted, so a hostile file cannot fill the memory. */
export const CAPTURE_FAULTS_MAX = 100
/** Interfaces taken from one file; a file with more is refused from there on. */
export const CAPTURE_INTERFACES_MAX = 65536
/** Longest frame a capture file may hold, bytes, as libpcap limits it. */
export const CAPTURE_FRAME_BYTES_MAX = 262144

/** Something wrong with a capture file, for a list that a user reads. */
export interface CaptureFault {
  /** Position in the file, bytes. */
  readonly offset: number
  /** What was found and what is accepted. */
  readonly message: string
}

/** One interface of a capture file; classic pcap has exactly one. */
export interface CaptureInterface {
  /** Link type, `LINKTYPE_…`. */
  readonly linkType: number
  /** Name as the file gives it, control characters replaced; empty where it gives none. */
  readonly name: string
  /** Longest frame that the capture kept, bytes; 0 for no limit. */
  readonly snapLength: number
  /** Bytes of frame check sequence at the end of each frame; 0 where there is none or nothing is said. */
  readonly fcsBytes: number
}

/** One frame of a capture; a record is made once and filled again by `next`. */
export class CaptureFrame {
  /** Position in `CaptureReader.interfaces`. */
  interfaceIndex = 0
  /** Link type, `LINKTYPE_…`. */
  linkType = 0
  /** Time since the first frame of the file, ns, exact below 2^53; negative where the file goes back. */
  timestampNs = 0
  /** Bytes of the frame in the file. */
  capturedBytes = 0
  /** Bytes of the frame on the wire, at least `capturedBytes`. */
  originalBytes = 0
  /** Position of the first byte in the file. */
  dataOffset = 0
  /** Position of a comment (UTF-8) in the file; 0 where there is none. */
  commentOffset = 0
  /** Bytes of that comment. */
  commentBytes = 0
}

/** Reads the frames of a capture in file order; faults are values in a list, nothing is thrown. */
export interface CaptureReader {
  /** What the first bytes say. */
  readonly format: 'pcap' | 'pcapng' | 'unknown'
  /** Interfaces met so far, those of all sections in one list. */
  readonly interfaces: readonly CaptureInterface[]
  /** The first `CAPTURE_FAULTS_MAX` faults met so far. */
  readonly faults: readonly CaptureFault[]
  /** Number of all faults met so far. */
  readonly faultCount: number
  /** Absolute time of the first frame, ns since 1970; undefined before it and where the file has no times. */
  readonly firstTimestampNs: bigint | undefined
  /** Fills `frame` with the next frame; false at the end or where the file cannot be followed any further. */
  next(frame: CaptureFrame): boolean
}

/** The faults of one file, bounded. */
export class FaultList {
  /** The first `CAPTURE_FAULTS_MAX` faults. */
  readonly faults: CaptureFault[] = []
  /** Number of all faults. */
  count = 0

  /** Adds a fault, or only counts it when the list is full. */
  add(offset: number, message: string): void {
    this.count++
    if (this.faults.length < CAPTURE_FAULTS_MAX) this.faults.push({ offset, message })
  }
}

/** Turns absolute times into times since the first frame; BigInt is used here and nowhere behind it. */
export class CaptureClock {
  /** Absolute time of the first frame, ns since 1970. */
  firstNs: bigint | undefined = undefined

  /** Time since the first frame, ns; the first call sets it. */
  relativeNs(absoluteNs: bigint): number {
    if (this.firstNs === undefined) this.firstNs = absoluteNs
    return Number(absoluteNs - this.firstNs)
  }
}

/** Text for an interface name from a file: UTF-8, control characters replaced so that a terminal is safe. */
export function captureText(bytes: Uint8Array): string {
  // Not every decoder reads shared memory, so the few bytes are copied.
  const text = new TextDecoder().decode(Uint8Array.from(bytes))
  return text.replace(/\p{C}/gu, '\ufffd')
}
