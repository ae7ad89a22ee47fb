import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRunner, GangError } from '../src/index.js'
import { type IsolateRun, runInIsolate } from '../src/isolate.js'
import { IsolateError } from '../src/isolate-error.js'
import { type RelayFault, type RelayPayload, relayColumns, relayPartitions } from './fixtures/relay.js'

const moduleUrl = new URL('./fixtures/relay.js', import.meta.url).href
const STATIONS = 12
const UNTIL_PS = 200_000

function relay(workers: number, fault?: RelayFault, rest: Partial<IsolateRun> = {}): Promise<number[]> {
  // Long enough that every worker comes to its turn, however busy the machine is.
  const untilPs = fault === undefined ? UNTIL_PS : 200 * UNTIL_PS
  const payload: RelayPayload = { stations: STATIONS, untilPs, workers, ...(fault ? { fault } : {}) }
  const { onMessage: _, ...options } = rest
  return runInIsolate<number[]>({ moduleUrl, exportName: 'leadRelay', payload, ...options })
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

test('a relay ends alike on 1, 2, 3, 4 and 8 threads', async () => {
  const alone = await relay(1)
  assert.ok(new Set(alone).size > STATIONS, 'every station has a value and a clock of its own')
  for (const workers of [2, 3, 4, 8]) assert.equal(await relay(workers), alone, `${workers} workers`)
})

for (const worker of [0, 1]) {
  test(`what worker ${worker} throws ends the run with its partition and time`, async () => {
    const error = await failure(relay(3, { worker, atPs: 50_000, kind: 'throw' }))
    assert.is(error.failure, 'threw')
    assert.match(error.message, /^the relay broke \(in station\d+ at 0\.\d+ ms\)$/)
  })
}

test('of a lead that fails the fault is told, also where its helpers are heard of first', async () => {
  const fault: RelayFault = { worker: 0, atPs: 50_000, kind: 'throw' }
  const payload: RelayPayload = { stations: STATIONS, untilPs: 200 * UNTIL_PS, workers: 2, fault }
  const error = await failure(runInIsolate({ moduleUrl, exportName: 'leadLate', payload }))
  assert.is(error.failure, 'threw')
  assert.match(error.message, /^the relay broke \(in station/)
})

test('a thread that exits ends the run, and the error says what it was at', async () => {
  const error = await failure(relay(2, { worker: 1, atPs: 50_000, kind: 'exit' }))
  assert.is(error.failure, 'exited')
  assert.match(error.message, /exited with code 7 before its run ended while it ran station\d+ at 0\.\d+ ms/)
})

test('a thread that runs out of memory ends the run', async () => {
  const limits = { maxOldGenerationSizeMb: 24 }
  const error = await failure(relay(2, { worker: 1, atPs: 50_000, kind: 'memory' }, { resourceLimits: limits }))
  assert.is(error.failure, 'out-of-memory')
})

test('a helper that cannot be loaded is an error, not a wait', async () => {
  const payload: RelayPayload = { stations: 2, untilPs: 100, workers: 2 }
  const error = await failure(runInIsolate({ moduleUrl, exportName: 'leadLost', payload }))
  assert.is(error.failure, 'load')
  assert.match(error.message, /exports no function named nobody/)
})

test('a worker that comes when the run is over leaves at once', () => {
  const columns = relayColumns(2)
  const lead = createRunner(relayPartitions(2, columns, 0, undefined))
  lead.runUntil(1000)
  lead.release()
  const wait = { spins: 1, sleepMs: 5, sleepsMax: 4 }
  createRunner(relayPartitions(2, columns, 1, undefined), { buffers: lead.buffers, worker: 1, wait }).serve()
  assert.is(lead.workers(), 1)
  lead.runUntil(2000)
})

test('a wait that lasts too long says who waited for whom', () => {
  const partitions = relayPartitions(2, relayColumns(2), 0, undefined)
  const runner = createRunner(partitions, { wait: { spins: 1, sleepMs: 5, sleepsMax: 4 } })
  assert.throws(
    () => runner.awaitWorkers(2),
    (error: Error) =>
      error instanceof GangError && /^worker 0 waited 0\.02 s for more workers: 1 of 2 have come/.test(error.message),
  )
})

test('a runner without other threads can be asked for rounds, and counts them', () => {
  const columns = relayColumns(STATIONS)
  const runner = createRunner(relayPartitions(STATIONS, columns, 0, undefined))
  runner.runUntil(UNTIL_PS, true)
  const { rounds, partitions } = runner.rounds()
  assert.ok(rounds > 100 && partitions > rounds, `${rounds} rounds of ${partitions} partitions`)
  const alone = relayColumns(STATIONS)
  createRunner(relayPartitions(STATIONS, alone, 0, undefined)).runUntil(UNTIL_PS)
  assert.equal(new Float64Array(columns.value), new Float64Array(alone.value))
})

test.run()
