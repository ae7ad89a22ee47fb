import { FAULT_TCP_DOFF_SHORT, TCP_ACK, TCP_CWR, TCP_ECE, TCP_FIN, TCP_PSH, TCP_RST, TCP_URG } from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { SKB } from '../src/skb/components.js'
import { GroWorld, type GroWorldOptions, type Packet } from './support/gro-world.js'

interface Row {
  readonly name: string
  readonly packets: readonly Packet[]
  readonly events: readonly string[]
  readonly world?: GroWorldOptions
}

/** Packets of one flow behind each other: sequence numbers and IP ids count up unless given. */
function flow(...packets: readonly Packet[]): Packet[] {
  let seq = 1000
  return packets.map((packet, i) => {
    const filled = { seq, id: i + 1, ...packet }
    seq = filled.seq + (packet.bytes ?? 1000)
    return filled
  })
}

const FREE = 'MERGED_FREE'
const data = (flags: number): Packet => ({ tcpFlags: TCP_ACK | flags })

const ROWS: readonly Row[] = [
  { name: 'one segment', packets: flow({}), events: ['HELD', 'deliver 1040'] },
  {
    name: 'window differs in the third',
    packets: flow({}, {}, { window: 501 }, { window: 501 }),
    events: ['HELD', FREE, 'HELD', FREE, 'deliver 2040', 'deliver 2040'],
  },
  {
    name: 'short middle',
    packets: flow({}, { bytes: 500 }, {}),
    events: ['HELD', FREE, 'HELD', 'deliver 1540', 'deliver 1040'],
  },
  {
    name: 'longer second',
    packets: flow({ bytes: 500 }, {}),
    events: ['HELD', 'HELD', 'deliver 540', 'deliver 1040'],
  },
  {
    name: 'equal timestamps',
    packets: flow({ doff: 8, options: 77 }, { doff: 8, options: 77 }, { doff: 8, options: 77 }),
    events: ['HELD', FREE, FREE, 'deliver 3052'],
  },
  {
    name: 'timestamp moves on',
    packets: flow({ doff: 8, options: 77 }, { doff: 8, options: 78 }),
    events: ['HELD', 'HELD', 'deliver 1052', 'deliver 1052'],
  },
  {
    name: 'ack number differs',
    packets: flow({}, { ack: 2 }),
    events: ['HELD', 'HELD', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'pure ACK between',
    packets: flow({}, { bytes: 0 }, {}),
    events: ['HELD', 'NORMAL', 'HELD', 'deliver 1040', 'deliver 40', 'deliver 1040'],
  },
  {
    name: 'PSH ends the packet and stays set',
    packets: flow({}, data(TCP_PSH), {}),
    events: ['HELD', FREE, 'HELD', 'deliver 2040', 'deliver 1040'],
  },
  { name: 'lone PSH', packets: flow(data(TCP_PSH)), events: ['NORMAL', 'deliver 1040'] },
  { name: 'FIN with data', packets: flow({}, data(TCP_FIN)), events: ['HELD', FREE, 'deliver 2040'] },
  {
    name: 'RST',
    packets: flow({}, { bytes: 0, tcpFlags: TCP_ACK | TCP_RST }),
    events: ['HELD', 'NORMAL', 'deliver 1040', 'deliver 40'],
  },
  {
    name: 'URG',
    packets: flow(data(TCP_URG), data(TCP_URG)),
    events: ['NORMAL', 'NORMAL', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'CWR on the second',
    packets: flow({}, data(TCP_CWR), {}),
    events: ['HELD', 'HELD', 'HELD', 'deliver 1040', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'a held CWR takes more on 6.5',
    packets: flow(data(TCP_CWR), {}),
    events: ['HELD', FREE, 'deliver 2040'],
    world: { kernel: '6.5' },
  },
  {
    name: 'ECE from the second on',
    packets: flow({}, data(TCP_ECE), data(TCP_ECE)),
    events: ['HELD', 'HELD', FREE, 'deliver 1040', 'deliver 2040'],
  },
  {
    name: 'retransmission',
    packets: [
      { seq: 1000, id: 1 },
      { seq: 1000, id: 2 },
    ],
    events: ['HELD', 'HELD', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'sequence number wraps',
    packets: [
      { seq: 0xfffffe18, id: 1 },
      { seq: 512, id: 2 },
    ],
    events: ['HELD', FREE, 'deliver 2040'],
  },
  {
    name: 'other flow between',
    packets: [
      { seq: 1000, id: 1 },
      { sport: 41000, id: 9 },
      { seq: 2000, id: 2 },
    ],
    events: ['HELD', 'HELD', FREE, 'deliver 2040', 'deliver 1040'],
  },
  {
    name: 'other VLAN, other MAC addresses, other hash',
    packets: flow({}, { vlan: 5 }, { mac: 8 }, { hash: 8 }),
    events: ['HELD', 'HELD', 'HELD', 'HELD', 'deliver 1040', 'deliver 1040', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'same VLAN',
    packets: flow({ vlan: 5 }, { vlan: 5 }),
    events: ['HELD', FREE, 'deliver 2040'],
  },
  {
    name: 'bad TCP checksum leaves the held one alone',
    packets: flow({}, { flags: SKB.csumBad }),
    events: ['HELD', 'NORMAL', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'data offset too small',
    packets: flow({ faults: FAULT_TCP_DOFF_SHORT }),
    events: ['NORMAL', 'deliver 1040'],
  },
  {
    name: 'padded segment ends the held one',
    packets: flow({}, { bytes: 2, padding: 4 }),
    events: ['HELD', 'NORMAL', 'deliver 1040', 'deliver 46'],
  },
  {
    name: 'page pool and other pages do not mix',
    packets: flow({ flags: SKB.ppRecycle }, {}),
    events: ['HELD', 'HELD', 'deliver 1040', 'deliver 1040'],
  },
  {
    name: 'linear heads are chained',
    packets: flow({ flags: SKB.noEthernet }, { flags: SKB.noEthernet }),
    events: ['HELD', 'MERGED', 'deliver 2040'],
  },
  {
    name: 'copied heads are chained',
    packets: flow({ bytes: 100 }, { bytes: 100 }),
    events: ['HELD', 'MERGED', 'deliver 240'],
    world: { copybreakBytes: 256 },
  },
  {
    name: 'copied heads were pages on 5.1',
    packets: flow({ bytes: 100 }, { bytes: 100 }),
    events: ['HELD', FREE, 'deliver 240'],
    world: { copybreakBytes: 256, kernel: '5.1' },
  },
]

for (const row of ROWS) {
  test(row.name, () => {
    const world = new GroWorld(row.world)
    const rows = world.freeRows
    for (const packet of row.packets) world.receive(packet)
    world.complete()
    assert.equal(world.events.join(' · '), row.events.join(' · '))
    assert.is(world.freeRows, rows, 'every row is free again')
    assert.is(world.traced.length, row.packets.length)
  })
}

test('PSH and FIN of the last segment are on the merged packet', () => {
  const world = new GroWorld()
  for (const packet of flow({}, data(TCP_PSH), {}, data(TCP_FIN))) world.receive(packet)
  world.complete()
  assert.equal(
    world.delivered.map((each) => each.tcpFlags),
    [TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN],
  )
})

for (const [bytes, segments] of [
  [1440, 45],
  [1448, 45],
  [1000, 65],
] as const) {
  test(`64 KiB hold ${segments} segments of ${bytes} bytes`, () => {
    const world = new GroWorld()
    const packets = flow(...Array.from({ length: segments + 1 }, () => ({ bytes })))
    const results = packets.map((packet) => world.receive(packet))
    assert.is(results.filter((result) => result === 'HELD').length, 2)
    assert.is(results[segments], 'HELD')
    const first = world.delivered[0]
    assert.ok(first !== undefined, 'a packet above the batch goes up at once')
    assert.equal([first.frames, first.len, first.totLen], [segments, segments * bytes + 40, segments * bytes + 40])
    assert.is(first.gsoSize, bytes)
    assert.ok((first.flags & SKB.gso) !== 0)
  })
}

test('BIG TCP: gro_max_size above 64 KiB holds from 6.3 on', () => {
  for (const [kernel, frames] of [
    ['6.18', 90],
    ['5.1', 45],
  ] as const) {
    const world = new GroWorld({ kernel, groMaxSizeBytes: 131_072 })
    for (const packet of flow(...Array.from({ length: 100 }, () => ({ bytes: 1448 })))) world.receive(packet)
    world.complete()
    assert.is(world.delivered[0]?.frames, frames, kernel)
  }
})

test('17 head pages fit, the next skb is chained, and its fragments take 17 more', () => {
  const world = new GroWorld()
  const packets = flow(...Array.from({ length: 38 }, () => ({ bytes: 100 })))
  const results = packets.map((packet) => world.receive(packet))
  const chained = results.flatMap((result, i) => (result === 'MERGED' ? [i] : []))
  assert.equal(chained, [18, 36])
  world.complete()
  const [packet] = world.delivered
  assert.is(packet?.truesize, 2304 + 35 * (2304 - 256) + 2 * 2304)
  assert.is(packet?.wireBytes, 38 * 154)
})

test('a packet that stayed alone keeps its headers', () => {
  const world = new GroWorld()
  world.receive({})
  world.complete()
  const [packet] = world.delivered
  assert.equal([packet?.frames, packet?.gsoSize, packet?.totLen, packet?.truesize], [1, 0, 1040, 2304])
  assert.is((packet?.flags ?? 0) & SKB.gso, 0)
})

test('costs: receive per packet, merge per join, flush per completed packet', () => {
  const world = new GroWorld()
  for (const packet of flow({}, {}, {})) world.receive(packet)
  world.complete()
  assert.equal(
    [world.stagePs('gro_receive'), world.stagePs('gro_merge'), world.stagePs('gro_flush')],
    [3000, 2000, 1000],
  )
})

test.run()
