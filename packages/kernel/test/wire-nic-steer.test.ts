import { createToeplitz, MICROSOFT_RSS_KEY } from '@softnet/wire'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { DROP_ROWS, DropCount } from '../src/count/components.js'
import { DROP } from '../src/count/drops.js'
import { EVENT } from '../src/cpu/event-kinds.js'
import { NetDev } from '../src/nic/components.js'
import { SKB, Skb } from '../src/skb/components.js'
import { WireState } from '../src/wire/components.js'
import { arfsFilters, arfsKey } from '../src/wire/nic-steer.js'
import { address, flows, MICROSECOND, MILLISECOND, open, SECOND, wireWorld } from './support/wire-world.js'

test('queue and hash of every flow are those of the reference Toeplitz and the indirection table', () => {
  const indirection = Array.from({ length: 128 }, (_, i) => (i * 5 + (i >> 4)) % 4)
  const w = wireWorld({ traffic: [open({ flows: flows(500), packets: 500 })], device: { indirection } })
  const k = w.world.columns(Skb)
  const reference = createToeplitz(MICROSOFT_RSS_KEY)
  const perQueue = [0, 0, 0, 0]
  w.drain(SECOND, (row, queue) => {
    const hash = reference.hash4tuple(k.saddr[row], k.daddr[row], k.ports[row])
    assert.is(k.hash[row], hash)
    assert.is(queue - w.firstQueue, indirection[hash & 127])
    perQueue[queue - w.firstQueue]++
  })
  assert.is(
    perQueue.reduce((a, b) => a + b),
    500,
  )
  for (const n of perQueue) assert.ok(n > 60)
})

test('with sd hashing the ports do not count and the hash is not an L4 hash', () => {
  const w = wireWorld({
    traffic: [open({ flows: flows(64), packets: 64 }), open({ flows: flows(64), packets: 64, protocol: 'tcp' })],
    device: { hashFields: { tcp4: 'sdfn', udp4: 'sd' } },
  })
  const k = w.world.columns(Skb)
  const hashes = { udp: new Set<number>(), tcp: new Set<number>() }
  w.drain(SECOND, (row) => {
    const udp = (k.ipWord[row] & 0xff) === 17
    hashes[udp ? 'udp' : 'tcp'].add(k.hash[row])
    assert.is((k.flags[row] & SKB.l4Hash) !== 0, !udp)
  })
  assert.is(hashes.udp.size, 1)
  assert.is(hashes.tcp.size, 64)
})

test('the first matching rule decides; -1 drops in the card', () => {
  const any = { proto: 17, saddr: null, daddr: null, sport: null, dport: null }
  const w = wireWorld({
    traffic: [open({ flows: flows(8), packets: 80 })],
    device: {
      ntuple: [
        { ...any, proto: 6, action: 1 },
        { ...any, sport: 10003, action: -1 },
        { ...any, sport: 10003, action: 0 },
        { ...any, saddr: address(1), dport: 9000, action: 2 },
      ],
    },
  })
  const perQueue = [0, 0, 0, 0]
  w.drain(SECOND, (_row, queue) => perQueue[queue - w.firstQueue]++)
  assert.equal(perQueue, [0, 0, 70, 0])
  assert.is(w.world.columns(DropCount).frames[w.wire * DROP_ROWS + DROP.nicFilter], 10)
  assert.is(w.world.columns(WireState).filtered[w.wire], 10)
})

test('accelerated RFS moves a flow from the time its filter is set, but not against a rule', () => {
  const reference = createToeplitz(MICROSOFT_RSS_KEY)
  const hash = reference.hash4tuple(address(1), address(2), (10000 << 16) | 9000)
  const rss = hash & 3
  const target = (rss + 1) & 3
  const build = (ruled: boolean) =>
    wireWorld({
      traffic: [open({ flows: flows(1) })],
      device: {
        arfs: true,
        ntuple: ruled ? [{ proto: 17, saddr: null, daddr: null, sport: null, dport: 9000, action: rss }] : [],
      },
    })
  const perQueue = (w: ReturnType<typeof build>, horizon: number) => {
    const counts = [0, 0, 0, 0]
    w.drain(horizon, (_row, queue) => counts[queue - w.firstQueue]++)
    return counts
  }
  const w = build(false)
  w.events.push(w.wire, w.wire, 10.5 * MICROSECOND, EVENT.arfs, w.firstQueue + target, 0, hash)
  const counts = perQueue(w, 30 * MICROSECOND)
  assert.is(counts[rss], 11)
  assert.is(counts[target], 19)
  assert.is(w.world.columns(WireState).arfsHits[w.wire], 19)
  const filters = w.binder.bind(arfsFilters)
  filters.remove(w.dev, filters.insert(w.dev, hash, w.firstQueue + target))
  assert.is(perQueue(w, 40 * MICROSECOND)[rss], 10)
  filters.insert(w.dev, hash, w.firstQueue + target)
  w.world.columns(NetDev).features[w.dev] = 0
  assert.is(perQueue(w, 50 * MICROSECOND)[rss], 10)
  const ruled = build(true)
  ruled.binder.bind(arfsFilters).insert(ruled.dev, hash, ruled.firstQueue + target)
  assert.is(perQueue(ruled, 10 * MICROSECOND)[rss], 10)
})

test('where the hash leaves the ports out, a filter still tells flows apart', () => {
  const w = wireWorld({
    traffic: [open({ flows: flows(4), packets: 400 })],
    device: { arfs: true, hashFields: { tcp4: 'sdfn', udp4: 'sd' } },
  })
  const k = w.world.columns(Skb)
  const filters = w.binder.bind(arfsFilters)
  for (let i = 0; i < 4; i++) {
    const key = arfsKey(0, 0, address(1), address(2), ((10000 + i) << 16) | 9000)
    filters.insert(w.dev, key, w.firstQueue + i)
  }
  w.drain(SECOND, (row, queue) => assert.is(queue - w.firstQueue, (k.ports[row] >>> 16) - 10000))
  assert.is(w.world.columns(WireState).arfsHits[w.wire], 400)
})

test('a device without accelerated RFS takes no filter', () => {
  const w = wireWorld({ traffic: [open()] })
  assert.is(w.binder.bind(arfsFilters).insert(w.dev, 1, w.firstQueue), -1)
  w.drain(MILLISECOND)
})

test.run()
