import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Skb } from '../src/skb/components.js'
import { clearSkb } from '../src/skb/skb-clear.js'
import { wireWorld } from './support/wire-world.js'

test('every column of a row is cleared, and no other row', () => {
  const { world, binder } = wireWorld({ traffic: [] })
  const clear = binder.bind(clearSkb)
  const columns = Object.entries(world.columns(Skb))
  assert.ok(columns.length > 50)
  for (const [, column] of columns) column.fill(1, 1, 4)
  clear(2)
  for (const [name, column] of columns) assert.equal([...column.slice(1, 4)], [1, 0, 1], name)
})

test.run()
