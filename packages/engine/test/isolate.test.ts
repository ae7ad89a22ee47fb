import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type IsolateRun, runInIsolate } from '../src/isolate.js'
import { IsolateError } from '../src/isolate-error.js'
import { createStopWord } from '../src/stop-word.js'

const workUrl = new URL('./fixtures/isolate-work.js', import.meta.url).href
type Silent = Omit<IsolateRun, 'onMessage'>

const brokenUrl = new URL('./fixtures/isolate-broken.js', import.meta.url).href

function work(exportName: string, rest: Partial<Silent> = {}): Silent {
  return { moduleUrl: workUrl, exportName, payload: null, ...rest }
}

async function failure(run: Promise<unknown>): Promise<IsolateError> {
  try {
    await run
  } catch (thrown) {
    assert.instance(thrown, IsolateError)
    return thrown as IsolateError
  }
  throw new Error('the run did not fail')
}

test('returns the result after every message, in order', async () => {
  const seen: number[] = []
  const sum = await runInIsolate<number, number>({
    ...work('addUp', { payload: { count: 1000 } }),
    onMessage: (message) => seen.push(message),
  })
  assert.is(sum, 499_500)
  assert.equal(
    seen,
    Array.from({ length: 1000 }, (_, i) => i),
  )
})

test('every run has a fresh thread', async () => {
  assert.is(await runInIsolate(work('countCalls')), 1)
  assert.is(await runInIsolate(work('countCalls')), 1)
})

test('several isolates run at once', async () => {
  const sums = await Promise.all(
    [10, 20, 30].map((count) => runInIsolate<number>(work('addUp', { payload: { count } }))),
  )
  assert.equal(sums, [45, 190, 435])
})

test('moves buffers out of the thread', async () => {
  const seen: Uint8Array[] = []
  const left = await runInIsolate<number, Uint8Array>({
    ...work('moveBytes'),
    onMessage: (message) => seen.push(message),
  })
  assert.is(left, 0)
  assert.equal(
    seen.map((bytes) => [...bytes]),
    [[1, 2, 3]],
  )
})

test('a throw is one error that names what was thrown', async () => {
  const error = await failure(runInIsolate(work('throwError')))
  assert.is(error.failure, 'threw')
  assert.is(error.message, 'no such ring')
  assert.is(error.thrownName, 'RangeError')
  assert.match(error.thrownStack, 'throwError')
})

for (const [exportName, message] of [
  ['throwText', /^only text$/],
  ['rejectLater', /^later$/],
  ['throwOutside', /^outside the call$/],
  ['notCloneable', /could not be cloned/],
] as const) {
  test(`${exportName} is an error`, async () => {
    const error = await failure(runInIsolate(work(exportName)))
    assert.is(error.failure, 'threw')
    assert.match(error.message, message)
  })
}

for (const code of [0, 3]) {
  test(`process.exit(${code}) in the thread is an error`, async () => {
    const error = await failure(runInIsolate(work('leave', { payload: { code } })))
    assert.is(error.failure, 'exited')
    assert.match(error.message, `exited with code ${code}`)
  })
}

test('a thread out of memory is an error', async () => {
  const error = await failure(runInIsolate(work('eatMemory', { resourceLimits: { maxOldGenerationSizeMb: 32 } })))
  assert.is(error.failure, 'out-of-memory')
})

test('a module that cannot be loaded is an error', async () => {
  assert.is((await failure(runInIsolate(work('missing')))).failure, 'load')
  assert.match((await failure(runInIsolate(work('notAFunction')))).message, 'no function named notAFunction')
  const broken = await failure(runInIsolate(work('never', { moduleUrl: brokenUrl })))
  assert.is(broken.failure, 'load')
  assert.is(broken.message, 'broken at load')
  assert.is((await failure(runInIsolate(work('x', { moduleUrl: `${workUrl}.none` })))).failure, 'load')
})

test('a thread that cannot start is an error', async () => {
  const error = await failure(runInIsolate(work('countCalls', { execArgv: ['--no-such-option'] })))
  assert.is(error.failure, 'start')
})

test('a thread that dies while it starts is an error', async () => {
  const leaveAtOnce = 'data:text/javascript,process.exit(7)'
  const error = await failure(runInIsolate(work('countCalls', { execArgv: ['--import', leaveAtOnce] })))
  assert.is(error.failure, 'exited')
})

test('the stop word ends a run that is in the middle of its work', async () => {
  const stop = createStopWord()
  assert.is(stop.requested, false)
  const stopped = await runInIsolate<boolean, string>({
    ...work('workUntilStopped'),
    stop,
    onMessage: () => stop.request(),
  })
  assert.is(stopped, true)
  assert.is(stop.requested, true)
})

test('a thread that does not stop is ended', async () => {
  const stop = createStopWord()
  const error = await failure(
    runInIsolate<never, string>({
      ...work('neverStop'),
      stop,
      stopGraceMs: 100,
      onMessage: () => stop.request(),
    }),
  )
  assert.is(error.failure, 'stuck')
})

test('what onMessage throws ends the run and is passed on', async () => {
  const own = new TypeError('own')
  try {
    await runInIsolate<never, string>({
      ...work('neverStop'),
      onMessage: () => {
        throw own
      },
    })
    assert.unreachable()
  } catch (thrown) {
    assert.is(thrown, own)
  }
})

test.run()
