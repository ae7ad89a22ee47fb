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
  'hosts/*/apps/*/wait': {
    base: { ...UNHEARD, 'a/count': 1, 'a/timer-slack': '0ns' },
    change: { 'a/wait': '1ms' },
  },
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
}
