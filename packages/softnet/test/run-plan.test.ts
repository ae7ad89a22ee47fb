import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunnerBuffers } from '@softnet/engine'
import type { Plan } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/api.js'
import { type CapturePart, type Progress, runPlanWith } from '../src/run-plan.js'
import type { Simulation, SimulationOptions } from '../src/simulation.js'

/** A simulation of nothing that records how it was driven. */
function createRecorder(plan: Plan, options: SimulationOptions = {}) {
  const untils: number[] = []
  let taken = 0
  const simulation: Simulation = {
    runUntil(untilPs) {
      untils.push(untilPs)
      return untilPs
    },
    get nowPs() {
      return untils.at(-1) ?? 0
    },
    progress: () => ({ offered: untils.length, delivered: 0, dropped: 0 }),
    report: () => ({
      schema: 'softnet.result/1',
      scenario: plan.name,
      kernel: plan.kernel,
      profile: plan.profile,
      seed: plan.seed,
      digest: '',
      simulated_ns: (untils.at(-1) ?? 0) / 1000,
      packets: { offered: 0, created: 0, delivered: 0, consumed: 0, sent: 0, dropped: 0, in_flight: 0 },
      waiting: { wire: 0, nic: 0, ring: 0, softirq: 0, backlog: 0, socket: 0 },
      drops: [],
      latency_ns: null,
      latency_histogram: [],
      timeline: [],
      hosts: {},
    }),
    columns: [],
    saveObservers: () => ({ capture: null }),
    beat: () => {},
    shared: { arena: [], buffers: createRunnerBuffers(1), partitions: ['cpu0'] },
    rounds: () => ({ rounds: 0, partitions: 0 }),
    workers: () => 1,
    awaitWorkers: () => {},
    release: () => {},
    takeCapture: (index) => [Uint8Array.of(index), Uint8Array.of(taken++)],
    trace: null,
    journeys: null,
    inspect: () => {
      throw new Error('not looked at here')
    },
  }
  return { simulation, untils, options }
}

const SCENARIO = {
  name: 'nothing',
  duration: '100ms',
  hosts: { a: { devices: { eth0: {} } } },
  traffic: { t: { rate: '1kpps' } },
}

const recruit = () => {
  throw new Error('nobody is needed here')
}
const withoutStop = { post: () => {}, stopRequested: () => false, recruit, show: () => {} }

test('slices lead to the duration exactly and progress follows them', async () => {
  const plan = await compile(SCENARIO)
  const posted: Progress[] = []
  let recorder: ReturnType<typeof createRecorder> | undefined
  const result = runPlanWith(
    (given, options) => {
      recorder = createRecorder(given, options)
      return recorder.simulation
    },
    { plan, captures: [] },
    { ...withoutStop, post: (progress) => posted.push(progress) },
  )
  const untils = recorder?.untils ?? []
  assert.is(untils.at(-1), plan.durationPs)
  assert.equal(
    untils,
    [...untils].sort((a, b) => a - b),
  )
  assert.ok(untils.every(Number.isInteger))
  assert.ok(untils.length > 1)
  assert.equal(
    posted.map((progress) => progress.simulatedPs),
    untils,
  )
  assert.is(result.status, 'done')
  assert.is(result.workers, 1)
  assert.ok(result.verdict.sentences.length > 0)
})

test('a requested stop ends after the slice and marks the result', async () => {
  const plan = await compile(SCENARIO)
  let slices = 0
  const result = runPlanWith(
    (given) => createRecorder(given).simulation,
    { plan, captures: [] },
    { post: () => slices++, stopRequested: () => slices === 2, recruit, show: () => {} },
  )
  assert.is(slices, 2)
  assert.is(result.status, 'interrupted')
  assert.ok(result.simulated_ns > 0 && result.simulated_ns < 100e6)
})

test('captures are appended in order, each to its file', async () => {
  const plan = await compile(SCENARIO)
  const directory = mkdtempSync(join(tmpdir(), 'softnet-test-'))
  try {
    const captures: CapturePart[] = ['x', 'y'].map((name) => ({ host: null, dev: 'any', file: join(directory, name) }))
    let slices = 0
    let options: SimulationOptions | undefined
    runPlanWith(
      (given, asked) => {
        options = asked
        return createRecorder(given).simulation
      },
      { plan, captures },
      { post: () => slices++, stopRequested: () => slices === 1, recruit, show: () => {} },
    )
    assert.equal(options, { capture: captures.map(({ host, dev }) => ({ host, dev })) })
    assert.equal([...readFileSync(join(directory, 'x'))], [0, 0, 0, 2])
    assert.equal([...readFileSync(join(directory, 'y'))], [1, 1, 1, 3])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test.run()
