import {
  createToeplitz,
  emitIpFrame,
  emitTcpFrame,
  emitUdpFrame,
  FAULT_IP_TOT_LEN_LONG,
  FAULT_LINK_SHORT,
  FrameFields,
  IP_MF,
  IPPROTO_ICMP,
  L4_CHECKSUM_OK,
  LINKTYPE_ETHERNET,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_RAW,
  MICROSOFT_RSS_KEY,
  macHi,
  macLo,
  ParsedFrame,
  parseFrame,
  parseMac,
  pcapFileHeader,
  pcapRecord,
  TCP_ACK,
  TCP_PSH,
} from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { ReplayByte, ReplayFrame } from '../src/traffic/components.js'
import { address, NO_REWRITE, replay, SECOND, wireWorld } from './support/wire-world.js'

const DEVICE_MAC = '02:11:22:33:44:55'

interface Record {
  readonly timeNs: number
  readonly bytes: Uint8Array
  readonly originalBytes?: number
}

function fields(change: Partial<FrameFields> = {}): FrameFields {
  const mac = parseMac(DEVICE_MAC)
  return Object.assign(
    new FrameFields(),
    { dstHi: macHi(mac), dstLo: macLo(mac), srcHi: 0x0200, srcLo: 9 },
    { saddr: address(77), daddr: address(88), sport: 1111, dport: 2222, payloadBytes: 100, ipId: 5 },
    change,
  )
}

function bytesOf(emit: (view: DataView) => number): Uint8Array {
  const buffer = new Uint8Array(4096)
  return buffer.slice(0, emit(new DataView(buffer.buffer)))
}

const udp = (change: Partial<FrameFields> = {}) => bytesOf((view) => emitUdpFrame(view, 0, fields(change)))
const tcp = (change: Partial<FrameFields> = {}) => bytesOf((view) => emitTcpFrame(view, 0, fields(change)))

function pcap(records: readonly Record[], linkType = LINKTYPE_ETHERNET): Uint8Array {
  const options = { linkType }
  const parts = [pcapFileHeader(options)]
  for (const r of records)
    parts.push(pcapRecord(options, 1e18 / 1e9 + r.timeNs, r.bytes, r.originalBytes ?? r.bytes.length))
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

type Row = { -readonly [K in keyof typeof Skb.schema]: number }

/** Rows of a replay in order of arrival. */
function rows(
  capture: Uint8Array,
  change: Parameters<typeof replay>[1] = {},
  dev: Parameters<typeof wireWorld>[0]['device'] = {},
) {
  const w = wireWorld({ traffic: [replay(capture, change)], device: dev })
  const k = w.world.columns(Skb)
  const seen: Row[] = []
  w.drain(100 * SECOND, (row, queue) => {
    const copy = {} as Row
    for (const name of Object.keys(Skb.schema) as (keyof Row)[]) copy[name] = k[name][row]
    // The driver writes the queue into the packet; here it is the lane the frame came on.
    copy.queue = queue
    seen.push(copy)
  })
  seen.sort((a, b) => a.serial - b.serial)
  return { w, seen }
}

test('frames come back with their fields, times, queue and bytes', () => {
  const frames = [udp({ tos: 0x10 }), tcp({ tcpSeq: 4e9, tcpAck: 7, tcpFlags: TCP_ACK | TCP_PSH, tcpWindow: 300 })]
  const { w, seen } = rows(
    pcap([
      { timeNs: 0, bytes: frames[0] as Uint8Array },
      { timeNs: 5000, bytes: frames[1] as Uint8Array },
    ]),
  )
  assert.is(seen.length, 2)
  const [u, t] = seen as [Row, Row]
  assert.is(u.arrivalPs, (142 + 24) * 800 + 500_000)
  assert.is(t.arrivalPs, 5_000_000 + (154 + 24) * 800 + 500_000)
  assert.is(u.saddr, address(77))
  assert.is(u.daddr, address(88))
  assert.is(u.ports, ((1111 << 16) | 2222) >>> 0)
  assert.is(u.ipWord, ((4 << 28) | (5 << 24) | (64 << 16) | (0x10 << 8) | 17) >>> 0)
  assert.is(u.udpLen, 108)
  assert.is(u.payload, 100)
  assert.is(u.totLen, 128)
  assert.is(u.packetType, PACKET_TYPE.host)
  assert.is(u.flags, SKB.csumUnnecessary | SKB.l4Hash)
  assert.is(u.idFrag >>> 16, 5)
  assert.is(t.tcpSeq, 4e9)
  assert.is(t.tcpAck, 7)
  assert.is(t.tcpWord, ((300 << 16) | (5 << 12) | TCP_ACK | TCP_PSH) >>> 0)
  assert.is(u.macHash, t.macHash)
  const hash = createToeplitz(MICROSOFT_RSS_KEY).hash4tuple(u.saddr, u.daddr, u.ports)
  assert.is(u.hash, hash)
  assert.is(u.queue, w.firstQueue + (hash & 3))
  const frame = w.world.columns(ReplayFrame)
  const { value } = w.world.columns(ReplayByte)
  seen.forEach((row, i) => {
    const first = frame.firstByte[row.page]
    assert.equal(Uint8Array.from(value.subarray(first, first + frame.capturedBytes[row.page])), frames[i])
  })
})

test('speed divides the gaps; a round begins one last gap after the end of the one before', () => {
  const capture = pcap([0, 10_000, 40_000].map((timeNs) => ({ timeNs, bytes: udp() })))
  const { seen } = rows(capture, { speed: 2, repeat: 3, startPs: 1000 })
  const start = (142 + 24) * 800 + 500_000
  assert.equal(
    seen.map((row) => row.arrivalPs - start),
    [0, 35e6, 70e6].flatMap((round) => [round + 1000, round + 5e6 + 1000, round + 20e6 + 1000]),
  )
})

test('a capture whose clock goes back is sent in file order without a pause', () => {
  const capture = pcap([5000, 1000, 9000].map((timeNs, i) => ({ timeNs, bytes: udp({ ipId: i }) })))
  const { seen } = rows(capture)
  assert.equal(
    seen.map((row) => row.idFrag >>> 16),
    [0, 1, 2],
  )
  assert.is(seen[2]!.arrivalPs - seen[0]!.arrivalPs, 4_000_000)
})

test('rewriting keeps right checksums right, wrong ones wrong and absent ones absent', () => {
  const frames = [
    udp(),
    tcp(),
    udp({ badL4Checksum: 1 }),
    udp({ badIpChecksum: 1 }),
    udp({ udpChecksum: 0 }),
    udp({ vlanProto: 0x8100, vlanTci: 12 }),
    udp({ fragOff: IP_MF, datagramBytes: 1000 }),
  ]
  const capture = pcap(frames.map((bytes, i) => ({ timeNs: i * 1000, bytes })))
  const rewrite = { saddr: 0xc0a80101, daddr: address(2), dmac: '02:aa:bb:cc:dd:ee', dport: 9000 }
  const { w, seen } = rows(capture, { rewrite }, { mac: '02:aa:bb:cc:dd:ee' })
  const verdicts = SKB.csumUnnecessary | SKB.csumBad | SKB.csumZero | SKB.ipCsumBad
  assert.equal(
    seen.map((row) => row.flags & verdicts),
    [SKB.csumUnnecessary, SKB.csumUnnecessary, SKB.csumBad, SKB.ipCsumBad, SKB.csumZero, SKB.csumUnnecessary, 0],
  )
  const frame = w.world.columns(ReplayFrame)
  const { value } = w.world.columns(ReplayByte)
  const parsed = new ParsedFrame()
  for (const row of seen) {
    assert.is(row.saddr, 0xc0a80101)
    assert.is(row.daddr, address(2))
    assert.is(row.ports & 0xffff, 9000)
    assert.is(row.packetType, PACKET_TYPE.host)
    const bytes = Uint8Array.from(
      value.subarray(frame.firstByte[row.page], frame.firstByte[row.page] + frame.capturedBytes[row.page]),
    )
    parseFrame(parsed, new DataView(bytes.buffer), 0, bytes.length, LINKTYPE_ETHERNET)
    assert.is(parsed.daddr, address(2))
    assert.is(parsed.ipChecksumOk, (row.flags & SKB.ipCsumBad) === 0 ? 1 : 0)
    if ((row.flags & SKB.csumUnnecessary) !== 0) assert.is(parsed.l4ChecksumState, L4_CHECKSUM_OK)
  }
  assert.is(seen[5]!.vlanTci, 12)
  assert.is(seen[5]!.len, seen[5]!.wireBytes - 4)
})

test('packet type follows from the hardware address', () => {
  const to = (mac: string) => udp({ dstHi: macHi(parseMac(mac)), dstLo: macLo(parseMac(mac)) })
  const macs = [DEVICE_MAC, '02:99:99:99:99:99', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01']
  const { seen } = rows(pcap(macs.map((mac, i) => ({ timeNs: i * 1000, bytes: to(mac) }))))
  assert.equal(
    seen.map((row) => row.packetType),
    [PACKET_TYPE.host, PACKET_TYPE.otherhost, PACKET_TYPE.broadcast, PACKET_TYPE.multicast],
  )
})

test('raw IP and cooked captures become Ethernet frames for the device', () => {
  const packet = udp({ ethernet: 0, payloadBytes: 4 })
  const raw = rows(pcap([{ timeNs: 0, bytes: packet }], LINKTYPE_RAW))
  const [row] = raw.seen as [Row]
  assert.is(row.packetType, PACKET_TYPE.host)
  assert.is(row.wireBytes, 60)
  assert.ok((row.flags & SKB.padded) !== 0)
  assert.is(row.totLen, 32)
  assert.is(row.ports & 0xffff, 2222)
  const cooked = (type: number) => {
    const bytes = new Uint8Array(16 + packet.length)
    bytes[1] = type
    bytes[14] = 8
    bytes.set(packet, 16)
    return bytes
  }
  const types = [0, 1, 2, 3, 4].map((type) => ({ timeNs: type * 1000, bytes: cooked(type) }))
  assert.equal(
    rows(pcap(types, LINKTYPE_LINUX_SLL)).seen.map((r) => r.packetType),
    [PACKET_TYPE.host, PACKET_TYPE.broadcast, PACKET_TYPE.multicast, PACKET_TYPE.otherhost, PACKET_TYPE.otherhost],
  )
})

test('icmp carries type and code; frames that are not IP go to the first queue without a hash', () => {
  const icmp = bytesOf((view) => emitIpFrame(view, 0, fields({ protocol: IPPROTO_ICMP, payloadBytes: 40 })))
  const arp = new Uint8Array(60)
  arp.set([255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6])
  const { w, seen } = rows(
    pcap([
      { timeNs: 0, bytes: icmp },
      { timeNs: 1000, bytes: arp },
    ]),
  )
  const [i, a] = seen as [Row, Row]
  assert.is(i.tcpWord, 0x0100, 'the pattern starts with bytes 0 and 1')
  assert.is(i.flags & SKB.l4Hash, 0)
  assert.is(a.protocol, 0x0806)
  assert.is(a.hash, 0)
  assert.is(a.queue, w.firstQueue)
  assert.is(a.ipWord, 0)
})

test('malformed and truncated frames are ordinary input', () => {
  const whole = udp()
  const long = udp()
  new DataView(long.buffer).setUint16(16, 2000)
  const frames: Record[] = [
    { timeNs: 0, bytes: new Uint8Array(5) },
    { timeNs: 1000, bytes: long },
    { timeNs: 2000, bytes: whole.slice(0, 60), originalBytes: whole.length },
  ]
  for (let cut = 0; cut < whole.length; cut++) frames.push({ timeNs: 3000 + cut, bytes: whole.slice(0, cut) })
  const { seen } = rows(pcap(frames))
  assert.is(seen.length, frames.length)
  assert.is(seen[0]!.faults & FAULT_LINK_SHORT, FAULT_LINK_SHORT)
  assert.is(seen[1]!.faults & FAULT_IP_TOT_LEN_LONG, FAULT_IP_TOT_LEN_LONG)
  // The frame on the wire was whole, whatever the capture kept.
  assert.is(seen[2]!.wireBytes, whole.length)
  assert.is(seen[2]!.flags, SKB.csumUnnecessary | SKB.l4Hash)
})

test('a short frame is padded before anything is read from it', () => {
  const packet = udp({ payloadBytes: 4 })
  const long = packet.slice()
  new DataView(long.buffer).setUint16(16, 46)
  const cut = packet.slice(0, 30)
  const { seen } = rows(pcap([packet, long, cut].map((bytes, i) => ({ timeNs: i * 1000, bytes }))))
  for (const row of seen) assert.equal([row.wireBytes, row.len], [60, 60])
  // 46 bytes of IP are there, the header's own and the sender's padding: nothing is missing.
  assert.equal(
    seen.map((row) => row.faults & FAULT_IP_TOT_LEN_LONG),
    [0, 0, 0],
  )
  assert.equal(
    seen.map((row) => row.totLen),
    [32, 46, 32],
  )
  assert.ok((seen[2]!.flags & SKB.ipCsumBad) !== 0, 'the cut took a part of the header away')
})

test('no file, or one that is no capture, sends nothing', () => {
  assert.is(rows(new Uint8Array(0)).seen.length, 0)
  assert.is(rows(new Uint8Array(100).fill(65)).seen.length, 0)
  assert.is(rows(pcap([]), { rewrite: NO_REWRITE }).seen.length, 0)
})

test.run()
