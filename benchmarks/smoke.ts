/**
 * Runs every benchmark at a small size, without looking at any time: that they run, measure something, and repeat: `[--all]`.
 * `receive` and `systems` start processes of their own, as all do when they are meant.
 */
import assert from 'node:assert/strict'
import { compare, renderComparison } from './compare.js'
import { engine } from './engine.js'
import { flows } from './flows.js'
import { forward } from './forward.js'
import { primitives } from './primitives.js'
import { receive } from './receive.js'
import { scaling } from './scaling.js'
import type { ComparedRun } from './support/compared-runs.js'
import type { BenchmarkOptions } from './support/options.js'
import type { RunFigures } from './support/request.js'
import { systems } from './systems.js'
import { twoHosts } from './two-hosts.js'
import { wide } from './wide.js'
import { workers } from './workers.js'

/** The short tests run the first of what a benchmark compares and repeat nothing; with `--all`, as in the long ones, everything runs. */
const isWhole = process.argv.includes('--all')
const once: BenchmarkOptions = { rounds: 1, scale: 0.004, ...(isWhole ? {} : { most: 1 }) }
/** A queue of half a million packets per second is first interrupted for after 128 frames, 256 µs. */
const WIDE_SCALE = 0.03

function assertRan({ packets, digest }: RunFigures, what: string): void {
  assert.ok(packets.delivered > 0, `${what} delivers packets`)
  assert.match(digest, /^[0-9a-f]{16}$/, what)
}

async function smokeReceive(): Promise<void> {
  // Rounds of one run have to agree in their digests, else timeRuns throws.
  const { time, allocation } = await receive({ ...once, rounds: isWhole ? 2 : 1 })
  assert.equal(time.length, isWhole ? 2 : 1)
  for (const figures of [...time, allocation]) assertRan(figures, 'receive')
}

async function smokeCompared(
  name: string,
  benchmark: (options: BenchmarkOptions) => Promise<ComparedRun[]>,
  scale = once.scale,
): Promise<void> {
  const runs = await benchmark({ ...once, scale, here: true })
  for (const run of runs) for (const figures of run.time) assertRan(figures, `${name}, ${run.name}`)
  assert.equal(new Set(runs.map((run) => run.time[0]?.digest)).size, runs.length, `${name} compares different runs`)
}

async function smokeSystems(): Promise<void> {
  const [profile] = await systems({ rounds: 1, scale: isWhole ? 0.02 : 0.01 })
  assert.ok(profile)
  assertRan(profile, 'systems')
  const sum = profile.shares.reduce((total, { share }) => total + share, 0)
  assert.ok(Math.abs(sum - 1) < 1e-9, `shares add up to ${sum}`)
  const stages = new Set(profile.shares.map(({ stage }) => stage))
  assert.ok(
    ['napi', 'ip', 'udp', 'cpu'].every((stage) => stages.has(stage)),
    `stages: ${[...stages].join(', ')}`,
  )
}

async function smokeWorkers(): Promise<void> {
  for (const { scenario, pairs } of await workers({ ...once, scale: 0.001 })) {
    for (const { digests } of pairs) assert.equal(digests[0], digests[1], `${scenario} on one and on two workers`)
  }
}

async function smokePrimitives(): Promise<void> {
  const costs = await primitives({ rounds: 1, scale: 0.02 })
  assert.ok(costs.length > 0)
  for (const { name, medianNs } of costs) assert.ok(medianNs > 0, name)
}

async function smokeEngine(): Promise<void> {
  const runs = await engine(once)
  const states = new Map<string, number>()
  for (const { name, figures } of runs) {
    const [first] = figures
    assert.ok(first && first.events > 0, name)
    // Neither threads nor idle partitions change what happens.
    const plugin = name.replace(/ and 1,000 idle$/, '')
    assert.equal(first.check, states.get(plugin) ?? first.check, name)
    states.set(plugin, first.check)
  }
  assert.equal(new Set(states.values()).size, isWhole ? 3 : 1, 'every ring ends in a state of its own')
}

async function smokeForward(): Promise<void> {
  const { runs, allocation } = await forward({ ...once, scale: 0.002, here: true })
  for (const { name, time } of runs) for (const { packets } of time) assert.ok(packets.offered > 0, name)
  assert.equal(new Set(runs.map(({ time }) => time[0]?.digest)).size, runs.length)
  assert.ok(allocation.packets.offered > 0)
}

async function smokeTwoHosts(): Promise<void> {
  const { runs, allocation } = await twoHosts({ ...once, scale: 0.002, here: true })
  for (const { name, time } of runs) for (const { packets } of time) assert.ok(packets.offered > 0, name)
  assert.ok(allocation.packets.offered > 0)
}

/** Nothing is built here: that what is missing is left out, and said. */
async function smokeCompare(): Promise<void> {
  const missing = { ns3: { missing: 'no ns-3' }, simpy: { missing: 'no SimPy' } }
  assert.equal(renderComparison(await compare(once, missing)), 'skipped: no ns-3\nskipped: no SimPy')
}

// Nothing is timed, so that two may run side by side.
await Promise.all([
  smokeReceive().then(() => smokeCompared('scaling', scaling)),
  smokeCompared('flows', flows)
    .then(() => smokeCompared('wide', wide, WIDE_SCALE))
    .then(smokeSystems),
])
await smokeForward()
await smokeTwoHosts()
await smokeWorkers()
await smokePrimitives()
await smokeEngine()
await smokeCompare()
console.log('every benchmark ran')
