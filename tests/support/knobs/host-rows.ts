import { type KnobRow, OVERLOAD, RPS, RULES } from './knob-base.js'

/** Rows of hosts. */
export const HOST_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/cpus': { change: { 'h/cpus': 4 } },
  'hosts/*/cpus/count': { change: { 'h/cpus': { count: 4 } } },
  'hosts/*/cpus/frequency': { change: { 'h/cpus': { count: 2, frequency: '1GHz' } } },
  'hosts/*/cpus/llc-per-node': {
    base: { ...RPS, 'h/cpus': { count: 2 } },
    change: { 'h/cpus': { count: 2, 'llc-per-node': 2 } },
  },
  'hosts/*/cpus/numa-nodes': {
    base: { ...RPS, 'h/cpus': { count: 2 } },
    change: { 'h/cpus': { count: 2, 'numa-nodes': 2 } },
  },
  'hosts/*/cpus/threads-per-core': { change: { 'h/cpus': { count: 2, 'threads-per-core': 2 } } },
  'hosts/*/cstates': { change: { 'h/cstates': 'none' } },
  'hosts/*/cstates/exit-latency': {
    base: { 't/rate': '20kpps', 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1us' }] },
    change: { 'h/cstates': [{ name: 'C1', 'exit-latency': '20us', 'target-residency': '1us' }] },
  },
  'hosts/*/cstates/target-residency': {
    base: { 't/rate': '20kpps', 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1us' }] },
    change: { 'h/cstates': [{ name: 'C1', 'exit-latency': '1us', 'target-residency': '1ms' }] },
  },
  'hosts/*/hz': { base: { ...OVERLOAD, duration: '12ms' }, change: { 'h/hz': 1000 } },
  'hosts/*/neighbours': {
    base: { 'd/conf': { forwarding: 1 }, 'd/arp': true, 't/flows/dst': '192.0.2.9' },
    change: { 'h/neighbours': ['192.0.2.9 lladdr 02:00:00:00:00:99 dev eth0'] },
  },
  'hosts/*/routes': {
    base: { 'd/conf': { forwarding: 1 }, 't/flows/dst': '198.51.100.9' },
    change: { 'h/routes': ['unreachable 198.51.100.0/24'] },
  },
  'hosts/*/nftables': { change: { 'h/nftables': RULES } },
  'hosts/*/nftables/file': { base: { 'h/nftables': RULES }, change: { 'h/nftables': { file: 'made.nft' } } },
  'hosts/*/pfmemalloc-reserve': { base: { ...OVERLOAD, 'h/skb-limit': 64 }, change: { 'h/pfmemalloc-reserve': 1 } },
  'hosts/*/raw-protocols': { change: { 'h/raw-protocols': [17] } },
  'hosts/*/skb-limit': { base: OVERLOAD, change: { 'h/skb-limit': 32 } },
  'hosts/*/small-head': {
    base: {
      ...OVERLOAD,
      duration: '4ms',
      'd/driver': 'e1000',
      'd/rx-flow-hash': undefined,
      't/frame': 100,
      'a/work': '50us',
    },
    change: { 'h/small-head': 0 },
  },
  'hosts/*/taps': { change: { 'h/taps': ['any'] } },
  'hosts/*/taps/dev': {
    base: { 'h/taps': [{ dev: 'eth1' }], 'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' } },
    change: { 'h/taps': [{ dev: 'eth0' }] },
  },
}
