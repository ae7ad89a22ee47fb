/** Sweeps as a user starts them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ScenarioError, type SweepDocument, simulate, sweep } from '../src/index.js'
import type { InputFault } from '../src/input-fault.js'
import { scenarioTemplate } from '../src/scenario-template.js'
import { leftText } from '../src/sweep-bar.js'
import { cliInside, inDirectory, namesIn, startCli } from './cli-process.js'

function withScenario(body: (directory: string) => Promise<void>): () => Promise<void> {
  return inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s').replace('warmup: 10ms', 'warmup: 0ms'))
    await body(directory)
  })
}

const RUNS = ['--duration', '1ms', '--vary', 'eth0.rings.rx=512', '--runs', '2']
const read = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8')

test(
  'each run of a sweep is the run of its point and seed',
  withScenario(async (directory) => {
    const json = await cliInside(
      directory,
      'sweep',
      's.yaml',
      ...RUNS,
      '--seed',
      '5',
      '--out',
      'out',
      '--format',
      'json',
    )
    assert.is(json.code, 0, json.stdout)
    assert.is(json.stderr, '')
    const document: SweepDocument = JSON.parse(json.stdout)
    assert.equal([document.schema, document.status, document.scenario], ['softnet.sweep/1', 'done', 's'])
    assert.equal(document.seeds, [5, 6])
    const file = join(directory, 's.yaml')
    const alone = await simulate(file, { duration: '1ms', seed: 6, set: { 'eth0.rings.rx': 512 } })
    assert.is(document.points[0]?.runs[1]?.digest, alone.digest)
    assert.equal(document.points[0]?.runs[1]?.measures.delivered_pps, alone.packets.delivered * 1000)
    assert.is(read(directory, 'out/runs.jsonl').trimEnd().split('\n').length, 2)
    // Nothing is simulated again for the text of the same sweep.
    const text = await cliInside(
      directory,
      'sweep',
      's.yaml',
      ...RUNS,
      '--seed',
      '5',
      '--out',
      'out',
      '--measure',
      'drop_share',
    )
    assert.is(text.code, 0)
    assert.match(text.stdout, '2 of 2 runs done, 2 of them from before')
    assert.match(text.stdout, 'dropped')
    assert.not.match(text.stdout, 'delivered')
  }),
)

test(
  'the interface gives the same sweep',
  withScenario(async (directory) => {
    const vary = { 'eth0.rings.rx': '64..512:x8', 'net.core.netdev_budget': [300] }
    const { points } = await sweep(join(directory, 's.yaml'), { vary, duration: '1ms', jobs: 1 })
    assert.equal(
      points.map((point) => Object.values(point.settings)),
      [
        [64, 300],
        [512, 300],
      ],
    )
    assert.is(points[0]?.measures.delivered_pps?.ci95, null)
    const wrong = { vary: { 'eth0.rings.rx': '64..', nope: [1], seed: [1] }, runs: 0.5, jobs: 0, out: '' }
    const errors = await sweep('four-cpus', wrong).then(
      () => [],
      (thrown: unknown) => (thrown instanceof ScenarioError ? thrown.errors : []),
    )
    assert.equal(errors.map((fault) => fault.path).sort(), [
      'jobs',
      'nope',
      'out',
      'runs',
      'vary eth0.rings.rx',
      'vary seed',
    ])
    const controller = new AbortController()
    controller.abort()
    assert.is((await sweep('four-cpus', { vary, signal: controller.signal })).status, 'interrupted')
  }),
)

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGKILL', null],
] as const) {
  test(
    `a sweep that ${signal} ended goes on with the same command`,
    withScenario(async (directory) => {
      const command = ['sweep', 's.yaml', '--duration', '1ms', '--vary', 'eth0.rings.rx=64..256:x2', '--jobs', '1']
      const { child, ended } = startCli(directory, ...command, '--out', 'out')
      const lines = () =>
        namesIn(directory).includes('out') && namesIn(join(directory, 'out')).includes('runs.jsonl')
          ? read(directory, 'out/runs.jsonl').split('\n').length - 1
          : 0
      while (child.exitCode === null && lines() < 1) await sleep(5)
      child.kill(signal)
      const first = await ended
      assert.is(first.code, code)
      const before = lines()
      assert.ok(before >= 1 && before < 3, `${before}`)
      if (signal === 'SIGINT') {
        assert.match(first.stdout, 'interrupted')
        assert.match(first.stderr, 'the same command goes on from out')
        assert.equal(namesIn(join(directory, 'out')), ['runs.jsonl', 'sweep.csv', 'sweep.json'])
      }
      const second = await cliInside(directory, ...command, '--out', 'out')
      assert.is(second.code, 0, second.stderr)
      assert.match(second.stdout, `3 of 3 runs done, ${before} of them from before`)
      assert.equal(namesIn(join(directory, 'out')), ['runs.jsonl', 'sweep.csv', 'sweep.json'])
      assert.is(read(directory, 'out/sweep.csv').trimEnd().split('\n').length, 4)
    }),
  )
}

async function refused(directory: string, ...args: readonly string[]): Promise<readonly InputFault[]> {
  const { code, stdout } = await cliInside(directory, 'sweep', ...args, '--format', 'json')
  assert.is(code, 2, stdout)
  return JSON.parse(stdout).errors
}

test(
  'every fault is told at once, before anything runs or is written',
  withScenario(async (directory) => {
    const vary = [
      'eth0.rings.rx=4..64:x2,a',
      'eth0.rings.rxx=1..3',
      'warmup=0,9ms',
      'seed=1',
      'nope',
      'cpus=[',
    ].flatMap((given) => ['--vary', given])
    const options = [
      '--runs',
      '0',
      '--jobs',
      'x',
      '--seed',
      '-1',
      '--measure',
      'p99',
      '--out',
      's.yaml',
      '--profile',
      'modern-sever',
      '--duration',
      '8ms',
    ]
    const faults = await refused(directory, 's.yaml', ...vary, ...options)
    const found = (path: string) => faults.filter((fault) => fault.path === path)
    for (const path of [
      '--vary',
      '--vary cpus',
      '--vary seed',
      '--runs',
      '--jobs',
      '--seed',
      '--measure',
      '--out',
      '--profile',
      'warmup',
      'eth0.rings.rxx',
    ])
      assert.is(found(path).length, 1, path)
    assert.equal(
      found('hosts.server.devices.eth0.rings.rx').map((fault) => fault.given),
      [4, 8, 16, 32, 'a'],
    )
    assert.is(found('eth0.rings.rxx')[0]?.nearest, 'eth0.rings.rx')
    assert.is(found('--measure')[0]?.nearest, 'latency_p99_ns')
    assert.is(found('--vary seed')[0]?.nearest, '--runs')
    assert.equal(namesIn(directory), ['s.yaml'])
  }),
)

const WRONG: readonly (readonly [readonly string[], string, RegExp])[] = [
  [[], '--vary', /at least one path=/],
  [['--vary', 'eth0.rings.rx='], '--vary eth0.rings.rx', /at least one value/],
  [['--vary', 'eth0.rings.rx=64,64'], '--vary eth0.rings.rx', /each value once/],
  [['--vary', 'eth0.rings.rx=64', '--vary', 'rings.rx=128'], '--vary eth0.rings.rx', /no other option changes/],
  [['--vary', 'eth0.rings.rx=64', '--set', 'rings.rx=128'], '--vary eth0.rings.rx', /no other option changes/],
  [['--vary', 'duration=1ms,2ms', '--duration', '3ms'], '--vary duration', /no other option changes/],
  [['--vary', 'eth0.rings.rx=64..128:x'], '--vary eth0.rings.rx', /a range a\.\.b/],
  [['--vary', 'eth0.coalesce.rx-usecs=1us..4kpps'], '--vary eth0.coalesce.rx-usecs', /one kind/],
  [
    ['--vary', 'duration=5ms,20ms', '--vary', 'warmup=1ms,10ms'],
    'warmup',
    /duration, 5ms \(at duration=5ms warmup=10ms\)/,
  ],
]

test(
  'each fault says what would be right',
  withScenario(async (directory) => {
    for (const [args, path, accepted] of WRONG) {
      const [fault] = await refused(directory, 's.yaml', ...args)
      assert.is(fault?.path, path, args.join(' '))
      assert.match(fault?.accepted ?? '', accepted, args.join(' '))
    }
    for (const out of ['/proc/no/such', 's.yaml/below']) {
      const [fault] = await refused(directory, 's.yaml', '--vary', 'eth0.rings.rx=64', '--out', out)
      assert.equal([fault?.path, fault?.given], ['--out', out])
    }
    const large = ['--vary', 'eth0.rings.rx=64..863', '--vary', 'net.core.netdev_budget=1..10', '--runs', '2']
    const [fault] = await refused(directory, 's.yaml', ...large)
    assert.is(fault?.given, '800 × 10 points × 2 seeds = 16000 runs')
    assert.match(fault?.accepted ?? '', 'at most 10000 runs')
  }),
)

test('values are written as in YAML, and a quoted one is no range', async () => {
  const { parseVary } = await import('../src/sweep/axes.js')
  const valuesOf = (given: string) => parseVary(given, '--vary', [])?.values
  assert.equal(valuesOf('a=1,2us, x'), [1, '2us', 'x'])
  assert.equal(valuesOf('a=[0, 1],{x: 1},"0,1"'), [[0, 1], { x: 1 }, '0,1'])
  assert.equal(valuesOf('a=1..4:x2,9'), [1, 2, 4, 9])
  assert.equal(valuesOf('a="1..4",../f.pcap'), ['1..4', '../f.pcap'])
})

test('time left is written as people say it', () => {
  assert.equal([null, 1234, 90_000, 3_600_000 * 2.5].map(leftText), ['?', '1.20 s', '2 min', '2 h 30 min'])
})

test.run()
