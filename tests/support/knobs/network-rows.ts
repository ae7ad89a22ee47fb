import type { KnobRow, Sets } from './knob-base.js'

const asker = (address: string, rest: object = {}) => ({
  cpus: 1,
  cstates: 'none',
  devices: { eth0: { address: `${address}/24`, channels: { combined: 1 }, ...rest } },
  apps: { ask: { kind: 'udp_client', cpus: [0], to: '10.9.0.1:9000', timeout: '100us' } },
})

/** A second host that asks the first, over a device of its own. */
const TWO: Sets = {
  'a/kind': 'udp_echo',
  'h/devices/eth1': { address: '10.9.0.1/24', channels: { combined: 1 } },
  'hosts/k': asker('10.9.0.2'),
}
const PORTS = ['h/eth1', 'k/eth0']
const CABLE: Sets = { ...TWO, 'links/cable/between': PORTS }
const LAN: Sets = { ...TWO, 'switches/lan/ports': PORTS }
/** Many large frames for one port. */
const FULL: Sets = {
  ...LAN,
  'hosts/k/apps/ask': { kind: 'udp_sender', cpus: [0], to: '10.9.0.1:9000', payload: 1400 },
  'h/devices/eth1/link': '100Mbit',
}

/** Rows of links and switches. */
export const NETWORK_ROWS: Readonly<Record<string, KnobRow>> = {
  'links/*/between': {
    base: { ...CABLE, 'hosts/l': asker('10.9.0.3') },
    change: { 'links/cable/between': ['h/eth1', 'l/eth0'] },
  },
  'links/*/delay': { base: CABLE, change: { 'links/cable/delay': '20us' } },
  'links/*/loss': { base: CABLE, change: { 'links/cable/loss': 0.5 } },
  'links/*/duplicate': { base: CABLE, change: { 'links/cable/duplicate': 0.5 } },
  'links/*/reorder': { base: CABLE, change: { 'links/cable/reorder': 0.5 } },
  'links/*/reorder-by': { base: { ...CABLE, 'links/cable/reorder': 1 }, change: { 'links/cable/reorder-by': '10us' } },
  'switches/*/ports': {
    base: { ...LAN, 'hosts/l': asker('10.9.0.3') },
    change: { 'switches/lan/ports': [...PORTS, 'l/eth0'] },
  },
  'switches/*/delay': { base: LAN, change: { 'switches/lan/delay': '20us' } },
  'switches/*/buffer': { base: FULL, change: { 'switches/lan/buffer': 3000 } },
  'switches/*/addresses': {
    base: { ...LAN, 'hosts/l': asker('10.9.0.3'), 'switches/lan/ports': [...PORTS, 'l/eth0'] },
    change: { 'switches/lan/addresses': 1 },
  },
  'switches/*/ageing': {
    base: { ...LAN, 'hosts/l': asker('10.9.0.3'), 'switches/lan/ports': [...PORTS, 'l/eth0'] },
    change: { 'switches/lan/ageing': '1ns' },
  },
  'switches/*/loss': { base: LAN, change: { 'switches/lan/loss': 0.5 } },
  'switches/*/duplicate': { base: LAN, change: { 'switches/lan/duplicate': 0.5 } },
  'switches/*/reorder': { base: LAN, change: { 'switches/lan/reorder': 0.5 } },
  'switches/*/reorder-by': {
    base: { ...LAN, 'switches/lan/reorder': 1 },
    change: { 'switches/lan/reorder-by': '10us' },
  },
}
