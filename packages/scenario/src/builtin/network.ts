/** Built-in scenarios of several hosts. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin } from './types.js'

type Host = ScenarioInput['hosts'][string]

function asker(address: string, cpus: readonly number[]): Host {
  return {
    cpus: cpus.length,
    cstates: 'none',
    devices: { eth0: { address, channels: { combined: cpus.length } } },
    apps: { ask: { kind: 'udp_client', cpus: [...cpus], to: '10.0.0.2:9000', payload: 64 } },
  }
}

function answerer(cpus: readonly number[]): Host {
  return {
    cpus: cpus.length,
    cstates: 'none',
    devices: {
      // Both ports into the hash: two hosts are one pair of addresses.
      eth0: { address: '10.0.0.2/24', channels: { combined: cpus.length }, 'rx-flow-hash': { udp4: 'sdfn' } },
    },
    apps: { answer: { kind: 'udp_echo', cpus: [...cpus], sockets: { bind: '0.0.0.0:9000', reuseport: true } } },
  }
}

const requestResponse = builtin(
  'request-response',
  'One host asks another over a cable, one question at a time per thread: where does the time of a round go?',
  'Four threads send a datagram of 64 bytes, wait for the answer and send the next (as netperf UDP_RR). Both hosts work the whole way out and in: socket, qdisc, ring, link, interrupt, NAPI, socket, wake-up. Compare with links.cable.delay=100us, and with server.cstates=default.',
  {
    duration: '20ms',
    hosts: { client: asker('10.0.0.1/24', [0, 1, 2, 3]), server: answerer([0, 1, 2, 3]) },
    links: { cable: { between: ['client/eth0', 'server/eth0'], delay: '1us' } },
  },
)

function burster(address: string): Host {
  return {
    cpus: 1,
    devices: { eth0: { address, channels: { combined: 1 } } },
    apps: {
      reply: {
        kind: 'udp_sender',
        cpus: [0],
        to: '10.0.0.2:9000',
        payload: 1400,
        pattern: 'burst',
        count: 100,
        every: '5ms',
      },
    },
  }
}

const incast = builtin(
  'switch-incast',
  'Eight hosts answer a ninth at the same moment, each with 100 packets: why are some lost although its link is nearly idle?',
  'Bursts from eight ports meet in front of one port of a switch whose buffer holds 512 KiB: two frames in five find no room, though the port is idle most of the time. Set switches.rack.buffer=2MiB, and look at the latency.',
  {
    duration: '20ms',
    hosts: {
      collector: {
        cpus: 1,
        cstates: 'none',
        devices: { eth0: { address: '10.0.0.2/24', channels: { combined: 1 }, rings: { rx: 4096 } } },
        sysctl: { 'net.core.rmem_max': 8_000_000 },
        apps: { collect: { kind: 'udp_sink', cpus: [0], sockets: { bind: '0.0.0.0:9000', SO_RCVBUF: 8_000_000 } } },
      },
      ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`node${i}`, burster(`10.0.0.${10 + i}/24`)])),
    },
    switches: {
      rack: { ports: ['collector/eth0', ...Array.from({ length: 8 }, (_, i) => `node${i}/eth0`)] },
    },
  },
)

const idle = (address: string): Host => ({ cpus: 2, devices: { eth0: { address, channels: { combined: 1 } } } })

const ping = builtin(
  'ping',
  'One host pings another over a cable of 10 µs every 10 ms: why does a round trip take so much longer than the cable?',
  'Both hosts are idle in between: most of a round trip is waking CPUs from their idle states and interrupts that wait. Compare with hosts.server.cstates=none and hosts.client.cstates=none, with hosts.client.apps.ask.flood=true (and no interval), and with links.cable.loss=0.1.',
  {
    duration: '200ms',
    hosts: {
      client: {
        ...idle('10.0.0.1/24'),
        apps: { ask: { kind: 'ping', cpus: [1], to: '10.0.0.2', interval: '10ms', count: 15 } },
      },
      server: idle('10.0.0.2/24'),
    },
    links: { cable: { between: ['client/eth0', 'server/eth0'], delay: '10us' } },
  },
)

/** Scenarios of several hosts. */
export const NETWORK_SCENARIOS: readonly BuiltinScenario[] = [requestResponse, incast, ping]
