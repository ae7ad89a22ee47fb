/** Built-in scenarios about forwarding and the way out. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

type DeviceInput = ScenarioInput['hosts'][string]['devices'][string]

const ROUTER_ROUTES = ['203.0.113.0/24 dev eth1', '198.51.100.0/24 dev eth0']

function router(driver: 'ixgbe' | 'tulip', rate: string): Omit<ScenarioInput, 'name' | 'description' | 'question'> {
  const device = (address: string): DeviceInput => ({
    driver,
    address,
    link: '10Gbit',
    pcie: 'none',
    ...(driver === 'ixgbe' ? { channels: { combined: 1 } } : {}),
  })
  return {
    duration: '20ms',
    hosts: {
      router: {
        cpus: 1,
        sysctl: { 'net.ipv4.ip_forward': 1 },
        routes: ROUTER_ROUTES,
        devices: { eth0: device('192.0.2.1/24'), eth1: device('198.18.0.1/24') },
      },
    },
    traffic: { flood: { to: 'router/eth0', rate, flows: { count: 16, dst: '203.0.113.9' } } },
  }
}

const routerNapi = builtin(
  'router-overload',
  'A router gets more 64-byte packets than it can pass on: how many does it still pass on?',
  'One CPU forwards between two devices whose driver has NAPI. However much comes, it passes on about two million packets per second; what is too much ends in the ring, where it costs nothing.',
  router('ixgbe', '4Mpps'),
)

const routerLivelock = builtin(
  'router-livelock',
  'The same flood, and a driver without NAPI: why does the router pass on less the more it gets?',
  'Every frame interrupts, and netif_rx puts it into a backlog that the softirq never gets to empty: the CPU spends its time on packets that it then drops (receive livelock).',
  router('tulip', '4Mpps'),
)

function bloat(qdisc: 'pfifo_fast' | 'fq_codel'): Omit<ScenarioInput, 'name' | 'description' | 'question'> {
  return {
    duration: '200ms',
    hosts: {
      server: {
        cpus: 2,
        sysctl: { 'net.core.default_qdisc': qdisc, 'net.core.wmem_max': 8_000_000 },
        devices: {
          eth0: { driver: 'igb', address: '192.0.2.1/24', channels: { combined: 1 }, link: '100Mbit' },
        },
        apps: {
          bulk: { kind: 'udp_echo', cpus: [0], reply: 1400, sockets: { bind: '0.0.0.0:9000', SO_SNDBUF: 4_000_000 } },
          query: { kind: 'udp_echo', cpus: [1], reply: 64, sockets: { bind: '0.0.0.0:9001' } },
        },
      },
    },
    traffic: {
      bulk: { to: 'server/eth0', rate: '12kpps', flows: { dport: 9000 } },
      query: { kind: 'closed', to: 'server/eth0', clients: 1, flows: { dport: 9001, sport: 20_000 } },
    },
  }
}

const longQueue = builtin(
  'bufferbloat-pfifo-fast',
  'Bulk answers fill the queue of a slow link: how long does a small answer wait behind them?',
  'A server sends 136 Mbit/s of answers into a link of 100 Mbit/s. pfifo_fast holds 1000 packets, so a small answer waits about 115 ms: the client that asks one question at a time gets few of them answered.',
  bloat('pfifo_fast'),
)

const fairQueue = builtin(
  'bufferbloat-fq-codel',
  'The same link with fq_codel: who waits now?',
  'Flows take turns, so the small answer waits for one large packet at most, and CoDel drops what the bulk flow sends too much: its client gets hundreds of times as many answers.',
  bloat('fq_codel'),
)

function sender(socket: object, payload: number): Omit<ScenarioInput, 'name' | 'description' | 'question'> {
  return {
    duration: '20ms',
    hosts: {
      server: {
        cpus: 1,
        sysctl: { 'net.core.wmem_max': 8_000_000 },
        devices: { eth0: { driver: 'mlx5', address: '192.0.2.1/24', channels: { combined: 1 }, link: '40Gbit' } },
        apps: {
          gen: {
            kind: 'udp_sender',
            cpus: [0],
            to: '198.51.100.1:9000',
            payload,
            sockets: { SO_SNDBUF: 4_000_000, ...socket },
          },
        },
      },
    },
  }
}

const plainSender = builtin(
  'udp-sender',
  'One program sends datagrams of 1400 bytes as fast as it can: how much does one CPU get out?',
  'Each datagram takes the whole way from sendto to the driver: about 1.1 million per second, a third of a link of 40 Gbit/s. The CPU is the limit.',
  sender({}, 1400),
)

const gsoSender = builtin(
  'udp-gso-sender',
  'The same program hands the kernel 44 datagrams at once with UDP_SEGMENT: what is the limit now?',
  'One message of 61,600 bytes goes through the stack as one packet and is cut by the card: the link is the limit. Try eth0.features.tx-udp-segmentation=off, where the kernel cuts it before the driver.',
  sender({ UDP_SEGMENT: 1400 }, 61_600),
)

const requestResponse = builtin(
  'udp-request-response',
  'A client on one host, an echo server on another: how long does a question take, and where does the time go?',
  'One client asks one question at a time over a link of 10 Gbit/s. Most of a round trip is waking: idle CPUs, and the two programs.',
  {
    duration: '20ms',
    hosts: {
      client: {
        cpus: 2,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 } } },
        apps: { ask: { kind: 'udp_client', cpus: [1], to: '192.0.2.2:9000', payload: 64 } },
      },
      server: {
        cpus: 2,
        devices: { eth0: { driver: 'ixgbe', address: '192.0.2.2/24', channels: { combined: 1 } } },
        apps: { answer: { kind: 'udp_echo', cpus: [1] } },
      },
    },
    links: { cable: { between: ['client/eth0', 'server/eth0'] } },
  },
)

/** Scenarios of this file. */
export const WAY_OUT_SCENARIOS: readonly BuiltinScenario[] = [
  routerNapi,
  routerLivelock,
  longQueue,
  fairQueue,
  plainSender,
  gsoSender,
  requestResponse,
]
