import { BUILTIN_SCENARIOS } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { planOf } from './support/check-scenario.js'
import { Crew } from './support/crew.js'
import { Draw } from './support/draw.js'
import { randomScenario } from './support/random-scenario.js'
import { snapshotAt } from './support/resumed-run.js'
import { runModel } from './support/run-model.js'

const resumed = suite('runs that go on from a copy of their state')
const crew = new Crew(3)
resumed.after(() => crew.end())

BUILTIN_SCENARIOS.forEach(({ name, scenario }, index) => {
  const workers = 1 + (index % 4)
  resumed(`${name} on ${workers} workers`, async () => {
    const plan = planOf({ ...scenario, duration: '400us', warmup: '0s' }, name)
    const report = await crew.run(plan, workers, { from: snapshotAt(plan, 0.5) })
    assert.equal(report, runModel(plan).report)
  })
})

for (let seed = 711; seed <= 730; seed++) {
  const share = new Draw(seed, 6).share()
  const workers = 1 + (seed % 4)
  resumed(`random scenario ${seed} from ${(100 * share).toFixed(1)} % on, on ${workers} workers`, async () => {
    const plan = planOf(randomScenario(seed, 0.2), `seed ${seed}`)
    const report = await crew.run(plan, workers, { from: snapshotAt(plan, share) })
    assert.equal(report, runModel(plan).report)
  })
}

resumed.run()
