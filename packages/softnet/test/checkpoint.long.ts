import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bytesOf, CAPTURES, resultOf, withScenario } from './checkpointed.js'
import { cliInside, startCli } from './cli-process.js'

const FILES = ['both.pcapng', 'one.pcapng']

/** Changes with every checkpoint. */
function stampOf(directory: string): number {
  return statSync(join(directory, 'c'), { throwIfNoEntry: false })?.mtimeMs ?? 0
}

test(
  'a run that is killed again and again comes to the same end',
  withScenario(async (directory) => {
    const whole = await cliInside(directory, 'run', 's.yaml', ...CAPTURES, '--format', 'json')
    assert.is(whole.code, 0, whole.stdout)
    const before = FILES.map((name) => bytesOf(directory, name))
    for (const name of FILES) rmSync(join(directory, name))

    const first = ['run', 's.yaml', ...CAPTURES, '--checkpoint', 'c', '--every', '25us', '--format', 'json']
    for (let kills = 1; kills <= 6; kills++) {
      const run = startCli(directory, ...(kills === 1 ? first : ['run', '--resume', 'c', '--format', 'json']))
      let seen = stampOf(directory)
      let changes = 0
      const timer = setInterval(() => {
        const now = stampOf(directory)
        if (now !== seen && ++changes === kills) run.child.kill('SIGKILL')
        seen = now
      }, 1)
      assert.is((await run.ended).code, null, `killed ${kills} times`)
      clearInterval(timer)
    }
    const ended = await cliInside(directory, 'run', '--resume', 'c', '--every', '500us', '--format', 'json')
    assert.is(ended.code, 0, `${ended.stdout}${ended.stderr}`)
    assert.equal(resultOf(ended.stdout), resultOf(whole.stdout))
    assert.equal(
      FILES.map((name) => bytesOf(directory, name)),
      before,
    )

    // The last checkpoint is still good: what was captured before it is taken out of the finished files.
    for (let time = 0; time < 2; time++) {
      const again = await cliInside(directory, 'run', '--resume', 'c', '--format', 'json')
      assert.equal(resultOf(again.stdout), resultOf(whole.stdout), again.stderr)
      assert.equal(
        FILES.map((name) => bytesOf(directory, name)),
        before,
      )
    }
    const draft = readFileSync(join(directory, 'one.pcapng'))
    writeFileSync(join(directory, 'one.pcapng'), draft.subarray(0, 100))
    const refused = await cliInside(directory, 'run', '--resume', 'c')
    assert.is(refused.code, 2)
    assert.match(refused.stderr, /^error: --resume: given '.*one\.pcapng'; accepted: the \d+ bytes that were captured/)
  }),
)

test.run()
