import { RandomStream, World } from '@softnet/ecs'
import { FAULT_IP_TOT_LEN_LONG, FAULT_IP_VERSION, TCP_ACK, TCP_PSH } from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { PACKET_TYPE, SKB, Skb } from '../src/skb/components.js'
import { fillAliasTable } from '../src/traffic/alias-table.js'
import { AliasSlot, SourceState } from '../src/traffic/components.js'
import { address, CLEAN, flows, MILLISECOND, open, SECOND, wireWorld } from './support/wire-world.js'

type Change = Parameters<typeof open>[0]

/** Runs `packets` packets and gives each row to `visit`. */
function run(change: Change, packets: number, visit: (k: ReturnType<typeof columns>, row: number) => void) {
  const w = wireWorld({
    traffic: [open({ ...change, packets })],
    device: { indirection: [0], linkBitsPerSec: 800e9 },
  })
  const k = columns(w)
  w.drain(10 * SECOND, (row) => visit(k, row))
  return w
}

function columns(w: ReturnType<typeof wireWorld>) {
  return w.world.columns(Skb)
}

test('alias table: thresholds add up to the weights', () => {
  const weights = [7, 4, 1, 0, 0.25, 100, 3]
  const world = new World()
  world.pool(AliasSlot, 32)
  world.freeze()
  const table = world.columns(AliasSlot)
  fillAliasTable(
    table,
    5,
    weights,
    weights.map((_, i) => i + 50),
  )
  const sum = weights.reduce((a, b) => a + b)
  const probability = weights.map(() => 0)
  weights.forEach((_, i) => {
    const own = table.threshold[5 + i] / 2 ** 32
    probability[i] = (probability[i] as number) + own / weights.length
    const alias = table.alias[5 + i]
    probability[alias] = (probability[alias] as number) + (1 - own) / weights.length
    assert.is(table.value[5 + i], i + 50)
  })
  weights.forEach((weight, i) => {
    assert.ok(Math.abs((probability[i] as number) - weight / sum) < 1e-8)
  })
})

test('roundrobin takes flows in turn; addresses and ports go through their ranges', () => {
  const set = flows(6, { saddrCount: 3, daddrCount: 2, sportCount: 6, dportCount: 2 })
  const seen: string[] = []
  run({ flows: set }, 12, (k, row) => {
    const [s, d, p] = [k.saddr[row], k.daddr[row], k.ports[row]]
    seen.push(`${s - address(1)} ${d - address(2)} ${p >>> 16} ${p & 0xffff}`)
  })
  const once = [
    '0 0 10000 9000',
    '1 1 10001 9001',
    '2 0 10002 9000',
    '0 1 10003 9001',
    '1 0 10004 9000',
    '2 1 10005 9001',
  ]
  assert.equal(seen, [...once, ...once])
})

test('uniform: every flow gets its share', () => {
  const counts = new Array(10).fill(0)
  run({ flows: flows(10, { pick: 'uniform' }) }, 50_000, (k, row) => counts[(k.ports[row] >>> 16) - 10000]++)
  for (const n of counts) assert.ok(Math.abs(n - 5000) < 5 * 67, `${n}`)
})

test('zipf: flow i gets 1 / (i + 1)^s', () => {
  const counts = new Array(100).fill(0)
  run({ flows: flows(100, { pick: 'zipf', zipfExponent: 1.2 }) }, 100_000, (k, row) => {
    counts[(k.ports[row] >>> 16) - 10000]++
  })
  const weights = counts.map((_, i) => (i + 1) ** -1.2)
  const sum = weights.reduce((a, b) => a + b)
  counts.forEach((n, i) => {
    const expected = (100_000 * (weights[i] as number)) / sum
    assert.ok(Math.abs(n - expected) < 5 * Math.sqrt(expected) + 1, `flow ${i}: ${n}, ${expected}`)
  })
})

test('churn: flows have a geometric number of packets, and a new one takes the next ports', () => {
  const perFlow = new Map<number, number>()
  const set = flows(8, { pick: 'churn', packetsPerFlow: 5, sportCount: 50_000 })
  const w = run({ flows: set }, 100_000, (k, row) => {
    const port = k.ports[row] >>> 16
    const id = k.idFrag[row] >>> 16
    assert.is(id, perFlow.get(port) ?? 0, 'the packets of a flow count from 0')
    perFlow.set(port, id + 1)
  })
  const opened = w.world.columns(SourceState).flowsOpened[1]
  assert.is(perFlow.size, opened - [...Array(8)].filter((_, i) => !perFlow.has(10000 + opened - 8 + i)).length)
  assert.ok(Math.abs(opened - 20_000) < 5 * 150, `${opened} flows`)
  const ended = [...perFlow.entries()].filter(([port]) => port < 10000 + opened - 100).map(([, n]) => n)
  const ones = ended.filter((n) => n === 1).length / ended.length
  assert.ok(Math.abs(ones - 0.2) < 0.02, `${ones} of flows have one packet`)
  assert.ok(Math.max(...ended) > 20)
})

test('churn with one packet per flow is a new flow each time', () => {
  const ports = new Set<number>()
  run({ flows: flows(4, { pick: 'churn', packetsPerFlow: 1, sportCount: 50_000 }) }, 1000, (k, row) => {
    ports.add(k.ports[row])
  })
  assert.is(ports.size, 1000)
})

test('imix is 7:4:1 of 64, 570 and 1518 bytes on the wire', () => {
  const counts = new Map<number, number>()
  run({ frame: { kind: 'imix' } }, 120_000, (k, row) => {
    counts.set(k.wireBytes[row] + 4, (counts.get(k.wireBytes[row] + 4) ?? 0) + 1)
    assert.is(k.totLen[row], k.wireBytes[row] - 14)
  })
  for (const [bytes, expected] of [
    [64, 70_000],
    [570, 40_000],
    [1518, 10_000],
  ] as const) {
    assert.ok(Math.abs((counts.get(bytes) ?? 0) - expected) < 5 * Math.sqrt(expected), `${bytes}`)
  }
})

test('weighted lengths follow their weights', () => {
  const values = [
    { bytes: 100, weight: 1 },
    { bytes: 200, weight: 3 },
  ]
  let long = 0
  run({ frame: { kind: 'weighted', values } }, 40_000, (k, row) => {
    if (k.wireBytes[row] === 200) long++
  })
  assert.ok(Math.abs(long - 30_000) < 5 * 87)
})

test('tcp: trains, sequence numbers by payload, PSH at the end of each train', () => {
  const lines: string[] = []
  const change: Change = { protocol: 'tcp', trainSegments: 3, flows: flows(2), frame: { kind: 'fixed', bytes: 1514 } }
  run(change, 12, (k, row) => {
    const flags = k.tcpWord[row] & 0x1ff
    assert.is(flags & TCP_ACK, TCP_ACK)
    assert.is((k.tcpWord[row] >>> 12) & 15, 5)
    assert.is(k.payload[row], 1460)
    assert.is(k.udpLen[row], 0)
    const push = (flags & TCP_PSH) !== 0 ? ' PSH' : ''
    lines.push(`${(k.ports[row] >>> 16) - 10000} ${(k.tcpSeq[row] - 1) / 1460} ${k.idFrag[row] >>> 16}${push}`)
  })
  const train = (flow: number, first: number) =>
    [0, 1, 2].map((i) => `${flow} ${first + i} ${first + i}${i === 2 ? ' PSH' : ''}`)
  assert.equal(lines, [...train(0, 0), ...train(1, 0), ...train(0, 3), ...train(1, 3)])
})

test('vlan, zero checksum and padding show in the packet', () => {
  run({ vlan: 7, zeroChecksum: true }, 1, (k, row) => {
    assert.is(k.vlanTci[row], 7)
    assert.is(k.flags[row], SKB.vlan | SKB.csumZero | SKB.l4Hash)
    assert.is(k.wireBytes[row], 60)
    assert.is(k.len[row], 56)
    assert.is(k.totLen[row], 42)
  })
  run({ frame: { kind: 'fixed', bytes: 50 } }, 1, (k, row) => {
    assert.is(k.wireBytes[row], 60)
    assert.is(k.totLen[row], 36)
    assert.ok((k.flags[row] & SKB.padded) !== 0)
  })
})

test('each malformation marks its share and is what the kernel will find', () => {
  const share = 0.25
  const check = (malform: Partial<typeof CLEAN>, bad: (k: ReturnType<typeof columns>, row: number) => boolean) => {
    let n = 0
    let vouched = 0
    run({ malform: { ...CLEAN, ...malform } }, 10_000, (k, row) => {
      if (!bad(k, row)) return
      n++
      if ((k.flags[row] & SKB.csumUnnecessary) !== 0) vouched++
    })
    assert.ok(Math.abs(n - 2500) < 5 * 44, `${JSON.stringify(malform)}: ${n}`)
    assert.is(vouched, malform.otherHost === undefined ? 0 : n)
  }
  check({ ipChecksum: share }, (k, row) => (k.flags[row] & SKB.ipCsumBad) !== 0)
  check({ udpChecksum: share }, (k, row) => (k.flags[row] & SKB.csumBad) !== 0)
  check({ truncated: share }, (k, row) => k.faults[row] === FAULT_IP_TOT_LEN_LONG && k.totLen[row] > k.len[row] - 14)
  check(
    { badVersion: share },
    (k, row) => k.faults[row] === FAULT_IP_VERSION && k.ipWord[row] >>> 28 === 6 && k.hash[row] === 0,
  )
  check({ otherHost: share }, (k, row) => k.packetType[row] === PACKET_TYPE.otherhost)
})

test('sources draw from streams of their own', () => {
  const uniform = open({ flows: flows(50, { pick: 'uniform' }), packets: 100 })
  const ports = (first: Change) => {
    const w = wireWorld({ traffic: [open(first), uniform], device: { indirection: [0] } })
    const k = columns(w)
    const seen: number[] = []
    w.drain(MILLISECOND, (row) => {
      if (k.wireBytes[row] === 60) seen.push(k.ports[row])
    })
    assert.ok(w.world.columns(RandomStream).drawn.some((n) => n > 0))
    return seen
  }
  const quiet = ports({ frame: { kind: 'fixed', bytes: 100 }, packets: 1 })
  const busy = ports({
    frame: { kind: 'fixed', bytes: 100 },
    packets: 50,
    arrival: { kind: 'poisson', packetsPerSec: 1e6 },
  })
  assert.is(quiet.length, 100)
  assert.equal(busy, quiet)
})

test('multicast and broadcast addresses give their packet type', () => {
  const type = (daddr: number) => {
    let seen = -1
    run({ flows: flows(1, { daddr }) }, 1, (k, row) => {
      seen = k.packetType[row]
    })
    return seen
  }
  assert.is(type(address(2)), PACKET_TYPE.host)
  assert.is(type(0xe0000001), PACKET_TYPE.multicast)
  assert.is(type(address(255)), PACKET_TYPE.broadcast)
  assert.is(type(0xffffffff), PACKET_TYPE.broadcast)
})

test.run()
