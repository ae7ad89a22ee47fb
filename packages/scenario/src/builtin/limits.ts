/** Built-in scenarios about rings, budgets, and where the reader runs. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

const ring = builtin(
  'ring-too-small',
  'rx_missed_errors rises in bursts: how large should the ring be?',
  'Bursts of 1024 frames arrive at line rate every millisecond. A ring of 64 and a small packet buffer cannot hold what the CPU has not yet polled; set eth0.rings.rx=1024.',
  {
    duration: '40ms',
    warmup: '1ms',
    hosts: {
      server: {
        cpus: 2,
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '192.0.2.1/24',
            channels: { combined: 1 },
            rings: { rx: 64 },
            'packet-buffer': '16KiB',
          },
        },
        apps: {
          sink: { cpus: [1], batch: 32, sockets: { bind: '0.0.0.0:9000', SO_RCVBUF: 2_097_152 } },
        },
      },
    },
    traffic: {
      load: { to: 'server/eth0', pattern: 'burst', count: 1024, every: '1ms', frame: 64, flows: { count: 16 } },
    },
  },
)

/** One CPU polls many queues; readers are elsewhere. */
function manyQueuesOneCpu(queues: number, host: Partial<ScenarioInput['hosts'][string]>, rate: string): ScenarioInput {
  return {
    duration: '40ms',
    warmup: '2ms',
    hosts: {
      server: {
        ...host,
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '192.0.2.1/24',
            channels: { combined: queues },
            'rx-flow-hash': { udp4: 'sdfn' },
            irq: { smp_affinity: '1' },
          },
        },
        apps: {
          sink: { cpus: [1, 2, 3], batch: 16, sockets: { count: 64, bind: '0.0.0.0:9216', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        rate,
        frame: 64,
        flows: { count: 256, sport: 40_960, dport: 9216, 'dport-count': 64 },
      },
    },
  }
}

const squeezePackets = builtin(
  'time-squeeze-packets',
  'time_squeeze grows: is it netdev_budget?',
  'All eight queues interrupt CPU 0. Five full polls use up netdev_budget (300), so net_rx_action ends with work left: squeezed by packets.',
  manyQueuesOneCpu(8, { cpus: 8 }, '1.75Mpps'),
)

const squeezeTime = builtin(
  'time-squeeze-time',
  'netdev_budget was raised, and time_squeeze still grows. Why?',
  'A slow CPU polls 24 queues with netdev_budget 3000: before the packets are used up, two jiffies are over. Here netdev_budget_usecs is the limit that binds.',
  manyQueuesOneCpu(
    24,
    { cpus: { count: 24, frequency: '1.2GHz' }, hz: 1000, sysctl: { 'net.core.netdev_budget': 3000 } },
    '540kpps',
  ),
)

/** One flow into one queue on CPU 0, far more than a CPU can take; the reader's CPU is what differs. */
function floodedReader(cpu: number): ScenarioInput {
  return {
    kernel: '6.5',
    duration: '30ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: 2,
        devices: { eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 1 } } },
        apps: { sink: { cpus: [cpu], wait: 'recvfrom', sockets: { bind: '0.0.0.0:9000' } } },
      },
    },
    traffic: { load: { to: 'server/eth0', rate: '10Mpps', frame: 64, flows: { count: 1 } } },
  }
}

const sameCpu = builtin(
  'receiver-same-cpu',
  'What if the application runs on the CPU that receives?',
  'Under overload softirq takes the CPU again and again before the reader runs: packets reach the socket and are dropped there. Linux 6.5, as measured on a Xeon E5-1650 v4.',
  floodedReader(0),
)

const otherCpu = builtin(
  'receiver-other-cpu',
  'What if the application runs on another CPU?',
  'The same flood with the reader on CPU 1: softirq and reader each have a CPU, and most of what is received is read.',
  floodedReader(1),
)

const spinner = builtin(
  'noisy-neighbour',
  'What does a busy task on the reader’s CPU do to latency?',
  'A light load; on CPU 1 a task that only computes shares the CPU with the reader, which waits for its turn: milliseconds instead of microseconds. At 300 kpps the socket overflows meanwhile.',
  {
    duration: '50ms',
    warmup: '5ms',
    hosts: {
      server: {
        cpus: 3,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 } } },
        apps: {
          sink: { cpus: [1], batch: 16, sockets: { bind: '0.0.0.0:9000' } },
          batch: { kind: 'spin', cpus: [1] },
        },
      },
    },
    traffic: { load: { to: 'server/eth0', pattern: 'poisson', rate: '12kpps', frame: 128, flows: { count: 8 } } },
  },
)

/** Scenarios of this file. */
export const LIMIT_SCENARIOS: readonly BuiltinScenario[] = [
  ring,
  squeezePackets,
  squeezeTime,
  sameCpu,
  otherCpu,
  spinner,
]
