import type { ScenarioInput } from '@softnet/scenario'

/** Six readers on six CPUs that are too slow for what comes, with udp_mem below what their buffers hold. */
export function atUdpMem(kernel: '6.18' | '6.5' | '5.1'): ScenarioInput {
  return {
    name: `udp-mem-${kernel}`,
    kernel,
    duration: '4ms',
    hosts: {
      h: {
        cpus: { count: 8, 'llc-per-node': 2 },
        sysctl: { 'net.ipv4.udp_mem': [1200, 1200, 2400], 'net.ipv4.udp_rmem_min': 900_000 },
        devices: { eth0: { driver: 'ixgbe', address: '10.0.0.1/16', channels: { combined: 2 } } },
        apps: {
          slow: {
            cpus: [2, 3, 4, 5, 6, 7],
            work: '20us',
            sockets: { count: 6, bind: '0.0.0.0:9000', 'port-step': 1, SO_RCVBUFFORCE: 4_000_000 },
          },
        },
      },
    },
    traffic: { t: { rate: '3Mpps', stop: '3ms', frame: 600, to: 'h/eth0', flows: { count: 24, 'dport-count': 6 } } },
    limits: { 'packet-rows-per-cpu': 8000 },
  }
}
