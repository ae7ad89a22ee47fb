import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brokenRun, type FaultKind, SAID } from './broken-run.js'
import { inDirectory } from './cli-process.js'
import { unstartedError, unstartedRun } from './unstarted-run.js'

for (const kind of ['throw', 'exit', 'memory'] as readonly FaultKind[]) {
  for (const [worker, workers] of [
    [0, 1],
    [0, 3],
    [2, 3],
  ] as const) {
    test(
      `${kind} in worker ${worker} of ${workers} ends the run with one error`,
      inDirectory(async (directory) => {
        const { code, stdout, stderr } = await brokenRun(directory, kind, worker, workers)
        assert.is(code, 1, stderr)
        assert.is(stdout, '')
        assert.match(stderr, new RegExp(`^error: .*${SAID[kind]}.*\nto do it again: softnet run .*\n$`), stderr)
        assert.match(stderr, /(\(in|while it ran) \S+ at \d+(\.\d+)? ms/, stderr)
      }),
    )
  }
}

test(
  'a thread that exits alone tells where it was, and which checkpoint it can go on from',
  inDirectory(async (directory) => {
    const options = ['--checkpoint', 'my c', '--every', '400us', '--format', 'json']
    const { code, stdout, stderr } = await brokenRun(directory, 'exit', 0, 1, ...options)
    assert.is(code, 1, stderr)
    assert.is(stderr, '')
    const { message } = JSON.parse(stdout)
    const again = 'to do it again: softnet run rss-4-queues --seed 1 --duration 60ms --workers 1'
    const where = 'while it ran \\S+ at \\d+(\\.\\d+)? ms \\(worker 0\\)'
    const last = "the last checkpoint is at 800us: softnet run --resume 'my c'"
    assert.match(message, new RegExp(`^${SAID.exit} ${where} \\(scenario rss-4-queues, seed 1\\)\n${again}\n${last}$`))
  }),
)

for (const fault of ['refuse 1', 'leave 1'] as const) {
  test(
    `the first thread cannot start: ${fault}`,
    inDirectory(async (directory) => {
      const { code, stderr } = await unstartedRun(directory, fault, 1)
      assert.is(stderr, unstartedError(fault, 1))
      assert.is(code, 1)
    }),
  )
}

test.run()
