import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { compile, defineScenario, listScenarios, type Progress, ScenarioError, simulate } from '../src/index.js'

const scenario = defineScenario({
  name: 'api',
  duration: '2ms',
  hosts: { server: { cpus: 2, devices: { eth0: { driver: 'ixgbe' } }, apps: { sink: {} } } },
  traffic: { clients: { rate: '500kpps' } },
})

async function faultsOf(work: Promise<unknown>): Promise<readonly string[]> {
  try {
    await work
  } catch (thrown) {
    assert.instance(thrown, ScenarioError)
    return (thrown as ScenarioError).errors.map((fault) => fault.path)
  }
  return []
}

test('compile fills in defaults and applies options', async () => {
  const plan = await compile(scenario, { seed: 9, duration: '1ms', set: { 'server.cpus': 4, 'eth0.rings.rx': 1024 } })
  assert.is(plan.seed, 9)
  assert.is(plan.durationPs, 1e9)
  assert.is(plan.hosts[0]?.cpus.length, 4)
  assert.is(plan.hosts[0]?.devices[0]?.rxRing, 1024)
})

test('wrong input is a ScenarioError that lists every fault', async () => {
  const wrong = { ...scenario, kernel: '2.4', warmup: '1 day' } as unknown as typeof scenario
  assert.equal((await faultsOf(simulate(wrong, { seed: -1 }))).toSorted(), ['kernel', 'seed', 'warmup'])
  assert.equal(await faultsOf(simulate('no-such-scenario')), ['SCENARIO'])
  assert.equal(await faultsOf(simulate(scenario, { capture: [{ devices: ['eth9'], file: 'x' }] })), ['capture'])
  const trace = { file: 'x.jsn', window: '2ms..1ms', sample: 0 }
  assert.equal(await faultsOf(simulate(scenario, { trace })), ['trace', 'trace.window', 'trace.sample'])
  const checkpoint = { file: 'x.checkpoint' }
  assert.equal(await faultsOf(simulate(scenario, { trace: { file: 'x.json' }, checkpoint })), ['trace'])
})

test('every built-in scenario compiles', async () => {
  assert.ok(listScenarios().length > 0)
  for (const { name } of listScenarios()) assert.is((await compile(name)).name, name)
})

test('simulate runs a scenario and tells progress', async () => {
  const seen: Progress[] = []
  const result = await simulate(scenario, { onProgress: (progress) => seen.push(progress) })
  assert.is(result.status, 'done')
  assert.is(result.simulated_ns, 2e6)
  assert.is(seen.at(-1)?.simulatedPs, 2e9)
  assert.is(seen.at(-1)?.offered, result.packets.offered)
})

test('runs side by side have equal results', async () => {
  const [a, b] = await Promise.all([simulate(scenario), simulate(scenario)])
  assert.is(a?.digest, b?.digest)
  assert.equal(a?.packets, b?.packets)
})

test('an aborted run returns what it has', async () => {
  const controller = new AbortController()
  const result = await simulate(scenario, {
    duration: '9000s',
    signal: controller.signal,
    onProgress: () => controller.abort(),
  })
  assert.is(result.status, 'interrupted')
})

test.run()
