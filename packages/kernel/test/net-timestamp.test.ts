import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { buildModel, type Model } from '../src/build/build-model.js'
import { STAGE_ROWS, StageCostTable, StageTime } from '../src/cpu/components.js'
import { STAGE } from '../src/cpu/stage-ids.js'
import { createCapture } from '../src/observe/capture.js'
import { readPcapng } from './support/read-pcapng.js'
import { modelRunner, planOf } from './support/run-model.js'

const PACKETS = 300
const END_PS = 3e9

interface Parts {
  /** `netdev_tstamp_prequeue`. */
  readonly prequeue: 0 | 1
  /** Whether the sockets of the two programs have SO_TIMESTAMP. */
  readonly wanted: readonly [boolean, boolean]
  readonly driver?: string
}

interface Stamped {
  /** Units of a stage that each CPU paid for. */
  units(stage: 'net_timestamp' | 'recv_timestamp'): number[]
  /** Times of the captured packets in the order the tap saw them, ns. */
  readonly times: readonly number[]
}

function unitsOf(model: Model, stage: keyof typeof STAGE): number[] {
  const { ps: spent } = model.world.columns(StageTime)
  const { ps: price } = model.world.columns(StageCostTable)
  return model.layout.cpus.map((cpu) => {
    const row = cpu * STAGE_ROWS + STAGE[stage]
    return Math.round(spent[row] / price[row])
  })
}

/** CPU 0 takes the interrupts and steers to CPU 1; two programs read on CPUs 2 and 3, half of the packets each. */
function run({ prequeue, wanted, driver = 'ixgbe' }: Parts): Stamped {
  const app = (cpu: number, port: number, timestamp: boolean) => ({
    cpus: [cpu],
    sockets: { bind: `0.0.0.0:${port}`, SO_TIMESTAMP: timestamp },
  })
  const queues = driver === 'ixgbe' ? { channels: { combined: 1 } } : {}
  const plan = planOf({
    duration: '3ms',
    hosts: {
      h: {
        cpus: 4,
        sysctl: { 'net.core.netdev_tstamp_prequeue': prequeue },
        devices: { eth0: { driver, address: '192.0.2.1/24', ...queues, queues: { rps_cpus: '2' } } },
        apps: { one: app(2, 9000, wanted[0]), two: app(3, 9001, wanted[1]) },
      },
    },
    traffic: { t: { rate: '200kpps', packets: PACKETS, to: 'h/eth0', flows: { count: 8, 'dport-count': 2 } } },
  })
  const recorder = createCapture(plan, [{ host: null, dev: 'eth0' }])
  const model = buildModel(plan, { trace: recorder.sink })
  recorder.attach(model)
  modelRunner(model)(END_PS)
  const { packets } = readPcapng(recorder.take(0, Number.POSITIVE_INFINITY))
  return { units: (stage) => unitsOf(model, stage), times: packets.map(({ time }) => Number(time)) }
}

test('nobody wants stamps: none is taken or paid for, and a capture tells when the tap saw a packet', () => {
  const [early, late] = [run({ prequeue: 1, wanted: [false, false] }), run({ prequeue: 0, wanted: [false, false] })]
  assert.equal(early.units('net_timestamp'), [0, 0, 0, 0])
  assert.equal(early.units('recv_timestamp'), [0, 0, 0, 0])
  assert.equal(early.times, late.times)
})

for (const driver of ['ixgbe', 'e1000-old']) {
  test(`${driver}: one socket makes its host stamp every packet, before steering or behind the backlog`, () => {
    const early = run({ prequeue: 1, wanted: [true, false], driver })
    const late = run({ prequeue: 0, wanted: [true, false], driver })
    assert.equal(early.units('net_timestamp'), [PACKETS, 0, 0, 0])
    assert.equal(late.units('net_timestamp'), [0, PACKETS, 0, 0])
    // Only the reader that asked pays for the control message.
    assert.equal(early.units('recv_timestamp'), [0, 0, PACKETS / 2, 0])
    assert.is(early.times.length, PACKETS)
    const delays = early.times.map((time, index) => (late.times[index] as number) - time)
    // The way through the backlog: an IPI and more for the packet that finds it idle.
    assert.ok(Math.min(...delays) > 0, `${Math.min(...delays)} ns`)
    assert.ok(Math.max(...delays) > 500, `${Math.max(...delays)} ns`)
  })
}

test('a stamp taken behind the backlog is what the tap would have said', () => {
  const clock = run({ prequeue: 0, wanted: [false, false] }).times
  const stamps = run({ prequeue: 0, wanted: [true, true] }).times
  const lags = stamps.map((time, index) => time - (clock[index] as number))
  assert.ok(lags[0] > 0 && lags[0] < 100, `the stamp itself takes ${lags[0]} ns`)
})

test.run()
