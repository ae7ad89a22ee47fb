import { lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scenarioTemplate } from '../src/scenario-template.js'
import { cli, cliInside, inDirectory, namesIn, startCli } from './cli-process.js'

function withScenario(body: (directory: string) => Promise<void>): () => Promise<void> {
  return inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), scenarioTemplate('s').replace('warmup: 10ms', 'warmup: 0ms'))
    await body(directory)
  })
}

const SECTION_HEADER = 0x0a0d0d0a
const SHORT = ['--duration', '2ms']

test(
  'run prints one screen as text and one document as JSON',
  withScenario(async (directory) => {
    const text = await cli(directory, 'run', 's.yaml', ...SHORT)
    assert.is(text.code, 0, text.stderr)
    // A slow machine also says how many threads ran.
    assert.match(text.stderr, /^(workers: .*\n)?$/)
    assert.match(text.stdout, 'VERDICT')
    assert.not.match(text.stdout, '\u001b')
    const json = await cli(directory, 'run', 's.yaml', ...SHORT, '--format', 'json', '--workers', '1')
    assert.is(json.code, 0)
    const result = JSON.parse(json.stdout)
    assert.is(result.schema, 'softnet.result/1')
    assert.equal([result.status, result.scenario, result.workers], ['done', 's', 1])
    assert.is(result.simulated_ns, 2e6)
    assert.ok(result.packets.offered > 0)
    assert.ok(result.verdict.sentences.length > 0)
    assert.equal(namesIn(directory), ['s.yaml'])
  }),
)

test(
  'the same seed gives the same result',
  withScenario(async (directory) => {
    const run = async (...options: readonly string[]) => {
      const { stdout } = await cliInside(directory, 'run', 's.yaml', ...SHORT, '--format', 'json', ...options)
      // How long it took and how many threads helped depends on the machine.
      return { ...JSON.parse(stdout), wall_ms: 0, workers: 0, parallel: null }
    }
    const first = await run('--seed', '5')
    assert.equal(await run('--seed', '5'), first)
    assert.is.not((await run('--seed', '6')).digest, first.digest)
  }),
)

test(
  'without a scenario the first built-in one runs',
  inDirectory(async (directory) => {
    const { scenarios } = JSON.parse((await cliInside(directory, 'list', '--format', 'json')).stdout)
    const run = await cliInside(directory, 'run', '--duration', '5ms', '--set', 'warmup=0', '--format', 'json')
    assert.is(run.code, 0, run.stdout)
    assert.is(JSON.parse(run.stdout).scenario, scenarios[0].name)
  }),
)

test(
  '--out writes the result, Linux’s texts and captures, and leaves nothing else',
  withScenario(async (directory) => {
    const options = [...SHORT, '--out', 'a/b', '--capture', 'any=all.pcapng', '--capture', 'server/eth0=one.pcapng']
    const run = await cliInside(directory, 'run', 's.yaml', ...options, '--format', 'json')
    assert.is(run.code, 0, run.stdout)
    const out = join(directory, 'a/b')
    assert.equal(namesIn(out), ['all.pcapng', 'one.pcapng', 'result.json', 'server'])
    assert.is(readFileSync(join(out, 'result.json'), 'utf8'), run.stdout)
    for (const file of ['net/softnet_stat', 'net/dev', 'net/snmp', 'net/netstat', 'interrupts', 'softirqs']) {
      assert.ok(statSync(join(out, 'server/proc', file)).isFile())
    }
    assert.equal(namesIn(directory), ['a', 'all.pcapng', 'one.pcapng', 's.yaml'])
    for (const file of ['all.pcapng', 'one.pcapng']) {
      const bytes = readFileSync(join(directory, file))
      assert.is(bytes.readUInt32LE(0), SECTION_HEADER)
      assert.equal(readFileSync(join(out, file)), bytes)
    }
  }),
)

test(
  '--trace writes a trace of the kind its name says, up to its limit, and changes no result',
  withScenario(async (directory) => {
    const run = async (...options: readonly string[]) => {
      const { code, stdout } = await cliInside(directory, 'run', 's.yaml', ...SHORT, '--format', 'json', ...options)
      assert.is(code, 0, stdout)
      return JSON.parse(stdout)
    }
    const { digest, trace } = await run()
    assert.is(trace, undefined)
    const perfetto = await run(
      '--trace',
      'a.json.gz',
      '--trace-window',
      '1ms..1.2ms',
      '--trace-sample',
      '5',
      '--out',
      'o',
    )
    const { events, bytes, ...rest } = perfetto.trace
    assert.equal(rest, { kind: 'perfetto', from_ns: 1e6, to_ns: 1.2e6, sample: 5, cut: false })
    const text = gunzipSync(readFileSync(join(directory, 'a.json.gz')))
    assert.is(text.length, bytes)
    const { traceEvents } = JSON.parse(text.toString())
    assert.ok(events > 50 && traceEvents.length >= events / 2)
    assert.equal(readFileSync(join(directory, 'o/a.json.gz')), readFileSync(join(directory, 'a.json.gz')))
    const ftrace = await run('--trace', 'a.txt', '--trace-limit', '4KiB', '--workers', '4')
    assert.equal([ftrace.trace.kind, ftrace.trace.cut, ftrace.workers], ['ftrace', true, 1])
    assert.ok(ftrace.trace.to_ns < 2e6)
    const lines = readFileSync(join(directory, 'a.txt'), 'utf8').split('\n')
    assert.is(lines.length, 12 + ftrace.trace.events + 1)
    assert.equal([perfetto.digest, ftrace.digest], [digest, digest])
    assert.equal(namesIn(directory), ['a.json.gz', 'a.txt', 'o', 's.yaml'])
  }),
)

test(
  'trace tells the way of a packet as text and as JSON, and says what there is where it finds nothing',
  withScenario(async (directory) => {
    const trace = (...options: readonly string[]) => cliInside(directory, 'trace', 's.yaml', ...SHORT, ...options)
    const text = await trace('--packet', '5')
    assert.is(text.code, 0, text.stderr)
    assert.match(text.stdout, /^packet 5: UDP .*\n(delivered|dropped)/)
    assert.match(text.stdout, 'napi_poll(eth0) {')
    const json = await trace('--packet', '5', '--format', 'json')
    const { schema, status, journeys } = JSON.parse(json.stdout)
    assert.equal([schema, status, journeys.length, journeys[0].packet], ['softnet.journey/1', 'done', 1, 5])
    const far = await trace('--packet', '99999999')
    assert.is(far.code, 2)
    assert.match(
      far.stderr,
      /^error: --packet: given 99999999; accepted: the number of a packet of this run; .+; did you mean \d+\?\n$/,
    )
    const other = await trace('--flow', 'dport=1')
    assert.is(other.code, 2)
    assert.match(
      other.stderr,
      /^error: --flow: given 'dport=1'; accepted: a flow of the scenario, such as those of UDP /,
    )
    const none = await trace('--dropped', 'CPU_BACKLOG')
    assert.is(none.code, 2)
    assert.match(none.stderr, /^error: --dropped: given 'CPU_BACKLOG'; accepted: nothing: no packet was lost\n$/)
    assert.match((await trace('--dropped')).stdout, /^no packet was lost in 2.00 ms, of [\d,]+ offered\n$/)
    assert.equal(namesIn(directory), ['s.yaml'])
  }),
)

test(
  '--out replaces what it wrote before and keeps what others wrote',
  withScenario(async (directory) => {
    assert.is((await cliInside(directory, 'run', 's.yaml', ...SHORT, '--out', 'out')).code, 0)
    writeFileSync(join(directory, 'out/notes.txt'), 'mine')
    const again = await cliInside(directory, 'run', 's.yaml', '--duration', '3ms', '--out', 'out')
    assert.is(again.code, 0, again.stderr)
    assert.is(JSON.parse(readFileSync(join(directory, 'out/result.json'), 'utf8')).simulated_ns, 3e6)
    assert.equal(namesIn(join(directory, 'out')), ['notes.txt', 'result.json', 'server'])
  }),
)

/** Types of the blocks of a pcapng file. */
function blockTypes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const types: number[] = []
  for (let at = 0; at < bytes.length; at += view.getUint32(at + 4, true)) types.push(view.getUint32(at, true))
  return types
}

test(
  'devices named one by one share a file, each in a section of its own',
  withScenario(async (directory) => {
    const run = await cliInside(directory, 'run', 's.yaml', ...SHORT, '--capture', 'server/eth0,server/any=two.pcapng')
    assert.is(run.code, 0, run.stderr)
    const types = blockTypes(readFileSync(join(directory, 'two.pcapng')))
    assert.is(types.filter((type) => type === SECTION_HEADER).length, 2)
    assert.equal(namesIn(directory), ['s.yaml', 'two.pcapng'])
  }),
)

test(
  'a capture goes where a link leads, and the link stays',
  withScenario(async (directory) => {
    symlinkSync('real.pcapng', join(directory, 'link.pcapng'))
    writeFileSync(join(directory, 'real.pcapng'), 'old')
    assert.is((await cliInside(directory, 'run', 's.yaml', ...SHORT, '--capture', 'any=link.pcapng')).code, 0)
    assert.ok(lstatSync(join(directory, 'link.pcapng')).isSymbolicLink())
    assert.is(readFileSync(join(directory, 'real.pcapng')).readUInt32LE(0), SECTION_HEADER)
  }),
)

test(
  'Ctrl-C gives the partial result, marked, and exit code 130',
  withScenario(async (directory) => {
    const options = ['--duration', '9000s', '--out', 'out', '--capture', 'any=c.pcapng', '--format', 'json']
    const { child, ended } = startCli(directory, 'run', 's.yaml', ...options)
    const isRecording = () =>
      namesIn(directory).some((name) => name.startsWith('.c.pcapng') && statSync(join(directory, name)).size > 0)
    while (child.exitCode === null && !isRecording()) await sleep(10)
    child.kill('SIGINT')
    const { code, stdout } = await ended
    assert.is(code, 130)
    const result = JSON.parse(stdout)
    assert.is(result.status, 'interrupted')
    assert.ok(result.simulated_ns > 0 && result.simulated_ns < 9e12)
    assert.is(readFileSync(join(directory, 'out/result.json'), 'utf8'), stdout)
    assert.equal(namesIn(directory), ['c.pcapng', 'out', 's.yaml'])
  }),
)

test(
  'inspect shows partitions, systems and entities',
  withScenario(async (directory) => {
    const text = await cliInside(directory, 'inspect', 's.yaml')
    assert.is(text.code, 0, text.stderr)
    for (const heading of ['Partitions', 'Edges', 'Stage', 'Entities', 'Limits']) assert.match(text.stdout, heading)
    const json = await cliInside(directory, 'inspect', 's.yaml', '--format', 'json')
    const document = JSON.parse(json.stdout)
    assert.is(document.schema, 'softnet.inspect/1')
    assert.ok(document.partitions.length > 0)
    assert.ok(document.stages.some((stage: { systems: unknown[] }) => stage.systems.length > 0))
  }),
)

test.run()
