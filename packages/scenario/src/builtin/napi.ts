/** Built-in scenarios about interrupts: cards without NAPI, what NAPI changes, and polling. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

type DeviceInput = ScenarioInput['hosts'][string]['devices'][string]

/** A machine of the year 2002 with one CPU: a gigabit card and one reader. */
function oldMachine(device: DeviceInput, rate: string, frame: number, duration: string): ScenarioInput {
  return {
    kernel: '4.14',
    duration,
    hosts: {
      server: {
        cpus: { count: 1, frequency: '1GHz' },
        cstates: 'none',
        devices: { eth0: { address: '192.0.2.1/24', ...device } },
        apps: { sink: { cpus: [0], wait: 'recvfrom', sockets: { bind: '0.0.0.0:9000' } } },
      },
    },
    traffic: { load: { to: 'server/eth0', rate, frame, flows: { count: 4 } } },
  }
}

const livelock = builtin(
  'interrupt-livelock',
  'Why does a machine without NAPI stop working under a packet flood?',
  'An old gigabit driver interrupts for every frame and queues it with netif_rx. At 890,000 packets per second, as in the NAPI how-to of 2002, the CPU is in interrupts all the time; the backlog fills, and the reader gets next to nothing.',
  oldMachine({ driver: 'e1000-old' }, '890kpps', 64, '50ms'),
)

const cured = builtin(
  'napi-cures-livelock',
  'What does NAPI change about that flood?',
  'The same machine and load with the NAPI driver: one interrupt, then polling. What cannot be handled is lost in the card at no cost; ksoftirqd and the reader share the CPU, and what it can carry is delivered.',
  oldMachine({ driver: 'e1000' }, '890kpps', 64, '50ms'),
)

const classic = builtin(
  'classic-80mbit',
  'How many interrupts do 80 Mbit/s of 1500-byte frames cause without NAPI?',
  'The textbook example: a 100 Mbit/s card that interrupts for each frame, 6667 times per second.',
  oldMachine({ driver: 'tulip' }, '80Mbit', 1500, '200ms'),
)

const classicNapi = builtin(
  'classic-80mbit-napi',
  'And with NAPI and interrupt moderation?',
  'The same load on a NAPI card whose interrupts are at least 500 µs apart: each poll finds several frames, and 6667 interrupts per second become 2000.',
  oldMachine({ driver: 'e1000', link: '100Mbit', coalesce: { 'rx-usecs': 500 } }, '80Mbit', 1500, '200ms'),
)

const busyPoll = builtin(
  'busy-poll',
  'What does busy polling do for latency, and what does it cost?',
  'Four readers poll their queue from epoll_wait and prefer that over softirq; interrupts stay masked. Compare with sink.epoll.prefer_busy_poll=off and sink.epoll.busy_poll_usecs=0.',
  {
    profile: 'modern-server',
    duration: '50ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: 4,
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            channels: { combined: 4 },
            napi_defer_hard_irqs: 2,
            gro_flush_timeout: '200us',
          },
        },
        apps: {
          sink: {
            cpus: [0, 1, 2, 3],
            wait: 'epoll_wait',
            batch: 16,
            epoll: { busy_poll_usecs: 64, prefer_busy_poll: 'on', busy_poll_budget: 64 },
            sockets: {
              count: 16,
              bind: '0.0.0.0:9216',
              'port-step': 1,
              tasks: [3, 2, 3, 2, 1, 0, 1, 0, 2, 3, 2, 3, 0, 1, 0, 1],
            },
          },
        },
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        pattern: 'poisson',
        rate: '400kpps',
        frame: 128,
        flows: { count: 16, sport: 40_960, dport: 9216, 'dport-count': 16 },
      },
    },
  },
)

const echo = builtin(
  'echo-closed-loop',
  'How fast do clients get their answers, and what limits them?',
  'A key-value server in small: 256 clients send a request, wait for the reply, think for 50 µs, and send the next; four threads answer.',
  {
    profile: 'modern-server',
    duration: '50ms',
    warmup: '5ms',
    hosts: {
      server: {
        cpus: 4,
        devices: {
          eth0: {
            driver: 'mlx5',
            address: '192.0.2.1/24',
            channels: { combined: 4 },
            link: '25Gbit',
            'link-delay': '2us',
          },
        },
        apps: {
          server: {
            kind: 'udp_echo',
            cpus: [0, 1, 2, 3],
            wait: 'epoll_wait',
            batch: 8,
            work: '1us',
            reply: 1024,
            sockets: { bind: '0.0.0.0:11211', reuseport: 'on' },
          },
        },
      },
    },
    traffic: {
      clients: {
        to: 'server/eth0',
        kind: 'closed',
        clients: 256,
        depth: 1,
        think: '50us',
        'think-random': 'on',
        frame: 110,
        timeout: '10ms',
        flows: { count: 256, dport: 11_211 },
      },
    },
  },
)

/** Scenarios of this file. */
export const NAPI_SCENARIOS: readonly BuiltinScenario[] = [livelock, cured, classic, classicNapi, busyPoll, echo]
