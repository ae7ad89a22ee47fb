import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Progress, resume, simulate } from '../src/index.js'
import { cliInside, inDirectory, namesIn, startCli } from './cli-process.js'

/** Two devices and a workload that is in the middle of something at any time. */
const SCENARIO = `
name: kept
duration: 4ms
warmup: 0ms
hosts:
  a:
    cpus: 2
    devices:
      eth0:
        driver: ixgbe
        address: 192.0.2.1/24
        channels: { combined: 2 }
        rx-flow-hash: { udp4: sdfn }
        irq: { smp_affinity_list: [0, 1] }
      eth1: { address: 198.51.100.1/24 }
    apps:
      sink: { cpus: [0, 1], sockets: { count: 8, bind: "0.0.0.0:9000" } }
traffic:
  t: { to: a/eth0, pattern: poisson, rate: 600kpps, flows: { count: 8, dport: 9000, dport-count: 8 } }
  u: { to: a/eth1, rate: 100kpps, flows: { dst: 198.51.100.1, dport: 9001 } }
`

const withScenario = (body: (directory: string) => Promise<void>): (() => Promise<void>) =>
  inDirectory(async (directory) => {
    writeFileSync(join(directory, 's.yaml'), SCENARIO)
    await body(directory)
  })

const CAPTURES = ['--capture', 'eth0,eth1=both.pcapng', '--capture', 'eth0=one.pcapng']
const bytesOf = (directory: string, name: string): string => readFileSync(join(directory, name)).toString('base64')

/** The result without what depends on the machine. */
function resultOf(stdout: string): unknown {
  return { ...JSON.parse(stdout), wall_ms: 0, workers: 0, parallel: null }
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

    // The last checkpoint is still good: what was captured before it is taken out of the finished files.
    const again = await cliInside(directory, 'run', '--resume', 'c', '--format', 'json')
    assert.equal(resultOf(again.stdout), resultOf(whole.stdout), again.stderr)
    assert.equal(
      ['both.pcapng', 'one.pcapng'].map((name) => bytesOf(directory, name)),
      before,
    )
    writeFileSync(join(directory, 'one.pcapng'), 'something else')
    const refused = await cliInside(directory, 'run', '--resume', 'c')
    assert.is(refused.code, 2)
    assert.match(refused.stderr, /^error: --resume: given '.*one\.pcapng'; accepted: the \d+ bytes that were captured/)
  }),
)

test(
  'a run that is stopped leaves a checkpoint, and goes on with other workers',
  withScenario(async (directory) => {
    const file = join(directory, 'c')
    const abort = new AbortController()
    const stopAfter = ({ simulatedPs }: Progress) => {
      if (simulatedPs >= 1e9) abort.abort()
    }
    const scenario = join(directory, 's.yaml')
    const whole = await simulate(scenario, { workers: 1 })
    const options = { workers: 2, checkpoint: { file, every: '1ms' }, signal: abort.signal, onProgress: stopAfter }
    const stopped = await simulate(scenario, options)
    assert.is(stopped.status, 'interrupted')
    const { digest, packets, simulated_ns } = await resume(file, { workers: 1 })
    assert.equal({ digest, packets, simulated_ns }, { digest: whole.digest, packets: whole.packets, simulated_ns: 4e6 })
    const { workers, digest: again } = await resume(file, { workers: 3 })
    assert.equal({ workers, digest: again }, { workers: 3, digest: whole.digest })
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

test(
  'a checkpoint that was cut off or changed is refused before anything runs',
  withScenario(async (directory) => {
    const run = await cliInside(directory, 'run', 's.yaml', '--checkpoint', 'c', '--every', '3ms')
    assert.is(run.code, 0, run.stderr)
    const whole = readFileSync(join(directory, 'c'))
    const refusal = async (bytes: Uint8Array) => {
      writeFileSync(join(directory, 'c.bad'), bytes)
      const { code, stderr } = await cliInside(directory, 'run', '--resume', 'c.bad')
      assert.is(code, 2)
      return stderr
    }
    assert.match(await refusal(whole.subarray(0, whole.length - 1)), 'it is cut off')
    const changed = Buffer.from(whole)
    changed[whole.length - 3] = (changed[whole.length - 3] as number) ^ 255
    assert.match(await refusal(changed), /its section column \S+ is damaged/)
    renameSync(join(directory, 'c'), join(directory, 'moved'))
    assert.is((await cliInside(directory, 'run', '--resume', 'moved')).code, 0)
  }),
)

test.run()
