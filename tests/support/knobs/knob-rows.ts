import { APP_ROWS } from './app-rows.js'
import { DEVICE_ROWS } from './device-rows.js'
import { HOST_ROWS } from './host-rows.js'
import { type KnobRow, replay, type Sets } from './knob-base.js'
import { NETNS_ROWS } from './netns-rows.js'
import { NETWORK_ROWS } from './network-rows.js'
import { PACKET_ROWS } from './packet-rows.js'
import { ROUTE_ROWS } from './route-rows.js'
import { SEND_ROWS } from './send-rows.js'
import { SYSCTL_ROWS } from './sysctl-rows.js'
import { TRAFFIC_ROWS } from './traffic-rows.js'

/** Settings that say something to people or tools and change no result. */
export const WORDS: readonly string[] = [
  '$schema',
  'description',
  'name',
  'question',
  'hosts/*/cstates/name',
  'hosts/*/taps/name',
  'hosts/*/netns/*/taps/name',
]

/** What extends the model: plugins.test.ts shows that options, modules and their order matter. */
export const PLUGINS: readonly string[] = [
  'plugins/*/after',
  'plugins/*/before',
  'plugins/*/module',
  'plugins/*/options/*',
]

/** Bounds: a value so small that the base scenario is refused, or null where running out is an error of the run. */
export const BOUNDS: Readonly<Record<string, Sets | null>> = {
  // Only bounds ipfrag_high_thresh since 4.17.
  'hosts/*/sysctl/net.ipv4.ipfrag_low_thresh': { 'h/sysctl': { 'net.ipv4.ipfrag_low_thresh': 1e9 } },
  'events/host': { events: [{ at: 0, do: 'unplug eth0', host: 'nobody' }] },
  'limits/capture-bytes': { ...replay, limits: { 'capture-bytes': 24 } },
  'limits/cpus-per-host': { limits: { 'cpus-per-host': 1 } },
  'limits/devices-per-host': {
    'h/devices/eth1': { driver: 'igb', address: '10.9.0.1/24' },
    limits: { 'devices-per-host': 1 },
  },
  'limits/events-per-partition': null,
  'limits/frames-per-link': null,
  'limits/flows': { limits: { flows: 1 } },
  'limits/mailbox-slots': null,
  'limits/packet-pages-per-cpu': null,
  'limits/queues-per-host': { limits: { 'queues-per-host': 1 } },
  'limits/sockets-per-host': { limits: { 'sockets-per-host': 1 } },
  'limits/tasks-per-host': { limits: { 'tasks-per-host': 1 } },
}

const CABLE: Sets = { events: [{ at: '500us', do: 'unplug eth0' }] }

/** All rows by setting. */
export const ALL_ROWS: Readonly<Record<string, KnobRow>> = {
  ...TRAFFIC_ROWS,
  ...HOST_ROWS,
  ...SYSCTL_ROWS,
  ...DEVICE_ROWS,
  ...APP_ROWS,
  ...NETNS_ROWS,
  ...NETWORK_ROWS,
  'events/at': { base: CABLE, change: { events: [{ at: '700us', do: 'unplug eth0' }] } },
  'events/do': { base: CABLE, change: { events: [{ at: '500us', do: 'plug eth0' }] } },
  ...PACKET_ROWS,
  ...SEND_ROWS,
  ...ROUTE_ROWS,
  'hosts/*/devices/*/mac': { base: replay, change: { 'd/mac': '02:55:00:00:00:01' } },
}
