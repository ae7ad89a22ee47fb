import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as wire from '../src/index.js'

const u32 = fc.integer({ min: 0, max: 0xffffffff })

test('IPv4 text both ways', () => {
  assert.is(wire.parseIpv4('192.0.2.1'), 0xc0000201)
  assert.is(wire.formatIpv4(0xc0000201 | 0), '192.0.2.1')
  fc.assert(fc.property(u32, (address) => wire.parseIpv4(wire.formatIpv4(address)) === address))
})

test('IPv4 text that is none', () => {
  for (const text of [
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.0.0.1',
    '01.2.3.4',
    '1.2.3.-4',
    ' 1.2.3.4',
    '1.2.3.4\n',
    'a.b.c.d',
    '1..2.3',
  ]) {
    assert.is(wire.parseIpv4(text), -1, JSON.stringify(text))
  }
  fc.assert(
    fc.property(fc.string(), (text) => wire.parseIpv4(text) === -1 || wire.formatIpv4(wire.parseIpv4(text)) === text),
  )
})

test('prefixes', () => {
  assert.equal(wire.parseIpv4Prefix('10.1.2.3/8'), { address: 0x0a010203, prefixLength: 8 })
  assert.equal(wire.parseIpv4Prefix('10.1.2.3'), { address: 0x0a010203, prefixLength: 32 })
  for (const text of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '/8', '10.0.0/8', '10.0.0.0/8/8']) {
    assert.is(wire.parseIpv4Prefix(text), undefined, text)
  }
  assert.is(wire.ipv4Mask(0), 0)
  assert.is(wire.ipv4Mask(32), 0xffffffff)
  assert.is(wire.ipv4Mask(20), 0xfffff000)
  const prefix = { address: 0x0a010203, prefixLength: 8 }
  assert.is(wire.formatIpv4Prefix(prefix), '10.1.2.3/8')
  assert.ok(wire.ipv4PrefixContains(prefix, 0x0affffff))
  assert.not.ok(wire.ipv4PrefixContains(prefix, 0x0b000000))
  assert.ok(wire.ipv4PrefixContains({ address: 0, prefixLength: 0 }, 0xffffffff))
})

test('kinds of IPv4 address at their edges', () => {
  const kinds = (text: string) => {
    const address = wire.parseIpv4(text)
    return [
      wire.ipv4IsMulticast(address),
      wire.ipv4IsLimitedBroadcast(address),
      wire.ipv4IsLoopback(address),
      wire.ipv4IsZeroNet(address),
    ]
  }
  assert.equal(kinds('223.255.255.255'), [false, false, false, false])
  assert.equal(kinds('224.0.0.0'), [true, false, false, false])
  assert.equal(kinds('239.255.255.255'), [true, false, false, false])
  assert.equal(kinds('240.0.0.0'), [false, false, false, false])
  assert.equal(kinds('255.255.255.255'), [false, true, false, false])
  assert.equal(kinds('127.255.0.1'), [false, false, true, false])
  assert.equal(kinds('0.1.2.3'), [false, false, false, true])
})

test('MAC text both ways', () => {
  const mac = wire.parseMac('02:00:5e:10:FF:0a')
  assert.is(wire.macHi(mac), 0x0200)
  assert.is(wire.macLo(mac), 0x5e10ff0a)
  assert.is(wire.formatMac(0x0200, 0x5e10ff0a | 0), '02:00:5e:10:ff:0a')
  assert.is(wire.parseMac('02-00-5e-10-ff-0a'), mac)
  for (const text of [
    '',
    '02:00:5e:10:ff',
    '02:00:5e:10:ff:0g',
    '02:00-5e:10:ff:0a',
    '2:0:5e:10:ff:a',
    '02005e10ff0a',
  ]) {
    assert.is(wire.parseMac(text), -1, text)
  }
  fc.assert(
    fc.property(fc.nat(0xffff), u32, (hi, lo) => {
      const parsed = wire.parseMac(wire.formatMac(hi, lo))
      return wire.macHi(parsed) === hi && wire.macLo(parsed) === lo
    }),
  )
})

test('kinds of MAC', () => {
  assert.ok(wire.macIsBroadcast(0xffff, 0xffffffff))
  assert.not.ok(wire.macIsBroadcast(0xffff, 0xfffffffe))
  assert.ok(wire.macIsMulticast(0x0100))
  assert.not.ok(wire.macIsMulticast(0x0200))
  assert.ok(wire.macIsZero(0, 0))
  assert.not.ok(wire.macIsZero(0, 1))
  assert.is(wire.ipv4MulticastMacLo(wire.parseIpv4('239.129.2.3')), 0x5e010203)
})

test('IPv6 text both ways, in the form of RFC 5952', () => {
  const cases: [string, string][] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ]
  for (const [text, expected] of cases) {
    const bytes = wire.parseIpv6(text)
    assert.ok(bytes, text)
    assert.is(wire.formatIpv6(new DataView(bytes.buffer), 0), expected)
  }
  for (const text of [
    '',
    ':',
    ':::',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    '1:2:3:4:5:6:7::8',
    '1.2.3.4::',
    'g::',
  ]) {
    assert.is(wire.parseIpv6(text), undefined, text)
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const text = wire.formatIpv6(new DataView(bytes.buffer), 0)
      assert.equal(wire.parseIpv6(text), bytes)
    }),
  )
})

test.run()
