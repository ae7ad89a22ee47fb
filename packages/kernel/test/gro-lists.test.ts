import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Cpu } from '../src/cpu/components.js'
import { GroBucket, Napi } from '../src/napi/components.js'
import { GroWorld, JIFFY_PS } from './support/gro-world.js'

const ports = (world: GroWorld): number[] => world.delivered.map((each) => each.serial)

test('a ninth flow of a bucket completes the oldest', () => {
  const world = new GroWorld({ batch: 1 })
  for (let i = 0; i < 9; i++) world.receive({ sport: 40000 + i })
  assert.equal(ports(world), [1])
  assert.is(world.world.columns(GroBucket).count[world.napi * 8], 8)
  world.complete()
  assert.equal(ports(world), [1, 2, 3, 4, 5, 6, 7, 8, 9], 'oldest first')
})

test('eight buckets of eight since 4.19, one list before', () => {
  for (const [kernel, held] of [
    ['6.18', 64],
    ['5.1', 64],
    ['4.14', 8],
  ] as const) {
    const world = new GroWorld({ kernel })
    for (let i = 0; i < 80; i++) world.receive({ sport: 40000 + i, hash: i })
    assert.is(
      world.world.columns(GroBucket).count.reduce((sum, n) => sum + n, 0),
      held,
      kernel,
    )
    assert.is(world.counted('held'), 80)
  }
})

test('flush goes through the buckets in order, oldest first in each', () => {
  const world = new GroWorld({ batch: 1 })
  for (const hash of [5, 3, 5, 0, 3]) world.receive({ sport: 40000 + hash * 100 + world.events.length, hash })
  assert.is(world.world.columns(Napi).groBitmap[world.napi], 0b101001)
  world.gro.flush(world.cpu, world.napi, false)
  assert.equal(ports(world), [4, 2, 5, 1, 3])
  assert.is(world.world.columns(Napi).groBitmap[world.napi], 0)
})

test('flushing the old spares those held in this jiffy', () => {
  const world = new GroWorld({ batch: 1 })
  world.receive({ sport: 1, hash: 0 })
  world.receive({ sport: 2, hash: 1 })
  world.receive({ sport: 3, hash: 0 })
  world.advance(JIFFY_PS)
  world.receive({ sport: 4, hash: 0 })
  world.receive({ sport: 5, hash: 2 })
  world.gro.flush(world.cpu, world.napi, true)
  assert.equal(ports(world), [1, 3, 2])
  assert.is(world.counted('flushedAge'), 3)
  assert.is(world.world.columns(Napi).groBitmap[world.napi], 0b101)
  world.gro.flush(world.cpu, world.napi, true)
  assert.is(world.delivered.length, 3)
  world.advance(JIFFY_PS)
  world.gro.flush(world.cpu, world.napi, true)
  assert.equal(ports(world), [1, 3, 2, 4, 5])
})

test('age is that of the first segment, and the jiffy counter may pass 32 bits', () => {
  const world = new GroWorld({ batch: 1 })
  world.world.columns(Cpu).clockPs[world.cpu] = JIFFY_PS * 2 ** 21
  world.receive({ seq: 1000 })
  world.advance(JIFFY_PS)
  world.receive({ seq: 2000 })
  world.gro.flush(world.cpu, world.napi, true)
  assert.is(world.delivered[0]?.frames, 2)
})

test('eight finished packets go up together', () => {
  const world = new GroWorld()
  for (let i = 0; i < 7; i++) world.receive({ proto: 17 })
  assert.is(world.delivered.length, 0)
  assert.is(world.world.columns(Napi).segCount[world.napi], 7)
  world.receive({ proto: 17 })
  assert.is(world.delivered.length, 8)
  const napi = world.world.columns(Napi)
  assert.equal(
    [napi.listHead, napi.listTail, napi.listCount, napi.segCount].map((column) => column[world.napi]),
    [0, 0, 0, 0],
  )
})

test('gro_normal_batch counts segments; before 5.4 nothing waits', () => {
  for (const [kernel, batch, waiting] of [
    ['6.18', 3, 2],
    ['6.18', 1, 0],
    ['5.1', 8, 0],
    ['4.14', 8, 0],
  ] as const) {
    const world = new GroWorld({ kernel, batch })
    world.receive({ proto: 17 })
    world.receive({ proto: 17 })
    assert.is(world.world.columns(Napi).segCount[world.napi], waiting, `${kernel} ${batch}`)
  }
  const world = new GroWorld({ batch: 3 })
  for (let i = 0; i < 3; i++) world.receive({ seq: 1000 + i * 1000, id: i })
  world.gro.flush(world.cpu, world.napi, false)
  assert.is(world.delivered[0]?.frames, 3, 'three segments in one packet fill the batch')
})

test('normalOne counts the frames of what is given to it', () => {
  const world = new GroWorld()
  const row = world.make()
  world.skb.frames[row] = 8
  world.skb.fragHead[row] = 0
  world.gro.normalOne(world.cpu, world.napi, row)
  assert.is(world.delivered.length, 1)
})

test('an empty batch is not handed up', () => {
  const world = new GroWorld()
  world.complete()
  assert.is(world.events.length, 0)
})

test.run()
