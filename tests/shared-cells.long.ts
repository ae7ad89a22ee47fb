import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario } from './support/random-scenario.js'
import { sharedCells } from './support/shared-cells.js'

const shared = suite('partitions touch only their own rows, many scenarios')

const FIRST_SEED = 1
const COUNT = 200
const PER_TEST = 20

for (let first = FIRST_SEED; first < FIRST_SEED + COUNT; first += PER_TEST) {
  shared(`seeds ${first} to ${first + PER_TEST - 1}`, () => {
    const faults: string[] = []
    for (let seed = first; seed < first + PER_TEST; seed++) {
      for (const cell of sharedCells(planOf(randomScenario(seed, 0.3), `seed ${seed}`))) faults.push(`${seed}: ${cell}`)
    }
    assert.is(faults.join('\n'), '')
  })
}

shared('hosts on links and switches', () => {
  const faults: string[] = []
  for (let seed = 1; seed <= 20; seed++) {
    for (const cell of sharedCells(planOf(randomNetwork(seed, 0.5), `network ${seed}`))) faults.push(`${seed}: ${cell}`)
  }
  assert.is(faults.join('\n'), '')
})

shared.run()
