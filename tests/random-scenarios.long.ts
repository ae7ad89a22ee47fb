import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { checkUdpMem } from './support/check-udp-mem.js'
import { FOUND_EVENT_SEEDS, FOUND_SEEDS } from './support/found-seeds.js'
import { withEvents } from './support/random-events.js'
import { withFragments } from './support/random-fragments.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { atUdpMem } from './support/udp-mem-scenario.js'

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

random('seeds that once found a fault, in all drawn orders', () => {
  for (const [seed, fault] of FOUND_SEEDS) {
    assert.is(checkScenario(randomScenario(seed), seed).join('\n'), '', `seed ${seed}: ${fault}`)
  }
})

random('fragments, in all drawn orders', () => {
  for (const seed of [401, 402, 403]) {
    assert.is(checkScenario(withFragments(randomScenario(seed), seed), seed).join('\n'), '', `seed ${seed}`)
  }
})

random('two hosts, in all drawn orders', () => {
  for (let seed = 601; seed <= 612; seed++) {
    assert.is(checkScenario(twoRandomHosts(seed, 0.5), seed).join('\n'), '', `seed ${seed}`)
  }
})

random('hosts behind a router, on links and switches, in all drawn orders', () => {
  const faults: string[] = []
  for (let seed = 700; seed < 724; seed++) {
    const list = checkScenario(randomNetwork(seed), seed)
    if (list.length > 0) faults.push(`SEED=${seed} node tests/dist/linked-hosts.test.js\n  ${list.join('\n  ')}`)
  }
  assert.is(faults.join('\n'), '')
})

random('events, in all drawn orders', () => {
  const found = FOUND_EVENT_SEEDS.map(([seed]) => seed)
  for (const seed of [...Array.from({ length: 20 }, (_, i) => 501 + i), ...found]) {
    assert.is(checkScenario(withEvents(randomScenario(seed), seed), seed).join('\n'), '', `seed ${seed}`)
  }
})

for (const kernel of ['6.18', '6.5', '5.1'] as const) {
  random(`Linux ${kernel}: udp_mem shared by six CPUs, in all drawn orders`, () => {
    assert.is(checkUdpMem(kernel).join('\n'), '')
    for (const seed of [2, 3]) assert.is(checkScenario(atUdpMem(kernel), seed).join('\n'), '', `seed ${seed}`)
  })
}

random.run()
