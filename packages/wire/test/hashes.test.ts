import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as wire from '../src/index.js'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const port = fc.nat(0xffff)

/** Source, its port, destination, its port, hash with ports, hash of the addresses; as Microsoft published them. */
const MICROSOFT_VECTORS: [string, number, string, number, number, number][] = [
  ['66.9.149.187', 2794, '161.142.100.80', 1766, 0x51ccc178, 0x323e8fc2],
  ['199.92.111.2', 14230, '65.69.140.83', 4739, 0xc626b0ea, 0xd718262a],
  ['24.19.198.95', 12898, '12.22.207.184', 38024, 0x5c2b394a, 0xd2d0a5de],
  ['38.27.205.30', 48228, '209.142.163.6', 2217, 0xafc7327f, 0x82989176],
  ['153.39.163.191', 44251, '202.188.127.2', 1303, 0x10e828a2, 0x5d1809c5],
]

function tupleBytes(...words: number[]): Uint8Array {
  const bytes = new Uint8Array(words.length * 4)
  words.forEach((word, index) => {
    new DataView(bytes.buffer).setUint32(index * 4, word)
  })
  return bytes
}

test('Toeplitz gives the published values, by table and by reference', () => {
  const toeplitz = wire.createToeplitz(wire.MICROSOFT_RSS_KEY)
  for (const [source, sport, destination, dport, with4, with2] of MICROSOFT_VECTORS) {
    const saddr = wire.parseIpv4(source)
    const daddr = wire.parseIpv4(destination)
    const ports = ((sport << 16) | dport) >>> 0
    assert.is(toeplitz.hash4tuple(saddr, daddr, ports), with4)
    assert.is(toeplitz.hash2tuple(saddr, daddr), with2)
    assert.is(wire.toeplitzHash(wire.MICROSOFT_RSS_KEY, tupleBytes(saddr, daddr, ports)), with4)
    assert.is(wire.toeplitzHash(wire.MICROSOFT_RSS_KEY, tupleBytes(saddr, daddr)), with2)
  }
})

test('the Toeplitz table equals the reference for any key of 40 to 52 bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 40, maxLength: 52 }), u32, u32, u32, (key, saddr, daddr, ports) => {
      const toeplitz = wire.createToeplitz(key)
      const with4 = wire.toeplitzHash(key, tupleBytes(saddr, daddr, ports))
      assert.is(toeplitz.hash4tuple(saddr, daddr, ports), with4)
      assert.is(toeplitz.hash4tuple(saddr | 0, daddr | 0, ports | 0), with4)
      assert.is(toeplitz.hash2tuple(saddr, daddr), wire.toeplitzHash(key, tupleBytes(saddr, daddr)))
    }),
  )
  assert.throws(() => wire.createToeplitz(new Uint8Array(39)), /39 bytes/)
  assert.throws(() => wire.createToeplitz(new Uint8Array(53)), /53 bytes/)
})

/** Values of the kernel's own self-test for hsiphash on 32-bit machines: key and input bytes count up from 0. */
const HSIPHASH_VECTORS = [
  0x5814c896, 0xe7e864ca, 0xbc4b0e30, 0x01539939, 0x7e059ea6, 0x88e3d89b, 0xa0080b65, 0x9d38d9d6, 0x577999b1,
  0xc839caed, 0xe4fa32cf, 0x959246ee, 0x6b28096c, 0x66dd9cd6, 0x16658a7c, 0xd0257b04, 0x8b31d501,
]

test('HalfSipHash-1-3 gives the known values, and the form for four words agrees', () => {
  HSIPHASH_VECTORS.forEach((expected, length) => {
    const bytes = Uint8Array.from({ length }, (_, index) => index)
    assert.is(wire.halfSipHash(0x03020100, 0x07060504, bytes, 1, 3), expected, `length ${length}`)
  })
  fc.assert(
    fc.property(u32, u32, u32, u32, u32, u32, (key0, key1, w0, w1, w2, w3) => {
      const bytes = new Uint8Array(16)
      const view = new DataView(bytes.buffer)
      ;[w0, w1, w2, w3].forEach((word, index) => {
        view.setUint32(index * 4, word, true)
      })
      assert.is(wire.halfSipHash4Words(key0, key1, w0, w1, w2, w3) >>> 0, wire.halfSipHash(key0, key1, bytes, 1, 3))
    }),
  )
})

test('a flow hash is the same in both directions, never 0, and depends on key, ports and protocol', () => {
  fc.assert(
    fc.property(u32, u32, u32, u32, port, port, (key0, key1, saddr, daddr, sport, dport) => {
      const hash = wire.flowHash(key0, key1, saddr, daddr, sport, dport, 17)
      assert.is(wire.flowHash(key0, key1, daddr, saddr, dport, sport, 17), hash)
      assert.is(wire.flowHash(key0, key1, saddr | 0, daddr | 0, sport, dport, 17), hash)
      assert.is(wire.flowHashSigned(key0, key1, saddr, daddr, sport, dport, 17) >>> 0, hash)
      // Addresses and ports are ordered each for themselves.
      assert.is(wire.flowHash(key0, key1, daddr, saddr, sport, dport, 17), hash)
      const paired = wire.flowHashPaired(key0, key1, saddr, daddr, sport, dport, 17)
      assert.is(wire.flowHashPaired(key0, key1, daddr, saddr, dport, sport, 17), paired)
      assert.ok(hash > 0 && hash <= 0xffffffff && paired > 0)
    }),
  )
  const hash = wire.flowHash(1, 2, 0x0a000001, 0x0a000002, 1000, 2000, 17)
  assert.is.not(wire.flowHash(3, 2, 0x0a000001, 0x0a000002, 1000, 2000, 17), hash)
  assert.is.not(wire.flowHash(1, 2, 0x0a000001, 0x0a000002, 1001, 2000, 17), hash)
  assert.is.not(wire.flowHash(1, 2, 0x0a000001, 0x0a000002, 1000, 2000, 6), hash)
  const paired = wire.flowHashPaired(1, 2, 0x0a000001, 0x0a000002, 1000, 2000, 17)
  assert.is.not(wire.flowHashPaired(1, 2, 0x0a000002, 0x0a000001, 1000, 2000, 17), paired)
})

test('the flow hash spreads neighbouring flows evenly', () => {
  const counts = new Array<number>(16).fill(0)
  for (let sport = 0; sport < 16000; sport++) {
    counts[wire.reciprocalScale(wire.flowHash(7, 9, 0x0a000001, 0x0a000002, 1024 + sport, 53, 17), 16)]++
  }
  // Sixteen classes of 1000 expected; five standard deviations are about 155.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 155, counts.join(' '))
})

/** Jenkins' lookup3 over bytes, as published (hashlittle), to check the forms for whole words. */
function lookup3(bytes: Uint8Array, initval: number): number {
  let a = (0xdeadbeef + bytes.length + initval) | 0
  let b = a
  let c = a
  const rotate = (x: number, k: number) => (x << k) | (x >>> (32 - k))
  const word = (at: number) => {
    let value = 0
    for (let index = 0; index < 4; index++) value |= (bytes[at + index] ?? 0) << (8 * index)
    return value
  }
  let at = 0
  while (bytes.length - at > 12) {
    a = (a + word(at)) | 0
    b = (b + word(at + 4)) | 0
    c = (c + word(at + 8)) | 0
    a = ((a - c) ^ rotate(c, 4)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 6)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 8)) | 0
    b = (b + a) | 0
    a = ((a - c) ^ rotate(c, 16)) | 0
    c = (c + b) | 0
    b = ((b - a) ^ rotate(a, 19)) | 0
    a = (a + c) | 0
    c = ((c - b) ^ rotate(b, 4)) | 0
    b = (b + a) | 0
    at += 12
  }
  if (bytes.length === at) return c >>> 0
  a = (a + word(at)) | 0
  b = (b + word(at + 4)) | 0
  c = (c + word(at + 8)) | 0
  for (const [x, k] of [
    ['c', 14],
    ['a', 11],
    ['b', 25],
    ['c', 16],
    ['a', 4],
    ['b', 14],
    ['c', 24],
  ] as const) {
    if (x === 'c') c = ((c ^ b) - rotate(b, k)) | 0
    else if (x === 'a') a = ((a ^ c) - rotate(c, k)) | 0
    else b = ((b ^ a) - rotate(a, k)) | 0
  }
  return c >>> 0
}

test('jhash of words equals lookup3, which gives its published values', () => {
  const text = new TextEncoder().encode('Four score and seven years ago')
  assert.is(lookup3(text, 0), 0x17770551)
  assert.is(lookup3(text, 1), 0xcd628161)
  assert.is(lookup3(new Uint8Array(0), 0), 0xdeadbeef)
  fc.assert(
    fc.property(u32, u32, u32, u32, (a, b, c, initval) => {
      const bytes = new Uint8Array(12)
      const view = new DataView(bytes.buffer)
      view.setUint32(0, a, true)
      view.setUint32(4, b, true)
      view.setUint32(8, c, true)
      assert.is(wire.jhash3words(a, b, c, initval), lookup3(bytes, initval))
      assert.is(wire.jhash2words(a, b, initval), lookup3(bytes.subarray(0, 8), initval))
      assert.is(wire.jhash1word(a, initval), lookup3(bytes.subarray(0, 4), initval))
    }),
  )
})

test('the socket hash takes its words as a little-endian machine holds them', () => {
  fc.assert(
    fc.property(u32, port, u32, port, u32, (laddr, lport, faddr, fport, secret) => {
      const network = new DataView(tupleBytes(laddr, faddr, fport << 16).buffer)
      const words = [network.getUint32(0, true), network.getUint32(4, true), (lport << 16) | network.getUint16(8, true)]
      assert.is(
        wire.inetEhash(laddr, lport, faddr, fport, secret),
        wire.jhash3words(words[0], words[1], words[2], secret),
      )
    }),
  )
})

test('hash32 and reciprocalScale equal exact arithmetic', () => {
  fc.assert(
    fc.property(
      u32,
      fc.integer({ min: 1, max: 32 }),
      fc.integer({ min: 1, max: 0xffffffff }),
      fc.integer({ min: 1, max: 4096 }),
      (value, bits, many, few) => {
        const product = (BigInt(value) * 0x61c88647n) & 0xffffffffn
        assert.is(wire.hash32(value, bits), Number(product >> BigInt(32 - bits)))
        for (const count of [many, few, 0x200000, 0x200001]) {
          assert.is(wire.reciprocalScale(value, count), Number((BigInt(value) * BigInt(count)) >> 32n))
          assert.is(wire.reciprocalScale(value | 0, count), Number((BigInt(value) * BigInt(count)) >> 32n))
        }
      },
    ),
  )
})

test('CRC-32 gives the check value, goes on, and closes a frame', () => {
  const bytes = new TextEncoder().encode('123456789')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  assert.is(wire.crc32(view, 0, 9, 0), 0xcbf43926)
  assert.is(wire.crc32(view, 4, 5, wire.crc32(view, 0, 4, 0)), 0xcbf43926)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.nat(), (data, which) => {
      const frame = new Uint8Array(data.length + 4)
      frame.set(data)
      const frameView = new DataView(frame.buffer)
      wire.emitFcs(frameView, 0, data.length)
      assert.ok(wire.fcsIsRight(frameView, 0, frame.length))
      frame[which % frame.length] ^= 1 << (which % 7)
      assert.not.ok(wire.fcsIsRight(frameView, 0, frame.length))
    }),
  )
  assert.not.ok(wire.fcsIsRight(view, 0, 4))
})

test.run()
