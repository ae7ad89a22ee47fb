/** Built-in scenarios of programs that capture packets. */
import { type BuiltinScenario, builtin } from './types.js'

const tcpdump = builtin(
  'tcpdump',
  'A host that just keeps up with 1.8 million packets per second: what does it lose while tcpdump runs on it?',
  'Each packet is copied into the ring of tcpdump in the softirq, which has no time left for that: the receive ring overflows, although tcpdump itself, on a CPU of its own, misses nothing. Take it away with hosts.server.apps.tcpdump.dev=lo; let it be slower with hosts.server.apps.tcpdump.work=2us: then it misses packets, and the host none.',
  {
    duration: '50ms',
    hosts: {
      server: {
        cpus: 4,
        cstates: 'none',
        devices: { eth0: { driver: 'ixgbe', address: '10.0.0.1/24', channels: { combined: 1 } } },
        apps: {
          sink: { kind: 'udp_sink', cpus: [1], wait: 'recvmmsg' },
          tcpdump: { kind: 'packet_capture', dev: 'eth0', cpus: [2], work: '500ns', 'work-per-byte': '1ns' },
        },
      },
    },
    traffic: { load: { to: 'server/eth0', rate: '1.8Mpps' } },
  },
)

/** Scenarios of captures. */
export const CAPTURE_SCENARIOS: readonly BuiltinScenario[] = [tcpdump]
