/** The first remedy of built-in scenarios that lose packets: one scenario for each part of a host. */
import { builtinScenario } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkRemedy } from './support/check-remedy.js'
import { runScenario, verdictOf } from './support/run-scenario.js'

/** The long test takes all. */
const SOME: readonly string[] = [
  'single-queue-overload',
  'rps-with-irq-cpu',
  'backlog-overflow',
  'ring-too-small',
  'receiver-same-cpu',
  'interrupt-livelock',
  'time-squeeze-packets',
  'conntrack-table-full',
  'switch-incast',
  'container-veth',
]

for (const name of SOME) {
  test(name, () => {
    const scenario = builtinScenario(name)?.scenario
    assert.ok(scenario)
    checkRemedy(name, scenario)
  })
}

test('a reader beside a computing task: cpu_shared', () => {
  const scenario = builtinScenario('noisy-neighbour')?.scenario
  assert.ok(scenario)
  const before = runScenario(scenario, ['traffic.load.rate=300kpps'])
  const { bottleneck, remedies } = verdictOf(before)
  assert.is(bottleneck, 'cpu_shared')
  const after = runScenario(scenario, ['traffic.load.rate=300kpps', remedies[0]?.set ?? ''])
  assert.is(after.report.packets.dropped, 0)
})

test('the same flood with and without NAPI', () => {
  const run = (name: string) => {
    const scenario = builtinScenario(name)?.scenario
    assert.ok(scenario)
    return runScenario(scenario).report.packets
  }
  const without = run('interrupt-livelock')
  const withNapi = run('napi-cures-livelock')
  assert.is(without.offered, withNapi.offered)
  assert.ok(without.delivered * 100 < without.offered, `${without.delivered} delivered without NAPI`)
  assert.ok(withNapi.delivered > withNapi.offered * 0.15, `${withNapi.delivered} delivered with NAPI`)
})

test.run()
