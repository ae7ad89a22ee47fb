import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  checksum,
  checksumBlockAdd,
  checksumFinish,
  checksumPartial,
  checksumPartialBytes,
  checksumUpdate16,
  checksumUpdate32,
  pseudoHeaderSum,
} from '../src/index.js'

/** RFC 1071 as its text says: 16-bit words, one carry at a time. */
function slowSum(bytes: Uint8Array, initial: number): number {
  let sum = initial
  for (let index = 0; index < bytes.length; index += 2) {
    sum += (bytes[index] << 8) + (index + 1 < bytes.length ? bytes[index + 1] : 0)
    if (sum > 0xffff) sum = (sum & 0xffff) + 1
  }
  return sum
}

/** 0 and 0xffff are the same number in one's complement. */
function same(a: number, b: number): boolean {
  return a % 0xffff === b % 0xffff
}

test('the example of RFC 1071', () => {
  const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7)
  assert.is(checksumPartial(new DataView(bytes.buffer), 0, 8, 0), 0xddf2)
  assert.is(checksum(new DataView(bytes.buffer), 0, 8, 0), 0x220d)
})

test('both fast sums equal the slow one at any offset, length and start', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(8), fc.nat(0xffff), (data, lead, initial) => {
      const bytes = new Uint8Array(lead + data.length + 3).fill(0xa5)
      bytes.set(data, lead)
      const expected = slowSum(data, initial)
      assert.is(checksumPartial(new DataView(bytes.buffer), lead, data.length, initial), expected)
      assert.is(checksumPartialBytes(bytes, lead, data.length, initial), expected)
    }),
    { numRuns: 2000 },
  )
})

test('long runs of the largest words do not overflow', () => {
  for (const length of [65535, 65536, 65537, 131072, 262144, 1_000_001]) {
    const bytes = new Uint8Array(length).fill(0xff)
    const expected = slowSum(bytes, 0xffff)
    assert.is(checksumPartial(new DataView(bytes.buffer), 0, length, 0xffff), expected)
    assert.is(checksumPartialBytes(bytes, 0, length, 0xffff), expected)
  }
})

test('incremental updates equal a new sum', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.nat(9),
      fc.nat(0xffff),
      fc.nat(4),
      fc.integer({ min: 0, max: 0xffffffff }),
      (bytes, half, new16, word, new32) => {
        const view = new DataView(bytes.buffer)
        const before = checksum(view, 0, 20, 0)
        const after16 = checksumUpdate16(before, view.getUint16(half * 2), new16)
        view.setUint16(half * 2, new16)
        assert.ok(same(after16, checksum(view, 0, 20, 0)))
        const after32 = checksumUpdate32(after16, view.getUint32(word * 4), new32)
        view.setUint32(word * 4, new32)
        assert.ok(same(after32, checksum(view, 0, 20, 0)))
      },
    ),
  )
})

test('a sum can be joined from blocks at odd and even positions', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.uint8Array({ maxLength: 60 }), (head, tail) => {
      const whole = Uint8Array.of(...head, ...tail)
      const joined = checksumBlockAdd(slowSum(head, 0), slowSum(tail, 0), head.length)
      assert.ok(same(joined, slowSum(whole, 0)))
    }),
  )
})

test('the pseudo header equals its twelve bytes, for signed and unsigned addresses', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.nat(255),
      fc.nat(0xffff),
      (saddr, daddr, protocol, length) => {
        const bytes = new Uint8Array(12)
        const view = new DataView(bytes.buffer)
        view.setUint32(0, saddr)
        view.setUint32(4, daddr)
        view.setUint8(9, protocol)
        view.setUint16(10, length)
        assert.is(pseudoHeaderSum(saddr, daddr, protocol, length), slowSum(bytes, 0))
        assert.is(pseudoHeaderSum(saddr | 0, daddr | 0, protocol, length), slowSum(bytes, 0))
      },
    ),
  )
  assert.is(checksumFinish(0xffffffff), 0)
  assert.is(checksumFinish(0x1fffe), 0)
})

test.run()
