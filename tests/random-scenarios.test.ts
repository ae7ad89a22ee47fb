import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { withFragments } from './support/random-fragments.js'
import { randomScenario } from './support/random-scenario.js'

const random = suite('random scenarios')

const repeat = (seed: number): string => `repeat with SEED=${seed} node tests/dist/random-scenarios.test.js`

function check(seed: number): void {
  const faults = checkScenario(randomScenario(seed), seed)
  assert.is(faults.join('\n'), '', repeat(seed))
}

/** Seeds that once found a fault, and the fault. */
const found: readonly (readonly [number, string])[] = [
  [2, 'a CPU that ran out of work at a horizon never went idle and kept its tick'],
  [5, 'a masked lane stayed full behind an interrupt that waited for the wire'],
  [8, 'a ring was refilled with what the wire had not decided yet'],
  [14, 'time beyond the end was taken from one stage of several'],
  [17, 'a packet dropped at the backlog of an idle CPU was charged to idle time'],
  [21, 'a CPU ran on past the wake-up it had sent to another of its partition'],
  [26, 'queues of shared vectors were taken as consecutive: one queue was never polled'],
  [29, 'the CPU of a NAPI thread had no mailbox to the readers'],
  [58, 'two tasks busy polled one instance at the same time'],
  [59, 'a task with several CPUs had no mailbox from those it moved to'],
  [60, 'a wire waited for room in its lane at the end of the run'],
  [100, 'a frame without room held up the timers behind it, and the wire said it could go on'],
]

const given = Number(process.env.SEED)
if (given > 0) random(`seed ${given}`, () => check(given))
else {
  for (const [seed, fault] of found) random(`seed ${seed}: ${fault}`, () => check(seed))
  for (const seed of [201, 202, 203, 204, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214]) {
    random(`seed ${seed}`, () => check(seed))
  }
}

for (const seed of [401, 402, 403, 404, 405, 406, 407, 408]) {
  random(`fragments, seed ${seed}`, () =>
    assert.is(checkScenario(withFragments(randomScenario(seed), seed), seed).join('\n'), ''),
  )
}

random('the same seed draws the same scenario, another seed another', () => {
  assert.equal(randomScenario(5), randomScenario(5))
  assert.not.equal(randomScenario(5), randomScenario(6))
})

random.run()
