import { fail } from 'node:assert'
import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { formatIpv4, parseEndpoint, parseIpv4, parseMac, parsePrefix } from '../src/address.js'
import { formatCpuList, parseCpuList, parseCpuMask } from '../src/cpu-set.js'
import { formatTime, parseQuantity, type QuantityKind } from '../src/quantity.js'

const test = suite('quantity')

function value(kind: QuantityKind, given: unknown): number {
  const parsed = parseQuantity(kind, given)
  return parsed.ok ? parsed.value : fail(`${kind} ${String(given)} was refused`)
}

const ACCEPTED: readonly (readonly [QuantityKind, unknown, number])[] = [
  ['time', '1ps', 1],
  ['time', '1ns', 1e3],
  ['time', '1us', 1e6],
  ['time', '1µs', 1e6],
  ['time', '1μs', 1e6],
  ['time', '1ms', 1e9],
  ['time', '1s', 1e12],
  ['time', '0.1us', 100_000],
  ['time', '0.3us', 300_000],
  ['time', '1.1us', 1_100_000],
  ['time', '67.2ns', 67_200],
  ['time', '0.000000000001s', 1],
  ['time', '9000s', 9e15],
  ['time', '50 ms', 50e9],
  ['time', '1.50ms', 1.5e9],
  ['time', 0, 0],
  ['time', '0', 0],
  ['rate', '1pps', 1],
  ['rate', '2kpps', 2000],
  ['rate', '4Mpps', 4e6],
  ['rate', '14.88Mpps', 14_880_000],
  ['rate', '0.5pps', 0.5],
  ['rate', 1000, 1000],
  ['bits', '100bit', 100],
  ['bits', '5kbit', 5000],
  ['bits', '80Mbit', 8e7],
  ['bits', '10Gbit', 1e10],
  ['bits', '10Gbit/s', 1e10],
  ['bits', '10Gb/s', 1e10],
  ['bits', '10Gbps', 1e10],
  ['bytes', '64B', 64],
  ['bytes', '2kB', 2000],
  ['bytes', '512KiB', 524_288],
  ['bytes', '4MiB', 4_194_304],
  ['bytes', '1.5KiB', 1536],
  ['bytes', 212_992, 212_992],
  ['frequency', '3.6GHz', 3_600_000_000],
  ['frequency', '800MHz', 800_000_000],
]

for (const [kind, given, expected] of ACCEPTED) {
  test(`${kind} ${String(given)} is ${expected}`, () => {
    assert.is(value(kind, given), expected)
  })
}

const REFUSED: readonly (readonly [QuantityKind, unknown])[] = [
  ['time', 50],
  ['time', '50'],
  ['time', '50 parsec'],
  ['time', '50MS'],
  ['time', '-1ms'],
  ['time', -1],
  ['time', 'ms'],
  ['time', ''],
  ['time', '1e3ms'],
  ['time', '0.5ps'],
  ['time', '0.0000000000001s'],
  ['time', '1.00000000000000000000000000000000000000000001s'],
  ['time', '99999999999999999999s'],
  ['time', Number.NaN],
  ['time', Number.POSITIVE_INFINITY],
  ['time', null],
  ['time', {}],
  ['time', '10Gbit'],
  ['rate', '4Mps'],
  ['rate', '4mpps'],
  ['rate', '-4Mpps'],
  ['bits', '10'],
  ['bits', 10],
  ['bits', '10GB'],
  ['bits', '10Gibit'],
  ['bytes', '512 kib'],
  ['bytes', '0.5B'],
  ['bytes', 1.5],
  ['frequency', 3.6],
  ['frequency', '3.6'],
  ['frequency', '3.6Ghz'],
]

for (const [kind, given] of REFUSED) {
  test(`${kind} ${JSON.stringify(given)} is refused with what is accepted`, () => {
    const parsed = parseQuantity(kind, given)
    assert.is(parsed.ok, false)
    if (!parsed.ok) assert.match(parsed.accepted, /such as/)
  })
}

test('times of any whole number of ps survive being written with any unit', () => {
  const units = [
    ['ps', 0],
    ['ns', 3],
    ['us', 6],
    ['ms', 9],
    ['s', 12],
  ] as const
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9e15 }), fc.constantFrom(...units), (ps, [unit, power]) => {
      const digits = String(ps).padStart(power + 1, '0')
      const whole = digits.slice(0, digits.length - power)
      const text = power === 0 ? digits : `${whole}.${digits.slice(digits.length - power)}`
      assert.is(value('time', text + unit), ps)
    }),
  )
})

test('formatTime picks the unit', () => {
  assert.equal([0, 1, 1500, 2.5e6, 50e9, 1e12].map(formatTime), ['0s', '1ps', '1.5ns', '2.5us', '50ms', '1s'])
})

const LISTS: readonly (readonly [unknown, readonly number[] | null])[] = [
  [3, [3]],
  ['0-3,8', [0, 1, 2, 3, 8]],
  ['8,0-1', [0, 1, 8]],
  [
    [0, '2-3'],
    [0, 2, 3],
  ],
  ['', []],
  ['3-1', null],
  ['a', null],
  [-1, null],
  [1.5, null],
  ['0-99999', null],
  [{}, null],
]

for (const [given, expected] of LISTS) {
  test(`CPU list ${JSON.stringify(given)}`, () => {
    const parsed = parseCpuList(given)
    assert.equal(parsed.ok ? parsed.cpus : null, expected)
  })
}

const MASKS: readonly (readonly [unknown, readonly number[] | null])[] = [
  ['f', [0, 1, 2, 3]],
  ['0', []],
  ['10', [4]],
  ['0x0f', [0, 1, 2, 3]],
  ['1,00000000', [32]],
  ['00000000,00000003', [0, 1]],
  ['0-3', [0, 1, 2, 3]],
  [
    [0, 2],
    [0, 2],
  ],
  [0, []],
  [8, [3]],
  [10, null],
  ['0,2', null],
  ['g', null],
  ['', null],
  [true, null],
]

for (const [given, expected] of MASKS) {
  test(`CPU mask ${JSON.stringify(given)}`, () => {
    const parsed = parseCpuMask(given)
    assert.equal(parsed.ok ? parsed.cpus : null, expected)
  })
}

test('a CPU list survives being written and read', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 300 })), (cpus) => {
      const sorted = [...cpus].sort((a, b) => a - b)
      const parsed = parseCpuList(formatCpuList(sorted))
      assert.equal(parsed.ok ? parsed.cpus : null, sorted)
    }),
  )
})

test('addresses', () => {
  assert.is(parseIpv4('192.0.2.1'), 0xc0000201)
  assert.is(formatIpv4(0xc0000201), '192.0.2.1')
  for (const bad of ['192.0.2', '192.0.2.256', '192.0.02.1', 'a.b.c.d', '', '1.2.3.4.5'])
    assert.is(parseIpv4(bad), null)
  assert.equal(parsePrefix('10.0.0.1/8'), { address: 0x0a000001, length: 8 })
  assert.equal(parsePrefix('10.0.0.1'), { address: 0x0a000001, length: 32 })
  for (const bad of ['10.0.0.1/33', '10.0.0.1/', '10.0.0.1/8/8', '/8']) assert.is(parsePrefix(bad), null)
  assert.equal(parseEndpoint('0.0.0.0:9000'), { address: 0, port: 9000 })
  assert.equal(parseEndpoint(9000), { address: 0, port: 9000 })
  assert.equal(parseEndpoint('*:53'), { address: 0, port: 53 })
  for (const bad of ['0.0.0.0:0', '1.2.3.4:65536', 'host:1', '1.2.3.4', '']) assert.is(parseEndpoint(bad), null)
  assert.is(parseMac('02-00-00-00-00-0A'), '02:00:00:00:00:0a')
  assert.is(parseMac('02:00:00:00:00'), null)
})

test.run()
