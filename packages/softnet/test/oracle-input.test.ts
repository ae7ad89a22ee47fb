import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { inDirectory } from './cli-process.js'
import { carried, oracle, oracleCases, record } from './oracle-process.js'

test('--case chooses by name, also among several files', async () => {
  const cases = await oracleCases('--case', 'backlog=1000 budget=64 weight=64 N=64')
  assert.equal(cases, [{ name: 'backlog=1000 budget=64 weight=64 N=64', pass: true, diff: null, gated: true }])
})

test('a name that no case has is refused with the nearest', async () => {
  const { code, stdout, stderr } = await oracle('--case', 'tcp-1x')
  assert.is(code, 2)
  assert.is(stdout, '')
  assert.match(
    stderr,
    /^error: --case: given 'tcp-1x'; accepted: the name of one of \d{4} cases; did you mean tcp-1\?\n$/,
  )
})

test(
  'what a recording of packets in and out has wrong is told, other content is unknown',
  inDirectory(async (directory) => {
    const [entry] = carried('ip.json').cases
    const wrong = {
      ...entry,
      setup: { devices: [{ name: 'tun0', kind: 'bridge' }], sysctls: { x: 'y' } },
      steps: [{ do: 'jump' }, { do: 'wait', ms: -1 }],
      packets_in: [{ hex: '4' }],
      stable: { counters: 1 },
    }
    const { code, stdout } = await oracle(record(directory, { cases: [wrong] }, 'ip.json'), '--format', 'json')
    assert.is(code, 2)
    const { errors } = JSON.parse(stdout) as { errors: { path: string }[] }
    for (const path of [
      'setup.devices[0].kind',
      'setup.sysctls.x',
      'steps[0].do',
      'steps[1].ms',
      'packets_in[0].hex',
      'stable.counters',
    ]) {
      assert.ok(
        errors.some((each) => each.path.endsWith(`ip.json cases[0].${path}`)),
        path,
      )
    }
    for (const value of [{}, [], 3, { cases: [] }, { cases: [{ name: 'x' }] }]) {
      const { code, stderr } = await oracle(record(directory, value))
      assert.is(code, 2)
      assert.match(stderr, /accepted: a recording of softnet .* gro .* rmem .* or ip /)
    }
  }),
)

test(
  'every fault of every file is told at once',
  inDirectory(async (directory) => {
    const [good] = carried('gro.json').cases
    const files = [
      record(directory, { cases: [{ ...good, packets_in: ['4x'], pause: [1], snmp: { a: 'b' } }] }, 'gro.json'),
      record(
        directory,
        { multi_napi: [{ ...carried('softnet.json').multi_napi[0], N: 0, ports: 'six' }] },
        'multi.json',
      ),
      record(directory, { truesize_steps: { lo: [['n', 'm']] }, cases: [null] }, 'rmem.json'),
      record(directory, '{', 'broken.json'),
      directory,
      `${directory}/absent.json`,
    ]
    const { code, stdout } = await oracle(...files, '--format', 'json')
    assert.is(code, 2)
    const { schema, errors } = JSON.parse(stdout) as { schema: string; errors: { path: string; accepted: string }[] }
    assert.is(schema, 'softnet.error/1')
    const expected = [
      'gro.json cases[0].packets_in',
      'gro.json cases[0].pause',
      'gro.json cases[0].snmp.a',
      'multi.json multi_napi[0].ports',
      'multi.json multi_napi[0].N',
      'rmem.json truesize_steps.lo',
      'rmem.json cases[0]',
    ]
    for (const path of expected)
      assert.ok(
        errors.some((error) => error.path === `${directory}/${path}`),
        path,
      )
    assert.ok(errors.some(({ path, accepted }) => path.includes('broken.json:1:') && accepted.includes('valid JSON')))
    assert.ok(errors.some(({ path, accepted }) => path === 'FILE' && accepted.includes('it is a directory')))
    assert.ok(errors.some(({ path, accepted }) => path === 'FILE' && accepted.includes('there is no such file')))
  }),
)

test('a wrong option is refused, help is not', async () => {
  const unknown = await oracle('--cas', 'x')
  assert.is(unknown.code, 2)
  assert.match(unknown.stderr, /did you mean --case\?\ntry: pnpm oracle --help\n$/)
  const format = await oracle('--format', 'xml')
  assert.is(format.code, 2)
  assert.match(format.stderr, /^error: --format: given 'xml'; accepted: one of text, json\n/)
  const help = await oracle('--help')
  assert.is(help.code, 0)
  assert.match(help.stdout, /--case <name>/)
})

test(
  'settings that no machine can have are told with the case they stand in, the others run',
  inDirectory(async (directory) => {
    const [entry] = carried('gro.json').cases
    const file = record(directory, { cases: [{ ...entry, setup: 'TUN, UDP_GRO socket on port 70000' }, entry] })
    const { code, stdout } = await oracle(file)
    assert.is(code, 1)
    assert.match(stdout, /^FAIL .*\n {6}.*cases\[0\] \(hosts\.machine\.apps\.program\.sockets/)
    assert.match(stdout, /2 cases: 1 agree, 1 differ/)
  }),
)

test.run()
