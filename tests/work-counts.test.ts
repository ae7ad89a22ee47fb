/**
 * What a packet asks for, in counts that no clock and no neighbour can change. `SOFTNET_COUNTS=update` writes those of this
 * version to `tests/data/work-counts.json`.
 */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { WorkCounts } from './support/work-counts-run.js'

const counts = suite('work per packet')
const script = fileURLToPath(new URL('./support/work-counts-run.js', import.meta.url))
const file = fileURLToPath(new URL('../data/work-counts.json', import.meta.url))
const COMMAND = 'SOFTNET_COUNTS=update node scripts/test-group.mjs tests/dist/work-counts.test.js'
/** Calls are counted exactly in code that is not compiled: where V8 compiles as counting begins, inlined calls are lost now and then. */
const EXACT = ['--jitless']
const SCENARIOS = ['rss-4-queues', 'rps-single-queue']

/** Growth of the sum of a kind that is let pass, and of one of its parts. */
const SUM_TOLERANCE = 1.01
const PART_TOLERANCE = 1.05

const isUpdate = process.env.SOFTNET_COUNTS === 'update'
const committed: Record<string, WorkCounts> = JSON.parse(readFileSync(file, 'utf8'))

const sumOf = (parts: Readonly<Record<string, number>>): number => Object.values(parts).reduce((a, b) => a + b, 0)

/** What has become more than it was, in words. */
function growth(before: WorkCounts, now: WorkCounts): string[] {
  const faults: string[] = []
  const check = (what: string, was: number, is: number, tolerance: number) => {
    // A few per thousand packets are the beginning and the end of what was measured.
    if (is > Math.max(was * tolerance, was + 10)) faults.push(`${what}: ${is} per 1000 packets, ${was} before`)
  }
  for (const kind of ['steps', 'events', 'rows'] as const) check(kind, before[kind], now[kind], SUM_TOLERANCE)
  for (const kind of ['calls', 'cells'] as const) {
    check(`${kind} in all`, sumOf(before[kind]), sumOf(now[kind]), SUM_TOLERANCE)
    for (const [part, is] of Object.entries(now[kind])) {
      check(`${kind} of ${part}`, before[kind][part] ?? 0, is, PART_TOLERANCE)
    }
  }
  return faults
}

for (const name of SCENARIOS) {
  counts(`${name}: no more calls, cells, rows, steps and events than before`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [...EXACT, script, name])
    const now = JSON.parse(stdout) as WorkCounts
    if (isUpdate) {
      committed[name] = now
      writeFileSync(file, `${JSON.stringify(committed, null, 2)}\n`)
      return
    }
    const before = committed[name]
    assert.ok(before, `${file} has no ${name}: ${COMMAND}`)
    assert.is(now.packets, before.packets, 'the same packets are measured')
    assert.equal(growth(before, now), [], `if it is meant: ${COMMAND}`)
  })
}

counts('a call more per packet is noticed', () => {
  const before = committed['rss-4-queues'] as WorkCounts
  const more = { ...before, calls: { ...before.calls, udp: (before.calls.udp ?? 0) + 1000 } }
  assert.is(growth(before, before).length, 0)
  assert.ok(growth(before, more).some((fault) => fault.startsWith('calls of udp')))
})

counts.run()
