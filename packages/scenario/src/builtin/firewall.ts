/** Built-in scenarios about packet filters: how rules are arranged, and a table of connections that is too small. */
import type { ScenarioInput } from '../schema/scenario.js'
import { type BuiltinScenario, builtin, upTo } from './types.js'

const BLOCKED = 1000

/** Address `index` of a block list. */
function blocked(index: number): string {
  return `203.0.${index >> 8}.${index & 255}`
}

/** One flow of traffic into one CPU, filtered before a socket reads it on another. */
function filtered(nftables: string, rest: Partial<ScenarioInput['hosts'][string]> = {}, flows = 64): ScenarioInput {
  return {
    duration: '30ms',
    warmup: '2ms',
    hosts: {
      server: {
        cpus: 4,
        nftables,
        devices: {
          eth0: { driver: 'ixgbe', address: '192.0.2.1/24', channels: { combined: 1 }, 'packet-buffer': '64KiB' },
        },
        apps: { sink: { cpus: [1], batch: 32, sockets: { bind: '0.0.0.0:9000', SO_RCVBUF: 2_097_152 } } },
        ...rest,
      },
    },
    traffic: {
      load: {
        to: 'server/eth0',
        rate: '600kpps',
        frame: 64,
        flows: { count: flows, 'src-count': Math.min(flows, 64) },
      },
    },
  }
}

const linear = builtin(
  'firewall-linear',
  'Why does the server take a quarter of the packets once its filter is loaded?',
  'A block list of 1000 addresses, one rule each: every packet that is let in has been compared with all of them. Compare with firewall-sets, which decides the same.',
  filtered(
    [
      'table inet filter {',
      '  chain input {',
      '    type filter hook input priority filter; policy drop;',
      ...upTo(BLOCKED).map((index) => `    ip saddr ${blocked(index)} drop`),
      '    udp dport 9000 accept',
      '  }',
      '}',
    ].join('\n'),
  ),
)

const sets = builtin(
  'firewall-sets',
  'What do sets and verdict maps make of a long packet filter?',
  'The rules of firewall-linear as one set and one verdict map: two lookups decide about every packet, and nothing is lost.',
  filtered(
    [
      'table inet filter {',
      '  set blocked {',
      '    type ipv4_addr',
      `    elements = { ${upTo(BLOCKED).map(blocked).join(', ')} }`,
      '  }',
      '  chain input {',
      '    type filter hook input priority filter; policy drop;',
      '    ip saddr @blocked drop',
      '    udp dport vmap { 53 : jump dns, 9000 : accept }',
      '  }',
      '  chain dns {',
      '    limit rate over 10000/second drop',
      '    accept',
      '  }',
      '}',
    ].join('\n'),
  ),
)

const tableFull = builtin(
  'conntrack-table-full',
  'nf_conntrack: table full, dropping packet. How large should the table be?',
  'A stateful filter sees 10,000 flows and may track 2048. New flows are dropped unless one of eight chains of the table holds a connection that can be evicted. Set net.netfilter.nf_conntrack_max=16384.',
  filtered(
    [
      'table inet filter {',
      '  chain input {',
      '    type filter hook input priority filter; policy drop;',
      '    ct state established,related accept',
      '    ct state invalid counter drop',
      '    udp dport 9000 ct state new counter accept',
      '  }',
      '}',
    ].join('\n'),
    { sysctl: { 'net.netfilter.nf_conntrack_max': 2048, 'net.netfilter.nf_conntrack_buckets': 262_144 } },
    10_000,
  ),
)

/** Scenarios of this file. */
export const FIREWALL_SCENARIOS: readonly BuiltinScenario[] = [linear, sets, tableFull]
