import type { ResultDocument } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import {
  DEFAULT_MEASURES,
  estimate,
  MEASURES,
  type MeasureValues,
  measuresOf,
  renderSweep,
  type SweepAxis,
  type SweepDocument,
  type SweepPoint,
  studentT95,
  summarizePoint,
  sweepCsv,
} from '../src/index.js'
import { screens } from './screens.js'

const test = suite('sweep')

/** Two-sided 95 % quantiles as NIST prints them (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2). */
const PRINTED: readonly (readonly [number, number])[] = [
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [5, 2.571],
  [9, 2.262],
  [10, 2.228],
  [29, 2.045],
  [30, 2.042],
  [100, 1.984],
]

test('Student’s t is the printed one', () => {
  for (const [freedom, printed] of PRINTED) assert.is(Number(studentT95(freedom).toFixed(3)), printed, `${freedom}`)
  assert.is(Number(studentT95(9999).toFixed(2)), 1.96)
})

test('a mean has an interval from two numbers on', () => {
  assert.is(estimate([]), null)
  assert.equal(estimate([7]), { n: 1, mean: 7, ci95: null })
  // Half width by hand: t(1) · s / √2 with s = √2, so 12.706.
  const two = estimate([1, 3])
  assert.equal([two?.n, two?.mean, two?.ci95?.toFixed(3)], [2, 2, '12.706'])
  // t(4) · √(2.5 / 5) = 2.776 · 0.70711
  assert.is(estimate([1, 2, 3, 4, 5])?.ci95?.toFixed(3), '1.963')
  assert.equal(estimate([0.1, 0.1, 0.1]), { n: 3, mean: 0.1, ci95: 0 })
})

test('measures are what the screen of a run says', () => {
  for (const result of Object.values(screens())) {
    const values = measuresOf(result)
    const { packets, simulated_ns, latency_ns } = result
    assert.is(values.delivered_pps, (packets.delivered * 1e9) / simulated_ns)
    assert.is(values.drop_share, packets.dropped / packets.offered)
    assert.is(values.latency_p99_ns, latency_ns === null ? null : latency_ns.p99)
    const cpus = Object.values(result.hosts).flatMap((host) => host.cpus)
    const idle = cpus.map(({ time_ns }) => time_ns.idle / Object.values(time_ns).reduce((sum, ns) => sum + ns, 0))
    assert.ok(Math.abs((values.busiest_cpu_share ?? 0) - (1 - Math.min(...idle))) < 1e-6)
  }
  const [result] = Object.values(screens()) as [ResultDocument]
  const silent = measuresOf({ ...result, latency_ns: null, packets: { ...result.packets, offered: 0 } })
  assert.equal([silent.latency_p50_ns, silent.drop_share], [null, null])
})

const AXES: readonly SweepAxis[] = [
  { path: 'load.rate', canonical: 'traffic.load.rate', values: ['1Mpps', '2Mpps', '4Mpps'] },
  { path: 'rps_cpus', canonical: 'hosts.h.devices.eth0.queues.rps_cpus', values: [0, [1, 2]] },
]

const none: MeasureValues = Object.fromEntries(MEASURES.map(({ name }) => [name, null]))

function pointOf(point: number, delivered: readonly number[], failed = 0): SweepPoint {
  const [rate, rps] = [Math.floor(point / 2), point % 2]
  const settings = { [AXES[0]!.canonical]: AXES[0]!.values[rate], [AXES[1]!.canonical]: AXES[1]!.values[rps] }
  const runs = delivered.map((delivered_pps, index) => ({
    seed: index + 1,
    digest: 'd',
    wall_ms: 1,
    measures: { ...none, delivered_pps, drop_share: 0.125 },
  }))
  return summarizePoint(point, settings, runs, failed)
}

const DELIVERED = [[1e6, 1.1e6], [1e6], [2e6, 2e6], [1.5e6, 1.4e6], [], [1.6e6, 1.6e6]]

function documentOf(change: Partial<SweepDocument> = {}): SweepDocument {
  const points = DELIVERED.map((delivered, point) => pointOf(point, delivered, point === 4 ? 2 : 0))
  const failures = [1, 2].map((seed) => ({
    point: 4,
    settings: points[4]!.settings,
    seed,
    message: 'it\u001b[2J broke',
  }))
  return {
    schema: 'softnet.sweep/1',
    status: 'done',
    scenario: 'sample',
    seeds: [1, 2],
    vary: AXES,
    points,
    failures,
    runs: { all: 12, done: 9, resumed: 3, failed: 2 },
    wall_ms: 2500,
    ...change,
  }
}

test('a point is a line of CSV, with quotes where they are needed', () => {
  const [header = '', ...lines] = sweepCsv(AXES, documentOf().points).trimEnd().split('\n')
  assert.match(header, /^point,traffic\.load\.rate,hosts\.h\.devices\.eth0\.queues\.rps_cpus,runs,failed,offered_pps,/)
  assert.is(header.split(',').length, 5 + 2 * MEASURES.length)
  assert.is(lines.length, 6)
  assert.match(lines[0] ?? '', /^0,1Mpps,0,2,0,,,1050000,635310\.236809,0\.125,0,/)
  assert.match(lines[1] ?? '', /^1,1Mpps,"\[1,2\]",1,0,,,1000000,,0\.125,,/)
  assert.match(lines[4] ?? '', /^4,4Mpps,0,0,2,,,,/)
  const odd: SweepAxis = { path: 'name', canonical: 'name', values: ['a "b"\n'] }
  const text = sweepCsv([odd], [summarizePoint(0, { name: 'a "b"\n' }, [], 0)])
  assert.match(text, '\n0,"a ""b""\n",0,0,')
})

const SCREEN = `sample · 6 points · 2 seeds from 1 · 9 of 12 runs done, 3 of them from before in 2.50 s

  load.rate  rps_cpus        delivered      dropped  p50  p99  busiest CPU  runs
      1Mpps         0  1.05 ±0.64 Mpps  12.5 ±0.0 %    -    -            -   2/2
      1Mpps     [1,2]        1.00 Mpps       12.5 %    -    -            -   1/2
      2Mpps         0  2.00 ±0.00 Mpps  12.5 ±0.0 %    -    -            -   2/2
      2Mpps     [1,2]  1.45 ±0.64 Mpps  12.5 ±0.0 %    -    -            -   2/2
      4Mpps         0                -            -    -    -            -   0/2
      4Mpps     [1,2]  1.60 ±0.00 Mpps  12.5 ±0.0 %    -    -            -   2/2
  ± is the 95 % confidence interval of the mean

`

test('the table has a row per point, and says which runs are missing', () => {
  const text = renderSweep(documentOf(), DEFAULT_MEASURES, { columns: 100 })
  assert.is(text.slice(0, SCREEN.length), SCREEN)
  assert.match(text, '2 runs failed\n  load.rate=4Mpps rps_cpus=0 seed=1: it?[2J broke')
  const interrupted = renderSweep(documentOf({ status: 'interrupted' }), DEFAULT_MEASURES)
  assert.match(interrupted, 'interrupted: means are of the runs that are done')
})

const CHART = `delivered_pps over load.rate
           ▲
  2.00 Mpps┤             ●
           │
           │             ○            ○
           │
  1.00 Mpps┤◉
           │
           │
           │
  0.00 Mpps┤
           └┬────────────┬────────────┬▶
        1Mpps        2Mpps        4Mpps
  ● rps_cpus=0
  ○ rps_cpus=[1,2]
  ◉ several of them
`

test('the chart draws the first measure over the longest setting', () => {
  assert.match(renderSweep(documentOf({ failures: [] }), ['delivered_pps']), CHART)
})

test('one series is drawn with its intervals', () => {
  const axis: SweepAxis = { path: 'load.rate', canonical: 'traffic.load.rate', values: ['1Mpps', '4Mpps'] }
  const points = [pointOf(0, [1e6, 1.1e6]), pointOf(4, [2e6, 2e6])]
  const text = renderSweep(documentOf({ vary: [axis], points, failures: [] }), ['delivered_pps'])
  const chart = text.slice(text.indexOf('▲'))
  assert.is(chart.match(/●/g)?.length, 2)
  assert.is(chart.match(/││/g)?.length, 5)
})

test('what does not fit is left out and named; a narrow terminal shows at least one measure', () => {
  const names = MEASURES.map((measure) => measure.name)
  const text = renderSweep(documentOf(), names, { columns: 72 })
  assert.match(text, /not shown for lack of width: .*interrupts_per_sec/)
  const lines = text.split('\n').filter((line) => !line.includes('not shown'))
  for (const line of lines.slice(0, 9)) assert.ok(line.length <= 72, line)
  const points = Array.from({ length: 150 }, (_entry, index) => ({ ...pointOf(0, [1]), point: index }))
  assert.match(renderSweep(documentOf({ points }), ['drop_share']), '50 more points are not shown')
})

test('nothing is drawn of one value, or where nothing was delivered', () => {
  const axis: SweepAxis = { path: 'a', canonical: 'a', values: [1] }
  const single = renderSweep(documentOf({ vary: [axis], points: [summarizePoint(0, { a: 1 }, [], 0)] }), ['drop_share'])
  assert.not.match(single, '▲')
  const empty = DELIVERED.map((_delivered, point) => pointOf(point, []))
  assert.not.match(renderSweep(documentOf({ points: empty }), ['delivered_pps']), '▲')
  const zeros = DELIVERED.map((_delivered, point) => pointOf(point, [0, 0]))
  assert.match(renderSweep(documentOf({ points: zeros }), ['delivered_pps']), '0.00 pps┤')
})

test.run()
