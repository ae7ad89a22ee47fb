import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { fuzzPackets } from './support/fuzz-packets.js'

/** Packets of a run of its own: `SOFTNET_FUZZ_PACKETS=20000000 node scripts/test-group.mjs tests/dist/fuzz-packets.long.js`. */
const WANTED = Number(process.env.SOFTNET_FUZZ_PACKETS ?? 400_000)
const SEED = Number(process.env.SOFTNET_FUZZ_SEED ?? 100)

test('mutated packets are answered or dropped', () => {
  // One run: a second one in the same thread would be several times slower.
  const { packets, faults } = fuzzPackets(SEED, WANTED)
  assert.equal(faults, [])
  assert.is(packets, WANTED)
})

test.run()
