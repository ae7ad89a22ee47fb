import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { Crew } from './support/crew.js'
import { randomNetwork } from './support/random-network.js'
import { randomScenario, twoRandomHosts } from './support/random-scenario.js'
import { builtinFor, countOf, sameOn } from './support/same-on-workers.js'

const workers = suite('any number of workers')
const crew = new Crew(7)
workers.after(() => crew.end())

// Each number of workers once; the long tests take all of them for each.
for (const [name, duration, counts] of [
  ['rss-4-queues', '1ms', [1, 3, 8]],
  ['rps-single-queue', '500us', [4]],
  ['echo-closed-loop', '1ms', [2]],
] as const) {
  workers(`${name} ends alike on ${counts.join(', ')} workers`, () =>
    sameOn(crew, counts, builtinFor(name, duration), name),
  )
}

workers('where nothing that is sent can come back, nobody waits for a round', async () => {
  await sameOn(crew, [2], builtinFor('rss-4-queues', '1ms'), 'rss-4-queues')
  assert.ok(crew.rounds <= 12, `${crew.rounds} rounds in three pieces`)
  await sameOn(crew, [2], builtinFor('rps-single-queue', '200us'), 'rps-single-queue')
  assert.ok(crew.rounds > 100, `${crew.rounds} rounds`)
})

// Eight seeds; the long tests take two hundred more.
for (let seed = 501; seed <= 508; seed++) {
  workers(`random scenario ${seed} ends alike on ${countOf(seed)} workers that give way at drawn points`, () =>
    sameOn(crew, [countOf(seed)], randomScenario(seed, 0.2), `seed ${seed}`, seed),
  )
}

workers('hosts on a link that loses, doubles and delays end alike on 3 workers', () =>
  sameOn(crew, [3], randomNetwork(704, 0.3), 'network 704', 704),
)

workers('two random hosts, seed 602, end alike on 3 workers', () =>
  sameOn(crew, [3], twoRandomHosts(602, 0.2), 'seed 602', 602),
)

workers.run()
