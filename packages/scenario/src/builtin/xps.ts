/** Built-in scenarios about the choice of transmit queues. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin, upTo } from './types.js'

const QUEUES = 4

function answers(xps: boolean): Omit<ScenarioInput, 'name' | 'description' | 'question'> {
  return {
    duration: '40ms',
    hosts: {
      server: {
        cpus: QUEUES,
        devices: {
          eth0: {
            driver: 'igb',
            address: '192.0.2.1/24',
            link: '10Gbit',
            channels: { combined: QUEUES },
            ntuple: upTo(QUEUES).map((i) => ({ 'flow-type': 'udp4' as const, 'dst-port': 9000 + i, action: i })),
            ...(xps ? { 'tx-queues': upTo(QUEUES).map((i) => ({ xps_cpus: (1 << i).toString(16) })) } : {}),
          },
        },
        apps: {
          echo: {
            kind: 'udp_echo',
            cpus: upTo(QUEUES),
            sockets: { bind: '0.0.0.0:9000', count: QUEUES, 'port-step': 1 },
          },
        },
      },
    },
    traffic: {
      load: { to: 'server/eth0', rate: '1150kpps', flows: { count: 64, dport: 9000, 'dport-count': QUEUES } },
    },
  }
}

const without = builtin(
  'xps-off',
  'Four programs answer on four CPUs, each with a queue of its own to receive from: why is each also busy for the others?',
  'The driver sets no xps_cpus, so an answer takes a transmit queue by the hash of its flow: three of four belong to another CPU. Its lines have to come from there, and that CPU is interrupted to free what this one has sent.',
  answers(false),
)

const withXps = builtin(
  'xps-on',
  'The same with xps_cpus: what is left when every CPU sends by the queue whose completions it takes?',
  'Each transmit queue is mapped to the CPU of its interrupt. Nothing of a packet that is sent moves between CPUs any more, so the same CPUs answer more requests.',
  answers(true),
)

/** Scenarios of this file. */
export const XPS_SCENARIOS: readonly BuiltinScenario[] = [without, withXps]
