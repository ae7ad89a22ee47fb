/** Built-in scenario about IPv4 fragments. */
import { type BuiltinScenario, builtin } from './types.js'

const flood = builtin(
  'fragment-flood',
  'Datagrams above the MTU stop arriving while ReasmFails grows: who fills the reassembly memory?',
  'Well-behaved clients send datagrams of 4000 bytes in three fragments. For a second, first fragments of datagrams that never complete come from 4096 addresses: they fill ipfrag_high_thresh, nothing is evicted, and every fragment is refused until timers end (ipfrag_time is 1 s here).',
  {
    duration: '2.6s',
    hosts: {
      server: {
        cpus: 2,
        sysctl: { 'net.ipv4.ipfrag_time': 1 },
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 2 } } },
        apps: { sink: { cpus: [0, 1], sockets: { bind: '0.0.0.0:9000' } } },
      },
    },
    traffic: {
      clients: { to: 'server/eth0', rate: '1kpps', datagram: 4000, flows: { count: 16, 'src-count': 16 } },
      flood: {
        to: 'server/eth0',
        rate: '5kpps',
        datagram: 4000,
        fragment: { send: 'first' },
        start: '200ms',
        stop: '1200ms',
        flows: { count: 4096, src: '203.0.113.0', 'src-count': 4096 },
      },
    },
  },
)

/** Scenarios of this file. */
export const FRAGMENT_SCENARIOS: readonly BuiltinScenario[] = [flood]
