import { internetSum } from './capture-file.js'
import { madeConversation } from './made-conversation.js'
import { madeRouting } from './made-routing.js'

const GAP_US = 20
const PROTOCOLS: Readonly<Record<string, number>> = { 'icmp.pcap': 1, 'echo.pcap': 1, 'gre.pcap': 47 }

/** A pcap file made for its name: UDP frames to 192.0.2.1:9000, with a source route, in frames to everybody, of another protocol, or both ways. */
export function madeCapture(path: string): Uint8Array {
  const frames =
    madeRouting(path) ??
    (path.startsWith('tcp-')
      ? madeConversation(path)
      : Array.from({ length: path === 'other.pcap' ? 8 : 24 }, (_, index) => frameOf(path, index)))
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(65_535, 16)
  header.writeUInt32LE(1, 20)
  const records = frames.map((frame, index) => {
    const record = Buffer.alloc(16)
    record.writeUInt32LE(1, 0)
    record.writeUInt32LE(index * GAP_US, 4)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    return Buffer.concat([record, frame])
  })
  return new Uint8Array(Buffer.concat([header, ...records]))
}

function frameOf(path: string, index: number): Buffer {
  const options = path === 'source-route.pcap' ? Buffer.from('83070cc0000201' + '00', 'hex') : Buffer.alloc(0)
  const destination = path === 'l2-multicast.pcap' ? 'ffffffffffff' : '020000000001'
  const ethernet = Buffer.from(`${destination}0211000000010800`, 'hex')
  const payload = Buffer.alloc(40 + index)
  const udp = Buffer.alloc(8)
  const protocol = PROTOCOLS[path] ?? 17
  const isStream = path === 'stream.pcap'
  // Every second datagram of a stream is an answer; echo requests begin with type and code.
  const isAnswer = isStream && index % 2 === 1
  const client = isStream ? 10_000 : protocol === 1 ? 0x0800 : 10_000 + (index % 4)
  udp.writeUInt16BE(isAnswer ? 9000 : client, 0)
  udp.writeUInt16BE(isAnswer ? client : 9000, 2)
  udp.writeUInt16BE(8 + payload.length, 4)
  if (path === 'echo.pcap') {
    udp.writeUInt16BE(0, 2)
    udp.writeUInt16BE(0xffff - internetSum(udp), 2)
  }
  const ip = Buffer.alloc(20 + options.length)
  ip.writeUInt8(0x45 + options.length / 4, 0)
  ip.writeUInt16BE(ip.length + udp.length + payload.length, 2)
  ip.writeUInt16BE(index, 4)
  ip.writeUInt8(64, 8)
  ip.writeUInt8(protocol, 9)
  Buffer.from(isAnswer ? 'c0000201c6336401' : 'c6336401c0000201', 'hex').copy(ip, 12)
  options.copy(ip, 20)
  ip.writeUInt16BE(0xffff - internetSum(ip), 10)
  return Buffer.concat([ethernet, ip, udp, payload])
}
