/** Sweeps on a stand-in for the simulation, so that order, faults and interruption can be chosen. */
import { appendFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createStopWord, type StopWord } from '@softnet/engine'
import type { SweepDocument } from '@softnet/observe'
import type { Plan, ResultDocument } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { RunError, ScenarioError } from '../src/input-fault.js'
import { loadScenario } from '../src/load-scenario.js'
import { prepareSweep, type SweepAsked } from '../src/sweep/prepare.js'
import { runPoints, type SweepJob, type SweepProgress } from '../src/sweep/run-points.js'
import { inDirectory, namesIn } from './cli-process.js'

const test = suite('points of a sweep')

const RX = 'hosts.server.devices.eth0.rings.rx'

function asked(out: string | undefined, change: Partial<SweepAsked> = {}): SweepAsked {
  return {
    load: () => loadScenario('four-cpus'),
    overrides: { set: [] },
    axes: [
      { path: 'eth0.rings.rx', values: [64, 128, 256] },
      { path: 'net.core.netdev_budget', values: [100, 300] },
    ],
    runs: 3,
    jobs: 4,
    out,
    prefix: '--',
    faults: [],
    ...change,
  }
}

/** A result that follows from the plan as a simulated one would. */
function resultOf(plan: Plan): ResultDocument {
  const rx = plan.hosts[0]?.devices[0]?.rxRing ?? 0
  const budget = plan.hosts[0]?.sysctl['net.core.netdev_budget'] ?? 0
  const delivered = rx * 1000 + budget + plan.seed
  return {
    status: 'done',
    digest: `${rx}-${budget}-${plan.seed}`,
    wall_ms: 1,
    simulated_ns: 1e9,
    packets: { offered: 500_000, delivered, dropped: 500_000 - delivered },
    latency_ns: null,
    hosts: {},
  } as unknown as ResultDocument
}

interface Script {
  readonly out?: string | undefined
  readonly change?: Partial<SweepAsked>
  /** Called in the place of a simulation. */
  readonly onRun?: (plan: Plan, stop: StopWord) => void | Promise<void>
  readonly onProgress?: (progress: SweepProgress) => void
}

/** Runs a sweep and tells which runs were simulated. */
async function sweepOf({
  out,
  change,
  onRun,
  onProgress,
}: Script): Promise<{ document: SweepDocument; ran: string[] }> {
  const prepared = await prepareSweep(asked(out, change), () => false)
  const ran: string[] = []
  const stop = createStopWord()
  const runPlan: SweepJob['runPlan'] = async ({ plan }) => {
    const result = resultOf(plan)
    ran.push(result.digest)
    await onRun?.(plan, stop)
    return stop.requested ? { ...result, status: 'interrupted' } : result
  }
  try {
    const document = await runPoints({ ...prepared, stop, onProgress: onProgress ?? (() => {}), runPlan })
    return { document, ran }
  } finally {
    await prepared.journal?.close()
  }
}

async function faultsOf(work: Promise<unknown>): Promise<ScenarioError['errors']> {
  try {
    await work
  } catch (thrown) {
    if (thrown instanceof ScenarioError) return thrown.errors
    throw thrown
  }
  throw new Error('nothing was refused')
}

const csvIn = (directory: string): string => readFileSync(join(directory, 'sweep.csv'), 'utf8')
const linesIn = (directory: string): string[] =>
  readFileSync(join(directory, 'runs.jsonl'), 'utf8').trimEnd().split('\n')

test('every point is run with the same seeds, and the last setting changes fastest', async () => {
  const { document, ran } = await sweepOf({ change: { jobs: 1, overrides: { set: [], seed: 2 ** 32 - 2 } } })
  const seeds = [2 ** 32 - 2, 2 ** 32 - 1, 0]
  const places = [64, 128, 256].flatMap((rx) => [100, 300].map((budget) => `${rx}-${budget}`))
  assert.equal(
    ran,
    places.flatMap((place) => seeds.map((seed) => `${place}-${seed}`)),
  )
  assert.equal(document.seeds, seeds)
  assert.equal(document.runs, { all: 18, done: 18, resumed: 0, failed: 0 })
  const [first] = document.points
  assert.ok(Math.abs((first?.measures.delivered_pps?.mean ?? 0) - (64_100 + (2 ** 33 - 3) / 3)) < 1e-3)
  assert.is(first?.settings[RX], 64)
})

test('files and results do not depend on how many runs go at a time, or in which order they end', async () => {
  await inDirectory(async (directory) => {
    const random = [7, 1, 5, 0, 3, 2, 6, 4]
    let at = 0
    const onRun = () => sleep(random[at++ % random.length])
    const [one, many] = [join(directory, 'one'), join(directory, 'many')]
    const a = await sweepOf({ out: one, change: { jobs: 1 } })
    const b = await sweepOf({ out: many, change: { jobs: 7 }, onRun })
    assert.is(csvIn(many), csvIn(one))
    assert.equal({ ...b.document, wall_ms: 0 }, { ...a.document, wall_ms: 0 })
    assert.equal(linesIn(many).sort(), linesIn(one).sort())
    assert.is.not(linesIn(many).join(), linesIn(one).join(), 'lines come as runs end')
    assert.equal(namesIn(one), ['runs.jsonl', 'sweep.csv', 'sweep.json'])
  })()
})

test('an interrupted sweep goes on with the runs that are not done', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out')
    let started = 0
    const first = await sweepOf({
      out,
      change: { jobs: 2 },
      onRun: (_plan, stop) => {
        if (++started === 8) stop.request()
      },
    })
    assert.is(first.document.status, 'interrupted')
    const { done } = first.document.runs
    assert.ok(done >= 6 && done < 8, `${done}`)
    assert.is(linesIn(out).length, done)
    const second = await sweepOf({ out })
    assert.equal(second.document.runs, { all: 18, done: 18, resumed: done, failed: 0 })
    assert.is(second.ran.length, 18 - done)
    const whole = join(directory, 'whole')
    await sweepOf({ out: whole })
    assert.is(csvIn(out), csvIn(whole))
    assert.is((await sweepOf({ out })).ran.length, 0)
  })()
})

test('a last line that was being written is done again; a damaged one before it is refused', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out')
    await sweepOf({ out })
    const csv = csvIn(out)
    const file = join(out, 'runs.jsonl')
    truncateSync(file, readFileSync(file).length - 9)
    const { ran } = await sweepOf({ out })
    assert.is(ran.length, 1)
    assert.is(linesIn(out).length, 18)
    assert.is(csvIn(out), csv)
    appendFileSync(file, '{"point":99,"run":0,"seed":1,"status":"done"}\n')
    const [fault] = await faultsOf(sweepOf({ out }))
    assert.match(fault?.accepted ?? '', 'line 19 of its runs.jsonl is damaged')
  })()
})

const CHANGED: readonly (readonly [Partial<SweepAsked>, string])[] = [
  [{ runs: 4 }, '--runs'],
  [{ overrides: { set: [], seed: 2 } }, '--runs'],
  [{ axes: asked(undefined).axes.toReversed() }, '--vary'],
  [{ axes: asked(undefined).axes.map((axis) => ({ ...axis, values: axis.values.slice(1) })) }, '--vary'],
  [{ overrides: { set: [], duration: '11ms' } }, 'SCENARIO'],
  [{ load: () => loadScenario('rss-4-queues') }, 'SCENARIO'],
  [{ overrides: { set: [{ path: 'net.core.rmem_max', value: 300_000, given: '300000' }] } }, 'SCENARIO'],
]

test('another sweep in the same directory is refused, and changes nothing there', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out')
    await sweepOf({ out })
    const before = linesIn(out)
    for (const [change, path] of CHANGED) {
      const faults = await faultsOf(sweepOf({ out, change }))
      assert.ok(
        faults.some((fault) => fault.path === path && fault.accepted.includes(out)),
        JSON.stringify(faults),
      )
    }
    assert.equal(linesIn(out), before)
    // The same setting by its full path is the same sweep.
    const axes = asked(undefined).axes.map((axis) => (axis.path === 'eth0.rings.rx' ? { ...axis, path: RX } : axis))
    assert.is((await sweepOf({ out, change: { axes } })).ran.length, 0)
  })()
})

test('a directory of something else, or of a sweep that goes on, is refused', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out')
    let inside: ScenarioError['errors'] = []
    await sweepOf({
      out,
      change: { jobs: 1, runs: 1 },
      onRun: async () => {
        if (inside.length === 0) inside = await faultsOf(prepareSweep(asked(out, { runs: 1 }), () => false))
      },
    })
    assert.match(inside[0]?.accepted ?? '', `process ${process.pid} is at work there`)
    // A lock of a process that was ended is nobody's.
    writeFileSync(join(out, 'sweep.lock'), '2147483646\n')
    assert.is((await sweepOf({ out, change: { runs: 1 } })).ran.length, 0)
    for (const [name, reason] of [
      ['runs.jsonl', 'without a sweep.json'],
      ['sweep.csv', 'without a sweep.json'],
      ['sweep.json', 'it is no JSON'],
    ] as const) {
      const other = join(directory, name.replace('.', '-'))
      await sweepOf({ out: other, change: { runs: 1, axes: [{ path: 'eth0.rings.rx', values: [64] }] } })
      for (const file of namesIn(other)) truncateSync(join(other, file), 0)
      for (const file of namesIn(other)) if (file !== name) rmSync(join(other, file))
      const [fault] = await faultsOf(sweepOf({ out: other }))
      assert.is(fault?.path, '--out')
      assert.match(fault?.accepted ?? '', reason)
    }
  })()
})

test('a run that fails is told with its point and seed, the others go on, and it is tried again', async () => {
  await inDirectory(async (directory) => {
    const out = join(directory, 'out')
    const fails = (plan: Plan) => plan.seed === 2 && plan.hosts[0]?.devices[0]?.rxRing === 128
    const { document, ran } = await sweepOf({
      out,
      onRun: (plan) => {
        if (fails(plan)) throw new RunError('the thread ran out of memory')
      },
    })
    assert.is(ran.length, 18)
    assert.equal(document.runs, { all: 18, done: 16, resumed: 0, failed: 2 })
    assert.equal(
      document.failures.map(({ point, seed, message, settings }) => [point, seed, message, settings[RX]]),
      [
        [2, 2, 'the thread ran out of memory', 128],
        [3, 2, 'the thread ran out of memory', 128],
      ],
    )
    assert.equal([document.points[2]?.failed, document.points[2]?.measures.delivered_pps?.n], [1, 2])
    assert.match(csvIn(out), '\n2,128,100,2,1,')
    const again = await sweepOf({ out })
    assert.equal(again.ran.sort(), ['128-100-2', '128-300-2'])
    assert.equal(again.document.runs, { all: 18, done: 18, resumed: 16, failed: 0 })
  })()
})

test('progress counts runs and tells the time that is left', async () => {
  const seen: SweepProgress[] = []
  await sweepOf({ onProgress: (progress) => seen.push(progress), onRun: () => sleep(150), change: { jobs: 2 } })
  assert.equal([seen.at(-1)?.done, seen.at(-1)?.all, seen.at(-1)?.share, seen.at(-1)?.leftMs], [18, 18, 1, 0])
  for (const [index, progress] of seen.entries()) assert.ok(index === 0 || progress.share >= seen[index - 1]!.share)
  const later = seen.filter((progress) => progress.leftMs !== null && progress.share < 1)
  assert.ok(later.length > 0)
  for (const { share, elapsedMs, leftMs } of later) {
    assert.ok(Math.abs((leftMs ?? 0) - (elapsedMs * (1 - share)) / share) < 1e-6)
  }
})

test('a fault of the program ends the sweep at once', async () => {
  let started = 0
  const broken = sweepOf({
    change: { jobs: 1 },
    onRun: () => {
      started++
      throw new TypeError('broken')
    },
  })
  await broken.then(
    () => assert.unreachable(),
    (thrown) => assert.instance(thrown, TypeError),
  )
  assert.is(started, 1)
})

test.run()
