/** DIM's work item: a task on the vector's CPU, then the card's time for the command; only then the profile counts. */
import { costProfile } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel } from '../src/build/build-model.js'
import { Cpu } from '../src/cpu/components.js'
import { DIM_STATE } from '../src/irq/dim.js'
import { DimState, IrqVector } from '../src/nic/components.js'
import { TASK_KIND, Task } from '../src/task/components.js'
import { modelRunner, planOf } from './support/run-model.js'

const US = 1_000_000
const { stages, frequencyHz, latency } = costProfile('xeon-e5-1650-v4')
const WORK_PS = (stages.dim_work.cycles / frequencyHz) * 1e12

function machine(adaptive: boolean) {
  const plan = planOf({
    kernel: '4.18',
    profile: 'xeon-e5-1650-v4',
    duration: '20ms',
    hosts: {
      server: {
        cpus: 1,
        cstates: 'none',
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            'rx-handler': 'consume',
            coalesce: { 'adaptive-rx': adaptive },
          },
        },
      },
    },
    traffic: { load: { to: 'server/eth0', rate: '20kpps', frame: 64, flows: { count: 1 } } },
  })
  const model = buildModel(plan)
  return { model, run: modelRunner(model), device: model.layout.hosts[0]!.devices[0]! }
}

test('a new profile costs the CPU a work item and takes the card its time', () => {
  const { model, run, device } = machine(true)
  const vector = device.vectors[0] as number
  const ownWorker = device.workers[0] as number
  const cpu = model.layout.cpus[0] as number
  const dim = model.world.columns(DimState)
  const { usecsPs, worker } = model.world.columns(IrqVector)
  const task = model.world.columns(Task)
  const { clockPs } = model.world.columns(Cpu)
  assert.is(worker[vector], ownWorker)
  assert.is(task.kind[ownWorker], TASK_KIND.kworker)
  assert.is(usecsPs[vector], 8 * US, 'what the driver programs first')

  // The first step goes to profile 1, which is what the card has; the second one shows.
  let decided = 0
  let programmed = 0
  for (let t = US / 4; programmed === 0 && t < 2000 * US; t += US / 4) {
    run(t)
    if (dim.profile[vector] === 0 && dim.state[vector] === DIM_STATE.applyNewProfile && decided === 0) decided = t
    if (decided !== 0 && usecsPs[vector] !== 8 * US) programmed = Math.max(t, clockPs[cpu])
    if (decided !== 0 && programmed === 0) assert.is(dim.state[vector], DIM_STATE.applyNewProfile, 'nothing measured')
  }
  assert.is(usecsPs[vector], 2 * US)
  assert.is(dim.state[vector], DIM_STATE.startMeasure)
  const took = programmed - decided
  assert.ok(took > WORK_PS + latency.nicCommandPs - US, `${took}`)
  assert.ok(took < WORK_PS + latency.nicCommandPs + 5 * US, `${took}`)

  const before = task.runPs[ownWorker]
  assert.ok(Math.abs(before - 2 * WORK_PS) < 2 * US, `two work items, ${before} ps`)
})

test('no DIM, no worker', () => {
  const { model, run, device } = machine(false)
  run(2000 * US)
  assert.equal(device.workers, [])
  assert.is(model.world.columns(IrqVector).worker[device.vectors[0] as number], 0)
})

test.run()
