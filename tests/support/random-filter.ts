import type { ScenarioInput } from '@softnet/scenario'

/** SKF_AD_OFF + SKF_AD_RANDOM. Kernel: include/uapi/linux/filter.h */
const SKF_AD_RANDOM = 0xfffff038

/** Four sockets on four CPUs whose filters each let a packet pass by a random bit: each CPU has a queue. */
export function randomlyFiltered(seed: number): ScenarioInput {
  return {
    seed,
    duration: '600us',
    hosts: {
      h: {
        cpus: { count: 4, 'llc-per-node': 2 },
        devices: {
          eth0: {
            driver: 'ixgbe',
            address: '10.0.0.1/24',
            channels: { combined: 4 },
            'rx-flow-hash': { udp4: 'sdfn' },
          },
        },
        apps: {
          sink: {
            cpus: [0, 1, 2, 3],
            sockets: {
              count: 4,
              bind: '0.0.0.0:9000',
              'port-step': 1,
              SO_ATTACH_FILTER: [
                [0x20, 0, 0, SKF_AD_RANDOM],
                [0x45, 0, 1, 1],
                [0x06, 0, 0, 0xffff],
                [0x06, 0, 0, 0],
              ],
            },
          },
        },
      },
    },
    traffic: { t: { rate: '2Mpps', pattern: 'poisson', flows: { count: 32, dport: 9000, 'dport-count': 4 } } },
  }
}
