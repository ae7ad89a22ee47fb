import {
  CaptureFrame,
  type CaptureInterface,
  ETH_HLEN,
  ETH_P_IP,
  emitEthernet,
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
  LINKTYPE_RAW_BSD,
  LINKTYPE_RAW_OPENBSD,
  linkEtherType,
  linkHeaderBytes,
  macHi,
  macLo,
  openCapture,
  PACKET_BROADCAST,
  PACKET_HOST,
  PACKET_MULTICAST,
} from '@softnet/wire'
import { MIN_FRAME_BYTES } from '../wire/components.js'

/** Source address of frames whose capture tells none: a locally administered one. */
export const SENDER_MAC = 0x02000000ff01
/** Hardware address that is no device's: where frames for another host go. */
export const OTHER_MAC = 0x02000000ff02
const BROADCAST_MAC = 0xffffffffffff
const ALL_HOSTS_MAC = 0x01005e000001
/** EtherType of frames whose link type is not known (IEEE: local experiments). */
const ETH_P_UNKNOWN = 0x88b5

/** One frame of a capture as Ethernet carries it. The record is filled again for each frame. */
export class EthernetFrame {
  /** Bytes, valid up to `capturedBytes`; the buffer is used again for the next frame. */
  bytes = new Uint8Array(0)
  capturedBytes = 0
  /** Length on the wire without FCS; a whole frame is padded to 60 bytes. */
  wireBytes = 0
  /** Time since the first frame, ns. */
  timestampNs = 0
}

function isRaw(linkType: number): boolean {
  return linkType === LINKTYPE_RAW || linkType === LINKTYPE_RAW_BSD || linkType === LINKTYPE_RAW_OPENBSD
}

/** Who the frame is for, told by the packet type of a cooked capture; other captures without addresses are for the device. */
function destination(view: DataView, at: number, linkType: number, deviceMac: number): number {
  let type = PACKET_HOST
  if (linkType === LINKTYPE_LINUX_SLL) type = view.getUint16(at)
  else if (linkType === LINKTYPE_LINUX_SLL2) type = view.getUint8(at + 10)
  if (type === PACKET_HOST) return deviceMac
  if (type === PACKET_BROADCAST) return BROADCAST_MAC
  return type === PACKET_MULTICAST ? ALL_HOSTS_MAC : OTHER_MAC
}

/** Calls `visit` with each frame of a capture, in file order, turned into Ethernet without FCS; faults of the file end it early. */
export function eachEthernetFrame(capture: Uint8Array, deviceMac: number, visit: (frame: EthernetFrame) => void): void {
  const reader = openCapture(capture)
  const record = new CaptureFrame()
  const out = new EthernetFrame()
  const view = new DataView(capture.buffer, capture.byteOffset, capture.byteLength)
  while (reader.next(record)) {
    const fcsBytes = (reader.interfaces[record.interfaceIndex] as CaptureInterface).fcsBytes
    const originalBytes = Math.max(0, record.originalBytes - fcsBytes)
    const capturedBytes = Math.min(record.capturedBytes, originalBytes)
    const known = linkHeaderBytes(record.linkType)
    const skipBytes = record.linkType === LINKTYPE_ETHERNET ? 0 : Math.min(Math.max(known, 0), capturedBytes)
    const addBytes = record.linkType === LINKTYPE_ETHERNET ? 0 : ETH_HLEN
    out.capturedBytes = capturedBytes - skipBytes + addBytes
    out.wireBytes = originalBytes - skipBytes + addBytes
    out.timestampNs = record.timestampNs
    if (out.bytes.length < out.capturedBytes) out.bytes = new Uint8Array(out.capturedBytes * 2)
    const at = record.dataOffset
    out.bytes.set(capture.subarray(at + skipBytes, at + capturedBytes), addBytes)
    if (addBytes !== 0) {
      const complete = known >= 0 && capturedBytes >= known
      let type = complete ? linkEtherType(record.linkType, view, at, capturedBytes) : ETH_P_UNKNOWN
      // Raw packets of an unknown version are given to IPv4, which says what is wrong with them.
      if (type === 0 && isRaw(record.linkType)) type = ETH_P_IP
      const mac = complete ? destination(view, at, record.linkType, deviceMac) : deviceMac
      const head = new DataView(out.bytes.buffer)
      emitEthernet(head, 0, macHi(mac), macLo(mac), macHi(SENDER_MAC), macLo(SENDER_MAC), type)
    }
    padShort(out)
    visit(out)
  }
}

/** A capture may hold frames as they were before the sender's card padded them (loopback, veth, its own). */
function padShort(frame: EthernetFrame): void {
  const { capturedBytes, wireBytes } = frame
  if (capturedBytes !== wireBytes || wireBytes < ETH_HLEN || wireBytes >= MIN_FRAME_BYTES) return
  if (frame.bytes.length < MIN_FRAME_BYTES) {
    const padded = new Uint8Array(MIN_FRAME_BYTES)
    padded.set(frame.bytes.subarray(0, capturedBytes))
    frame.bytes = padded
  } else frame.bytes.fill(0, capturedBytes, MIN_FRAME_BYTES)
  frame.capturedBytes = MIN_FRAME_BYTES
  frame.wireBytes = MIN_FRAME_BYTES
}
