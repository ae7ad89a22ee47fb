/** Built-in scenarios about links that come and go. */
import { type BuiltinScenario, builtin } from './types.js'

const linkFlap = builtin(
  'link-flap',
  'A link goes, comes back, and goes again: how long does a router send into the dead link before it takes the other one?',
  'A router has two links to one network, and passes over routes of a link without carrier. When the first link goes the second takes over at once; when it goes again within a second, linkwatch lets the change wait until a second after the last one, and what is sent meanwhile is lost. A link that comes back is used at once.',
  {
    duration: '2500ms',
    hosts: {
      router: {
        cpus: 1,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        routes: ['198.51.100.0/24 dev eth0', '203.0.113.0/24 dev eth1 metric 10', '203.0.113.0/24 dev eth2 metric 20'],
        devices: {
          eth0: { driver: 'igb', address: '192.0.2.1/24', channels: { combined: 1 } },
          eth1: {
            driver: 'igb',
            address: '198.18.0.1/24',
            channels: { combined: 1 },
            conf: { ignore_routes_with_linkdown: 1 },
          },
          eth2: { driver: 'igb', address: '198.19.0.1/24', channels: { combined: 1 } },
        },
      },
    },
    traffic: { load: { to: 'router/eth0', rate: '1kpps', flows: { count: 16, dst: '203.0.113.9' } } },
    events: [
      { at: '500ms', do: 'unplug eth1' },
      { at: '700ms', do: 'plug eth1' },
      { at: '900ms', do: 'unplug eth1' },
      { at: '2s', do: 'plug eth1' },
    ],
  },
)

/** Scenarios of this file. */
export const LINK_SCENARIOS: readonly BuiltinScenario[] = [linkFlap]
