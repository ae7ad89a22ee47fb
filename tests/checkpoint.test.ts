/** A copy of the arena is all state there is: a world that attaches to it goes on as if nothing had happened. */
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { Crew } from './support/crew.js'
import { randomScenario } from './support/random-scenario.js'
import { snapshotAt } from './support/resumed-run.js'
import { runModel } from './support/run-model.js'

const resumed = suite('runs that go on from a copy of their state')
const crew = new Crew(2)
resumed.after(() => crew.end())

for (const [seed, share, workers] of [
  [702, 0.35, 3],
  [703, 0.6, 2],
] as const) {
  resumed(`random scenario ${seed} from ${share * 100} % on, on ${workers} workers`, async () => {
    const plan = planOf(randomScenario(seed, 0.2), `seed ${seed}`)
    const report = await crew.run(plan, workers, { from: snapshotAt(plan, share) })
    assert.equal(report, runModel(plan).report)
  })
}

resumed.run()
