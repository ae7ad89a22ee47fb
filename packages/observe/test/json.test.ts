import type { ResultDocument } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { resultToJson } from '../src/json.js'
import { screens } from './screens.js'

/** The same data with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  )
}

test('JSON gives the data back', () => {
  for (const document of Object.values(screens())) {
    assert.equal(JSON.parse(resultToJson(document)), JSON.parse(JSON.stringify(document)))
  }
})

test('the order of keys is that of the definition, however the object was built', () => {
  for (const document of Object.values(screens())) {
    assert.is(resultToJson(reversed(document) as ResultDocument), resultToJson(document))
  }
  const keys = [...resultToJson(screens().rss!).matchAll(/^ {2}"(\w+)":/gm)].map(([, key]) => key)
  assert.equal(keys.slice(0, 5), ['schema', 'status', 'scenario', 'kernel', 'profile'])
  assert.equal(keys.slice(-2), ['hosts', 'verdict'])
  assert.match(resultToJson(screens().rss!), /"time_ns": \{\s+"hardirq": [\d.]+,\s+"softirq": /)
})

test('what is not a number is null, and nothing else is lost', () => {
  const document = { ...screens().rss!, wall_ms: Number.NaN }
  assert.is(JSON.parse(resultToJson(document)).wall_ms, null)
})

test.run()
