import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as wire from '../src/index.js'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u16 = fc.nat(0xffff)
const u8 = fc.nat(255)
const LEAD = 5

const fieldsArbitrary = fc
  .record({
    ethernet: fc.nat(1),
    dstHi: u16,
    dstLo: u32,
    srcHi: u16,
    srcLo: u32,
    vlanProto: fc.constantFrom(0, wire.ETH_P_8021Q, wire.ETH_P_8021AD),
    vlanTci: u16,
    tos: u8,
    ipId: u16,
    fragOff: fc.constantFrom(0, wire.IP_DF),
    ttl: u8,
    saddr: u32,
    daddr: u32,
    sport: u16,
    dport: u16,
    udpChecksum: fc.nat(1),
    tcpSeq: u32,
    tcpAck: u32,
    tcpFlags: fc.nat(0x1ff),
    tcpWindow: u16,
    payloadBytes: fc.nat(200),
    payloadPattern: u8,
    padToBytes: fc.constantFrom(0, 60),
    badIpChecksum: fc.nat(1),
    badL4Checksum: fc.nat(1),
  })
  .map((values) => Object.assign(new wire.FrameFields(), values))

const view = new DataView(new ArrayBuffer(70000))
const frame = new wire.ParsedFrame()

function parse(length: number, fields: wire.FrameFields, captured = length): number {
  const linkType = fields.ethernet === 1 ? wire.LINKTYPE_ETHERNET : wire.LINKTYPE_RAW
  return wire.parseFrame(frame, view, LEAD, captured, linkType, length)
}

function assertHead(fields: wire.FrameFields, length: number): void {
  if (fields.ethernet === 1) {
    assert.equal(
      [frame.dstHi, frame.dstLo, frame.srcHi, frame.srcLo],
      [fields.dstHi, fields.dstLo, fields.srcHi, fields.srcLo],
    )
    assert.equal([frame.vlanProto, frame.vlanTci], fields.vlanProto === 0 ? [0, 0] : [fields.vlanProto, fields.vlanTci])
  }
  assert.equal(
    [frame.etherType, frame.ipVersion, frame.ihl, frame.tos, frame.ipId, frame.fragOff, frame.ttl],
    [wire.ETH_P_IP, 4, 5, fields.tos, fields.ipId, fields.fragOff, fields.ttl],
  )
  assert.equal(
    [frame.saddr, frame.daddr, frame.sport, frame.dport],
    [fields.saddr, fields.daddr, fields.sport, fields.dport],
  )
  assert.is(frame.ipChecksumOk, 1 - fields.badIpChecksum)
  assert.is(frame.l4Offset, wire.frameHeadBytes(fields))
  assert.is(frame.payloadBytes, fields.payloadBytes)
  assert.is(frame.paddingBytes, length - frame.payloadOffset - frame.payloadBytes)
  for (let index = 0; index < fields.payloadBytes; index++) {
    assert.is(view.getUint8(LEAD + frame.payloadOffset + index), (fields.payloadPattern + index) & 255)
  }
}

test('UDP frames both ways', () => {
  fc.assert(
    fc.property(fieldsArbitrary, (fields) => {
      const length = wire.emitUdpFrame(view, LEAD, fields)
      assert.is(length, Math.max(fields.padToBytes, wire.frameHeadBytes(fields) + 8 + fields.payloadBytes))
      assert.is(parse(length, fields), 0)
      assertHead(fields, length)
      assert.is(frame.udpLengthBytes, 8 + fields.payloadBytes)
      const state = fields.badL4Checksum === 1 ? wire.L4_CHECKSUM_BAD : wire.L4_CHECKSUM_OK
      assert.is(frame.l4ChecksumState, fields.udpChecksum === 0 ? wire.L4_CHECKSUM_NONE : state)
    }),
    { numRuns: 1000 },
  )
})

test('TCP frames both ways, with options', () => {
  const options = new wire.TcpOptions()
  options.mss = 1460
  options.timestampPresent = 1
  options.tsVal = 0xfffffff0
  fc.assert(
    fc.property(fieldsArbitrary, fc.boolean(), (fields, withOptions) => {
      const length = wire.emitTcpFrame(view, LEAD, fields, withOptions ? options : undefined)
      assert.is(parse(length, fields), 0)
      assertHead(fields, length)
      assert.equal(
        [frame.tcpSeq, frame.tcpAck, frame.tcpFlags, frame.tcpWindow, frame.tcpDoff],
        [fields.tcpSeq, fields.tcpAck, fields.tcpFlags, fields.tcpWindow, withOptions ? 9 : 5],
      )
      assert.is(frame.l4ChecksumState, fields.badL4Checksum === 1 ? wire.L4_CHECKSUM_BAD : wire.L4_CHECKSUM_OK)
      const optionBytes = withOptions ? 16 : 0
      assert.is(frame.optionsHash, wire.tcpOptionsHash(view, LEAD + frame.l4Offset + 20, optionBytes))
    }),
    { numRuns: 1000 },
  )
})

/** Faults that cutting the frame on the wire may cause, by what the cut leaves. */
const CUT_FAULTS =
  wire.FAULT_LINK_SHORT | wire.FAULT_VLAN_SHORT | wire.FAULT_IP_SHORT | wire.FAULT_IP_TOT_LEN_LONG | wire.FAULT_L4_SHORT

test('a frame cut at any length never throws, and the fault says what is missing', () => {
  for (const vlanProto of [0, wire.ETH_P_8021Q]) {
    for (const emit of [wire.emitUdpFrame, wire.emitTcpFrame]) {
      const fields = Object.assign(new wire.FrameFields(), { vlanProto, saddr: 1, daddr: 2, payloadBytes: 30 })
      const length = emit(view, LEAD, fields)
      for (let kept = 0; kept < length; kept++) {
        // The bytes behind the cut do not exist at all, so a read past it would throw.
        const cut = new DataView(view.buffer.slice(LEAD, LEAD + kept))
        const fault = wire.parseFrame(frame, cut, 0, kept, wire.LINKTYPE_ETHERNET)
        assert.is.not(fault, 0, `${kept} of ${length} bytes`)
        assert.is(fault & ~CUT_FAULTS, 0, wire.faultNames(fault).join(' '))
        if (kept < 14) assert.is(fault, wire.FAULT_LINK_SHORT)
        else if (kept < wire.frameHeadBytes(fields) && kept >= 18) assert.is(fault, wire.FAULT_IP_SHORT)
        const truncated = wire.parseFrame(frame, cut, 0, kept, wire.LINKTYPE_ETHERNET, length)
        assert.ok((truncated & wire.FAULT_CAPTURE_TRUNCATED) !== 0)
        assert.is(truncated & wire.FAULT_IP_TOT_LEN_LONG, 0, 'the frame was whole on the wire')
        const parsedL4 = truncated === wire.FAULT_CAPTURE_TRUNCATED
        if (parsedL4) assert.is(frame.l4ChecksumState, wire.L4_CHECKSUM_UNVERIFIABLE)
        if (parsedL4) assert.is(frame.payloadBytes, 30)
      }
    }
  }
})

test('any bytes as any link type never throw', () => {
  const linkTypes = [0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 147]
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 120 }),
      fc.constantFrom(...linkTypes),
      fc.nat(200),
      (bytes, linkType, more) => {
        const exact = new DataView(Uint8Array.from(bytes).buffer)
        const fault = wire.parseFrame(frame, exact, 0, bytes.length, linkType, bytes.length + more)
        assert.is(frame.fault, fault)
        assert.ok(frame.payloadBytes >= 0 && frame.paddingBytes >= 0)
      },
    ),
    { numRuns: 5000 },
  )
})

test('a frame with any bytes changed never throws', () => {
  const options = new wire.TcpOptions()
  options.sackCount = 2
  const changes = fc.array(fc.tuple(fc.nat(99), u8), { minLength: 1, maxLength: 8 })
  const seen = new Set<number>()
  fc.assert(
    fc.property(fc.boolean(), fc.nat(100), changes, (isTcp, kept, list) => {
      const fields = Object.assign(new wire.FrameFields(), { saddr: 1, daddr: 2, payloadBytes: 40 })
      const length = isTcp ? wire.emitTcpFrame(view, 0, fields, options) : wire.emitUdpFrame(view, 0, fields)
      const bytes = new Uint8Array(view.buffer.slice(0, Math.min(length, 14 + kept)))
      for (const [at, byte] of list) if (at < bytes.length) bytes[at] = byte
      seen.add(wire.parseFrame(frame, new DataView(bytes.buffer), 0, bytes.length, wire.LINKTYPE_ETHERNET))
    }),
    { numRuns: 5000 },
  )
  assert.ok(seen.size > 5, 'the changes reach different checks')
})

/** A sound UDP frame with one change, and the fault it must give. */
function faultOf(change: (ip: number, l4: number) => void, isTcp = false): string[] {
  const fields = Object.assign(new wire.FrameFields(), { saddr: 1, daddr: 2, payloadBytes: 40 })
  const length = isTcp ? wire.emitTcpFrame(view, LEAD, fields) : wire.emitUdpFrame(view, LEAD, fields)
  change(LEAD + 14, LEAD + 34)
  parse(length, fields)
  return wire.faultNames(frame.fault)
}

test('each malformed field has its own fault', () => {
  assert.equal(
    faultOf(() => {}),
    [],
  )
  assert.equal(
    faultOf((ip) => view.setUint8(ip, 0x55)),
    ['IP_VERSION'],
  )
  assert.equal(
    faultOf((ip) => view.setUint8(ip, 0x44)),
    ['IP_IHL'],
  )
  assert.equal(
    faultOf((ip) => view.setUint16(ip + 2, 69)),
    ['IP_TOT_LEN_LONG'],
  )
  assert.equal(
    faultOf((ip) => view.setUint16(ip + 2, 19)),
    ['IP_TOT_LEN_SHORT'],
  )
  assert.equal(
    faultOf((ip) => view.setUint16(ip + 2, 27)),
    ['L4_SHORT'],
  )
  assert.equal(
    faultOf((_, l4) => view.setUint16(l4 + 4, 7)),
    ['UDP_LENGTH_SHORT'],
  )
  assert.is(frame.l4ChecksumState, wire.L4_CHECKSUM_UNVERIFIABLE)
  assert.equal(
    faultOf((_, l4) => view.setUint16(l4 + 4, 49)),
    ['UDP_LENGTH_LONG'],
  )
  assert.equal(
    faultOf((_, l4) => view.setUint8(l4 + 12, 0x40), true),
    ['TCP_DOFF_SHORT'],
  )
  assert.equal(
    faultOf((ip) => view.setUint16(ip + 2, 39), true),
    ['L4_SHORT'],
  )
  assert.equal(
    faultOf((_, l4) => {
      view.setUint8(l4 + 12, 0xf0)
      view.setUint16(l4 + 20, 0x0801)
    }, true),
    ['TCP_OPTIONS'],
  )
  assert.equal(
    faultOf((ip, l4) => {
      view.setUint16(ip + 2, 42)
      view.setUint8(l4 + 12, 0x60)
    }, true),
    ['TCP_DOFF_LONG'],
  )
  assert.equal(
    faultOf((ip) => view.setUint16(ip + 2, 40), true),
    [],
    'a shorter total length leaves padding',
  )
  assert.is(frame.paddingBytes, 40)
})

test('one tag goes into metadata, a second stays', () => {
  const fields = Object.assign(new wire.FrameFields(), { vlanProto: wire.ETH_P_8021AD, vlanTci: 7, payloadBytes: 20 })
  const length = wire.emitUdpFrame(view, LEAD, fields)
  view.setUint16(LEAD + 16, wire.ETH_P_8021Q)
  assert.is(parse(length, fields), 0)
  assert.equal(
    [frame.vlanProto, frame.vlanTci, frame.etherType, frame.networkOffset],
    [wire.ETH_P_8021AD, 7, wire.ETH_P_8021Q, 18],
  )
})

test('fragments: ports in the first only, and the first carries the checksum of the whole', () => {
  const fields = new wire.FrameFields()
  Object.assign(fields, { saddr: 3, daddr: 4, sport: 5, dport: 6, ipId: 9, payloadPattern: 77, datagramBytes: 8 + 100 })
  const whole = new Uint8Array(8 + 100)
  fields.fragOff = wire.IP_MF
  fields.payloadBytes = 56
  assert.is(parse(wire.emitUdpFrame(view, LEAD, fields), fields), 0)
  assert.equal([frame.sport, frame.dport, frame.udpLengthBytes, frame.payloadBytes], [5, 6, 108, 56])
  assert.is(frame.l4ChecksumState, wire.L4_CHECKSUM_UNVERIFIABLE)
  whole.set(new Uint8Array(view.buffer, LEAD + frame.l4Offset, 64))
  fields.fragOff = 8
  fields.payloadBytes = 44
  assert.is(parse(wire.emitUdpFrame(view, LEAD, fields), fields), 0)
  assert.equal([frame.sport, frame.dport, frame.payloadBytes], [0, 0, 44])
  whole.set(new Uint8Array(view.buffer, LEAD + frame.l4Offset, 44), 64)
  assert.ok(wire.udpChecksumIsRight(new DataView(whole.buffer), 0, 108, 3, 4))
  whole[107] ^= 1
  assert.not.ok(wire.udpChecksumIsRight(new DataView(whole.buffer), 0, 108, 3, 4))
})

test('a frame that does not fit is refused and nothing is written', () => {
  const small = new Uint8Array(60).fill(0xee)
  const fields = Object.assign(new wire.FrameFields(), { payloadBytes: 19 })
  for (const emit of [wire.emitUdpFrame, wire.emitTcpFrame]) assert.is(emit(new DataView(small.buffer), 0, fields), -1)
  assert.ok(small.every((byte) => byte === 0xee))
  fields.payloadBytes = 65535 - 28
  assert.is(wire.emitUdpFrame(view, 0, fields), 14 + 65535)
  fields.payloadBytes++
  assert.is(wire.emitUdpFrame(view, 0, fields), -1)
})

test('every link type finds the network header', () => {
  const fields = Object.assign(new wire.FrameFields(), { ethernet: 0, saddr: 1, daddr: 2, sport: 7, payloadBytes: 4 })
  const packet = new Uint8Array(32)
  wire.emitUdpFrame(new DataView(packet.buffer), 0, fields)
  const ipv6 = new Uint8Array(40)
  wire.emitIpv6(new DataView(ipv6.buffer), 0, 0, 0, 0, 59, 64, new Uint8Array(16), new Uint8Array(16))
  const sll = [0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0]
  const sll2 = [0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 9, 0, 0]
  const cases: [number, number[], number, Uint8Array][] = [
    [wire.LINKTYPE_RAW, [], 4, packet],
    [wire.LINKTYPE_RAW, [], 6, ipv6],
    [wire.LINKTYPE_RAW_BSD, [], 4, packet],
    [wire.LINKTYPE_RAW_OPENBSD, [], 6, ipv6],
    [wire.LINKTYPE_IPV4, [], 4, packet],
    [wire.LINKTYPE_IPV6, [], 6, ipv6],
    [wire.LINKTYPE_NULL, [2, 0, 0, 0], 4, packet],
    [wire.LINKTYPE_NULL, [0, 0, 0, 2], 4, packet],
    [wire.LINKTYPE_NULL, [30, 0, 0, 0], 6, ipv6],
    [wire.LINKTYPE_LOOP, [0, 0, 0, 24], 6, ipv6],
    [wire.LINKTYPE_LINUX_SLL, [...sll, 0x08, 0x00], 4, packet],
    [wire.LINKTYPE_LINUX_SLL2, [0x86, 0xdd, ...sll2], 6, ipv6],
  ]
  for (const [linkType, head, version, body] of cases) {
    const bytes = Uint8Array.of(...head, ...body)
    assert.is(wire.parseFrame(frame, new DataView(bytes.buffer), 0, bytes.length, linkType), 0, `link type ${linkType}`)
    assert.is(frame.ipVersion, version)
    assert.is(frame.networkOffset, head.length)
    assert.is(frame.etherType, version === 4 ? wire.ETH_P_IP : wire.ETH_P_IPV6)
    if (head.length >= 16) assert.equal([frame.packetType, frame.srcHi, frame.srcLo], [4, 0x0200, 9])
  }
  assert.is(wire.parseFrame(frame, view, 0, 60, 147), wire.FAULT_LINK_TYPE)
})

test('broadcast, multicast, ARP, ICMP and IGMP frames', () => {
  wire.emitEthernet(view, 0, 0xffff, 0xffffffff, 0x0200, 1, wire.ETH_P_ARP)
  wire.emitArp(view, 14, wire.ARPOP_REQUEST, 0x0200, 1, 0x0a000001, 0, 0, 0x0a000002)
  assert.is(wire.parseFrame(frame, view, 0, 60, wire.LINKTYPE_ETHERNET), 0)
  assert.equal(
    [frame.packetType, frame.arpOp, frame.saddr, frame.daddr, frame.paddingBytes],
    [wire.PACKET_BROADCAST, 1, 0x0a000001, 0x0a000002, 18],
  )
  assert.is(wire.parseFrame(frame, view, 0, 41, wire.LINKTYPE_ETHERNET), wire.FAULT_ARP_SHORT)

  wire.emitEthernet(view, 0, 0x0100, 0x5e000016, 0x0200, 1, wire.ETH_P_IP)
  wire.emitIpv4(view, 14, 0xc0, 28, 0, wire.IP_DF, 1, wire.IPPROTO_IGMP, 0x0a000001, 0xe0000016)
  wire.emitIgmp(view, 34, wire.IGMPV2_HOST_MEMBERSHIP_REPORT, 0, 0xe0000016)
  assert.is(wire.parseFrame(frame, view, 0, 60, wire.LINKTYPE_ETHERNET), 0)
  assert.equal(
    [frame.packetType, frame.protocol, frame.l4ChecksumState, frame.paddingBytes],
    [wire.PACKET_MULTICAST, 2, wire.L4_CHECKSUM_OK, 18],
  )

  wire.emitIpv4(view, 14, 0, 32, 0, 0, 64, wire.IPPROTO_ICMP, 0x0a000001, 0x0a000002)
  view.setUint32(42, 0x01020304)
  wire.emitIcmp(view, 34, wire.ICMP_ECHO, 0, 5, 12)
  assert.is(wire.parseFrame(frame, view, 0, 60, wire.LINKTYPE_ETHERNET), 0)
  assert.equal(
    [frame.icmpType, frame.icmpCode, frame.payloadBytes, frame.l4ChecksumState],
    [8, 0, 4, wire.L4_CHECKSUM_OK],
  )
  view.setUint8(45, 0)
  wire.parseFrame(frame, view, 0, 60, wire.LINKTYPE_ETHERNET)
  assert.is(frame.l4ChecksumState, wire.L4_CHECKSUM_BAD)
})

test('an ICMP message is summed up before its length is looked at', () => {
  const rows: readonly (readonly [string, number])[] = [
    ['', wire.L4_CHECKSUM_BAD],
    ['ff', wire.L4_CHECKSUM_BAD],
    ['ffff', wire.L4_CHECKSUM_OK],
    ['0800', wire.L4_CHECKSUM_BAD],
    ['0800f7ff', wire.L4_CHECKSUM_OK],
    ['0800f5fd010201', wire.L4_CHECKSUM_OK],
    ['0800f5fd0102', wire.L4_CHECKSUM_BAD],
    ['0800f6fd0102', wire.L4_CHECKSUM_OK],
  ]
  for (const [text, state] of rows) {
    const bytes = Buffer.from(text, 'hex')
    wire.emitEthernet(view, 0, 0x0200, 2, 0x0200, 1, wire.ETH_P_IP)
    wire.emitIpv4(view, 14, 0, 20 + bytes.length, 0, 0, 64, wire.IPPROTO_ICMP, 0x0a000001, 0x0a000002)
    new Uint8Array(view.buffer).fill(0, 34, 60)
    new Uint8Array(view.buffer).set(bytes, 34)
    assert.is(wire.parseFrame(frame, view, 0, 60, wire.LINKTYPE_ETHERNET), wire.FAULT_L4_SHORT, text)
    assert.equal([frame.l4ChecksumState, frame.icmpType], [state, 0], text)
  }
})

test('a source route tells where a packet ends up, and whether its checksum is right there', () => {
  const [here, there, beyond] = [0x0a000002, 0x0a000009, 0x0a00000a]
  const route = (type: number, pointer: number, stops: readonly number[]) => [
    type,
    3 + 4 * stops.length,
    pointer,
    ...stops.flatMap((stop) => [stop >>> 24, (stop >>> 16) & 255, (stop >>> 8) & 255, stop & 255]),
  ]
  const [LSRR, SSRR, NOP, END] = [131, 137, 1, 0]
  const rows: readonly (readonly [options: number[], offset: number, lastStop: number])[] = [
    [[NOP], 0, here],
    [route(LSRR, 4, [there]), 20, there],
    [[NOP, NOP, ...route(SSRR, 4, [there, beyond])], 22, beyond],
    [route(LSRR, 8, [there, beyond]), 20, beyond],
    [route(LSRR, 8, [there]), 20, here],
    [route(LSRR, 255, [there]), 20, here],
    [route(LSRR, 5, [there]), 20, here],
    [[END, ...route(LSRR, 4, [there])], 0, here],
    [[LSRR, 2, 4], 0, here],
  ]
  for (const [options, offset, lastStop] of rows) {
    for (const summedFor of [here, there, beyond]) {
      const padded = [...options, ...Array((4 - (options.length % 4)) % 4).fill(END)]
      const headerBytes = 20 + padded.length
      const bytes = new Uint8Array(view.buffer)
      wire.emitIpv4(view, 0, 0, headerBytes + 12, 0, 0, 64, wire.IPPROTO_UDP, 0x0a000001, here)
      view.setUint8(0, 0x40 | (headerBytes / 4))
      bytes.set(padded, 20)
      wire.emitIpv4Checksum(view, 0, headerBytes)
      bytes.set([1, 2, 3, 4, 0, 12, 0, 0, 5, 6, 7, 8], headerBytes)
      const pseudoSum = wire.pseudoHeaderSum(0x0a000001, summedFor, wire.IPPROTO_UDP, 12)
      view.setUint16(headerBytes + 6, ~wire.checksumPartial(view, headerBytes, 12, pseudoSum) & 0xffff)
      wire.parseFrame(frame, view, 0, headerBytes + 12, wire.LINKTYPE_RAW)
      const state = (isRight: boolean) => (isRight ? wire.L4_CHECKSUM_OK : wire.L4_CHECKSUM_BAD)
      assert.equal(
        [frame.sourceRouteOffset, frame.lastStop, frame.l4ChecksumState, frame.lastStopChecksumState],
        [offset, lastStop, state(summedFor === here), state(summedFor === lastStop)],
        String(options),
      )
    }
  }
})

test('a record that is used again keeps nothing of the frame before', () => {
  const fields = Object.assign(new wire.FrameFields(), { saddr: 1, daddr: 2, vlanProto: wire.ETH_P_8021Q, vlanTci: 3 })
  parse(wire.emitTcpFrame(view, LEAD, fields), fields)
  wire.parseFrame(frame, view, LEAD, 0, wire.LINKTYPE_ETHERNET)
  const fresh = new wire.ParsedFrame()
  fresh.fault = wire.FAULT_LINK_SHORT
  assert.equal({ ...frame }, { ...fresh })
})

test.run()
