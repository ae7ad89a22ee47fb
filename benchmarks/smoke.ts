/** Runs every benchmark at a small size, without looking at any time: that they run, measure something, and repeat. */
import assert from 'node:assert/strict'
import { flows } from './flows.js'
import { primitives } from './primitives.js'
import { receive } from './receive.js'
import { scaling } from './scaling.js'
import type { RunFigures } from './support/request.js'
import { systems } from './systems.js'
import { wide } from './wide.js'

const once = { rounds: 1, scale: 0.004 }

function assertRan({ packets, digest }: RunFigures, what: string): void {
  assert.ok(packets.delivered > 0, `${what} delivers packets`)
  assert.match(digest, /^[0-9a-f]{16}$/, what)
}

// Rounds of one run have to agree in their digests, else timeRuns throws.
const { time, allocation } = await receive({ rounds: 2, scale: 0.004 })
assert.equal(time.length, 2)
assertRan(allocation, 'receive')

for (const [name, benchmark] of Object.entries({ scaling, flows, wide })) {
  const runs = await benchmark(once)
  for (const run of runs) for (const figures of run.time) assertRan(figures, `${name}, ${run.name}`)
  assert.equal(new Set(runs.map((run) => run.time[0]?.digest)).size, runs.length, `${name} runs different scenarios`)
}

const [profile] = await systems({ rounds: 1, scale: 0.02 })
assert.ok(profile)
assertRan(profile, 'systems')
const sum = profile.shares.reduce((total, { share }) => total + share, 0)
assert.ok(Math.abs(sum - 1) < 1e-9, `shares add up to ${sum}`)
const stages = new Set(profile.shares.map(({ stage }) => stage))
assert.ok(['napi', 'ip', 'udp', 'cpu'].every((stage) => stages.has(stage)), `stages found: ${[...stages].join(', ')}`)

const costs = await primitives({ rounds: 1, scale: 0.05 })
assert.ok(costs.length > 0 && costs.every(({ medianNs }) => medianNs > 0))

console.log('every benchmark ran')
