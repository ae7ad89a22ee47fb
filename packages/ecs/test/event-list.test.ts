import * as fc from 'fast-check'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Binder, EventHeap, EventRow, eventList, World } from '../src/index.js'

function lists(owners: number, capacity: number) {
  const world = new World()
  world.spawn([EventHeap], owners)
  world.pool(EventRow, owners * capacity)
  world.freeze()
  const heap = world.columns(EventHeap)
  for (let owner = 1; owner <= owners; owner++) {
    heap.base[owner] = 1 + (owner - 1) * capacity
    heap.capacity[owner] = capacity
  }
  return { events: new Binder(world).bind(eventList), rows: world.columns(EventRow), count: heap.count }
}

test('events come out by time, and equal times by emitter and its sequence', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 3 })), { maxLength: 60 }), (pushes) => {
      const { events, rows } = lists(3, 64)
      const expected = pushes.map(([time, emitter], index) => ({ time, emitter, index }))
      for (const { time, emitter, index } of expected) events.push(1, emitter, time, 7, index, emitter, index * 0.5)
      expected.sort((a, b) => a.time - b.time || a.emitter - b.emitter || a.index - b.index)
      for (const { time, index } of expected) {
        assert.is(events.peekPs(1), time)
        const row = events.pop(1)
        assert.is(rows.timePs[row], time)
        assert.is(rows.a[row], index)
        assert.is(rows.c[row], index * 0.5)
      }
      assert.is(events.peekPs(1), Number.POSITIVE_INFINITY)
    }),
  )
})

test('pushAt is push with the time in a column', () => {
  const { events, rows } = lists(2, 8)
  events.due[0] = 5
  events.pushAt(2, 1, 3, 11, 12, 0)
  events.push(2, 1, 5, 4, 21, 22, 1)
  const first = events.pop(2)
  assert.equal([rows.timePs[first], rows.kind[first], rows.a[first], rows.b[first], rows.c[first]], [5, 3, 11, 12, 0])
  assert.is(rows.kind[events.pop(2)], 4)
})

test('owners do not see each other', () => {
  const { events, count } = lists(2, 8)
  events.push(1, 1, 5, 1, 0, 0, 0)
  assert.is(events.peekPs(2), Number.POSITIVE_INFINITY)
  assert.equal([count[1], count[2]], [1, 0])
})

test('a full list says which limit to raise', () => {
  const { events } = lists(1, 4)
  for (let i = 0; i < 3; i++) events.push(1, 1, i, 1, 0, 0, 0)
  assert.throws(() => events.push(1, 1, 9, 1, 0, 0, 0), /limits.events-per-partition/)
})

test.run()
