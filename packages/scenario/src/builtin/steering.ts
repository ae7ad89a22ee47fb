/** Built-in scenarios about steering in software: RPS and its backlogs. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin, upTo } from './types.js'

type DeviceInput = ScenarioInput['hosts'][string]['devices'][string]

/** Readers on CPUs 4 to 7 of an eight-CPU virtual machine whose card has one queue. */
function singleQueueGuest(device: DeviceInput, rate: string): Omit<ScenarioInput, 'name'> {
  return {
    duration: '25ms',
    warmup: '1ms',
    hosts: {
      guest: {
        cpus: 8,
        devices: { eth0: { driver: 'virtio_net', address: '192.0.2.1/24', channels: { combined: 1 }, ...device } },
        apps: {
          sink: { cpus: [4, 5, 6, 7], batch: 16, sockets: { count: 48, bind: '0.0.0.0:9000', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: { to: 'guest/eth0', rate, frame: 64, flows: { count: 48, dport: 9000, 'dport-count': 48 } },
    },
  }
}

const rps = builtin(
  'rps-single-queue',
  'What does RPS gain on a card with one queue?',
  'One queue interrupts CPU 0; rps_cpus hands the packets to CPUs 1 to 3. Compare with rps_cpus "0".',
  singleQueueGuest({ queues: { rps_cpus: 'e' } }, '3.3Mpps'),
)

const rpsWithIrqCpu = builtin(
  'rps-with-irq-cpu',
  'Should the RPS mask include the interrupted CPU?',
  'As rps-single-queue, but the mask includes CPU 0, which then polls the card and takes a share of the protocol work too: it is full first, and the ring loses what it cannot poll.',
  singleQueueGuest({ queues: { rps_cpus: 'f' } }, '3.3Mpps'),
)

const rpsWide = builtin(
  'rps-64-cpus',
  'What does RPS cost when 8 queues feed 64 CPUs?',
  'Eight queues spread their packets over all 64 CPUs: work is even, but most packets cross between CPUs and idle ones are woken by IPIs.',
  {
    profile: 'modern-server',
    duration: '5ms',
    warmup: '500us',
    hosts: {
      server: {
        cpus: { count: 64, 'numa-nodes': 2 },
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            channels: { combined: 8 },
            queues: { rps_cpus: 'ffffffff,ffffffff' },
          },
        },
        apps: {
          sink: { cpus: upTo(64), batch: 16, sockets: { count: 64, bind: '0.0.0.0:9216', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        rate: '16Mpps',
        frame: 64,
        flows: { count: 512, sport: 40_960, dport: 9216, 'dport-count': 64 },
      },
    },
  },
)

const backlog = builtin(
  'backlog-overflow',
  'When does netdev_max_backlog matter?',
  'RPS sends everything to one CPU, which cannot keep up: its input_pkt_queue fills and drops. Without RPS the same setting would change nothing.',
  {
    duration: '20ms',
    warmup: '1ms',
    hosts: {
      server: {
        cpus: 6,
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '192.0.2.1/24',
            channels: { combined: 1 },
            rings: { rx: 4096 },
            queues: { rps_cpus: '2' },
          },
        },
        apps: {
          sink: { cpus: [2, 3], batch: 16, sockets: { count: 16, bind: '0.0.0.0:9000', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: { to: 'server/eth0', rate: '4.5Mpps', frame: 64, flows: { count: 16, dport: 9000, 'dport-count': 16 } },
    },
  },
)

/** Scenarios of this file. */
export const STEERING_SCENARIOS: readonly BuiltinScenario[] = [rps, rpsWithIrqCpu, rpsWide, backlog]
