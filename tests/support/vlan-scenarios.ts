import type { ScenarioInput } from '@softnet/scenario'

/** A host. */
export type Host = ScenarioInput['hosts'][string]
/** A device. */
export type Device = Host['devices'][string]

/** One queue. */
export const one = { combined: 1 }

/** A host that asks another over its device. */
export function asker(device: Device, to: string): Host {
  return {
    cpus: 1,
    cstates: 'none',
    devices: { eth0: { channels: one, ...device } },
    apps: { ask: { kind: 'udp_client', cpus: [0], to, payload: 100, timeout: '1ms' } },
  }
}

/** A host that answers. */
export function answerer(device: Device): Host {
  return {
    cpus: 1,
    cstates: 'none',
    devices: { eth0: { channels: one, ...device } },
    apps: { answer: { kind: 'udp_echo', cpus: [0], sockets: { bind: '0.0.0.0:9000' } } },
  }
}

/** Two hosts on a cable that talk over VLAN 100 alone. */
export function pair(a: Device = {}, b: Device = {}): ScenarioInput {
  return {
    duration: '2ms',
    hosts: {
      a: asker({ address: '10.9.0.1/24', vlans: { 100: { address: '10.0.1.1/24' } }, ...a }, '10.0.1.2:9000'),
      b: answerer({ address: '10.9.0.2/24', vlans: { 100: { address: '10.0.1.2/24' } }, ...b }),
    },
    links: { cable: { between: ['a/eth0', 'b/eth0'] } },
  }
}

/** One host with one card passes on between two others in VLANs of their own. */
export function routerOnAStick(): ScenarioInput {
  const stick: Host = {
    cpus: 1,
    sysctl: { 'net.ipv4.ip_forward': 1 },
    devices: {
      eth0: { channels: one, vlans: { 10: { address: '10.0.10.1/24' }, 20: { address: '10.0.20.1/24', mtu: 1000 } } },
    },
  }
  const a = { ...asker({ vlans: { 10: { address: '10.0.10.2/24' } } }, '10.0.20.2:9000'), routes: [] as string[] }
  a.routes = ['10.0.20.0/24 via 10.0.10.1 dev eth0.10']
  const b = { ...answerer({ vlans: { 20: { address: '10.0.20.2/24' } } }), routes: ['default via 10.0.20.1'] }
  return {
    duration: '2ms',
    hosts: { a, r: stick, b },
    switches: { lan: { ports: ['a/eth0', 'r/eth0', 'b/eth0'] } },
  }
}
