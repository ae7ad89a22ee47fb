import { FAULT_IP_SHORT } from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { FEATURE } from '../src/nic/components.js'
import { SKB } from '../src/skb/components.js'
import { GroWorld, type GroWorldOptions, type Packet } from './support/gro-world.js'

const DF = 0x4000

interface Row {
  readonly name: string
  /** What packet 0, 1, 2 … of one TCP flow has besides its place in the flow. */
  readonly packets: readonly Packet[]
  /** Results by initial: H held, F merged and freed, N normal. */
  readonly results: string
  /** Frames of each packet handed up, in order. */
  readonly frames: readonly number[]
  readonly world?: GroWorldOptions
}

const ROWS: readonly Row[] = [
  { name: 'ids count up', packets: [{ id: 1 }, { id: 2 }, { id: 3 }], results: 'HFF', frames: [3] },
  { name: 'ids count up over the end', packets: [{ id: 0xffff }, { id: 0 }, { id: 1 }], results: 'HFF', frames: [3] },
  { name: 'ids 1 5 9 with DF', packets: [{ id: 1 }, { id: 5 }, { id: 9 }], results: 'HHH', frames: [1, 1, 1] },
  { name: 'constant id with DF', packets: [{}, {}, {}], results: 'HFF', frames: [3] },
  {
    name: 'constant id, then counting',
    packets: [{ id: 4 }, { id: 4 }, { id: 5 }],
    results: 'HFH',
    frames: [2, 1],
  },
  {
    name: 'counting, then constant',
    packets: [{ id: 4 }, { id: 5 }, { id: 5 }],
    results: 'HFH',
    frames: [2, 1],
  },
  {
    name: 'constant id without DF on 6.18',
    packets: [
      { frag: 0, id: 7 },
      { frag: 0, id: 7 },
      { frag: 0, id: 7 },
    ],
    results: 'HFF',
    frames: [3],
  },
  {
    name: 'constant id without DF on 6.5',
    packets: [
      { frag: 0, id: 7 },
      { frag: 0, id: 7 },
    ],
    results: 'HH',
    frames: [1, 1],
    world: { kernel: '6.5' },
  },
  {
    name: 'constant id with DF on 4.14',
    packets: [{ id: 7 }, { id: 7 }, { id: 7 }],
    results: 'HFF',
    frames: [3],
    world: { kernel: '4.14' },
  },
  { name: 'DF differs', packets: [{ id: 1 }, { id: 2, frag: 0 }], results: 'HH', frames: [1, 1] },
  { name: 'tos differs', packets: [{ id: 1 }, { id: 2, tos: 8 }, { id: 3, tos: 8 }], results: 'HHF', frames: [1, 2] },
  { name: 'ECN differs', packets: [{ id: 1 }, { id: 2, tos: 3 }], results: 'HH', frames: [1, 1] },
  { name: 'ttl differs', packets: [{ id: 1 }, { id: 2, ttl: 63 }], results: 'HH', frames: [1, 1] },
  {
    name: 'options',
    packets: [
      { id: 1, ihl: 6 },
      { id: 2, ihl: 6 },
    ],
    results: 'NN',
    frames: [1, 1],
  },
  { name: 'first fragment', packets: [{ id: 1 }, { id: 2, frag: 0x2000 }], results: 'HN', frames: [1, 1] },
  { name: 'later fragment', packets: [{ id: 1, frag: 0x00b9 }], results: 'N', frames: [1] },
  {
    name: 'reserved bit ends the held one',
    packets: [{ id: 1 }, { id: 2, frag: DF | 0x8000 }],
    results: 'HN',
    frames: [1, 1],
  },
  {
    name: 'bad header checksum leaves the held one',
    packets: [{ id: 1 }, { id: 2, flags: SKB.ipCsumBad }, { id: 2 }],
    results: 'HNF',
    frames: [1, 2],
  },
  { name: 'no network header', packets: [{ faults: FAULT_IP_SHORT }], results: 'N', frames: [1] },
  { name: 'ICMP has no handler', packets: [{ proto: 1 }, { proto: 1 }], results: 'NN', frames: [1, 1] },
  { name: 'ARP has no handler', packets: [{ protocol: 0x0806 }], results: 'N', frames: [1] },
  { name: 'GRO off', packets: [{ id: 1 }, { id: 2 }], results: 'NN', frames: [1, 1], world: { features: 0 } },
  {
    name: 'generic XDP switches GRO off',
    packets: [{ id: 1 }, { id: 2 }],
    results: 'NN',
    frames: [1, 1],
    world: { features: FEATURE.gro | FEATURE.xdpGeneric },
  },
]

for (const row of ROWS) {
  test(row.name, () => {
    const world = new GroWorld(row.world)
    let seq = 1000
    let results = ''
    for (const packet of row.packets) {
      const result = world.receive({ seq, ...packet })
      if (result !== 'NORMAL' || (packet.flags ?? 0) === 0) seq += 1000
      results += result === 'MERGED_FREE' ? 'F' : result[0]
    }
    world.complete()
    assert.is(results, row.results)
    assert.equal(
      world.delivered.map((each) => each.frames),
      row.frames,
    )
  })
}

test('what passes GRO off costs no GRO', () => {
  const world = new GroWorld({ features: 0 })
  world.receive()
  world.complete()
  assert.is(world.stagePs('gro_receive'), 0)
})

test('a checked packet carries a verified checksum up', () => {
  const world = new GroWorld()
  world.receive({ flags: 0 })
  world.complete()
  assert.ok(((world.delivered[0]?.flags ?? 0) & SKB.csumUnnecessary) !== 0)
})

test.run()
