/** A period that starts at the completion: every frame moves its end, whatever the timer was set to before. */
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel } from '../src/build/build-model.js'
import { IrqVector } from '../src/nic/components.js'
import { modelRunner, planOf } from './support/run-model.js'

const US = 1_000_000

/** Interrupts, and the time of the last one after the first frame's completion, µs, for `packets` frames `gapUs` apart. */
function interrupts(mode: 'on' | 'off', packets: number, gapUs: number, usecs: number, frames = 32) {
  const plan = planOf({
    duration: '1ms',
    hosts: {
      server: {
        cpus: 1,
        cstates: 'none',
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            'rx-handler': 'consume',
            coalesce: { 'adaptive-rx': 'off', 'cqe-mode-rx': mode, 'rx-usecs': usecs, 'rx-frames': frames },
          },
        },
      },
    },
    traffic: { load: { to: 'server/eth0', pattern: 'burst', count: 1, every: `${gapUs}us`, frame: 64, packets } },
  })
  const model = buildModel(plan)
  const { count, lastIrqPs } = model.world.columns(IrqVector)
  const vector = model.layout.hosts[0]!.devices[0]!.vectors[0] as number
  const run = modelRunner(model)
  run(1000 * US)
  return { count: count[vector], lastUs: lastIrqPs[vector] / US }
}

test('frames closer than the period put the interrupt off until there is a pause or enough of them', () => {
  const alone = interrupts('on', 1, 1, 3)
  assert.is(alone.count, 1)
  const five = interrupts('on', 5, 1, 3)
  assert.is(five.count, 1)
  assert.ok(Math.abs(five.lastUs - alone.lastUs - 4) < 1e-6, `${five.lastUs} after ${alone.lastUs}`)
  assert.is(interrupts('on', 5, 9, 3).count, 5, 'a pause after each')
  const limited = interrupts('on', 40, 1, 3)
  assert.is(limited.count, 2, 'rx-frames after 32, the period after the last 8')
  assert.ok(Math.abs(limited.lastUs - alone.lastUs - 39) < 1e-6)
})

test('from the event the period ends however close frames are', () => {
  assert.ok(interrupts('off', 40, 1, 3).count >= 10)
})

test.run()
