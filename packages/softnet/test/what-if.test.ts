/** `compare` and `explain` as a user starts them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CompareDocument, type ExplainDocument, resultToJson } from '@softnet/observe'
import type { ResultDocument } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { splitSettings } from '../src/compare/variants.js'
import type { InputFault } from '../src/input-fault.js'
import { cliInside, inDirectory } from './cli-process.js'

const SHORT = ['--duration', '1ms', '--set', 'warmup=0ms']

/** A directory with `o`, the result of a run that loses at its ring. */
function withResult(body: (directory: string, result: ResultDocument) => Promise<void>): () => Promise<void> {
  return inDirectory(async (directory) => {
    const { code, stderr } = await cliInside(directory, 'run', 'ring-too-small', ...SHORT, '--seed', '3', '--out', 'o')
    assert.is(code, 0, stderr)
    await body(directory, JSON.parse(readFileSync(join(directory, 'o/result.json'), 'utf8')))
  })
}

async function json<Document>(directory: string, ...args: readonly string[]): Promise<Document> {
  const { code, stdout, stderr } = await cliInside(directory, ...args, '--format', 'json')
  assert.is(code, 0, `${stdout} ${stderr}`)
  return JSON.parse(stdout)
}

async function refused(directory: string, ...args: readonly string[]): Promise<readonly InputFault[]> {
  const { code, stdout } = await cliInside(directory, ...args, '--format', 'json')
  assert.is(code, 2, stdout)
  return JSON.parse(stdout).errors
}

test(
  'a result is run again from what it tells of itself, and compared with itself under another setting',
  withResult(async (directory, result) => {
    const document = await json<CompareDocument>(
      directory,
      'compare',
      'o',
      '--against',
      'eth0.rings.rx=2048',
      '--runs',
      '2',
    )
    assert.equal([document.schema, document.status, document.seeds], ['softnet.compare/1', 'done', [3, 4]])
    const [before, after] = document.variants
    assert.is(before?.runs[0]?.digest, result.digest)
    assert.equal(after?.differences, [{ path: 'hosts.server.devices.eth0.rings.rx', from: 64, to: 2048 }])
    const row = (name: string) => document.quantities.find((quantity) => quantity.name === name)
    assert.is(row('drop_share')?.values[1]?.judgement, 'better')
    assert.is(row('delivered_pps')?.values[0]?.value?.n, 2)
    assert.ok(document.quantities.some(({ group, label }) => group === 'drop' && label.includes('NIC_RX')))

    // With one run results are compared as they are, and nothing is called noise.
    const { input, ...closed } = result
    assert.ok(input)
    writeFileSync(join(directory, 'closed.json'), JSON.stringify(closed))
    const { code, stdout, stderr } = await cliInside(directory, 'compare', 'o', 'closed.json')
    assert.is(code, 0)
    assert.match(stderr, /closed\.json does not tell its scenario/)
    assert.match(stdout, /what of this is chance is not known/)
    const alike = await json<CompareDocument>(directory, 'compare', 'o/result.json', 'closed.json', '--runs', '1')
    const judgements = new Set(alike.quantities.map(({ values }) => values[1]?.judgement))
    assert.equal([...judgements], ['unknown'])
    const faults = await refused(directory, 'compare', 'o', 'closed.json', '--runs', '3', '--set', 'eth0.rings.rx=128')
    assert.equal(faults.map(({ path }) => path).sort(), ['--runs', 'RESULT'])
    const alone = await refused(directory, 'explain', 'closed.json', '--try')
    assert.match(alone[0]?.accepted ?? '', /tells its scenario/)
    const explained = await json<ExplainDocument>(directory, 'explain', 'closed.json')
    assert.equal(explained.verdict, result.verdict)

    // The scenario of a result keeps the order of its keys, on which results depend.
    const scenario = { name: 'z', traffic: {}, hosts: { b: 1, a: [{ y: 1, x: 2 }] } }
    const text = readFileSync(join(directory, 'o/result.json'), 'utf8')
    const keys = Object.keys(input?.scenario as object)
    const places = keys.map((key) => text.lastIndexOf(`"${key}": `))
    assert.equal(
      places,
      [...places].sort((a, b) => a - b),
    )
    assert.ok(keys.length > 3)
    assert.match(
      resultToJson({ input: { scenario, directory: '.' } } as never),
      /"b": 1, "a": \[\{ "y": 1, "x": 2 \}\]/,
    )
  }),
)

test(
  'every fault of a comparison is told at once',
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 'sweep.json'), '{"schema":"softnet.sweep/1"}')
    writeFileSync(join(directory, 'part.json'), '{"schema":"softnet.result/1","packets":{}}')
    const faults = await refused(
      directory,
      'compare',
      'ring-too-small',
      'sweep.json',
      'part.json',
      '.',
      'ring-too-smal',
      ...['--against', 'eth0.ring.rx=1', '--against', ' ; ', '--runs', '0', '--seed', 'x'],
    )
    const paths = faults.map(({ path }) => path).sort()
    const ofPart = paths.filter((path) => path.startsWith('part.json.'))
    const others = paths.filter((path) => !ofPart.includes(path))
    assert.equal(others, ['--against', '--runs', '--seed', 'RESULT', 'RESULT', 'SCENARIO', 'eth0.ring.rx'])
    assert.ok(ofPart.includes('part.json.packets.offered') && ofPart.includes('part.json.digest'))
    assert.is(faults.find(({ path }) => path === 'SCENARIO')?.nearest, 'ring-too-small')
    const [lonely] = await refused(directory, 'compare', 'ring-too-small')
    assert.is(lonely?.nearest, '--against')
    const [early] = await refused(directory, 'explain', 'ring-too-small', '--runs', '3')
    assert.is(early?.nearest, '--try')
  }),
)

test('settings of one --against are separated by semicolons, but for those of values', () => {
  assert.equal(splitSettings('a=1; b=[1; 2];c="x;y" ;'), ['a=1', 'b=[1; 2]', 'c="x;y"'])
  assert.equal(splitSettings(''), [])
})

test.run()
