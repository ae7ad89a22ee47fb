import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** Bits of `DevView.bits` and `LinkDev.bits`: what is amiss with a device; 0 is one that works. */
export const DEV = {
  /** Not IFF_UP. */
  down: 1,
  /** netif_carrier_ok is false. */
  noCarrier: 2,
  /** Its transmit queues have the noop discipline. */
  inactive: 4,
  /** Its routes have RTNH_F_LINKDOWN. */
  linkDown: 8,
  /** It was down: the routes that somebody had added to it are gone for good. */
  flushed: 16,
} as const

/** Notifier events that a note brings along. Kernel: include/linux/netdevice.h, enum netdev_cmd */
export const NETDEV = { none: 0, up: 1, down: 2, change: 3 } as const

/** Operational states. Kernel: include/uapi/linux/if.h, IF_OPER_* */
export const IF_OPER = { unknown: 0, notPresent: 1, down: 2, lowerLayerDown: 3, testing: 4, dormant: 5, up: 6 } as const

/** State of a device as the CPU keeps it that handles its events; rows are device entities. Kernel: struct net_device */
export const LinkDev = defineComponent('link_dev', {
  /** Bits of `DEV`. */
  bits: u8,
  operstate: u8,
  /** 1: an event waits for linkwatch (__LINK_STATE_LINKWATCH_PENDING), and 1: on its list. */
  pending: u8,
  listed: u8,
  next: i32,
  /** 1: the cable is out. */
  unplugged: u8,
  /** Device that the index of the lower device or of the peer means in this namespace: 0 for none, itself for others. Kernel: dev_get_iflink */
  iflink: i32,
  /** Device a VLAN device stands on, 0 for others; and how many stand on this one, at the entities behind it. */
  lower: i32,
  uppers: u16,
  /** /sys/class/net/DEV/carrier_up_count, carrier_down_count. */
  carrierUp: f64,
  carrierDown: f64,
})

/** Linkwatch of a host: row host index + 1. Kernel: net/core/link_watch.c */
export const LinkWatch = defineComponent('link_watch', {
  /** CPU that handles events: its kworker, and where commands are typed. */
  cpu: i32,
  /** lweventlist. */
  head: i32,
  tail: i32,
  /** Jiffy from which on events that are not urgent are handled again. */
  nextEventJiffy: f64,
  /** LW_URGENT. */
  urgent: u8,
  /** 1: the work is queued; the queueing that counts. */
  queued: u8,
  sequence: i32,
  /** Entries of `LinkLog` made so far. */
  logged: f64,
})

/** Most entries of a host's log. */
export const LOG_ROWS = 256
/** What happened to devices: rows `host index * LOG_ROWS + 1` on; further ones are left out. */
export const LinkLog = defineComponent('link_log', { timePs: f64, dev: i32, what: u8 })

/** Devices as a CPU knows them: row `device index * cpuRows + cpu`. Written by that CPU. */
export const DevView = defineComponent('dev_view', { bits: u8 })

/** Watchdogs over transmit queues, rows as `DevView`: counts armings. */
export const DevWatchdog = defineComponent('dev_watchdog', { sequence: i32 })

/** Closing of devices on a CPU, rows as `DevView`: 0 none, 1 under way, 2 under way and to be opened again. */
export const DevClose = defineComponent('dev_close', { state: u8 })

/** Times at which cables are pulled and plugged in again, by turns. Constant in a run. */
export const CableChange = defineComponent('cable_change', { atPs: f64 })

/** Where a wire's cable is in `CableChange`: rows are wire entities. Positions are written by the wire. */
export const WireCable = defineComponent('wire_cable', { first: i32, count: i32, rxPassed: i32, txPassed: i32 })

/** What is done to a device by a command: rows in the order of the plan. Constant in a run. */
export const HostEvent = defineComponent('host_event', {
  atPs: f64,
  host: i32,
  /** 0: it is about the host. */
  dev: i32,
  /** One of `ACTION`. */
  action: u8,
  up: u8,
  /** Number of a transmit queue. */
  queue: u16,
  /** −1 where not given. */
  rxUsecsPs: f64,
  rxFrames: f64,
  txUsecsPs: f64,
  /** Features switched on and off (bits of `FEATURE`), descriptors, or the value of a setting, which is the one at `setting` of `LIVE_SYSCTLS`. */
  on: u32,
  off: u32,
  value: f64,
  setting: u8,
})

/** Kinds of `HostEvent`. */
export const ACTION = {
  cable: 0,
  coalesce: 1,
  link: 2,
  stall: 3,
  features: 4,
  rings: 5,
  qdisc: 6,
  sysctl: 7,
  mask: 8,
} as const

/** What a log entry says: position in `LOG_NAMES`. */
export const LOG = {
  carrierOff: 0,
  carrierOn: 1,
  deactivate: 2,
  activate: 3,
  change: 4,
  down: 5,
  up: 6,
  goingDown: 7,
  coalesce: 8,
  stall: 9,
  features: 10,
  rings: 11,
  qdisc: 12,
  sysctl: 13,
  mask: 14,
} as const

/** Names of log entries: kernel functions, and notifier events as they are. */
export const LOG_NAMES: readonly string[] = [
  'netif_carrier_off',
  'netif_carrier_on',
  'dev_deactivate',
  'dev_activate',
  'NETDEV_CHANGE',
  'NETDEV_DOWN',
  'NETDEV_UP',
  'NETDEV_GOING_DOWN',
  'ethtool -C',
  'transmit unit hangs',
  'ethtool -K',
  'ethtool -G',
  'tc qdisc replace',
  'sysctl -w',
  'queue mask',
]
