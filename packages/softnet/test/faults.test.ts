import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brokenRun, SAID } from './broken-run.js'
import { inDirectory } from './cli-process.js'
import { unstartedError, unstartedRun } from './unstarted-run.js'

test(
  'what a helping worker throws is one error with partition, time and the command that does it again',
  inDirectory(async (directory) => {
    const { code, stdout, stderr } = await brokenRun(directory, 'throw', 1, 2)
    assert.is(code, 1, stderr)
    assert.is(stdout, '')
    const again = 'to do it again: softnet run rss-4-queues --seed 1 --duration 60ms --workers 2'
    const error = new RegExp(
      `^error: the simulation failed \\(scenario rss-4-queues, seed 1\\): ${SAID.throw}\n${again}\n$`,
    )
    assert.match(stderr, error)
  }),
)

for (const [fault, workers] of [
  ['refuse 2', 4],
  ['leave 2', 2],
] as const) {
  test(
    `a thread that cannot start is one error: ${fault} of ${workers}`,
    inDirectory(async (directory) => {
      const { code, stdout, stderr } = await unstartedRun(directory, fault, workers)
      assert.is(stderr, unstartedError(fault, workers))
      assert.is(stdout, '')
      assert.is(code, 1)
    }),
  )
}

test.run()
