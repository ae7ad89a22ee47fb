import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FEATURE } from '../src/nic/components.js'
import { SKB } from '../src/skb/components.js'
import { GroWorld, type GroWorldOptions, type Packet } from './support/gro-world.js'

interface Row {
  readonly name: string
  readonly world: GroWorldOptions
  readonly packets: readonly Packet[]
  /** Results by initial: H held, M merged, F merged and freed, N normal. */
  readonly results: string
  /** Payload lengths of what went up, each with its number of datagrams. */
  readonly up: readonly string[]
}

const SOCKET: GroWorldOptions = { udpSocket: 2 }
const LIST: GroWorldOptions = { features: FEATURE.gro | FEATURE.groList }
const FORWARD: GroWorldOptions = { features: FEATURE.gro | FEATURE.udpGroForwarding }
const of = (...sizes: readonly number[]): Packet[] => sizes.map((bytes, id) => ({ bytes, id }))

const ROWS: readonly Row[] = [
  { name: 'no socket wants it', world: { udpSocket: 1 }, packets: of(100, 100), results: 'NN', up: ['100x1', '100x1'] },
  { name: 'UDP_GRO socket', world: SOCKET, packets: of(100, 100, 100, 100), results: 'HFFF', up: ['400x4'] },
  { name: 'shorter is the last', world: SOCKET, packets: of(100, 60, 100), results: 'HFH', up: ['160x2', '100x1'] },
  { name: 'longer starts anew', world: SOCKET, packets: of(60, 100), results: 'HH', up: ['60x1', '100x1'] },
  { name: 'empty datagram overtakes', world: SOCKET, packets: of(100, 0), results: 'HN', up: ['0x1', '100x1'] },
  {
    name: 'zero checksum',
    world: SOCKET,
    packets: of(100, 100).map((each) => ({ ...each, flags: SKB.csumZero })),
    results: 'NN',
    up: ['100x1', '100x1'],
  },
  {
    name: 'bad checksum',
    world: SOCKET,
    packets: [{ bytes: 100 }, { bytes: 100, id: 1, flags: SKB.csumBad }],
    results: 'HN',
    up: ['100x1', '100x1'],
  },
  {
    name: 'length field smaller than the packet',
    world: SOCKET,
    packets: [{ bytes: 100, udpLen: 90 }],
    results: 'N',
    up: ['100x1'],
  },
  {
    name: 'ids jump on 6.18',
    world: SOCKET,
    packets: [{ id: 1 }, { id: 5 }],
    results: 'HH',
    up: ['1000x1', '1000x1'],
  },
  {
    name: 'ids jump on 6.5',
    world: { ...SOCKET, kernel: '6.5' },
    packets: [{ id: 1 }, { id: 5 }],
    results: 'HF',
    up: ['2000x2'],
  },
  {
    name: 'tos differs',
    world: SOCKET,
    packets: [{ id: 1 }, { id: 2, tos: 4 }],
    results: 'HH',
    up: ['1000x1', '1000x1'],
  },
  {
    name: 'other source port',
    world: SOCKET,
    packets: [{ id: 1 }, { id: 1, sport: 9 }],
    results: 'HH',
    up: ['1000x1', '1000x1'],
  },
  {
    name: 'no UDP GRO on 4.14',
    world: { ...SOCKET, kernel: '4.14' },
    packets: of(100, 100),
    results: 'NN',
    up: ['100x1', '100x1'],
  },
  { name: 'fraglist without a socket', world: LIST, packets: of(100, 100, 100), results: 'HMM', up: ['300x3'] },
  {
    name: 'fraglist with a plain socket',
    world: { ...LIST, udpSocket: 1 },
    packets: of(100, 100),
    results: 'HM',
    up: ['200x2'],
  },
  {
    name: 'UDP_GRO goes before fraglist',
    world: { ...LIST, udpSocket: 2 },
    packets: of(100, 100),
    results: 'HF',
    up: ['200x2'],
  },
  {
    name: 'no fraglist on 5.1',
    world: { ...LIST, kernel: '5.1' },
    packets: of(100, 100),
    results: 'NN',
    up: ['100x1', '100x1'],
  },
  { name: 'forwarding without a socket', world: FORWARD, packets: of(100, 100), results: 'HF', up: ['200x2'] },
  {
    name: 'forwarding with a socket',
    world: { ...FORWARD, udpSocket: 1 },
    packets: of(100, 100),
    results: 'NN',
    up: ['100x1', '100x1'],
  },
  {
    name: 'TCP and UDP with the same ports are two flows',
    world: SOCKET,
    packets: [{ id: 1 }, { id: 1, proto: 6 }, { id: 2 }],
    results: 'HHF',
    up: ['2000x2', '1000x1'],
  },
]

for (const row of ROWS) {
  test(row.name, () => {
    const world = new GroWorld(row.world)
    const rows = world.freeRows
    const results = row.packets.map((packet) => world.receive({ proto: 17, ...packet }))
    world.complete()
    assert.is(results.map((result) => (result === 'MERGED_FREE' ? 'F' : result[0])).join(''), row.results)
    const headers = (index: number): number => ((world.delivered[index]?.udpLen ?? 0) === 0 ? 40 : 28)
    assert.equal(
      world.delivered.map((each, i) => `${each.len - headers(i)}x${each.frames}`),
      row.up,
    )
    assert.is(world.freeRows, rows, 'every row is free again')
  })
}

test('64 datagrams are the most', () => {
  for (const options of [SOCKET, LIST]) {
    const world = new GroWorld({ ...options, batch: 64 })
    for (let id = 0; id < 65; id++) world.receive({ proto: 17, bytes: 18, id })
    world.complete()
    assert.equal(
      world.delivered.map((each) => each.frames),
      [64, 1],
    )
  }
})

test('64 KiB are the most, also for a device with a larger gro_max_size', () => {
  for (const [options, frames] of [
    [SOCKET, 44],
    [{ ...SOCKET, groMaxSizeBytes: 200_000 }, 44],
    [{ ...SOCKET, groMaxSizeBytes: 30_000 }, 20],
    [LIST, 44],
  ] as const) {
    const world = new GroWorld(options)
    for (let id = 0; id < 60; id++) world.receive({ proto: 17, bytes: 1472, id })
    world.complete()
    assert.is(world.delivered[0]?.frames, frames)
  }
})

test('a merged datagram has the lengths of the whole, and its parts keep their serials in order', () => {
  const world = new GroWorld(SOCKET)
  for (const packet of of(100, 100, 60)) world.receive({ proto: 17, ...packet })
  world.complete()
  const [packet] = world.delivered
  assert.equal([packet?.totLen, packet?.udpLen, packet?.gsoSize], [288, 268, 100])
  assert.is(packet?.serial, 1)
  assert.equal(packet?.chained, [2, 3])
  assert.is(packet?.truesize, 2304 + 2 * 2048)
  assert.is(packet?.chainedTruesize, 2 * 2048, 'taken apart, the first is left with its own')
  assert.is((packet?.flags ?? 0) & (SKB.gso | SKB.fragList), SKB.gso)
})

test('a fraglist keeps the truesize of every skb and is marked, a lone packet is not', () => {
  const world = new GroWorld(LIST)
  for (const packet of [...of(100, 100), { bytes: 100, sport: 9 }]) world.receive({ proto: 17, ...packet })
  world.complete()
  const flags = world.delivered.map((each) => each.flags & (SKB.gso | SKB.fragList))
  assert.equal(flags, [SKB.gso | SKB.fragList, 0])
  assert.is(world.delivered[0]?.truesize, 2 * 2304)
})

test('TCP fraglist since 6.10: flags must be equal', () => {
  for (const [kernel, frames] of [
    ['6.18', [2, 1]],
    ['6.5', [3]],
  ] as const) {
    const world = new GroWorld({ ...LIST, kernel })
    for (let i = 0; i < 3; i++) world.receive({ seq: 1000 + i * 1000, id: i, tcpFlags: i === 2 ? 0x18 : 0x10 })
    world.complete()
    assert.equal(
      world.delivered.map((each) => each.frames),
      frames,
      kernel,
    )
  }
})

test.run()
