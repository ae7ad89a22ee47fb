import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { brokenRun, type FaultKind, SAID } from './broken-run.js'
import { inDirectory } from './cli-process.js'

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
        assert.match(stderr, new RegExp(`^error: .*${SAID[kind]}.*\nto do it again: softnet run .*\n$`))
        assert.match(stderr, / (in|while it ran) \S+ at \d+(\.\d+)? ms/)
      }),
    )
  }
}

test.run()
