/** Built-in scenarios about spreading load over receive queues. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin, upTo } from './types.js'

/** Flows of each queue in `rssScenario`. */
const FLOWS_PER_QUEUE = 4

/** Ports of flow 0; multiples of 256, so that the low bits of a flow's number are the low bits of its ports. */
const FIRST_SPORT = 40_960
const FIRST_DPORT = 9216

/**
 * Queue of flow 0, and what each bit of a flow's number changes in it.
 *
 * The Toeplitz hash is linear: flow i differs from flow 0 by the exclusive or of one number per bit of i. With the
 * default key, 198.51.100.1 → 192.0.2.1 and both ports counting up, these are the low six bits of the hash.
 */
const QUEUE_OF_FLOW_0 = 27
const QUEUE_CHANGE_BY_BIT = [9, 4, 2, 1, 32, 48, 24, 12] as const

/** Queue that RSS gives flow `i` of `rssScenario(queues)`, with the default key and table. */
export function rssQueueOfFlow(flow: number, queues: number): number {
  let queue = QUEUE_OF_FLOW_0
  for (const [bit, change] of QUEUE_CHANGE_BY_BIT.entries()) if ((flow >> bit) & 1) queue ^= change
  return queue % queues
}

/**
 * A host with as many CPUs as queues (a power of two up to 64) at 1 Mpps of 64-byte UDP per queue.
 *
 * Each queue gets four flows, each flow has a socket of its own, and each socket is read by the epoll task on the CPU of
 * its queue.
 */
export function rssScenario(queues: number): ScenarioInput {
  const flows = FLOWS_PER_QUEUE * queues
  return {
    profile: 'modern-server',
    duration: '50ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: queues,
        cstates: 'none',
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            channels: { combined: queues },
            coalesce: { 'adaptive-rx': 'off', 'cqe-mode-rx': 'off', 'rx-usecs': 16, 'rx-frames': 64 },
          },
        },
        apps: {
          sink: {
            kind: 'udp_sink',
            cpus: upTo(queues),
            wait: 'epoll_wait',
            batch: 32,
            sockets: {
              count: flows,
              bind: `0.0.0.0:${FIRST_DPORT}`,
              'port-step': 1,
              tasks: upTo(flows).map((flow) => rssQueueOfFlow(flow, queues)),
              SO_RCVBUF: 1_048_576,
            },
          },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        kind: 'open',
        rate: `${queues}Mpps`,
        frame: 64,
        flows: {
          count: flows,
          src: '198.51.100.1',
          dst: '192.0.2.1',
          sport: FIRST_SPORT,
          'sport-count': flows,
          dport: FIRST_DPORT,
          'dport-count': flows,
        },
      },
    },
  }
}

const fourCpus = builtin(
  'four-cpus',
  'Where do packets go on a four-CPU host, and where are some lost?',
  'Four CPUs with a queue and a reader each. One flow carries a quarter of the load, so that one CPU has more than it can do while the others have time left.',
  {
    duration: '30ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: 4,
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '192.0.2.1/24',
            rings: { rx: 512 },
            channels: { combined: 4 },
            'rx-flow-hash': { udp4: 'sdfn' },
          },
        },
        apps: {
          sink: {
            kind: 'udp_sink',
            cpus: [0, 1, 2, 3],
            wait: 'epoll_wait',
            batch: 16,
            sockets: upTo(4).map((cpu) => ({
              count: 1,
              bind: '0.0.0.0:9000',
              reuseport: 'on' as const,
              SO_INCOMING_CPU: cpu,
              tasks: [cpu],
            })),
          },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        pattern: 'poisson',
        rate: '2.3Mpps',
        frame: 64,
        flows: { count: 32, pick: 'zipf', 'zipf-exponent': 1, sport: 40_960, dport: 9000 },
      },
    },
  },
)

const singleQueue = builtin(
  'single-queue-overload',
  'Why is one core at 100 % softirq while the others idle?',
  'A card with one queue interrupts one CPU; three readers on other CPUs wait for packets that the first cannot hand on fast enough.',
  {
    duration: '25ms',
    warmup: '1ms',
    hosts: {
      server: {
        cpus: 6,
        devices: { eth0: { driver: 'i40e', address: '192.0.2.1/24', channels: { combined: 1 } } },
        apps: {
          sink: { cpus: [1, 2, 3], batch: 16, sockets: { count: 12, bind: '0.0.0.0:9000', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: { to: 'server/eth0', rate: '4Mpps', frame: 64, flows: { count: 12, dport: 9000, 'dport-count': 12 } },
    },
  },
)

const rssFour = builtin(
  'rss-4-queues',
  'How far does RSS carry four CPUs at 4 Mpps?',
  '64-byte UDP, 16 flows over 4 queues, 4 CPUs and 16 sockets: every CPU receives and reads its own flows. Hardly anything is lost.',
  rssScenario(4),
)

const rssSixtyFour = builtin(
  'rss-scale-64',
  'Does the same load per CPU still fit on 64 CPUs with 64 queues?',
  'The scenario rss-4-queues sixteen times as wide: 64 CPUs, 64 queues, 256 flows and sockets at 64 Mpps.',
  { ...rssScenario(64), duration: '4ms', warmup: '500us' },
)

const wide = builtin(
  'wide-256',
  'What does a 256-CPU host do with 64 queues?',
  '256 CPUs (two nodes, SMT) of which 64 take interrupts, and a reader on every CPU: most packets are read on another CPU than received.',
  {
    profile: 'modern-server',
    duration: '4ms',
    warmup: '500us',
    hosts: {
      server: {
        cpus: { count: 256, 'threads-per-core': 2, 'numa-nodes': 2, 'llc-per-node': 8 },
        devices: { eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 64 } } },
        apps: {
          sink: { cpus: upTo(256), batch: 16, sockets: { count: 256, bind: '0.0.0.0:9216', 'port-step': 1 } },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        rate: '32Mpps',
        frame: 64,
        flows: { count: 256, sport: 40_960, dport: 9216, 'dport-count': 256 },
      },
    },
  },
)

/** Local addresses of `flows-100k`: 65,535 ports are too few for a hundred thousand sockets. */
const MANY_ADDRESSES = 3
/** Ports of `flows-100k`: shares no factor with the addresses, so that counting both up meets every pair. */
const MANY_PORTS = 33_335

const manyFlows = builtin(
  'flows-100k',
  'What do a hundred thousand flows and sockets cost against sixteen?',
  '100,000 flows, each with a socket of its own, read by 16 epoll tasks on four CPUs. Set traffic.load.flows.count and apps.sink.sockets.count to 16 to compare.',
  {
    profile: 'modern-server',
    duration: '50ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: 4,
        cstates: 'none',
        devices: {
          eth0: {
            driver: 'mlx5',
            address: ['192.0.2.1/24', '192.0.2.2/24', '192.0.2.3/24'],
            channels: { combined: 4 },
            coalesce: { 'adaptive-rx': 'off', 'cqe-mode-rx': 'off', 'rx-usecs': 16, 'rx-frames': 64 },
          },
        },
        apps: {
          sink: {
            cpus: upTo(16).map((task) => task % 4),
            wait: 'epoll_wait',
            batch: 4,
            'max-events': 256,
            sockets: {
              count: 100_000,
              bind: '192.0.2.1:1024',
              'port-step': 1,
              'port-count': MANY_PORTS,
              'address-count': MANY_ADDRESSES,
            },
          },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        rate: '2Mpps',
        frame: 64,
        flows: {
          count: 100_000,
          src: '198.51.100.1',
          'src-count': 16,
          sport: 40_960,
          'sport-count': 16_384,
          dst: '192.0.2.1',
          'dst-count': MANY_ADDRESSES,
          dport: 1024,
          'dport-count': MANY_PORTS,
        },
      },
    },
  },
)

/** Scenarios of this file. */
export const RSS_SCENARIOS: readonly BuiltinScenario[] = [fourCpus, singleQueue, rssFour, rssSixtyFour, wide, manyFlows]
