import { TIMELINE_CONTEXTS } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile } from '../src/api.js'
import { createSimulation } from '../src/simulation.js'

const PIECES_PS = [1, 333_333_333, 333_333_334, 1_000_000_000, 2_999_999_999]

test('timelines do not depend on where a run is cut, and hold what the totals hold', async () => {
  const plan = await compile('four-cpus', { duration: '3ms', set: { warmup: '0ms', 'traffic.load.rate': '4Mpps' } })
  const whole = createSimulation(plan)
  whole.runUntil(plan.durationPs)
  const { timeline, hosts } = whole.report()
  const pieces = createSimulation(plan)
  for (const at of PIECES_PS) pieces.runUntil(at, at % 2 === 0)
  pieces.runUntil(plan.durationPs, true)
  const cut = pieces.report()
  assert.equal(cut.timeline, timeline)
  const cpus = hosts.server?.cpus ?? []
  assert.equal(cut.hosts.server?.cpus, cpus)

  assert.is(timeline.length, 128)
  const lengthNs = timeline[1]?.t_ns ?? 0
  for (const { timeline_ns, time_ns } of cpus) {
    for (const name of TIMELINE_CONTEXTS) {
      const total = timeline_ns[name].reduce((sum, ns) => sum + ns, 0)
      assert.is(total, Math.round(time_ns[name]), name)
    }
    timeline.forEach((_row, at) => {
      const busyNs = TIMELINE_CONTEXTS.reduce((sum, name) => sum + (timeline_ns[name][at] ?? 0), 0)
      assert.ok(busyNs <= lengthNs + TIMELINE_CONTEXTS.length, `${busyNs} of ${lengthNs} ns in interval ${at}`)
    })
  }
  const busyIntervals = cpus.flatMap(({ timeline_ns }) => timeline_ns.softirq.filter((ns) => ns > 0))
  assert.ok(busyIntervals.length > 200, `${busyIntervals.length} intervals have softirq time`)
  const places = new Set(timeline.flatMap((row) => Object.keys(row.dropped_at ?? {})))
  assert.ok(places.has('socket'), [...places].join(' '))
})

test('a run that ends early has the intervals it came to', async () => {
  const plan = await compile('four-cpus', { duration: '3ms' })
  const simulation = createSimulation(plan)
  simulation.runUntil(plan.durationPs / 4 + 1)
  const { timeline, hosts } = simulation.report()
  assert.is(timeline.length, 33)
  assert.is(hosts.server?.cpus[0]?.timeline_ns.task.length, 33)
})

test.run()
