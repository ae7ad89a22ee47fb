import { BUILTIN_SCENARIOS, type ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { Crew } from './support/crew.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { runModel } from './support/run-model.js'

const workers = suite('any number of workers')
const crew = new Crew(7)
workers.after(() => crew.end())

/** What a run shows of itself, all of it. */
async function sameOn(counts: readonly number[], scenario: ScenarioInput, name: string, stress = 0): Promise<void> {
  const plan = planOf(scenario, name)
  const alone = runModel(plan).report
  for (const count of counts) {
    const together = await crew.run(plan, count, { stress, pieces: 3 })
    assert.equal(together, alone, `${name} on ${count} workers`)
  }
}

function builtin(name: string, duration: string): ScenarioInput {
  const found = BUILTIN_SCENARIOS.find((entry) => entry.name === name)
  if (found === undefined) throw new Error(`no built-in scenario is called ${name}`)
  return { ...found.scenario, duration, warmup: '0s' }
}

for (const [name, duration] of [
  ['rss-4-queues', '1ms'],
  ['rps-single-queue', '500us'],
  ['echo-closed-loop', '1ms'],
] as const) {
  workers(`${name} ends alike on 1, 2, 3, 4 and 8 workers`, () =>
    sameOn([1, 2, 3, 4, 8], builtin(name, duration), name),
  )
}

workers('where nothing that is sent can come back, nobody waits for a round', async () => {
  await sameOn([2], builtin('rss-4-queues', '1ms'), 'rss-4-queues')
  assert.ok(crew.rounds <= 12, `${crew.rounds} rounds in three pieces`)
  await sameOn([2], builtin('rps-single-queue', '200us'), 'rps-single-queue')
  assert.ok(crew.rounds > 100, `${crew.rounds} rounds`)
})

// Twenty seeds; the long tests take two hundred more.
for (let seed = 501; seed <= 520; seed++) {
  const count = [2, 3, 4, 8][seed % 4] as number
  workers(`random scenario ${seed} ends alike on ${count} workers that give way at drawn points`, () =>
    sameOn([count], randomScenario(seed, 0.2), `seed ${seed}`, seed),
  )
}

workers('hosts on a link that loses, doubles and delays end alike on 3 workers', () =>
  sameOn([3], randomNetwork(704, 0.3), 'network 704', 704),
)

for (const seed of [602, 603]) {
  workers(`two random hosts, seed ${seed}, end alike on 3 workers`, () =>
    sameOn([3], twoRandomHosts(seed, 0.2), `seed ${seed}`, seed),
  )
}

workers.run()
