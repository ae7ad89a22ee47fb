import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { ErrorDocument, InputFault } from '../src/input-fault.js'
import { scenarioTemplate } from '../src/scenario-template.js'
import { cli, cliInside, inDirectory, namesIn } from './cli-process.js'
import { writeFaultyFiles } from './faulty-files.js'

/** Runs a command that must be refused, in both formats, and returns its faults. */
async function refused(directory: string, ...args: readonly string[]): Promise<readonly InputFault[]> {
  const before = namesIn(directory)
  const text = await cliInside(directory, ...args)
  assert.is(text.code, 2, text.stderr)
  assert.is(text.stdout, '')
  assert.not.match(text.stderr, /\n {4}at /)
  const [command = '', ...rest] = args
  const json = await cliInside(directory, command, '--format', 'json', ...rest)
  assert.is(json.code, 2)
  const document: ErrorDocument = JSON.parse(json.stdout)
  assert.is(document.schema, 'softnet.error/1')
  assert.ok(document.errors.length > 0)
  assert.is(text.stderr.match(/^error: /gm)?.length, document.errors.length)
  for (const fault of document.errors) {
    assert.equal(Object.keys(fault).sort(), ['accepted', 'given', 'nearest', 'path'])
    assert.ok(fault.accepted.length > 0)
  }
  assert.equal(namesIn(directory), before, 'a refused command writes nothing')
  return document.errors
}

const UNREADABLE: readonly (readonly [file: string, path: RegExp, accepted: RegExp])[] = [
  ['missing.yaml', /^SCENARIO$/, /no such file/],
  ['directory.yaml', /^SCENARIO$/, /is a directory/],
  ['binary.yaml', /^SCENARIO$/, /not UTF-8 text/],
  ['nul.yaml', /^SCENARIO$/, /not UTF-8 text/],
  ['large.yaml', /^SCENARIO$/, /larger than 16777216 bytes/],
  ['syntax.yaml', /^syntax\.yaml:\d+:\d+$/, /valid syntax/],
  ['twice.yaml', /^twice\.yaml:2:1$/, /unique/],
  ['twice.json', /^twice\.json:3:3$/, /unique/],
  ['syntax.json', /^syntax\.json/, /valid JSON/],
  ['bomb.yaml', /^bomb\.yaml$/, /aliases/],
  ['tag.yaml', /^tag\.yaml:1:7$/, /tag/],
  ['deep.yaml', /^deep\.yaml$/, /nesting/],
  ['deep.json', /^deep\.json/, /nesting/],
  ['dashes.yaml', /^dashes\.yaml$/, /nesting/],
  ['indented.yaml', /^indented\.yaml$/, /nesting/],
  ['two.yaml', /^two\.yaml:/, /document/],
  ['empty.yaml', /^\(root\)$/, /./],
  ['throws.mjs', /^SCENARIO$/, /boom/],
  ['waits.mjs', /^SCENARIO$/, /never comes/],
  ['promise.mjs', /^SCENARIO$/, /never comes/],
  ['bare.mjs', /^SCENARIO$/, /no default export/],
  ['syntax.mjs', /^SCENARIO$/, /SyntaxError/],
  ['function.mjs', /^\(root\)$/, /./],
  ['nothing', /^SCENARIO$/, /built-in scenario/],
]

test('a scenario that cannot be read is refused with its place and reason', async () => {
  await inDirectory(async (directory) => {
    writeFaultyFiles(directory)
    for (const [file, path, accepted] of UNREADABLE) {
      const [fault] = await refused(directory, 'check', file)
      assert.match(fault?.path ?? '', path, file)
      assert.match(fault?.accepted ?? '', accepted, file)
    }
  })()
})

test(
  'a file name with a slip names the file that was meant',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 'server.yaml'), scenarioTemplate('server'))
    const [fault] = await refused(directory, 'check', 'sever.yaml')
    assert.is(fault?.given, 'sever.yaml')
    assert.is(fault?.nearest, 'server.yaml')
  }),
)

test(
  'a built-in name with a slip names the scenario that was meant',
  inDirectory(async (directory) => {
    const { scenarios } = JSON.parse((await cli(directory, 'list', '--format', 'json')).stdout)
    const [{ name }] = scenarios
    const [fault] = await refused(directory, 'run', `${name}x`)
    assert.is(fault?.nearest, name)
  }),
)

interface Row {
  readonly args: readonly string[]
  readonly path: string
  readonly given?: unknown
  readonly nearest?: string
}

const WRONG: readonly Row[] = [
  { args: ['check', 's.yaml', '--seed', '-1'], path: '--seed', given: '-1' },
  { args: ['check', 's.yaml', '--seed', '4294967296'], path: '--seed', given: '4294967296' },
  { args: ['check', 's.yaml', '--seed', '1e3'], path: '--seed', given: '1e3' },
  { args: ['check', 's.yaml', '--duration', '3h'], path: '--duration', given: '3h' },
  { args: ['check', 's.yaml', '--duration', '9001s'], path: '--duration', given: '9001s' },
  { args: ['check', 's.yaml', '--duration', '5 parsecs'], path: '--duration' },
  { args: ['check', 's.yaml', '--profile', 'modern-sever'], path: '--profile', nearest: 'modern-server' },
  { args: ['check', 's.yaml', '--set', 'nonsense'], path: '--set', given: 'nonsense' },
  { args: ['check', 's.yaml', '--set', '=1'], path: '--set', given: '=1' },
  { args: ['check', 's.yaml', '--set', 'no.such.path=1'], path: 'no.such.path', given: '1' },
  {
    args: ['check', 's.yaml', '--set', 'eth0.rings.rx=lots'],
    path: 'hosts.server.devices.eth0.rings.rx',
    given: 'lots',
  },
  { args: ['check', 's.yaml', '--set', 'eth0.rings.rx=['], path: '--set eth0.rings.rx:1:2', given: '[' },
  {
    args: ['check', 's.yaml', '--set', 'eth0.irq.smp_affinity_list=[0, 1, 2, 99]'],
    path: 'hosts.server.devices.eth0.irq.smp_affinity_list[3]',
    given: 99,
  },
  { args: ['run', 's.yaml', '--workers', '0'], path: '--workers', given: '0' },
  { args: ['run', 's.yaml', '--workers', 'many'], path: '--workers', given: 'many' },
  { args: ['run', 's.yaml', '--trace', 't.jsn'], path: '--trace', given: 't.jsn' },
  { args: ['run', 's.yaml', '--trace', '.json'], path: '--trace', given: '.json' },
  { args: ['run', 's.yaml', '--trace', 'no/such/t.json'], path: '--trace', given: 'no/such/t.json' },
  { args: ['run', 's.yaml', '--trace', 'x.txt', '--capture', 'any=./x.txt'], path: '--trace', given: 'x.txt' },
  { args: ['run', 's.yaml', '--trace', 'o/result.json', '--out', 'o'], path: '--trace', given: 'o/result.json' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-window', '5ms'], path: '--trace-window', given: '5ms' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-window', '..'], path: '--trace-window', given: '..' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-window', '6ms..5ms'], path: '--trace-window' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-window', '900s..901s'], path: '--trace-window' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--report', 't.json'], path: '--report', given: 't.json' },
  { args: ['run', 's.yaml', '--report', './s.yaml'], path: '--report', given: './s.yaml' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-sample', '0'], path: '--trace-sample', given: '0' },
  { args: ['run', 's.yaml', '--trace', 't.json', '--trace-limit', 'big'], path: '--trace-limit', given: 'big' },
  { args: ['trace', 's.yaml'], path: '--packet', given: null },
  { args: ['trace', 's.yaml', '--packet', '1', '--dropped'], path: '--dropped', given: true },
  { args: ['trace', 's.yaml', '--packet', '0'], path: '--packet', given: '0' },
  { args: ['trace', 's.yaml', '--packet', '1', '--count', '2'], path: '--count', given: '2' },
  { args: ['trace', 's.yaml', '--flow', 'dprt=9'], path: '--flow', given: 'dprt=9', nearest: 'dport' },
  { args: ['trace', 's.yaml', '--flow', 'dport=9,daddr=1.2.3'], path: '--flow', given: 'daddr=1.2.3' },
  { args: ['trace', 's.yaml', '--dropped', '--count', 'all'], path: '--count', given: 'all' },
  { args: ['run', 's.yaml', '--trace-sample', '9'], path: '--trace-sample', given: '9', nearest: '--trace' },
  { args: ['run', 's.yaml', '--capture', 'eth0'], path: '--capture', given: 'eth0' },
  { args: ['run', 's.yaml', '--capture', 'eth7=x.pcapng'], path: '--capture', given: 'eth7', nearest: 'eth0' },
  { args: ['run', 's.yaml', '--capture', 'sever/eth0=x.pcapng'], path: '--capture', nearest: 'server/eth0' },
  { args: ['run', 's.yaml', '--capture', 'eth0=no/such/x.pcapng'], path: '--capture', given: 'no/such/x.pcapng' },
  { args: ['run', 's.yaml', '--capture', 'eth0=/dev/null'], path: '--capture', given: '/dev/null' },
  { args: ['run', 's.yaml', '--capture', 'eth0=a', '--capture', 'any=./a'], path: '--capture', given: './a' },
  {
    args: ['run', 's.yaml', '--out', 'o', '--capture', 'eth0=a/x', '--capture', 'any=x'],
    path: '--capture',
    given: 'x',
  },
  { args: ['run', 's.yaml', '--out', 'o', '--capture', 'any=result.json'], path: '--capture', given: 'result.json' },
  { args: ['run', 's.yaml', '--out', 's.yaml'], path: '--out', given: 's.yaml' },
  { args: ['run', 's.yaml', '--out', 's.yaml/below'], path: '--out', given: 's.yaml/below' },
  { args: ['run', 's.yaml', '--out', ''], path: '--out', given: '' },
  { args: ['run', 's.yaml', '--sede', '1'], path: '--sede', nearest: '--seed' },
  { args: ['run', 's.yaml', 'other.yaml'], path: 'run', given: 'other.yaml' },
  { args: ['run', 's.yaml', '--seed'], path: '--seed' },
  { args: ['chek', 's.yaml'], path: 'command', given: 'chek', nearest: 'check' },
  { args: ['check'], path: 'SCENARIO' },
  { args: ['inspect', 's.yaml', '--seed', 'x'], path: '--seed', given: 'x' },
  { args: ['init', ''], path: 'NAME', given: '' },
  { args: ['init', 'a/'], path: 'NAME', given: 'a/' },
  { args: ['init', '--', '-x'], path: 'NAME', given: '-x' },
  { args: ['init', 'no/such/dir'], path: 'NAME', given: 'no/such/dir.yaml' },
]

test(
  'wrong options and values are refused under their own names',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s'))
    for (const row of WRONG) {
      const [fault] = await refused(directory, ...row.args)
      const what = row.args.join(' ')
      assert.is(fault?.path, row.path, what)
      if (row.given !== undefined) assert.equal(fault?.given, row.given, what)
      if (row.nearest !== undefined) assert.is(fault?.nearest, row.nearest, what)
    }
  }),
)

test(
  'every fault is listed at once',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s').replace('cpus: 4', 'cpu: 4'))
    const args = ['run', 's.yaml', '--seed', 'x', '--workers', '65', '--capture', 'y', '--out', 's.yaml']
    const faults = await refused(directory, ...args, '--duration', '1 week')
    const paths = faults.map((fault) => fault.path)
    for (const path of ['--seed', '--workers', '--capture', '--out', '--duration', 'hosts.server.cpu']) {
      assert.ok(paths.includes(path), `${path} in ${paths.join(' ')}`)
    }
    assert.is(faults.find((fault) => fault.path === 'hosts.server.cpu')?.nearest, 'cpus')
  }),
)

test(
  'a device that a capture misnames is told beside faults of other options',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s'))
    const faults = await refused(directory, 'run', 's.yaml', '--set', 'eth0.rings.rx=0', '--capture', 'eht0=x.pcapng')
    assert.equal(
      faults.map(({ path, nearest }) => [path, nearest]),
      [
        ['hosts.server.devices.eth0.rings.rx', null],
        ['--capture', 'eth0'],
      ],
    )
  }),
)

test(
  'a wrong format is refused',
  inDirectory(async (directory) => {
    const wrong = await cli(directory, 'list', '--format', 'jsn')
    assert.is(wrong.code, 2)
    assert.match(wrong.stderr, 'did you mean json?')
  }),
)

/** A classic pcap file of one 60-byte Ethernet frame. */
function pcap(): Uint8Array {
  const bytes = new Uint8Array(24 + 16 + 60)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 0xa1b2c3d4)
  view.setUint16(4, 2)
  view.setUint16(6, 4)
  view.setUint32(16, 65_535)
  view.setUint32(20, 1)
  view.setUint32(32, 60)
  view.setUint32(36, 60)
  return bytes
}

const replay = (path: string) =>
  `${scenarioTemplate('r').slice(0, scenarioTemplate('r').indexOf('traffic:'))}traffic:\n  replay: { kind: replay, capture: ${path} }\n`

test(
  'a capture is read beside its scenario, and refused when it is missing, cut short or something else',
  inDirectory(async (directory) => {
    const whole = pcap()
    const otherLink = pcap()
    otherLink[23] = 105
    const captures: Readonly<Record<string, Uint8Array>> = {
      'cut.pcap': whole.subarray(0, 70),
      'none.pcap': whole.subarray(0, 24),
      'other.pcap': otherLink,
      'empty.pcap': new Uint8Array(),
      'text.pcap': new TextEncoder().encode('no capture at all'),
    }
    writeFileSync(join(directory, 'whole.pcap'), whole)
    writeFileSync(join(directory, 's.yaml'), replay('whole.pcap'))
    assert.is((await cli(join(directory, '..'), 'check', join(directory, 's.yaml'))).code, 0)
    for (const [name, bytes] of Object.entries(captures)) writeFileSync(join(directory, name), bytes)
    for (const name of [...Object.keys(captures), 'missing.pcap', '.']) {
      writeFileSync(join(directory, 's.yaml'), replay(name))
      const faults = await refused(directory, 'check', 's.yaml')
      assert.equal(
        faults.map(({ path, given }) => [path, given]),
        [['traffic.replay.capture', name]],
      )
    }
  }),
)

test(
  'a refusal of the whole process prints one document and exits with 2',
  inDirectory(async (directory) => {
    const { code, stdout, stderr } = await cli(directory, 'run', 'missing.yaml', '--format', 'json')
    assert.is(code, 2)
    assert.is(stderr, '')
    assert.is(JSON.parse(stdout).errors[0].given, 'missing.yaml')
  }),
)

test(
  'nothing but faults is told of a list in the place of a key',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), `${scenarioTemplate('s')}? [a, b]\n: 1\n`)
    const { code, stderr } = await cli(directory, 'check', 's.yaml')
    assert.is(code, 2)
    assert.match(stderr, /^error: [^\n]*\n$/)
  }),
)

test(
  'init refuses to overwrite',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 'mine.yaml'), 'mine')
    const [fault] = await refused(directory, 'init', 'mine')
    assert.match(fault?.accepted ?? '', 'it exists')
    assert.is(readFileSync(join(directory, 'mine.yaml'), 'utf8'), 'mine')
  }),
)

test.run()
