import type { ScenarioInput } from '@softnet/scenario'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkScenario } from './support/check-scenario.js'
import { settingsChange } from './support/live-settings.js'
import { routerOnAStick } from './support/vlan-scenarios.js'

const devices = suite('devices of several kinds, in every order')

devices('a router on a stick', () => {
  assert.is(checkScenario(routerOnAStick(), 4).join('\n'), '')
})

devices('a veth pair whose ends come and go', () => {
  const v1 = { driver: 'veth' as const, address: '10.0.7.2/24' }
  const scenario: ScenarioInput = {
    duration: '4ms',
    hosts: {
      h: {
        cpus: 2,
        devices: {
          eth0: {},
          v0: { driver: 'veth', peer: 'c/v1', address: '10.0.7.1/24', conf: { arp_evict_nocarrier: 0 } },
        },
        netns: { c: { devices: { v1 } } },
        apps: {
          ask: { kind: 'udp_client', cpus: [0, 1], to: '10.0.7.2:9000', timeout: '100us' },
          answer: { kind: 'udp_echo', cpus: [1], netns: 'c', sockets: { bind: '10.0.7.2:9000' } },
        },
      },
    },
    events: [
      { at: '1ms', do: 'ip link set c/v1 down' },
      { at: '1200us', do: 'ip link set c/v1 up' },
      { at: '2ms', do: 'ip link set v0 down' },
      { at: '2100us', do: 'ip link set v0 up' },
    ],
  }
  assert.is(checkScenario(scenario, 6).join('\n'), '')
})

devices('settings that are changed in a run', () => {
  assert.is(checkScenario(settingsChange(), 7).join('\n'), '')
})

devices.run()
