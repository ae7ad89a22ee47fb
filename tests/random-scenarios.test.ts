import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario, planOf } from './support/check-scenario.js'
import { checkUdpMem } from './support/check-udp-mem.js'
import { FOUND_EVENT_SEEDS, FOUND_SEEDS } from './support/found-seeds.js'
import { eventful, withEvents } from './support/random-events.js'
import { randomlyFiltered } from './support/random-filter.js'
import { withFragments } from './support/random-fragments.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { runModel } from './support/run-model.js'

const random = suite('random scenarios')

const repeat = (seed: number): string => `repeat with SEED=${seed} node tests/dist/random-scenarios.test.js`

/** In one drawn order; the long tests take three more, and every way for every scenario. */
const ORDERS = 1

/** Of the seeds that once found a fault, one of so many; the long tests take all. */
const ONE_OF = 3

function check(seed: number, turn: number | null = null): void {
  const faults = checkScenario(randomScenario(seed), seed, ORDERS, turn)
  assert.is(faults.join('\n'), '', repeat(seed))
}

random(`six CPUs share udp_mem, and see each other's pages alike however the run is advanced`, () => {
  assert.is(checkUdpMem('6.18', ORDERS, 0).join('\n'), '')
})

const given = Number(process.env.SEED)
if (given > 0) random(`seed ${given}`, () => check(given))
else {
  for (const [index, [seed, fault]] of FOUND_SEEDS.entries()) {
    if (index % ONE_OF === 0) random(`seed ${seed}: ${fault}`, () => check(seed, index / ONE_OF))
  }
  for (const [turn, seed] of [201, 202, 203].entries()) random(`seed ${seed}`, () => check(seed, turn))
}

for (const [turn, seed] of [401, 402].entries()) {
  random(`fragments, seed ${seed}`, () =>
    assert.is(checkScenario(withFragments(randomScenario(seed), seed), seed, ORDERS, turn).join('\n'), ''),
  )
}

for (const [turn, seed] of [601, 602].entries()) {
  random(`two hosts, seed ${seed}`, () =>
    assert.is(checkScenario(twoRandomHosts(seed, 0.2), seed, ORDERS, turn).join('\n'), ''),
  )
}

random('a host to whose device everything happens', () =>
  assert.is(checkScenario(eventful(), 1, ORDERS).join('\n'), ''),
)

for (const [turn, seed] of [501, 502].entries()) {
  random(`events, seed ${seed}`, () =>
    assert.is(checkScenario(withEvents(randomScenario(seed, 0.2), seed), seed, ORDERS, turn).join('\n'), ''),
  )
}

for (const [seed, fault] of FOUND_EVENT_SEEDS) {
  random(`events, seed ${seed}: ${fault}`, () =>
    assert.is(checkScenario(withEvents(randomScenario(seed), seed), seed, 0, 0).join('\n'), ''),
  )
}

random('filters that draw random words draw the same however the run is advanced', () => {
  const refused = (seed: number) => {
    const { report } = runModel(planOf(randomlyFiltered(seed), `seed ${seed}`))
    return report.drops.find(({ reason }) => reason === 'SOCKET_FILTER')?.count ?? 0
  }
  const counts = [1, 2, 3].map(refused)
  for (const count of counts)
    assert.ok(count > 450 && count < 700, `${count} of some 1200 packets are refused by a random bit`)
  assert.ok(new Set(counts).size > 1, `every seed refuses ${counts[0]}`)
  assert.is(checkScenario(randomlyFiltered(1), 1, ORDERS).join('\n'), '')
})

random('the same seed draws the same scenario, another seed another', () => {
  assert.equal(randomScenario(5), randomScenario(5))
  assert.not.equal(randomScenario(5), randomScenario(6))
})

random.run()
