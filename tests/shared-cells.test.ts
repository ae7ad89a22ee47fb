import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { sharedCells } from './support/shared-cells.js'

const shared = suite('partitions touch only their own rows')

/** Seeds in which a partition once wrote into another one's rows, and where. */
const found: readonly (readonly [number, string])[] = [
  [65, 'flow-limit table of the CPU that steers'],
  [220, 'flow hash and NAPI id of a connected socket'],
  [303, 'drops of a socket without a reserve of memory'],
]

for (const [seed, where] of found) {
  shared(`seed ${seed}: ${where}`, () => {
    assert.equal(sharedCells(planOf(randomScenario(seed, 0.3), `seed ${seed}`)), [])
  })
}

shared('two hosts', () => {
  for (const seed of [602]) assert.equal(sharedCells(planOf(twoRandomHosts(seed, 0.2), `seed ${seed}`)), [])
})

shared('hosts on a link or switch', () => {
  for (const seed of [3]) assert.equal(sharedCells(planOf(randomNetwork(seed, 0.3), `network ${seed}`)), [])
})

shared.run()
