import type { ScenarioInput } from '@softnet/scenario'

type Host = ScenarioInput['hosts'][string]

/** A host that passes packets on to a container, and has a service of its own on the same port. */
export function container(changes: Partial<Host> = {}, inside: object = {}): ScenarioInput {
  return {
    name: 'container',
    duration: '4ms',
    hosts: {
      web: {
        cpus: 4,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        devices: {
          eth0: { driver: 'ixgbe', address: '192.0.2.1/24' },
          veth0: { driver: 'veth', peer: 'c1/eth0', address: '10.0.0.1/24' },
        },
        netns: {
          c1: {
            devices: { eth0: { driver: 'veth', address: '10.0.0.2/24' } },
            routes: ['default via 10.0.0.1'],
            ...inside,
          },
        },
        apps: {
          inside: { netns: 'c1', cpus: [2], sockets: { bind: '0.0.0.0:9000' } },
          outside: { cpus: [3], sockets: { bind: '0.0.0.0:9000' } },
        },
        ...changes,
      } as Host,
    },
    traffic: {
      in: { kind: 'open', to: 'web/eth0', rate: '200kpps', flows: { count: 8, dport: 9000, dst: '10.0.0.2' } },
      out: { kind: 'open', to: 'web/eth0', rate: '100kpps', flows: { count: 4, dport: 9000 } },
    },
  }
}

/** What reaches the host on port 80 goes to the service in the container. */
export const DNAT = `
table ip nat {
  chain pre { type nat hook prerouting priority dstnat; udp dport 80 dnat to 10.0.0.2:9000; }
}`
