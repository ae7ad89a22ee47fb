/** Runs with namespaces end alike however they are advanced. */
import type { ScenarioInput } from '@softnet/scenario'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { container, DNAT } from './support/container-scenario.js'

const inside = (cpus: string) => ({
  devices: { eth0: { driver: 'veth', address: '10.0.0.2/24', queues: { rps_cpus: cpus } } },
})

test('RPS behind a pair', () => {
  assert.is(checkScenario({ ...container({}, inside('e')), duration: '1ms' }, 1, 1).join('\n'), '')
})

test('RPS before a pair and behind it: a packet changes its CPU twice', () => {
  const devices = {
    eth0: { driver: 'ixgbe', address: '192.0.2.1/24', queues: { rps_cpus: '6' } },
    veth0: { driver: 'veth', peer: 'c1/eth0', address: '10.0.0.1/24' },
  } as const
  assert.is(checkScenario({ ...container({ devices }, inside('9')), duration: '1ms' }, 3, 1).join('\n'), '')
})

test('answers of a service behind DNAT', () => {
  const scenario = container({
    nftables: DNAT,
    apps: { echo: { kind: 'udp_echo', netns: 'c1', cpus: [2, 1], sockets: { bind: '0.0.0.0:9000', reuseport: true } } },
  })
  const traffic = { a: { kind: 'closed', to: 'web/eth0', clients: 6, flows: { count: 6, dport: 80 } } } as const
  assert.is(checkScenario({ ...scenario, traffic, duration: '1ms' } as ScenarioInput, 2, 1).join('\n'), '')
})

test.run()
