import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { siphash24Words } from '../src/siphash64.js'

test('SipHash-2-4 of what its authors published', () => {
  // Their vectors have the key 00 01 … 0f, which has four different words: one word as key tests the rest by these values,
  // reckoned with 64-bit integers.
  const mask = (1n << 64n) - 1n
  const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (64n - bits))) & mask
  const reference = (words: Int32Array, low: number, high: number): number => {
    const key = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
    let [v0, v1, v2, v3] = [0x736f6d6570736575n, 0x646f72616e646f6dn, 0x6c7967656e657261n, 0x7465646279746573n].map(
      (start) => start ^ key,
    ) as [bigint, bigint, bigint, bigint]
    const round = () => {
      v0 = (v0 + v1) & mask
      v1 = rotate(v1, 13n) ^ v0
      v0 = rotate(v0, 32n)
      v2 = (v2 + v3) & mask
      v3 = rotate(v3, 16n) ^ v2
      v0 = (v0 + v3) & mask
      v3 = rotate(v3, 21n) ^ v0
      v2 = (v2 + v1) & mask
      v1 = rotate(v1, 17n) ^ v2
      v2 = rotate(v2, 32n)
    }
    const absorb = (word: bigint) => {
      v3 ^= word
      round()
      round()
      v0 ^= word
    }
    const at = (i: number) => BigInt((words[i] ?? 0) >>> 0)
    for (let i = 0; i + 1 < words.length; i += 2) absorb((at(i + 1) << 32n) | at(i))
    const rest = words.length % 2 === 1 ? at(words.length - 1) : 0n
    absorb((BigInt((words.length * 4) & 0xff) << 56n) | rest)
    v2 ^= 0xffn
    for (let i = 0; i < 4; i++) round()
    return Number((v0 ^ v1 ^ v2 ^ v3) & 0xffffffffn) | 0
  }
  for (let length = 0; length < 14; length++) {
    const words = Int32Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e3779b1))
    assert.is(siphash24Words(words, 12345, -77), reference(words, 12345, -77))
  }
})

test.run()
