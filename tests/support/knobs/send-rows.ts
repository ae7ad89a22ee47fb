import type { KnobRow, Sets } from './knob-base.js'

/** A program that sends as fast as it can, and nothing else. */
export const SENDER: Sets = {
  traffic: {},
  'h/apps': { app: { kind: 'udp_sender', cpus: [0], to: '198.51.100.1:9', payload: 1000 } },
}
/** The same at a rate that its CPU has time for. */
const PACED: Sets = { ...SENDER, 'a/rate': 100_000, 'a/payload': 18 }
const BURSTS: Sets = { ...SENDER, 'a/pattern': 'burst', 'a/count': 5, 'a/every': '200us' }
/** A client and an echo server on one host. */
const CLIENT: Sets = {
  traffic: {},
  'h/apps': {
    app: { kind: 'udp_client', cpus: [0], to: '127.0.0.1:9000' },
    echo: { kind: 'udp_echo', cpus: [1], sockets: {} },
  },
}
/** Datagrams longer than the MTU. */
const LONG: Sets = { ...SENDER, 'a/payload': 3000 }
const CUT: Sets = { ...LONG, 'a/sockets/UDP_SEGMENT': 1400 }
const SIZES = [
  { bytes: 18, weight: 1 },
  { bytes: 1000, weight: 1 },
]

/** Packets to a group that a program of the host has joined. */
const GROUP: Sets = {
  ...SENDER,
  'a/to': '224.0.0.9:9000',
  'h/apps/sink': {
    kind: 'udp_sink',
    cpus: [1],
    sockets: { IP_ADD_MEMBERSHIP: [{ group: '224.0.0.9', device: 'eth0' }] },
  },
  'a/sockets': { SO_BINDTODEVICE: 'eth0' },
}
const COUNTED = (rule: string): Sets => ({
  'h/nftables': `table ip t { chain o { type filter hook output priority 0; ${rule} counter; } }`,
})

/** Rows of programs that send by themselves. */
export const SEND_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/apps/*/to': { base: SENDER, change: { 'a/to': '192.0.2.1:9' } },
  'hosts/*/apps/*/to-address-count': {
    base: { ...SENDER, 'a/to': '192.0.2.254:9' },
    change: { 'a/to-address-count': 2 },
  },
  'hosts/*/apps/*/to-port-count': {
    base: { ...SENDER, 'a/to': '127.0.0.1:9000', 'h/apps/sink': { kind: 'udp_sink', cpus: [1] } },
    change: { 'a/to-port-count': 2 },
  },
  'hosts/*/apps/*/payload': { base: SENDER, change: { 'a/payload': 18 } },
  'hosts/*/apps/*/payload/bytes': {
    base: { ...SENDER, 'a/payload': SIZES },
    change: { 'a/payload': [SIZES[0], { bytes: 500, weight: 1 }] },
  },
  'hosts/*/apps/*/payload/weight': {
    base: { ...SENDER, 'a/payload': SIZES },
    change: { 'a/payload': [SIZES[0], { bytes: 1000, weight: 9 }] },
  },
  'hosts/*/apps/*/start': { base: SENDER, change: { 'a/start': '300us' } },
  'hosts/*/apps/*/stop': { base: SENDER, change: { 'a/stop': '300us' } },
  'hosts/*/apps/*/messages': { base: SENDER, change: { 'a/messages': 10 } },
  'hosts/*/apps/*/timer-slack': { base: PACED, change: { 'a/timer-slack': '0ns' } },
  'hosts/*/apps/*/pattern': { base: PACED, change: { 'a/pattern': 'poisson' } },
  'hosts/*/apps/*/rate': { base: PACED, change: { 'a/rate': 50_000 } },
  'hosts/*/apps/*/count': { base: BURSTS, change: { 'a/count': 6 } },
  'hosts/*/apps/*/every': { base: BURSTS, change: { 'a/every': '100us' } },
  'hosts/*/apps/*/call': { base: SENDER, change: { 'a/call': 'sendmmsg' } },
  'hosts/*/apps/*/pieces': { base: SENDER, change: { 'a/pieces': 3 } },
  'hosts/*/apps/*/cork': { base: { ...SENDER, 'a/pieces': 3 }, change: { 'a/cork': 'UDP_CORK' } },
  'hosts/*/apps/*/MSG_DONTROUTE': {
    base: { ...SENDER, 'a/to': '198.51.100.9:9', 'h/routes': ['default via 192.0.2.254'] },
    change: { 'a/MSG_DONTROUTE': true },
  },
  'hosts/*/apps/*/cmsg/UDP_SEGMENT': { base: LONG, change: { 'a/cmsg/UDP_SEGMENT': 1400 } },
  'hosts/*/apps/*/cmsg/IP_TTL': {
    base: { ...SENDER, ...COUNTED('ip ttl 64') },
    change: { 'a/cmsg/IP_TTL': 3 },
  },
  'hosts/*/apps/*/cmsg/IP_TOS': {
    base: { ...SENDER, 'a/to': '127.0.0.1:7' },
    change: { 'a/cmsg/IP_TOS': 2 },
  },
  'hosts/*/apps/*/cmsg/IP_PKTINFO/device': {
    base: { ...SENDER, 'a/to': '203.0.113.9:9', 'h/routes': ['prohibit 203.0.113.0/24'] },
    change: { 'a/cmsg/IP_PKTINFO/device': 'eth0' },
  },
  'hosts/*/apps/*/cmsg/IP_PKTINFO/source': {
    base: SENDER,
    change: { 'a/cmsg/IP_PKTINFO/source': '203.0.113.77' },
  },
  'hosts/*/apps/*/think': { base: CLIENT, change: { 'a/think': '10us' } },
  'hosts/*/apps/*/think-random': { base: { ...CLIENT, 'a/think': '10us' }, change: { 'a/think-random': true } },
  'hosts/*/apps/*/timeout': {
    base: { ...CLIENT, 'a/to': '198.51.100.1:9', 'h/hz': 1000, duration: '20ms' },
    change: { 'a/timeout': '2ms' },
  },
  'hosts/*/apps/*/sockets/SO_BROADCAST': {
    base: { ...SENDER, 'a/to': '192.0.2.255:9' },
    change: { 'a/sockets/SO_BROADCAST': true },
  },
  'hosts/*/apps/*/sockets/SO_MAX_PACING_RATE': {
    base: { ...SENDER, 'd/qdisc': 'fq' },
    change: { 'a/sockets/SO_MAX_PACING_RATE': 10_000_000 },
  },
  'hosts/*/apps/*/sockets/SO_NO_CHECK': {
    base: { ...SENDER, 'd/features': { 'tx-checksumming': false } },
    change: { 'a/sockets/SO_NO_CHECK': true },
  },
  'hosts/*/apps/*/sockets/IP_TTL': {
    base: {
      ...SENDER,
      'h/nftables': 'table ip t { chain o { type filter hook output priority 0; ip ttl 64 counter; } }',
    },
    change: { 'a/sockets/IP_TTL': 3 },
  },
  'hosts/*/apps/*/sockets/IP_MULTICAST_TTL': { base: GROUP, change: { 'a/sockets/IP_MULTICAST_TTL': 0 } },
  'hosts/*/apps/*/sockets/IP_MULTICAST_LOOP': { base: GROUP, change: { 'a/sockets/IP_MULTICAST_LOOP': false } },
  'hosts/*/apps/*/sockets/IP_MULTICAST_ALL': {
    base: {
      ...GROUP,
      'h/apps/other': { kind: 'udp_sink', cpus: [1], sockets: { bind: '0.0.0.0:9000', reuseaddr: true } },
      'h/apps/sink/sockets/reuseaddr': true,
    },
    change: { 'h/apps/other/sockets/IP_MULTICAST_ALL': false },
  },
  'hosts/*/apps/*/sockets/IP_MULTICAST_IF': {
    base: { ...SENDER, 'a/to': '239.1.1.1:9', 'h/routes': ['prohibit 239.0.0.0/8'] },
    change: { 'a/sockets/IP_MULTICAST_IF': 'eth0' },
  },
  'hosts/*/apps/*/sockets/SO_DONTROUTE': {
    base: { ...SENDER, 'a/to': '198.51.100.9:9', 'h/routes': ['default via 192.0.2.254'] },
    change: { 'a/sockets/SO_DONTROUTE': true },
  },
  'hosts/*/apps/*/sockets/IP_TOS': {
    base: { ...SENDER, 'a/to': '127.0.0.1:7' },
    change: { 'a/sockets/IP_TOS': 2 },
  },
  'hosts/*/apps/*/sockets/IP_MTU_DISCOVER': { base: LONG, change: { 'a/sockets/IP_MTU_DISCOVER': 'do' } },
  'hosts/*/apps/*/sockets/UDP_SEGMENT': { base: LONG, change: { 'a/sockets/UDP_SEGMENT': 1400 } },
  'hosts/*/devices/*/features/scatter-gather': { base: CUT, change: { 'd/features/scatter-gather': false } },
  'hosts/*/devices/*/features/tx-udp-segmentation': { base: CUT, change: { 'd/features/tx-udp-segmentation': false } },
  'hosts/*/devices/*/features/tx-checksumming': { base: SENDER, change: { 'd/features/tx-checksumming': false } },
}
