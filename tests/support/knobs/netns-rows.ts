import { type KnobRow, RULES, type Sets } from './knob-base.js'

/** A container behind a veth pair that gets the packets. */
const CONTAINER: Sets = {
  'h/sysctl': { 'net.ipv4.ip_forward': 1 },
  'h/devices/veth0': { driver: 'veth', peer: 'c/eth0', address: '10.0.0.1/24' },
  'h/netns/c': { devices: { eth0: { driver: 'veth', address: '10.0.0.2/24' } } },
  'a/netns': 'c',
  't/flows/dst': '10.0.0.2',
}

/** Rows of network namespaces. Their devices and settings are of the same kinds as those of hosts, and have no rows of their own. */
export const NETNS_ROWS: Readonly<Record<string, KnobRow>> = {
  'hosts/*/apps/*/netns': { base: { ...CONTAINER, 'a/netns': undefined }, change: { 'a/netns': 'c' } },
  'hosts/*/devices/*/peer': {
    base: { ...CONTAINER, 'h/devices/veth0': { driver: 'veth', address: '10.0.0.1/24' } },
    change: { 'h/devices/veth0/peer': 'c/eth0' },
  },
  'hosts/*/netns/*/neighbours': {
    base: { ...CONTAINER, 'a/kind': 'udp_echo', 'h/netns/c/routes': ['default via 10.0.0.1'] },
    change: { 'h/netns/c/neighbours': ['10.0.0.1 lladdr 02:00:00:00:00:99 dev eth0'] },
  },
  'hosts/*/netns/*/nftables': { base: CONTAINER, change: { 'h/netns/c/nftables': RULES } },
  'hosts/*/netns/*/nftables/file': {
    base: { ...CONTAINER, 'h/netns/c/nftables': RULES },
    change: { 'h/netns/c/nftables': { file: 'made.nft' } },
  },
  'hosts/*/netns/*/raw-protocols': { base: CONTAINER, change: { 'h/netns/c/raw-protocols': [17] } },
  'hosts/*/netns/*/routes': {
    base: { ...CONTAINER, 'a/kind': 'udp_echo' },
    change: { 'h/netns/c/routes': ['unreachable 198.51.100.0/24'] },
  },
  'hosts/*/netns/*/rules': {
    base: { ...CONTAINER, 'a/kind': 'udp_echo' },
    change: { 'h/netns/c/rules': ['to 198.51.100.0/24 prohibit'] },
  },
  'hosts/*/netns/*/taps': { base: CONTAINER, change: { 'h/netns/c/taps': ['any'] } },
  'hosts/*/netns/*/taps/dev': {
    base: { ...CONTAINER, 'h/netns/c/taps': [{ dev: 'eth1' }], 'h/netns/c/devices/eth1': { driver: 'igb' } },
    change: { 'h/netns/c/taps': [{ dev: 'eth0' }] },
  },
}

/** The setting of a host that one of a namespace or VLAN device is; null for those that have a row of their own. */
export function settingOfHost(leaf: string): string | null {
  const onHost = leaf.replace(/^hosts\/\*\/netns\/\*\/(?=(?:devices|sysctl)\/)/, 'hosts/*/')
  const ofDevice = onHost.replace(/^hosts\/\*\/devices\/\*\/vlans\/\*\/(?=conf\/)/, 'hosts/*/devices/*/')
  return ofDevice === leaf ? null : ofDevice
}
