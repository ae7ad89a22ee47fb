import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { createRunner, GangError, type Partition, type Runner, type RunnerOptions } from '../src/index.js'
import { attachRunnerColumns, type RunnerColumns, STATE, WORD } from '../src/runner-columns.js'
import { createTickets } from '../src/tickets.js'
import { relayColumns, relayPartitions } from './fixtures/relay.js'

const wait = { spins: 1, sleepMs: 5, sleepsMax: 4 }
const STATIONS = 6

interface Party {
  readonly runner: Runner
  readonly columns: RunnerColumns
  /** Everything one worker waits for does not come: the other one is only written into the columns. */
  expires(wanted: RegExp, body: () => void): void
}

function party(partitions: readonly Partition[], options: RunnerOptions = {}): Party {
  const runner = createRunner(partitions, { wait, ...options })
  return {
    runner,
    columns: attachRunnerColumns(runner.buffers),
    expires: (wanted, body) =>
      assert.throws(body, (error: Error) => {
        assert.instance(error, GangError)
        assert.match(error.message, wanted)
        return true
      }),
  }
}

const relay = () => relayPartitions(STATIONS, relayColumns(STATIONS), 0, undefined)

test('a lead waits for the helper that has a partition of the round', () => {
  let helper: ReturnType<typeof createTickets> | null = null
  const lead = party(relay(), {
    yieldAt() {
      // The helper takes a partition of the first round, and is never heard of again.
      const index = helper?.claim() ?? -1
      helper = null
      if (index >= 0) lead.columns.doing[1] = 1 + (lead.columns.round[index] as number)
    },
  })
  helper = createTickets(lead.columns, 1, null)
  Atomics.store(lead.columns.control, WORD.workers, 2)
  lead.expires(/^worker 0 waited 0\.02 s for worker 1, which runs station\d from \d+ ps on$/, () =>
    lead.runner.runUntil(1000),
  )
  assert.is(Atomics.load(lead.columns.control, WORD.state), STATE.failed)
})

test('a helper waits for the lead, or for the worker that plans', () => {
  const { columns, runner, expires } = party(relay())
  const helper = () => createRunner(relay(), { buffers: runner.buffers, worker: 1, wait })
  expires(/^worker 1 waited 0\.02 s for the lead$/, () => helper().serve())
  const { control } = columns
  Atomics.store(control, WORD.state, STATE.running)
  Atomics.store(control, WORD.planner, 1)
  expires(/^worker 1 waited 0\.02 s for worker 0, which plans the next round$/, () => helper().serve())
})

test('a lead that lets the others go waits for those that have not left', () => {
  const { columns, runner, expires } = party(relay())
  Atomics.store(columns.control, WORD.workers, 3)
  expires(/^worker 0 waited 0\.02 s for the other workers to leave: 2 of them have not$/, () => runner.release())
})

/** A source and what it sends to, which may run freely. */
function source(): Partition[] {
  const idle = { drain() {}, run: () => false, publish() {}, take() {}, show() {}, hasEnough: () => true }
  return [
    {
      ...idle,
      id: 0,
      name: 'source',
      inputs: [],
      bounded: true,
      attach({ next, bound }) {
        next[0] = 10
        bound[0] = 20
      },
    },
    {
      ...idle,
      id: 1,
      name: 'sink',
      inputs: [{ from: 0, latencyPs: 10 }],
      bounded: false,
      attach({ next }) {
        next[1] = 500
      },
    },
  ]
}

test('running freely, a worker waits for who has what it needs', () => {
  for (const [held, wanted] of [
    [1, /^worker 0 waited 0\.02 s for sink, which a worker has not given back$/],
    [0, /^worker 0 waited 0\.02 s for source, which a worker has not given back$/],
  ] as const) {
    const { columns, runner, expires } = party(source())
    Atomics.store(columns.control, WORD.workers, 2)
    columns.busy[held] = 1
    expires(wanted, () => runner.runUntil(1000))
  }
  let isTaken = false
  const late = party(source(), {
    yieldAt() {
      if (isTaken) return
      // The helper takes the source when the lead is about to run the sink, and keeps it.
      isTaken = true
      const { busy, doing } = late.columns
      busy[0] = 1
      doing[1] = 1
    },
  })
  Atomics.store(late.columns.control, WORD.workers, 2)
  late.expires(/^worker 0 waited 0\.02 s for worker 1, which runs source from 10 ps on$/, () =>
    late.runner.runUntil(1000),
  )
})

test.run()
