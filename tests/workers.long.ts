import { BUILTIN_SCENARIOS, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { Crew } from './support/crew.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { runModel } from './support/run-model.js'
import { builtinFor, countOf, sameOn } from './support/same-on-workers.js'

const workers = suite('many runs on many workers')
const crew = new Crew(7)
workers.after(() => crew.end())

const FIRST_SEED = 2000
const SEEDS = 200
const PER_TEST = 20

async function faultsOf(
  scenario: ScenarioInput,
  name: string,
  counts: readonly number[],
  stress: number,
): Promise<string[]> {
  const plan = planOf(scenario, name)
  const { digest } = runModel(plan).report
  const faults: string[] = []
  for (const count of counts) {
    const other = (await crew.run(plan, count, { stress, pieces: 2 })).digest
    if (other !== digest) faults.push(`${name} on ${count} workers: ${other}, alone ${digest}`)
  }
  return faults
}

for (const { name, scenario } of BUILTIN_SCENARIOS) {
  workers(`${name} ends alike on 2, 3 and 8 workers`, async () => {
    assert.equal(await faultsOf({ ...scenario, duration: '500us', warmup: '0s' }, name, [2, 3, 8], 0), [])
  })
}

for (const [name, duration] of [
  ['rss-4-queues', '1ms'],
  ['rps-single-queue', '500us'],
  ['echo-closed-loop', '1ms'],
] as const) {
  workers(`${name} shows the same on 1, 2, 3, 4 and 8 workers`, () =>
    sameOn(crew, [1, 2, 3, 4, 8], builtinFor(name, duration), name),
  )
}

for (let seed = 509; seed <= 520; seed++) {
  workers(`random scenario ${seed} shows the same on ${countOf(seed)} workers that give way at drawn points`, () =>
    sameOn(crew, [countOf(seed)], randomScenario(seed, 0.2), `seed ${seed}`, seed),
  )
}

workers('two random hosts, seed 603, show the same on 3 workers', () =>
  sameOn(crew, [3], twoRandomHosts(603, 0.2), 'seed 603', 603),
)

for (let first = FIRST_SEED; first < FIRST_SEED + SEEDS; first += PER_TEST) {
  workers(`seeds ${first} to ${first + PER_TEST - 1}, with threads that give way at drawn points`, async () => {
    const faults: string[] = []
    for (let seed = first; seed < first + PER_TEST; seed++) {
      faults.push(...(await faultsOf(randomScenario(seed, 0.2), `seed ${seed}`, [countOf(seed)], seed)))
    }
    assert.equal(faults, [])
  })
}

workers('hosts on links and switches end alike on several workers', async () => {
  const faults: string[] = []
  for (let seed = 700; seed < 724; seed++) {
    const counts = [countOf(seed)]
    faults.push(...(await faultsOf(randomNetwork(seed, 0.3), `network ${seed}`, counts, seed)))
  }
  assert.equal(faults, [])
})

workers.run()
