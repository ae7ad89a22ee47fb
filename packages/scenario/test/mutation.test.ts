import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { compileScenario } from '../src/compile/compile.js'
import { checkMutations, mutated, places } from './mutations.js'
import { full } from './scenarios.js'

const test = suite('mutation')

/** The long test draws twenty times as many. */
checkMutations(test, 200)

test('replacing one place by something strange gives a fault at or near that place', () => {
  const document = full()
  for (const path of places(document)) {
    const result = compileScenario(
      mutated(document, path, (owner, key) => {
        owner[key] = { 'no such key': Number.NaN }
      }),
      { source: 'test' },
    )
    assert.ok(!result.ok, path.join('.'))
  }
})

test.run()
