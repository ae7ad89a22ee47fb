import type { KnobRow, Sets } from './knob-base.js'

/** A ping to the host itself. */
const PING: Sets = {
  traffic: {},
  duration: '2ms',
  'h/apps': { app: { kind: 'ping', cpus: [0], to: '127.0.0.1', interval: '100us' } },
}
/** One that nobody answers. */
const UNHEARD: Sets = { ...PING, 'a/to': '198.51.100.1' }
const LONG: Sets = { ...UNHEARD, 'a/size': 3000 }

/** A capture of what a device receives. */
const CAPTURE: Sets = {
  'h/apps': { sink: { cpus: [0] }, app: { kind: 'packet_capture', cpus: [1], dev: 'eth0', ring: 'tpacket_v2' } },
}
const BLOCKS: Sets = { ...CAPTURE, 'a/ring': 'tpacket_v3', 'a/block-size': 4096, 'a/retire-timeout': '60s' }
const GROUP: Sets = { ...CAPTURE, 'a/cpus': [0, 1] }
/** A ring that runs full. */
const SLOW: Sets = { ...CAPTURE, 'a/work': '10us', 'a/buffer': 65_536 }

/** Rows of programs with sockets that are not UDP's. */
export const PACKET_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/apps/*/source': {
    base: {
      ...PING,
      'h/nftables': 'table ip t { chain o { type filter hook output priority 0; ip saddr 127.0.0.1 counter; } }',
    },
    change: { 'a/source': '192.0.2.1' },
  },
  'hosts/*/apps/*/device': { base: PING, change: { 'a/device': 'eth0' } },
  'hosts/*/apps/*/socket': { base: PING, change: { 'a/socket': 'raw' } },
  'hosts/*/apps/*/interval': { base: PING, change: { 'a/interval': '200us' } },
  'hosts/*/apps/*/flood': {
    base: { ...PING, 'h/apps': { app: { kind: 'ping', cpus: [0], to: '127.0.0.1' } } },
    change: { 'a/flood': true },
  },
  'hosts/*/apps/*/size': { base: PING, change: { 'a/size': 8 } },
  'hosts/*/apps/*/IP_TTL': {
    base: {
      ...PING,
      'h/nftables': 'table ip t { chain o { type filter hook output priority 0; ip ttl 64 counter; } }',
    },
    change: { 'a/IP_TTL': 3 },
  },
  'hosts/*/apps/*/IP_TOS': {
    base: {
      ...PING,
      'h/nftables': 'table ip t { chain o { type filter hook output priority 0; ip dscp 0 counter; } }',
    },
    change: { 'a/IP_TOS': 32 },
  },
  'hosts/*/apps/*/IP_MTU_DISCOVER': { base: LONG, change: { 'a/IP_MTU_DISCOVER': 'do' } },
  'hosts/*/apps/*/dev': { base: CAPTURE, change: { 'a/dev': 'lo' } },
  'hosts/*/apps/*/protocol': { base: CAPTURE, change: { 'a/protocol': 'arp' } },
  'hosts/*/apps/*/snaplen': { base: CAPTURE, change: { 'a/snaplen': 20 } },
  'hosts/*/apps/*/SO_ATTACH_FILTER': { base: CAPTURE, change: { 'a/SO_ATTACH_FILTER': [[6, 0, 0, 0]] } },
  'hosts/*/apps/*/PACKET_IGNORE_OUTGOING': {
    base: { ...CAPTURE, 'h/apps/sink': { kind: 'udp_echo', cpus: [0] } },
    change: { 'a/PACKET_IGNORE_OUTGOING': true },
  },
  'hosts/*/apps/*/ring': { base: CAPTURE, change: { 'a/ring': 'none' } },
  'hosts/*/apps/*/block-size': { base: BLOCKS, change: { 'a/block-size': 8192 } },
  'hosts/*/apps/*/frame-size': { base: { ...SLOW }, change: { 'a/frame-size': 4096 } },
  'hosts/*/apps/*/retire-timeout': { base: { ...BLOCKS, duration: '3ms' }, change: { 'a/retire-timeout': '1ms' } },
  'hosts/*/apps/*/SO_RCVBUF': { base: { ...SLOW, 'a/ring': 'none' }, change: { 'a/SO_RCVBUF': 3000 } },
  'hosts/*/apps/*/PACKET_FANOUT': { base: GROUP, change: { 'a/PACKET_FANOUT': 'lb' } },
  'hosts/*/apps/*/max-packets': { base: CAPTURE, change: { 'a/max-packets': 3 } },
}
