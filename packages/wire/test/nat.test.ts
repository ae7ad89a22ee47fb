import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checksum, checksumPartial, pseudoHeaderSum } from '../src/checksum.js'
import { jhash4words } from '../src/jhash.js'
import { natMangleIpv4 } from '../src/nat.js'

const test = suite('nat')

const IP_BYTES = 20

/** A packet of a protocol with right checksums; `l4` is its transport header and payload with a zero checksum. */
function packet(protocol: number, l4: readonly number[], saddr = 0x0a090002, daddr = 0x0a090001): DataView {
  const bytes = new Uint8Array(IP_BYTES + l4.length)
  const view = new DataView(bytes.buffer)
  view.setUint8(0, 0x45)
  view.setUint16(2, bytes.length)
  view.setUint8(8, 64)
  view.setUint8(9, protocol)
  view.setUint32(12, saddr)
  view.setUint32(16, daddr)
  view.setUint16(10, checksum(view, 0, IP_BYTES, 0))
  bytes.set(l4, IP_BYTES)
  const initial = protocol === 1 ? 0 : pseudoHeaderSum(saddr, daddr, protocol, l4.length)
  const at = IP_BYTES + (protocol === 6 ? 16 : protocol === 17 ? 6 : 2)
  view.setUint16(at, checksum(view, IP_BYTES, l4.length, initial))
  return view
}

const UDP = [0x9c, 0x40, 0x13, 0x88, 0, 11, 0, 0, 1, 2, 3]
const TCP = [0x9c, 0x40, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, 0x10, 0x10, 0, 0, 0, 0, 0, 9]
const ECHO = [8, 0, 0, 0, 0x12, 0x34, 0, 1, 5, 6]

function soundSums(view: DataView): [boolean, boolean] {
  const protocol = view.getUint8(9)
  const length = view.byteLength - IP_BYTES
  const initial = protocol === 1 ? 0 : pseudoHeaderSum(view.getUint32(12), view.getUint32(16), protocol, length)
  return [checksumPartial(view, 0, IP_BYTES, 0) === 0xffff, checksumPartial(view, IP_BYTES, length, initial) === 0xffff]
}

const WORDS = [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x1234]

for (const [name, protocol, l4] of [
  ['UDP', 17, UDP],
  ['TCP', 6, TCP],
  ['ICMP', 1, ECHO],
] as const) {
  for (const destination of [false, true]) {
    test(`${name}: ${destination ? 'destination' : 'source'} and checksums`, () => {
      for (const high of WORDS) {
        for (const port of WORDS) {
          const view = packet(protocol, l4)
          const address = (high * 65_536 + 0x0102) >>> 0
          natMangleIpv4(view, 0, view.byteLength, destination, address, port)
          assert.is(view.getUint32(destination ? 16 : 12), address)
          const portAt = protocol === 1 ? 24 : destination ? 22 : 20
          assert.is(view.getUint16(portAt), port)
          assert.equal(soundSums(view), [true, true], `${name} ${address} ${port}`)
        }
      }
    })
  }
}

test('a datagram without checksum stays without, and one never gets none', () => {
  const without = packet(17, UDP)
  without.setUint16(26, 0)
  natMangleIpv4(without, 0, without.byteLength, true, 0x0a080001, 53)
  assert.is(without.getUint16(26), 0)
  for (let port = 0; port < 65_536; port += 7) {
    const view = packet(17, UDP)
    natMangleIpv4(view, 0, view.byteLength, true, 0x0a080001, port)
    assert.is.not(view.getUint16(26), 0)
  }
})

test('there and back gives the same bytes', () => {
  for (const [protocol, l4] of [
    [17, UDP],
    [6, TCP],
    [1, ECHO],
  ] as const) {
    const view = packet(protocol, l4)
    const before = new Uint8Array(view.buffer.slice(0))
    const port = view.getUint16(protocol === 1 ? 24 : 20)
    natMangleIpv4(view, 0, view.byteLength, false, 0xc0a80101, 1024)
    natMangleIpv4(view, 0, view.byteLength, false, 0x0a090002, port)
    assert.equal(new Uint8Array(view.buffer), before)
  }
})

test('a later fragment and a cut packet change in the IP header only', () => {
  const later = packet(17, UDP)
  later.setUint16(6, 5)
  const ports = later.getUint32(20)
  natMangleIpv4(later, 0, later.byteLength, true, 0x0a080001, 53)
  assert.is(later.getUint32(20), ports)
  for (let end = IP_BYTES; end < IP_BYTES + 8; end++) {
    const view = packet(17, UDP)
    natMangleIpv4(view, 0, end, true, 0x0a080001, 53)
    assert.is(view.getUint32(16), 0x0a080001)
    assert.is(view.getUint16(22), end < 24 ? 0x1388 : 53)
  }
})

test('a port of -1 is left alone', () => {
  const view = packet(6, TCP)
  natMangleIpv4(view, 0, view.byteLength, false, 0x0b000001, -1)
  assert.is(view.getUint16(20), 0x9c40)
  assert.equal(soundSums(view), [true, true])
})

test('jhash of four words, as the C of the kernel computes it', () => {
  assert.is(jhash4words(0x0200090a, 0, 0, 0, 0x0100090a), 2232552249)
  assert.is(jhash4words(1, 2, 3, 4, 5), 1934986293)
})

test.run()
