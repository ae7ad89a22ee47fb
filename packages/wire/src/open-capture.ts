import { CaptureFrame, type CaptureReader, FaultList } from './capture.js'
import { isPcap, PcapReader } from './pcap.js'
import { isPcapng, PcapngReader } from './pcapng.js'

/** A reader for the bytes of a whole capture file, pcap or pcapng by its first bytes; other files give a fault. */
export function openCapture(bytes: Uint8Array): CaptureReader {
  if (isPcapng(bytes)) return new PcapngReader(bytes)
  if (isPcap(bytes)) return new PcapReader(bytes)
  const list = new FaultList()
  list.add(0, describeUnknown(bytes))
  return {
    format: 'unknown',
    interfaces: [],
    faults: list.faults,
    faultCount: list.count,
    firstTimestampNs: undefined,
    next: () => false,
  }
}

/** All frames of a reader, one new record each, in file order. */
export function* captureFrames(reader: CaptureReader): Generator<CaptureFrame, void, undefined> {
  let frame = new CaptureFrame()
  while (reader.next(frame)) {
    yield frame
    frame = new CaptureFrame()
  }
}

function describeUnknown(bytes: Uint8Array): string {
  const accepted = 'accepted: pcap (µs or ns) and pcapng'
  if (bytes.length === 0) return `the file is empty; ${accepted}`
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return `the file is compressed with gzip; ${accepted}, not compressed`
  if (bytes[0] === 0x28 && bytes[1] === 0xb5) return `the file is compressed with zstd; ${accepted}, not compressed`
  const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `the file begins with ${magic}, which is no capture; ${accepted}`
}
