import * as wire from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PacketCount } from '../src/count/components.js'
import { Cpu } from '../src/cpu/components.js'
import { FragDir, FragPeer, FragQueue, FragTimer } from '../src/defrag/components.js'
import { IPQ_BYTES } from '../src/defrag/frag-rows.js'
import { fragTimers } from '../src/defrag/frag-timer.js'
import { ipExpire } from '../src/defrag/ip-expire.js'
import { ipFragEcn } from '../src/defrag/ip-frag-reasm.js'
import { wheelExpiry } from '../src/defrag/timer-wheel.js'
import { ipLocalDeliver } from '../src/ip/ip-local-deliver.js'
import { SKB, Skb } from '../src/skb/components.js'
import { type IpWorld, ip, makeIpWorld } from './support/ip-world.js'
import { ipWord } from './support/sound-datagram.js'

const TRUESIZE = 832
const MF = wire.IP_MF
const JIFFY_PS = 4e9

/** A fragment: offset and end in bytes, whether more follow, and columns that differ. */
type Piece = readonly [number, number, number, Readonly<Record<string, number>>?]

function fragment(world: IpWorld, [offset, end, more, columns = {}]: Piece, id = 77): number {
  const length = 20 + end - offset
  return world.packet({
    idFrag: (id * 65536 + more + offset / 8) >>> 0,
    len: length,
    totLen: length,
    truesize: TRUESIZE,
    udpLen: 0,
    flags: SKB.noEthernet,
    ...columns,
  })
}

function give(world: IpWorld, pieces: readonly Piece[], cpu = 1): number[] {
  return pieces.flatMap((piece) => world.run(ipLocalDeliver, [fragment(world, piece)], cpu))
}

const memory = (world: IpWorld) => world.world.columns(FragDir).memoryBytes[1]
const queues = (world: IpWorld) => world.world.columns(FragDir).queues[1]

interface Case {
  readonly name: string
  readonly pieces: readonly Piece[]
  readonly sysctl?: Readonly<Record<string, number>>
  /** Bytes behind the IP header of each packet that comes out. */
  readonly out?: readonly number[]
  readonly snmp: Readonly<Record<string, number>>
  readonly drops?: Readonly<Record<string, number>>
  /** Fragments freed as SKB_CONSUMED. */
  readonly consumed?: number
  /** Fragments still held. */
  readonly held?: number
}

const OK = { IpReasmOKs: 1, IpInDelivers: 1 }
const NOT_SPECIFIED = 'NOT_SPECIFIED@ip_defrag'
const DUP = 'DUP_FRAG@ip_defrag'
const cases: readonly Case[] = [
  {
    name: 'in order',
    pieces: [
      [0, 32, MF],
      [32, 50, 0],
    ],
    out: [50],
    snmp: { IpReasmReqds: 2, ...OK },
  },
  {
    name: 'last first',
    pieces: [
      [32, 50, 0],
      [0, 32, MF],
    ],
    out: [50],
    snmp: { IpReasmReqds: 2, ...OK },
  },
  {
    name: 'a gap is closed',
    pieces: [
      [0, 16, MF],
      [32, 50, 0],
      [16, 32, MF],
    ],
    out: [50],
    snmp: { IpReasmReqds: 3, ...OK },
  },
  {
    name: 'exact duplicate',
    pieces: [
      [0, 16, MF],
      [0, 16, MF],
      [16, 20, 0],
    ],
    out: [20],
    snmp: { IpReasmReqds: 3, ...OK },
    drops: { [DUP]: 1 },
  },
  {
    name: 'contained in a run',
    pieces: [
      [0, 16, MF],
      [16, 32, MF],
      [8, 24, MF],
    ],
    snmp: { IpReasmReqds: 3 },
    drops: { [DUP]: 1 },
    held: 2,
  },
  {
    name: 'contained in two runs that meet, which are not one',
    pieces: [
      [0, 8, MF],
      [16, 24, MF],
      [8, 16, MF],
      [0, 16, MF],
    ],
    snmp: { IpReasmReqds: 4, IpReasmFails: 1, IpExtReasmOverlaps: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 3,
  },
  {
    name: 'partial overlap at the end',
    pieces: [
      [0, 16, MF],
      [8, 32, MF],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1, IpExtReasmOverlaps: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 1,
  },
  {
    name: 'what comes after an overlap begins anew',
    pieces: [
      [0, 16, MF],
      [8, 32, MF],
      [0, 16, MF],
      [16, 20, 0],
    ],
    out: [20],
    snmp: { IpReasmReqds: 4, IpReasmFails: 1, IpExtReasmOverlaps: 1, ...OK },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 1,
  },
  {
    name: 'last fragment before what is known',
    pieces: [
      [16, 32, MF],
      [8, 20, 0],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 1,
  },
  {
    name: 'two ends',
    pieces: [
      [8, 16, 0],
      [16, 24, 0],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 1,
  },
  {
    name: 'beyond the end',
    pieces: [
      [8, 16, 0],
      [16, 24, MF],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    consumed: 1,
  },
  {
    name: 'nothing in it',
    pieces: [[8, 8, 0]],
    snmp: { IpReasmReqds: 1, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
  },
  {
    name: 'less than a unit with more to follow is nothing',
    pieces: [[8, 15, MF]],
    snmp: { IpReasmReqds: 1, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
  },
  {
    name: 'a length that is no multiple of eight is cut down',
    pieces: [
      [0, 21, MF],
      [16, 20, 0],
    ],
    out: [20],
    snmp: { IpReasmReqds: 2, ...OK },
  },
  {
    name: '65535 bytes with the header',
    pieces: [
      [0, 32_000, MF],
      [32_000, 65_515, 0],
    ],
    out: [65_515],
    snmp: { IpReasmReqds: 2, ...OK },
  },
  {
    name: 'one byte more',
    pieces: [
      [0, 32_000, MF],
      [32_000, 65_516, 0],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    consumed: 2,
  },
  {
    name: 'congestion and not capable',
    pieces: [
      [0, 8, MF, { ipWord: ipWord(17, 3) }],
      [8, 16, 0, { ipWord: ipWord(17, 0) }],
    ],
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    consumed: 2,
  },
  {
    name: 'ids, protocols and senders are apart',
    pieces: [
      [0, 8, MF],
      [8, 16, 0, { saddr: ip('198.51.100.2') }],
      [8, 16, 0, { ipWord: ipWord(6) }],
    ],
    snmp: { IpReasmReqds: 3 },
    held: 3,
  },
  {
    name: 'no memory at all',
    pieces: [[0, 8, MF]],
    sysctl: { 'net.ipv4.ipfrag_high_thresh': 0 },
    snmp: { IpReasmReqds: 1, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
  },
  {
    name: 'above the limit also what would complete a datagram is refused',
    pieces: [
      [0, 8, MF],
      [8, 16, 0],
    ],
    sysctl: { 'net.ipv4.ipfrag_high_thresh': IPQ_BYTES + TRUESIZE - 1 },
    snmp: { IpReasmReqds: 2, IpReasmFails: 1 },
    drops: { [NOT_SPECIFIED]: 1 },
    held: 1,
  },
  {
    name: 'at the limit it is taken',
    pieces: [
      [0, 8, MF],
      [8, 16, 0],
    ],
    sysctl: { 'net.ipv4.ipfrag_high_thresh': IPQ_BYTES + TRUESIZE },
    out: [16],
    snmp: { IpReasmReqds: 2, ...OK },
  },
]

for (const each of cases) {
  test(`ip_defrag: ${each.name}`, () => {
    const world = makeIpWorld(each.sysctl === undefined ? {} : { sysctl: each.sysctl })
    const rows = give(world, each.pieces)
    const { len, frames, totLen, idFrag } = world.world.columns(Skb)
    assert.equal(
      rows.map((row) => len[row]),
      each.out ?? [],
    )
    for (const row of rows) assert.is(totLen[row], len[row] + 20)
    for (const row of rows) assert.is(idFrag[row] & (wire.IP_MF | wire.IP_OFFSET), 0)
    assert.equal(world.snmp(), each.snmp)
    assert.equal(world.drops(), each.drops ?? {})
    const { consumed } = world.world.columns(PacketCount)
    assert.is(consumed[1], each.consumed ?? 0)
    const held = each.held ?? 0
    assert.is(world.alive(), held + rows.length)
    assert.is(memory(world), held * TRUESIZE + queues(world) * IPQ_BYTES)
    assert.is(queues(world) === 0, held === 0)
    // Every frame is held, given on, dropped or consumed.
    const gone = Object.values(each.drops ?? {}).reduce((sum, n) => sum + n, 0) + (each.consumed ?? 0)
    const joined = rows.reduce((sum, row) => sum + frames[row], 0)
    assert.is(gone + joined + held, each.pieces.length)
  })
}

test('the packet that comes out is the first fragment, at the time of the last, with all frames', () => {
  const world = makeIpWorld()
  const first = { arrivalPs: 10, serial: 3, wireBytes: 66, udpLen: 50, ipWord: ipWord(17, 2) }
  const [row] = give(world, [
    [32, 50, 0, { arrivalPs: 5, ports: 0, ipWord: ipWord(17, 3) }],
    [0, 32, MF, first],
  ])
  const k = world.world.columns(Skb)
  assert.ok(row)
  assert.equal([k.serial[row], k.arrivalPs[row], k.frames[row], k.wireBytes[row], k.payload[row]], [3, 10, 2, 126, 42])
  assert.is((k.ipWord[row] >>> 8) & 3, 3)
  const late = give(world, [
    [0, 32, MF, { arrivalPs: 10, serial: 7 }],
    [32, 50, 0, { arrivalPs: 99 }],
  ])
  assert.equal(
    late.map((each) => [k.serial[each], k.arrivalPs[each]]),
    [[7, 99]],
  )
})

test('DF stays only if the largest fragment had it', () => {
  const world = makeIpWorld()
  const df = { idFrag: (77 * 65536 + MF + wire.IP_DF) >>> 0 }
  const { idFrag } = world.world.columns(Skb)
  const [large] = give(world, [
    [0, 32, MF, df],
    [32, 40, 0],
  ])
  assert.is(idFrag[large] & 0xffff, wire.IP_DF)
  const [small] = give(world, [
    [0, 8, MF, df],
    [8, 40, 0],
  ])
  assert.is(idFrag[small] & 0xffff, 0)
})

test('ECN: every mix of codepoints', () => {
  const [notEct, ect1, ect0, ce] = [1, 2, 4, 8]
  for (let seen = 1; seen < 16; seen++) {
    const mixed = (seen & notEct) !== 0 && seen !== notEct
    const marked = (seen & ce) !== 0 && (seen & (ect0 | ect1)) !== 0
    assert.is(ipFragEcn(seen), mixed ? 0xff : marked ? 3 : 0)
  }
})

test('the checksum of a datagram is looked at when it is whole', () => {
  const world = makeIpWorld()
  const { flags } = world.world.columns(Skb)
  const bytes = new Uint8Array(50)
  const fields = new wire.FrameFields()
  Object.assign(fields, { ethernet: 0, saddr: ip('198.51.100.1'), daddr: ip('192.0.2.1'), payloadBytes: 22 })
  wire.emitUdpFrame(new DataView(bytes.buffer), 0, fields)
  for (const wrong of [0, 1]) {
    const view = new DataView(bytes.buffer, 20)
    const sum = (from: number, to: number) => wire.FRAG_SUM_KNOWN | wire.checksumPartial(view, from, to - from, 0)
    const right = { fragSum: sum(0, 16), udpLen: 30, flags: SKB.noEthernet | SKB.csumUnnecessary }
    const [row] = give(world, [
      [0, 16, MF, right],
      [16, 30, 0, { fragSum: sum(16, 30) + wrong }],
    ])
    assert.is((flags[row] & SKB.csumBad) !== 0, wrong === 1)
    assert.is(flags[row] & SKB.csumUnnecessary, 0)
  }
  const bad = { flags: SKB.noEthernet | SKB.csumBad }
  const [virtual] = give(world, [
    [0, 16, MF],
    [16, 30, 0, bad],
  ])
  assert.ok((flags[virtual] & SKB.csumBad) !== 0, 'without bytes a fragment says so')
})

test('truesize: what fits behind the first is copied, the rest is chained', () => {
  const world = makeIpWorld()
  const { truesize } = world.world.columns(Skb)
  // A head of 832 has room for 256 - 64 bytes; header and first fragment leave 68: one more fits, two are chained.
  const pieces: readonly Piece[] = [
    [0, 104, MF],
    [104, 168, MF],
    [168, 176, MF],
    [176, 184, 0],
  ]
  const [row] = give(world, pieces)
  assert.is(truesize[row], 3 * TRUESIZE)
})

test('more than ipfrag_max_dist fragments of the same sender: what is held is given up', () => {
  for (const [dist, between, far] of [
    [2, 1, 0],
    [2, 2, 1],
    [0, 9, 0],
  ] as const) {
    const world = makeIpWorld({ sysctl: { 'net.ipv4.ipfrag_max_dist': dist } })
    give(world, [[0, 8, MF]])
    for (let i = 0; i < between; i++) world.run(ipLocalDeliver, [fragment(world, [0, 8, MF], 100 + i)])
    const out = give(world, [[8, 16, 0]])
    assert.is(out.length, 1 - far)
    assert.equal(world.drops(), far === 0 ? {} : { 'FRAG_TOO_FAR@inet_frag_rbtree_purge': 1 })
    assert.is(world.snmp().IpReasmFails ?? 0, far)
    // Other senders do not count, and a peer that nobody refers to is forgotten.
    const peers = world.world.columns(FragPeer).users.filter((users) => users > 0)
    assert.is(peers.length, dist === 0 ? 0 : 1)
  }
})

test('timers: only with the first fragment is the sender told', () => {
  for (const [pieces, told] of [
    [
      [
        [0, 8, MF],
        [16, 24, MF],
      ],
      1,
    ],
    [
      [
        [8, 16, MF],
        [16, 24, 0],
      ],
      0,
    ],
  ] as const) {
    const world = makeIpWorld({ sysctl: { 'net.ipv4.ipfrag_time': 1 } })
    give(world, pieces as readonly Piece[])
    const { clockPs } = world.world.columns(Cpu)
    const timers = world.binder.bind(fragTimers)
    const expire = world.binder.bind(ipExpire)
    const dueJiffy = wheelExpiry(0, 250)
    assert.is(timers.fire(1, (dueJiffy - 1) * JIFFY_PS), false)
    assert.is(world.world.columns(FragTimer).armed[1], 1, 'the event is set anew')
    clockPs[1] = dueJiffy * JIFFY_PS
    assert.is(timers.fire(1, clockPs[1]), true)
    assert.is(expire(1), true)
    assert.is(expire(1), false)
    const { IpReasmTimeout, IpReasmFails, IcmpOutTimeExcds = 0 } = world.snmp()
    assert.equal([IpReasmTimeout, IpReasmFails, IcmpOutTimeExcds], [1, 1, told])
    const purged = { 'FRAG_REASM_TIMEOUT@inet_frag_rbtree_purge': 2 - told }
    assert.equal(world.drops(), told === 0 ? purged : { 'FRAG_REASM_TIMEOUT@ip_expire': 1, ...purged })
    assert.equal([world.alive(), memory(world), queues(world)], [0, 0, 0])
  }
})

test('a queue that another CPU completes leaves the list of the first', () => {
  const world = makeIpWorld()
  give(world, [[0, 8, MF]], 1)
  world.run(ipLocalDeliver, [fragment(world, [0, 8, MF], 78)], 1)
  assert.is(give(world, [[8, 16, 0]], 2).length, 1)
  const { head, tail } = world.world.columns(FragTimer)
  assert.ok(head[1] !== 0 && head[1] === tail[1])
  assert.is(world.world.columns(FragQueue).idProtocol[head[1]] >>> 16, 78)
})

test('timer wheel: one level after the other, each eight times coarser', () => {
  assert.is(wheelExpiry(100, 62), 163)
  assert.is(wheelExpiry(100, 63), 168)
  assert.is(wheelExpiry(0, 250), 256)
  assert.is(wheelExpiry(0, 503), 504)
  assert.is(wheelExpiry(0, 504), 512)
  assert.is(wheelExpiry(0, 7500), 7680)
  for (let now = 0; now < 600; now += 7) {
    const late = wheelExpiry(now, 7500) - now - 7500
    assert.ok(late > 0 && late <= 512)
  }
})

test.run()
