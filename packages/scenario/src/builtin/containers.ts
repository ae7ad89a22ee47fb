/** Built-in scenarios about containers: one service, in a namespace of its own and in that of the host. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

type Host = ScenarioInput['hosts'][string]

const CARD = {
  driver: 'ixgbe',
  address: '192.0.2.1/24',
  channels: { combined: 1 },
  // Both ports into the hash, so that more queues would spread the flows.
  'rx-flow-hash': { udp4: 'sdfn' },
} as const

const SERVICE = { cpus: [2, 3], batch: 16, sockets: { count: 16, bind: '0.0.0.0:9000', reuseport: true } }

/** The load that CPU 0 takes for a service of its host, and not for one behind a pair. */
function under(server: Partial<Host>, dport: number): Omit<ScenarioInput, 'name'> {
  return {
    duration: '20ms',
    warmup: '1ms',
    hosts: {
      server: { cpus: 4, cstates: 'none', devices: { eth0: CARD }, apps: { service: SERVICE }, ...server } as Host,
    },
    traffic: { load: { to: 'server/eth0', rate: '1.5Mpps', frame: 128, flows: { count: 64, dport } } },
  }
}

const containerVeth = builtin(
  'container-veth',
  'What does a packet cost more when the service runs in a container?',
  'The service is in a namespace behind a veth pair, published by DNAT: each packet passes IP, its routes and a backlog twice, rules, connections and a transmit in between, all on the CPU that polls the card. Compare with container-host, the same service under the same load without a container; with eth0.channels.combined=4; or, past DNAT, with load.flows.dst=10.0.0.2 and load.flows.dport=9000.',
  under(
    {
      sysctl: { 'net.ipv4.ip_forward': 1 },
      nftables:
        'table ip nat { chain pre { type nat hook prerouting priority dstnat; udp dport 80 dnat to 10.0.0.2:9000; }; }',
      devices: { eth0: CARD, veth0: { driver: 'veth', peer: 'pod/eth0', address: '10.0.0.1/24' } },
      netns: {
        pod: { devices: { eth0: { driver: 'veth', address: '10.0.0.2/24' } }, routes: ['default via 10.0.0.1'] },
      },
      apps: { service: { netns: 'pod', ...SERVICE } },
    },
    80,
  ),
)

const containerHost = builtin(
  'container-host',
  'What does a service take that runs on the host itself?',
  'The service of container-veth with its load, in the initial namespace: no pair, no rules, no forwarding. CPU 0 has time left.',
  under({}, 9000),
)

/** Scenarios of this file. */
export const CONTAINER_SCENARIOS: readonly BuiltinScenario[] = [containerVeth, containerHost]
