import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzzPackets } from './support/fuzz-packets.js'

test('a hundred thousand mutated packets are answered or dropped', () => {
  const { packets, answers, drops, faults } = fuzzPackets(1, 100_000)
  assert.equal(faults, [])
  assert.is(packets, 100_000)
  assert.ok(answers > 1000, `${answers} packets were sent`)
  assert.ok(drops > 10_000, `${drops} packets were dropped`)
})

test.run()
