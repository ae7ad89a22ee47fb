import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { randomScenario } from './support/random-scenario.js'

const random = suite('many random scenarios')

const FIRST_SEED = 1000
const COUNT = 320
const PER_TEST = 16

for (let first = FIRST_SEED; first < FIRST_SEED + COUNT; first += PER_TEST) {
  random(`seeds ${first} to ${first + PER_TEST - 1}`, () => {
    const faults: string[] = []
    for (let seed = first; seed < first + PER_TEST; seed++) {
      const list = checkScenario(randomScenario(seed), seed)
      if (list.length > 0) faults.push(`SEED=${seed} node tests/dist/random-scenarios.test.js\n  ${list.join('\n  ')}`)
    }
    assert.is(faults.join('\n'), '')
  })
}

random.run()
