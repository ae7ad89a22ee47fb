import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, type Progress, resume, simulate } from '../src/index.js'
import { createSimulation } from '../src/simulation.js'
import { bytesOf, CAPTURES, resultOf, withScenario } from './checkpointed.js'
import { cliInside, namesIn, startCli } from './cli-process.js'

/** Digest of a run that is not interrupted, in this thread. */
async function digestOf(scenario: string): Promise<string> {
  const plan = await compile(scenario)
  const simulation = createSimulation(plan)
  simulation.runUntil(plan.durationPs)
  return simulation.report().digest
}

test(
  'a run that is killed goes on to the same result, captures and files',
  withScenario(async (directory) => {
    const options = [...CAPTURES, '--out', 'out', '--format', 'json']
    const whole = await cliInside(directory, 'run', 's.yaml', ...options)
    assert.is(whole.code, 0, whole.stdout)
    const before = ['both.pcapng', 'one.pcapng'].map((name) => bytesOf(directory, name))
    for (const name of ['both.pcapng', 'one.pcapng', 'out']) rmSync(join(directory, name), { recursive: true })

    const killed = startCli(directory, 'run', 's.yaml', ...options, '--checkpoint', 'c', '--every', '50us')
    const timer = setInterval(() => {
      // Most likely while another one is being written.
      if (existsSync(join(directory, 'c'))) killed.child.kill('SIGKILL')
    }, 2)
    const { code } = await killed.ended
    clearInterval(timer)
    assert.is(code, null, 'it was killed')
    assert.not.ok(existsSync(join(directory, 'both.pcapng')))

    const resumed = await cliInside(directory, 'run', '--resume', 'c', '--every', '2ms', '--format', 'json')
    assert.is(resumed.code, 0, resumed.stdout + resumed.stderr)
    assert.equal(resultOf(resumed.stdout), resultOf(whole.stdout))
    const after = ['both.pcapng', 'one.pcapng'].map((name) => bytesOf(directory, name))
    assert.equal(after, before)
    assert.is(bytesOf(directory, 'out/both.pcapng'), before[0])
    assert.equal(resultOf(readFileSync(join(directory, 'out/result.json'), 'utf8')), resultOf(whole.stdout))
    // A staging directory of --out is all that a killed process leaves.
    const left = namesIn(directory).filter((name) => !name.startsWith('.softnet-out-') && name !== 'c.new')
    assert.equal(left, ['both.pcapng', 'c', 'one.pcapng', 'out', 's.yaml'])
  }),
)

test(
  'a run that is stopped leaves a checkpoint, and goes on with other workers; a damaged one is refused',
  withScenario(async (directory) => {
    const [scenario, file] = ['s.yaml', 'c'].map((name) => join(directory, name)) as [string, string]
    const abort = new AbortController()
    const onProgress = ({ simulatedPs }: Progress) => {
      if (simulatedPs >= 1e9) abort.abort()
    }
    const options = { workers: 1, checkpoint: { file, every: '1ms' }, signal: abort.signal, onProgress }
    const stopped = await simulate(scenario, options)
    assert.is(stopped.status, 'interrupted')
    const whole = readFileSync(file)
    const { workers, digest } = await resume(file, { workers: 2 })
    assert.equal({ workers, digest }, { workers: 2, digest: await digestOf(scenario) })

    const refusal = async (bytes: Uint8Array) => {
      writeFileSync(file, bytes)
      const { code, stderr } = await cliInside(directory, 'run', '--resume', 'c')
      assert.is(code, 2)
      return stderr
    }
    assert.match(await refusal(whole.subarray(0, whole.length - 1)), 'it is cut off')
    const changed = Buffer.from(whole)
    changed[whole.length - 3] = (changed[whole.length - 3] as number) ^ 255
    assert.match(await refusal(changed), /its section column \S+ is damaged/)
  }),
)

test(
  'what would change the plan, and files that are no checkpoint, are refused',
  withScenario(async (directory) => {
    const all = ['--set', 'seed=3', '--seed', '3', '--duration', '1s', '--profile', 'p', ...CAPTURES]
    const fixed = await cliInside(directory, 'run', 's.yaml', '--resume', 'c', ...all, '--format', 'json')
    assert.is(fixed.code, 2)
    assert.equal(
      JSON.parse(fixed.stdout).errors.map((fault: { path: string }) => fault.path),
      ['SCENARIO', '--set', '--seed', '--duration', '--profile', '--capture'],
    )
    const refusal = async (...args: readonly string[]) => {
      const { code, stderr } = await cliInside(directory, 'run', ...args)
      assert.is(code, 2, args.join(' '))
      return stderr
    }
    assert.match(await refusal('--resume', 'nothing'), 'there is no such file')
    assert.match(await refusal('--resume', 's.yaml'), 'it is no checkpoint')
    assert.match(await refusal('s.yaml', '--every', '1ms'), 'only with --checkpoint FILE')
    assert.match(await refusal('s.yaml', '--checkpoint', '.'), 'it is a directory')
    assert.match(await refusal('s.yaml', '--checkpoint', 'no/c'), 'there is no such directory')
    assert.match(await refusal('s.yaml', '--checkpoint', 'c', '--every', 'soon'), '--every')
    assert.match(await refusal('s.yaml', '--checkpoint', 'c', '--every', '1ps'), 'no more than 10000 checkpoints')
    assert.match(await refusal('s.yaml', '--checkpoint', 'x', '--capture', 'eth0=x'), 'writes nothing else to')
    assert.equal(namesIn(directory), ['s.yaml'])
  }),
)

test.run()
