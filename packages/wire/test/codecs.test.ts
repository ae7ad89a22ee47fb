import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as wire from '../src/index.js'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const u16 = fc.nat(0xffff)
const u8 = fc.nat(255)

/** A buffer with a header at an odd place and a known byte around it. */
function room(bytes: number): { view: DataView; bytes: Uint8Array; at: number } {
  const array = new Uint8Array(bytes + 6).fill(0xee)
  return { view: new DataView(array.buffer), bytes: array, at: 3 }
}

function assertUntouched(bytes: Uint8Array, at: number, length: number): void {
  bytes.forEach((byte, index) => {
    if (index < at || index >= at + length) assert.is(byte, 0xee, `byte ${index} outside the header was written`)
  })
}

test('Ethernet and VLAN both ways', () => {
  fc.assert(
    fc.property(u16, u32, u16, u32, u16, (dstHi, dstLo, srcHi, srcLo, type) => {
      const { view, bytes, at } = room(14)
      assert.is(wire.emitEthernet(view, at, dstHi, dstLo, srcHi, srcLo, type), 14)
      assertUntouched(bytes, at, 14)
      assert.is(wire.ethernetDstHi(view, at), dstHi)
      assert.is(wire.ethernetDstLo(view, at), dstLo)
      assert.is(wire.ethernetSrcHi(view, at), srcHi)
      assert.is(wire.ethernetSrcLo(view, at), srcLo)
      assert.is(wire.ethernetTypeField(view, at), type)
    }),
  )
  fc.assert(
    fc.property(fc.nat(7), fc.nat(1), fc.nat(4095), u16, (priority, dropEligible, id, inner) => {
      const { view, bytes, at } = room(4)
      const tci = wire.makeVlanTci(priority, dropEligible, id)
      wire.emitVlan(view, at, tci, inner)
      assertUntouched(bytes, at, 4)
      assert.is(wire.vlanTci(view, at), tci)
      assert.is(wire.vlanPriority(tci), priority)
      assert.is((tci >>> 12) & 1, dropEligible)
      assert.is(wire.vlanId(tci), id)
      assert.is(wire.vlanInnerType(view, at), inner)
    }),
  )
})

test('802.3 lengths become Linux types', () => {
  const view = new DataView(new ArrayBuffer(20))
  view.setUint16(12, 0x5ff)
  assert.is(wire.ethernetProtocol(view, 0, 20), wire.ETH_P_802_2)
  view.setUint16(14, 0xffff)
  assert.is(wire.ethernetProtocol(view, 0, 20), wire.ETH_P_802_3)
  assert.is(wire.ethernetProtocol(view, 0, 15), wire.ETH_P_802_2)
  view.setUint16(12, 0x600)
  assert.is(wire.ethernetProtocol(view, 0, 20), 0x600)
})

test('ARP both ways and its faults', () => {
  fc.assert(
    fc.property(u16, u16, u32, u32, u16, u32, u32, (op, shaHi, shaLo, spa, thaHi, thaLo, tpa) => {
      const { view, bytes, at } = room(28)
      assert.is(wire.emitArp(view, at, op, shaHi, shaLo, spa, thaHi, thaLo, tpa), 28)
      assertUntouched(bytes, at, 28)
      assert.is(wire.checkArp(view, at, 28), 0)
      assert.is(wire.checkArp(view, at, 27), wire.FAULT_ARP_SHORT)
      const read = [
        wire.arpOp,
        wire.arpSenderHi,
        wire.arpSenderLo,
        wire.arpSenderIp,
        wire.arpTargetHi,
        wire.arpTargetLo,
        wire.arpTargetIp,
      ]
      assert.equal(
        read.map((get) => get(view, at)),
        [op, shaHi, shaLo, spa, thaHi, thaLo, tpa],
      )
      for (const field of [0, 2, 4, 5]) {
        view.setUint8(at + field, view.getUint8(at + field) ^ 0x40)
        assert.is(wire.checkArp(view, at, 28), wire.FAULT_ARP_FORMAT)
        view.setUint8(at + field, view.getUint8(at + field) ^ 0x40)
      }
    }),
  )
})

test('IPv4 both ways, with a right checksum that one flipped bit makes wrong', () => {
  fc.assert(
    fc.property(
      u8,
      fc.integer({ min: 20, max: 0xffff }),
      u16,
      u16,
      u8,
      u8,
      u32,
      u32,
      fc.nat(159),
      (tos, totLen, id, fragOff, ttl, protocol, saddr, daddr, bit) => {
        const { view, bytes, at } = room(20)
        assert.is(wire.emitIpv4(view, at, tos, totLen, id, fragOff, ttl, protocol, saddr, daddr), 20)
        assertUntouched(bytes, at, 20)
        const read = [
          wire.ipv4Tos,
          wire.ipv4TotLen,
          wire.ipv4Id,
          wire.ipv4FragOff,
          wire.ipv4Ttl,
          wire.ipv4Protocol,
          wire.ipv4Saddr,
          wire.ipv4Daddr,
        ]
        assert.equal(
          read.map((get) => get(view, at)),
          [tos, totLen, id, fragOff, ttl, protocol, saddr, daddr],
        )
        assert.is(wire.checkIpv4(view, at, 20, totLen), 0)
        assert.ok(wire.ipv4ChecksumIsRight(view, at, 20))
        assert.is(wire.ipv4IsFragment(fragOff), (fragOff & 0x3fff) !== 0)
        bytes[at + (bit >>> 3)] ^= 1 << (bit & 7)
        assert.not.ok(wire.ipv4ChecksumIsRight(view, at, 20))
      },
    ),
  )
})

test('IPv4 checks come in the order of ip_rcv_core', () => {
  const { view, at } = room(24)
  wire.emitIpv4(view, at, 0, 40, 1, 0, 64, 17, 1, 2)
  const check = (available: number, packet: number) => wire.checkIpv4(view, at, available, packet)
  assert.is(check(19, 40), wire.FAULT_IP_SHORT)
  assert.is(check(20, 39), wire.FAULT_IP_TOT_LEN_LONG)
  view.setUint8(at, 0x46)
  assert.is(check(23, 40), wire.FAULT_IP_OPTIONS_SHORT)
  assert.is(check(24, 40), 0)
  view.setUint16(at + 2, 23)
  assert.is(check(24, 40), wire.FAULT_IP_TOT_LEN_SHORT)
  view.setUint8(at, 0x44)
  assert.is(check(24, 40), wire.FAULT_IP_IHL)
  view.setUint8(at, 0x65)
  assert.is(check(24, 40), wire.FAULT_IP_VERSION)
})

test('IPv4 options', () => {
  const check = (...options: number[]) => {
    const bytes = new Uint8Array(20 + options.length)
    bytes.set(options, 20)
    return wire.checkIpv4Options(new DataView(bytes.buffer), 0, bytes.length)
  }
  assert.is(check(), 0)
  assert.is(check(1, 1, 1, 0), 0)
  assert.is(check(0, 99, 99, 99), 0, 'nothing counts behind the end')
  assert.is(check(7, 7, 4, 0, 0, 0, 0, 0), 0, 'record route with room for one address')
  assert.is(check(7, 7, 8, 0, 0, 0, 0, 0), 0, 'record route that is full')
  assert.is(check(68, 8, 5, 0, 0, 0, 0, 0), 0, 'time stamp')
  assert.is(check(148, 4, 0, 0), 0, 'router alert')
  for (const bad of [
    [1, 1, 1, 7],
    [7, 1, 0, 0],
    [7, 5, 4, 0],
    [7, 7, 3, 0, 0, 0, 0, 0],
    [7, 7, 5, 0, 0, 0, 0, 0],
    [7, 3, 4, 7, 3, 4, 0, 0],
    [131, 3, 4, 137, 3, 4, 0, 0],
    [68, 3, 5, 0],
    [68, 8, 4, 0, 0, 0, 0, 0],
    [68, 8, 5, 1, 0, 0, 0, 0],
    [68, 4, 5, 0xf0],
    [148, 2, 0, 0],
  ]) {
    assert.is(check(...bad), wire.FAULT_IP_OPTIONS, bad.join(' '))
  }
})

test('IPv6 fixed header both ways', () => {
  const address = fc.uint8Array({ minLength: 16, maxLength: 16 })
  fc.assert(
    fc.property(
      u8,
      fc.nat(0xfffff),
      u16,
      u8,
      u8,
      address,
      address,
      (tclass, label, payload, next, hops, saddr, daddr) => {
        const { view, bytes, at } = room(40)
        assert.is(wire.emitIpv6(view, at, tclass, label, payload, next, hops, saddr, daddr), 40)
        assertUntouched(bytes, at, 40)
        const read = [
          wire.ipv6TrafficClass,
          wire.ipv6FlowLabel,
          wire.ipv6PayloadBytes,
          wire.ipv6NextHeader,
          wire.ipv6HopLimit,
        ]
        assert.equal(
          read.map((get) => get(view, at)),
          [tclass, label, payload, next, hops],
        )
        assert.equal(bytes.slice(wire.ipv6SaddrOffset(at), wire.ipv6SaddrOffset(at) + 16), saddr)
        assert.equal(bytes.slice(wire.ipv6DaddrOffset(at), wire.ipv6DaddrOffset(at) + 16), daddr)
        assert.is(wire.checkIpv6(view, at, 40, 40 + payload), 0)
        assert.is(wire.checkIpv6(view, at, 40, 39 + payload), wire.FAULT_IP_TOT_LEN_LONG)
        assert.is(wire.checkIpv6(view, at, 39, 40 + payload), wire.FAULT_IP_SHORT)
        view.setUint8(at, 0x45)
        assert.is(wire.checkIpv6(view, at, 40, 40 + payload), wire.FAULT_IP_VERSION)
      },
    ),
  )
})

test('UDP both ways; a checksum of 0 is sent as 0xffff', () => {
  fc.assert(
    fc.property(u16, u16, u32, u32, fc.uint8Array({ maxLength: 64 }), (sport, dport, saddr, daddr, payload) => {
      const length = 8 + payload.length
      const { view, bytes, at } = room(length)
      bytes.set(payload, at + 8)
      assert.is(wire.emitUdp(view, at, sport, dport, length), 8)
      assert.ok(wire.udpChecksumIsRight(view, at, length, saddr, daddr), 'no checksum is right')
      const check = wire.emitUdpChecksum(view, at, length, saddr, daddr)
      assertUntouched(bytes, at, length)
      assert.equal(
        [wire.udpSport, wire.udpDport, wire.udpLength, wire.udpCheck].map((get) => get(view, at)),
        [sport, dport, length, check],
      )
      assert.ok(check !== 0 && wire.udpChecksumIsRight(view, at, length, saddr, daddr))
      assert.not.ok(wire.udpChecksumIsRight(view, at, length, saddr ^ 1, daddr))
      assert.is(wire.checkUdp(view, at, length, length), 0)
      assert.is(wire.checkUdp(view, at, 7, length), wire.FAULT_L4_SHORT)
      assert.is(wire.checkUdp(view, at, 8, length - 1), wire.FAULT_UDP_LENGTH_LONG)
      view.setUint16(at + 4, 7)
      assert.is(wire.checkUdp(view, at, 8, length), wire.FAULT_UDP_LENGTH_SHORT)
    }),
  )
  const { view, at } = room(8)
  wire.emitUdp(view, at, 0xffff - 17 - 16, 0, 8)
  assert.is(wire.emitUdpChecksum(view, at, 8, 0, 0), 0xffff)
})

test('TCP both ways', () => {
  fc.assert(
    fc.property(
      u16,
      u16,
      u32,
      u32,
      fc.integer({ min: 5, max: 15 }),
      fc.nat(0xfff),
      u16,
      u16,
      (sport, dport, seq, ack, doff, flags, window, urgent) => {
        const length = doff * 4
        const { view, bytes, at } = room(length)
        assert.is(wire.emitTcp(view, at, sport, dport, seq, ack, length, flags, window, urgent), length)
        const check = wire.emitTcpChecksum(view, at, length, 0x0a000001, 0x0a000002)
        assertUntouched(bytes, at, length)
        const read = [
          wire.tcpSport,
          wire.tcpDport,
          wire.tcpSeq,
          wire.tcpAck,
          wire.tcpDoff,
          wire.tcpFlags,
          wire.tcpWindow,
          wire.tcpCheck,
          wire.tcpUrgent,
        ]
        assert.equal(
          read.map((get) => get(view, at)),
          [sport, dport, seq, ack, doff, flags, window, check, urgent],
        )
        assert.ok(wire.tcpChecksumIsRight(view, at, length, 0x0a000001, 0x0a000002))
        assert.not.ok(wire.tcpChecksumIsRight(view, at, length, 0x0a000001, 0x0a000003))
        assert.is(wire.checkTcp(view, at, 20, length), 0)
        assert.is(wire.checkTcp(view, at, 19, length), wire.FAULT_L4_SHORT)
        assert.is(wire.checkTcp(view, at, 20, length - 1), wire.FAULT_TCP_DOFF_LONG)
        view.setUint8(at + 12, 0x40)
        assert.is(wire.checkTcp(view, at, 20, 60), wire.FAULT_TCP_DOFF_SHORT)
      },
    ),
  )
})

function makeOptions(
  mss: number,
  scale: number,
  sackOk: number,
  stamps: number,
  tsVal: number,
  tsEcr: number,
  edges: readonly number[],
): wire.TcpOptions {
  const options = new wire.TcpOptions()
  options.mss = mss
  options.windowScale = scale
  options.sackPermitted = sackOk
  options.timestampPresent = stamps
  options.tsVal = stamps === 0 ? 0 : tsVal
  options.tsEcr = stamps === 0 ? 0 : tsEcr
  options.sackCount = edges.length / 2
  edges.forEach((edge, index) => {
    options.sackEdges[index] = edge
  })
  return options
}

const tcpOptions = fc
  .tuple(
    u16,
    fc.integer({ min: -1, max: 14 }),
    fc.nat(1),
    fc.nat(1),
    u32,
    u32,
    fc.array(fc.tuple(u32, u32), { maxLength: 4 }),
  )
  .map(([mss, scale, sackOk, stamps, tsVal, tsEcr, blocks]) =>
    makeOptions(mss, scale, sackOk, stamps, tsVal, tsEcr, blocks.flat()),
  )

test('TCP options both ways', () => {
  const read = new wire.TcpOptions()
  fc.assert(
    fc.property(tcpOptions, (options) => {
      const length = wire.tcpOptionsBytes(options)
      const { view, bytes, at } = room(length)
      assert.is(wire.emitTcpOptions(view, at, options), length)
      assertUntouched(bytes, at, length)
      assert.is(wire.checkTcpOptions(view, at, length), 0)
      assert.is(wire.parseTcpOptions(view, at, length, read), 0)
      const used = options.sackCount * 2
      assert.equal(
        { ...read, sackEdges: [...read.sackEdges.slice(0, used)] },
        { ...options, sackEdges: [...options.sackEdges.slice(0, used)] },
      )
    }),
  )
  const syn = makeOptions(1460, 7, 1, 1, 1000, 0, [])
  const { bytes, view, at } = room(20)
  wire.emitTcpOptions(view, at, syn)
  assert.is(Buffer.from(bytes.subarray(at, at + 20)).toString('hex'), '020405b40402080a000003e80000000001030307')
  assert.is(wire.formatTcpOptions(syn), 'mss 1460,sackOK,TS val 1000 ecr 0,wscale 7')
})

test('broken TCP options are a fault, and what stood before them is kept', () => {
  const read = new wire.TcpOptions()
  const parse = (...options: number[]) => {
    const view = new DataView(Uint8Array.from(options).buffer)
    const fault = wire.parseTcpOptions(view, 0, options.length, read)
    assert.is(wire.checkTcpOptions(view, 0, options.length), fault)
    return fault
  }
  assert.is(parse(2, 4, 5, 180, 3, 0, 7, 0), wire.FAULT_TCP_OPTIONS)
  assert.is(read.mss, 1460)
  assert.is(read.windowScale, -1)
  assert.is(parse(1, 1, 1, 8), wire.FAULT_TCP_OPTIONS)
  assert.is(parse(8, 11, 0, 0, 0, 0, 0, 0, 0, 0), wire.FAULT_TCP_OPTIONS)
  assert.is(parse(2, 3, 9, 0), 0, 'a wrong length for the kind is passed over')
  assert.is(read.mss, 0)
  assert.is(parse(0, 8, 99, 1), 0)
  assert.is(parse(5, 9, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1), 0)
  assert.is(read.sackCount, 0)
})

test('equal option bytes hash equally and changed ones do not', () => {
  fc.assert(
    fc.property(tcpOptions, fc.nat(), (options, which) => {
      const length = wire.tcpOptionsBytes(options)
      if (length === 0) return
      const first = room(length)
      const second = new Uint8Array(length)
      wire.emitTcpOptions(first.view, first.at, options)
      second.set(first.bytes.subarray(first.at, first.at + length))
      const hash = wire.tcpOptionsHash(first.view, first.at, length)
      assert.is(wire.tcpOptionsHash(new DataView(second.buffer), 0, length), hash)
      second[which % length] ^= 1 << (which & 7)
      assert.is.not(wire.tcpOptionsHash(new DataView(second.buffer), 0, length), hash)
    }),
  )
})

test('ICMP and IGMP both ways', () => {
  fc.assert(
    fc.property(u8, u8, u32, fc.uint8Array({ maxLength: 40 }), (type, code, rest, payload) => {
      const { view, bytes, at } = room(8 + payload.length)
      bytes.set(payload, at + 8)
      assert.is(wire.emitIcmp(view, at, type, code, rest, 8 + payload.length), 8)
      assertUntouched(bytes, at, 8 + payload.length)
      assert.equal(
        [wire.icmpType, wire.icmpCode, wire.icmpRest, wire.icmpEchoId, wire.icmpEchoSequence].map((get) =>
          get(view, at),
        ),
        [type, code, rest, rest >>> 16, rest & 0xffff],
      )
      assert.ok(wire.icmpChecksumIsRight(view, at, 8 + payload.length))
      view.setUint8(at, type ^ 0x10)
      assert.not.ok(wire.icmpChecksumIsRight(view, at, 8 + payload.length))
    }),
  )
  fc.assert(
    fc.property(u8, u8, u32, (type, maxResponse, group) => {
      const { view, bytes, at } = room(8)
      assert.is(wire.emitIgmp(view, at, type, maxResponse, group), 8)
      assertUntouched(bytes, at, 8)
      assert.equal(
        [wire.igmpType, wire.igmpMaxResponse, wire.igmpGroup].map((get) => get(view, at)),
        [type, maxResponse, group],
      )
      assert.ok(wire.igmpChecksumIsRight(view, at, 8))
    }),
  )
  assert.is(wire.checkIcmp(7), wire.FAULT_L4_SHORT)
  assert.is(wire.checkIcmp(8), 0)
  assert.is(wire.checkIgmp(7), wire.FAULT_L4_SHORT)
  assert.is(wire.checkIgmp(8), 0)
})

test('headers as text', () => {
  const view = new DataView(new ArrayBuffer(64))
  wire.emitEthernet(view, 0, 0xffff, 0xffffffff, 0x0200, 1, 0x806)
  assert.is(wire.formatEthernet(view, 0), '02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype 0x0806')
  wire.emitVlan(view, 0, wire.makeVlanTci(5, 0, 42), 0x800)
  assert.is(wire.formatVlan(view, 0), 'vlan 42, p 5, ethertype 0x0800')
  wire.emitArp(view, 0, wire.ARPOP_REQUEST, 0x0200, 1, 0x0a000001, 0, 0, 0x0a000002)
  assert.is(wire.formatArp(view, 0), 'ARP who-has 10.0.0.2 tell 10.0.0.1')
  wire.emitArp(view, 0, wire.ARPOP_REPLY, 0x0200, 1, 0x0a000001, 0, 0, 0x0a000002)
  assert.is(wire.formatArp(view, 0), 'ARP 10.0.0.1 is-at 02:00:00:00:00:01')
  wire.emitIpv4(view, 0, 0, 1500, 7, wire.IP_MF | 185, 64, 17, 0x0a000001, 0x0a000002)
  assert.is(wire.formatIpv4Header(view, 0), 'IP 10.0.0.1 > 10.0.0.2 proto 17 ttl 64 id 7 MF frag 1480 length 1500')
  wire.emitUdp(view, 0, 1000, 53, 20)
  assert.is(wire.formatUdp(view, 0), 'UDP 1000 > 53 length 20')
  wire.emitTcp(view, 0, 1000, 80, 5, 6, 20, wire.TCP_SYN | wire.TCP_ACK, 512, 0)
  assert.is(wire.formatTcp(view, 0), 'TCP 1000 > 80 [S.] seq 5 ack 6 win 512')
  wire.emitIcmp(view, 0, wire.ICMP_ECHO, 0, (3 << 16) | 4, 8)
  assert.is(wire.formatIcmp(view, 0), 'ICMP echo request id 3 seq 4')
  wire.emitIgmp(view, 0, wire.IGMPV2_HOST_MEMBERSHIP_REPORT, 0, 0xefffffff)
  assert.is(wire.formatIgmp(view, 0), 'IGMP type 0x16 group 239.255.255.255')
})

test.run()
