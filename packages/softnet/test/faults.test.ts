import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brokenRun, SAID } from './broken-run.js'
import { inDirectory } from './cli-process.js'

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

test.run()
