import { CLOSED, type KnobRow, type Sets } from './knob-base.js'

const ALL = 'h/sysctl/net.ipv4.conf.all.'

const capture = (name: string, more: Sets = {}): Sets => ({
  traffic: { t: { kind: 'replay', capture: `route-${name}.pcap`, to: 'h/eth0', ...more } },
})
/** Answers go by a router that is not known; the one it tells of is. */
const REDIRECTED: Sets = {
  ...capture('redirect'),
  'd/arp': true,
  'h/routes': ['203.0.113.0/24 via 192.0.2.254'],
  'h/neighbours': ['192.0.2.77 lladdr 02:00:00:00:00:77 dev eth0'],
}
/** Frames two seconds apart. */
const SLOW: Sets = { speed: 0.00001 }
const ARP: Sets = {
  ...capture('arp'),
  'd/arp': true,
  'd/conf': { forwarding: 1 },
  'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
  'h/routes': ['198.51.100.0/24 dev eth1', '203.0.113.0/24 dev eth0', '192.0.2.7/32 dev eth1'],
}
/** Datagrams from an address that is not of the receiver's subnet, who answers nobody like that. */
const ASKED: Sets = {
  traffic: {},
  'h/apps': {
    app: { kind: 'udp_sender', cpus: [0], to: '10.5.0.2:9', sockets: { count: 1, bind: '192.0.2.1:9000' } },
  },
  'h/devices/eth1': { driver: 'igb', address: '10.5.0.1/24' },
  'hosts/g': { devices: { eth0: { driver: 'igb', address: '10.5.0.2/24', conf: { arp_ignore: 2 } } } },
  'links/cable/between': ['h/eth1', 'g/eth0'],
}
/** A device goes down and comes up. */
export const RESTARTED: Sets = {
  events: [
    { at: '200us', do: 'ip link set eth0 down' },
    { at: '300us', do: 'ip link set eth0 up' },
  ],
}
export const UNPLUGGED: Sets = { ...CLOSED, 'd/arp': true, events: [{ at: '500us', do: 'unplug eth0' }] }
/** The better way is that of a device that loses its carrier. */
export const TWO_WAYS: Sets = {
  'h/sysctl': { 'net.ipv4.ip_forward': 1 },
  'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
  'h/routes': ['203.0.113.0/24 dev eth1', '198.51.100.0/24 dev eth0'],
  't/flows/dst': '203.0.113.1',
  events: [{ at: '200us', do: 'unplug eth1' }],
}
const DETOUR: Sets = {
  't/flows/dst': '192.0.2.9',
  't/flows/src': '192.0.2.77',
  'd/conf': { forwarding: 1 },
  't/rate': '1kpps',
  duration: '200ms',
}
const NO_WAY: Sets = {
  't/flows/count': 1,
  't/flows/src': '192.0.2.77',
  't/flows/dst': '203.0.113.9',
  'h/routes': ['unreachable 203.0.113.0/24'],
  'd/conf': { forwarding: 1 },
}

/** Flows that differ in their ports, by two routers. */
const MULTIPATH: Sets = {
  't/flows': { count: 16, src: '192.0.2.77', dst: '203.0.113.9', 'dport-count': 16 },
  'd/conf': { forwarding: 1 },
  'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
  'h/devices/eth2': { driver: 'igb', address: '10.8.0.1/24' },
  'h/routes': ['203.0.113.0/24 nexthop via 10.9.0.2 nexthop via 10.8.0.2 weight 2'],
}
const multipath = (name: string, base: Sets, value: number): Record<string, KnobRow> => ({
  [`hosts/*/sysctl/net.ipv4.fib_multipath_${name}`]: {
    base: { ...MULTIPATH, ...base },
    change: { [`h/sysctl/net.ipv4.fib_multipath_${name}`]: value },
  },
})

/** A setting that counts where a device or all of them have it. */
function either(name: string, base: Sets, value: number, rest = 0): Record<string, KnobRow> {
  const [own, all] = [`d/conf/${name}`, `${ALL}${name}`]
  return {
    [`hosts/*/devices/*/conf/${name}`]: { base: { ...base, [all]: rest, [own]: rest }, change: { [own]: value } },
    [`hosts/*/sysctl/net.ipv4.conf.all.${name}`]: {
      base: { ...base, [all]: rest, [own]: rest },
      change: { [all]: value },
    },
  }
}

const route = (name: string, base: Sets, value: number): Record<string, KnobRow> => ({
  [`hosts/*/sysctl/net.ipv4.route.${name}`]: { base, change: { [`h/sysctl/net.ipv4.route.${name}`]: value } },
})

/** Rows of settings of routes and neighbours. */
export const ROUTE_ROWS: Readonly<Record<string, KnobRow>> = {
  ...either('accept_redirects', REDIRECTED, 1),
  ...either(
    'secure_redirects',
    { ...REDIRECTED, 'd/conf': { shared_media: 0 }, 'h/sysctl': { 'net.ipv4.conf.all.shared_media': 0 } },
    1,
  ),
  ...either('shared_media', REDIRECTED, 1),
  ...either('arp_accept', ARP, 1),
  'hosts/*/devices/*/conf/arp_announce': { base: ASKED, change: { 'h/devices/eth1/conf': { arp_announce: 2 } } },
  'hosts/*/sysctl/net.ipv4.conf.all.arp_announce': { base: ASKED, change: { [`${ALL}arp_announce`]: 2 } },
  'hosts/*/sysctl/net.ipv4.conf.all.arp_notify': { base: RESTARTED, change: { [`${ALL}arp_notify`]: 1 } },
  'hosts/*/sysctl/net.ipv4.conf.all.arp_evict_nocarrier': {
    base: UNPLUGGED,
    change: { [`${ALL}arp_evict_nocarrier`]: 0 },
  },
  'hosts/*/sysctl/net.ipv4.conf.all.ignore_routes_with_linkdown': {
    base: TWO_WAYS,
    change: { [`${ALL}ignore_routes_with_linkdown`]: 1 },
  },
  'hosts/*/devices/*/conf/accept_source_route': {
    base: {
      traffic: { t: { kind: 'replay', capture: 'source-route.pcap' } },
      [`${ALL}accept_source_route`]: 1,
    },
    change: { 'd/conf/accept_source_route': 0 },
  },
  ...either('arp_filter', ARP, 1),
  ...either('arp_ignore', ARP, 8),
  ...either('drop_gratuitous_arp', ARP, 1),
  ...either('proxy_arp', ARP, 1),
  'hosts/*/devices/*/conf/proxy_arp_pvlan': { base: ARP, change: { 'd/conf/proxy_arp_pvlan': 1 } },
  'hosts/*/rules': { base: MULTIPATH, change: { 'h/rules': ['iif eth0 blackhole'] } },
  ...multipath('hash_policy', {}, 1),
  ...multipath('hash_fields', { 'h/sysctl': { 'net.ipv4.fib_multipath_hash_policy': 3 } }, 32),
  ...multipath(
    'hash_seed',
    { 'h/sysctl': { 'net.ipv4.fib_multipath_hash_policy': 3, 'net.ipv4.fib_multipath_hash_fields': 32 } },
    5,
  ),
  ...multipath(
    'use_neigh',
    {
      'h/devices/eth2': { driver: 'igb', address: '10.8.0.1/24', arp: true },
      'h/sysctl': { 'net.ipv4.fib_multipath_hash_policy': 1 },
      't/rate': '10pps',
      duration: '5s',
    },
    1,
  ),
  ...route('gc_timeout', { ...REDIRECTED, ...capture('redirect', SLOW), duration: '7s' }, 1),
  ...route('mtu_expires', { ...capture('pmtu', SLOW), duration: '5s' }, 1),
  ...route('min_pmtu', capture('pmtu'), 1200),
  ...route('redirect_number', DETOUR, 1),
  ...route('redirect_load', DETOUR, 1000),
  ...route('redirect_silence', DETOUR, 1),
  ...route('error_cost', NO_WAY, 1000),
  ...route('error_burst', NO_WAY, 250),
}
