/** Built-in scenarios about what others make a host do: translate, find neighbours, answer. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

type Traffic = NonNullable<ScenarioInput['traffic']>
type Described = 'name' | 'description' | 'question'

const GATEWAY_RULES = `table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "eth1" masquerade
  }
}
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
  }
  chain forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "eth0" ct state new accept
  }
}`

const natGateway = builtin(
  'nat-gateway',
  'A NAT gateway begins to lose packets of some flows: is its table of connections full?',
  'A gateway masquerades 40,000 flows and may track 16,384. What begins when the table is full takes the place of a connection in one of eight chains, or is dropped where they hold none; the answers of an evicted connection find nothing to be translated back by. Set net.netfilter.nf_conntrack_max=65536.',
  {
    duration: '120ms',
    hosts: {
      gateway: {
        cpus: 2,
        sysctl: {
          'net.ipv4.ip_forward': 1,
          'net.netfilter.nf_conntrack_max': 16_384,
          'net.netfilter.nf_conntrack_buckets': 262_144,
        },
        routes: ['203.0.113.0/24 dev eth1'],
        nftables: GATEWAY_RULES,
        devices: {
          eth0: { driver: 'ixgbe', address: '10.0.0.1/16', channels: { combined: 1 } },
          eth1: {
            driver: 'ixgbe',
            address: '198.51.100.1/24',
            channels: { combined: 1 },
            irq: { smp_affinity: '2' },
          },
        },
      },
    },
    traffic: {
      inside: {
        to: 'gateway/eth0',
        rate: '500kpps',
        flows: { count: 40_000, src: '10.0.1.0', 'src-count': 250, dst: '203.0.113.9', sport: 20_000, dport: 53 },
      },
      answers: {
        to: 'gateway/eth1',
        rate: '500kpps',
        start: '1ms',
        flows: {
          count: 40_000,
          src: '203.0.113.9',
          dst: '198.51.100.1',
          sport: 53,
          'sport-count': 1,
          dport: 20_000,
          'dport-count': 40_000,
        },
      },
    },
  },
)

const arpStorm = builtin(
  'arp-storm',
  'Hosts behind a router cannot be reached, although they answer ARP: who fills its table of neighbours?',
  'Somebody scans 4096 unused addresses of a subnet. The router asks for each of them and keeps an entry while it waits, and gc_thresh3 allows 1024: for the 64 hosts that are there and answer there is no room (neighbor table overflow), and their packets are dropped.',
  {
    duration: '60ms',
    hosts: {
      router: {
        cpus: 1,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        devices: {
          eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 } },
          eth1: { driver: 'ixgbe', address: '198.18.0.1/16', channels: { combined: 1 }, arp: true },
        },
      },
    },
    traffic: {
      scan: {
        to: 'router/eth0',
        rate: '500kpps',
        packets: 4096,
        flows: { count: 4096, src: '192.0.2.66', dst: '198.18.16.0', 'dst-count': 4096 },
      },
      load: {
        to: 'router/eth0',
        rate: '200kpps',
        start: '3ms',
        flows: { count: 64, src: '192.0.2.10', dst: '198.18.1.0', 'dst-count': 64 },
      },
      hosts: {
        to: 'router/eth1',
        protocol: 'arp',
        arp: 'reply',
        rate: '64kpps',
        start: '3ms',
        flows: { count: 64, src: '198.18.1.0', 'src-count': 64 },
      },
    },
  },
)

const CLIENTS: Traffic[string] = {
  to: 'server/eth0',
  rate: '300kpps',
  flows: { count: 64, 'src-count': 64, dport: 9000 },
}

function flooded(traffic: Traffic): Omit<ScenarioInput, Described> {
  return {
    duration: '40ms',
    hosts: {
      server: {
        cpus: 2,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/16', channels: { combined: 1 } } },
        apps: { service: { cpus: [1], sockets: { bind: '0.0.0.0:9000', SO_RCVBUF: 1_000_000 } } },
      },
    },
    traffic: { ...traffic, clients: CLIENTS },
  }
}

const gratuitousFlood = builtin(
  'gratuitous-flood',
  'A loop multiplies gratuitous ARP: why does a server that ignores it lose its clients’ packets?',
  'Messages that nobody asked for change nothing in the table of neighbours, but each is taken off the first queue and looked at. At eight million per second the CPU of that queue is full, and with it the ring that the clients’ packets need.',
  flooded({
    loop: {
      to: 'server/eth0',
      protocol: 'arp',
      arp: 'gratuitous',
      rate: '8Mpps',
      flows: { count: 1024, src: '192.0.16.0', 'src-count': 1024 },
    },
  }),
)

const icmpFlood = builtin(
  'icmp-flood',
  'Echo requests flood a server: do the limits of ICMP protect it?',
  'icmp_ratelimit and icmp_msgs_per_sec are for errors: echo replies are not limited, and every request is answered until the CPU of its queue is full. A scan of closed ports beside it gets fifty port unreachables, then about a thousand per second.',
  flooded({
    ping: {
      to: 'server/eth0',
      protocol: 'icmp',
      rate: '4Mpps',
      flows: { count: 256, src: '203.0.113.0', 'src-count': 256 },
    },
    scan: {
      to: 'server/eth0',
      rate: '100kpps',
      flows: { count: 64, src: '192.0.66.0', 'src-count': 64, dport: 7 },
    },
  }),
)

/** Scenarios of this file. */
export const NEIGHBOUR_SCENARIOS: readonly BuiltinScenario[] = [natGateway, arpStorm, gratuitousFlood, icmpFlood]
