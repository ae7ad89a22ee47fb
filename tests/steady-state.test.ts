import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { SteadyState } from './support/steady-state-run.js'

/** The young generation is so large that two million packets may allocate a lot before anything is collected. */
const FLAGS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']

const script = fileURLToPath(new URL('./support/steady-state-run.js', import.meta.url))

async function steadyState(scenario: string): Promise<SteadyState> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, script, scenario])
  return JSON.parse(stdout) as SteadyState
}

test('rss-4-queues allocates less than a byte per packet and does little besides packets', async () => {
  const found = await steadyState('rss-4-queues')
  const { packets, dropped, allocatedBytes, collections, steps, events } = found
  const per1000 = (count: number): string => ((1000 * count) / packets).toFixed(2)
  console.log(
    `\n  rss-4-queues, ${packets} packets: ${(allocatedBytes / packets).toFixed(3)} bytes allocated per packet; ` +
      `per 1000 packets ${per1000(steps)} steps of partitions, ${per1000(events)} events`,
  )
  assert.ok(packets > 1_990_000 && packets < 2_010_000, `${packets} packets`)
  assert.is(collections, 0, 'nothing was collected, so that the growth of the heap is what was allocated')
  assert.ok(allocatedBytes < packets, `${allocatedBytes} bytes for ${packets} packets`)
  assert.ok(dropped < 0.01 * packets, `${dropped} dropped`)
  // Both follow from the scenario alone. More of them means that work per batch became work per packet.
  assert.ok(steps < 0.05 * packets, `${steps} steps`)
  assert.ok(events < 0.3 * packets, `${events} events`)
})

test.run()
