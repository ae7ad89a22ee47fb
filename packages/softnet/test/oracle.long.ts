/** All recordings that come with softnet. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { oracleCases } from './oracle-process.js'

test('every recording of Linux 6.18 agrees with the simulated stack, one that differed in itself is shown', async () => {
  const cases = await oracleCases()
  const differing = cases.filter((each) => !each.pass || (each.gated && each.diff !== null))
  assert.equal(
    differing.map((each) => `${each.name}: ${each.diff}`),
    [],
  )
  assert.is(cases.filter((each) => !each.gated).length, 1)
  assert.is(new Set(cases.map((each) => each.name)).size, cases.length)
})

test.run()
