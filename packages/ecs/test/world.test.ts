import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { System } from '../src/index.js'
import {
  Binder,
  defineComponent,
  defineResource,
  defineSystem,
  digestWorld,
  f64,
  i32,
  u8,
  u32,
  World,
} from '../src/index.js'

const Position = defineComponent('position', { x: f64, y: f64 })
const Tag = defineComponent('tag', { value: u8 })
const Row = defineComponent('row', { live: u8, value: u32 })
const Seen = defineComponent('seen', { times: u32 }, { role: 'observer' })

function small(): World {
  const world = new World()
  assert.is(world.spawn([Position], 3), 1)
  assert.is(world.spawn([Position, Tag], 2), 4)
  world.pool(Row, 4, 'live')
  world.pool(Seen, 1)
  world.freeze()
  return world
}

test('entities are consecutive and index the columns', () => {
  const world = small()
  assert.is(world.columns(Position).x.length, 6)
  assert.is(world.columns(Tag).value.length, 6)
  assert.equal(world.query([Position, Tag]), [4, 5])
  assert.is(world.hasComponent(2, Tag), false)
  assert.ok(world.columns(Position).x.buffer instanceof SharedArrayBuffer)
})

test('alignment puts a block on a boundary', () => {
  const world = new World()
  world.spawn([Tag], 3)
  assert.is(world.spawn([Tag], 2, 8), 8)
})

test('a frozen world takes no structure, an open one gives no columns', () => {
  const world = small()
  assert.throws(() => world.spawn([Tag], 1), /frozen/)
  assert.throws(() => world.pool(Row, 9), /frozen/)
  assert.throws(() => new World().columns(Tag), /no columns/)
})

test('two components of one name, and one component of two kinds, are refused', () => {
  const world = new World()
  world.spawn([Tag], 1)
  assert.throws(() => world.spawn([defineComponent('tag', { other: u8 })], 1), /two components/)
  assert.throws(() => world.pool(Tag, 2), /both/)
})

test('the digest sees every live model row, and nothing else', () => {
  const world = small()
  const start = digestWorld(world)
  assert.match(start, /^[0-9a-f]{16}$/)
  world.columns(Position).y[5] = 1e-300
  const moved = digestWorld(world)
  assert.is.not(moved, start)
  world.columns(Row).value[2] = 9
  assert.is(digestWorld(world), moved, 'a free row does not count')
  world.columns(Row).live[2] = 1
  assert.is.not(digestWorld(world), moved)
  const before = digestWorld(world)
  world.columns(Seen).times[1] = 5
  assert.is(digestWorld(world), before, 'observers do not count')
})

test('columns of rows that are spaced lie in what is idle between the rows', () => {
  const Spaced = defineComponent('spaced', { a: f64, b: i32, c: f64, d: u8, e: i32 })
  const build = (step: number): World => {
    const world = new World()
    if (step > 1) world.spacedPool(Spaced, 8, step)
    else world.pool(Spaced, 8)
    world.freeze()
    const { a, b, c, d, e } = world.columns(Spaced)
    for (const row of [0, 4, 8]) {
      a[row] = row + 0.5
      b[row] = -row
      c[row] = 2 * row
      d[row] = row + 1
      e[row] = row + 7
    }
    return world
  }
  const spaced = build(4)
  const { a, b, c, e } = spaced.columns(Spaced)
  assert.is(c.byteOffset - a.byteOffset, 8, 'neighbours of one width')
  assert.is(e.byteOffset - b.byteOffset, 4)
  assert.equal([a[8], b[8], c[8], e[8]], [8.5, -8, 16, 15])
  assert.equal(spaced.arenaNames(), ['spaced.a+c', 'spaced.b+e', 'spaced.d'])
  assert.is(spaced.arena().length, 3)
  const plain = build(1)
  assert.is(digestWorld(spaced), digestWorld(plain), 'the digest is that of the rows')
  spaced.eachColumn((name, column) => {
    plain.eachColumn(
      (other, values) => name === other && assert.equal([...Array.from(column)], [...Array.from(values)]),
    )
  })
  const attached = new World()
  attached.spacedPool(Spaced, 8, 4)
  attached.freeze(spaced.arena())
  assert.is(attached.columns(Spaced).c[8], 16)
})

test('a record holds no more columns than there are rows to the next one', () => {
  const Wide = defineComponent('wide', { a: i32, b: i32, c: i32 })
  const world = new World()
  world.spacedPool(Wide, 4, 2)
  world.freeze()
  assert.equal(world.arenaNames(), ['wide.a+b', 'wide.c'])
})

test('a system is bound once, and what it reads and writes is on record', () => {
  const world = small()
  const Factor = defineResource<number>('factor')
  let binds = 0
  const step = defineSystem('step', 'move', 'none', (context) => {
    binds++
    const { x } = context.write(Position)
    const { value } = context.read(Tag)
    const factor = context.resource(Factor)
    return (eid: number) => {
      x[eid] += factor * (value[eid] as number)
    }
  })
  const twice = defineSystem('twice', 'move', 'none', (context) => {
    const run = context.system(step)
    return (eid: number) => {
      run(eid)
      run(eid)
    }
  })
  const binder = new Binder(world)
  assert.throws(() => binder.bind(step), /factor is not provided/)
  const fresh = new Binder(world)
  fresh.provide(Factor, 2)
  world.columns(Tag).value[4] = 3
  fresh.bind(twice)(4)
  fresh.bind(step)
  assert.is(world.columns(Position).x[4], 12)
  assert.is(binds, 2)
  const [access] = fresh.access()
  assert.equal([access?.name, access?.reads, access?.writes], ['step', ['tag'], ['position']])
})

test('systems that bind each other are an error that shows the ring', () => {
  const world = small()
  const first: System<() => void> = defineSystem('first', 's', 'none', (context) => context.system(second))
  const second: System<() => void> = defineSystem('second', 's', 'none', (context) => context.system(first))
  assert.throws(() => new Binder(world).bind(first), /first → second → first/)
})

test.run()
