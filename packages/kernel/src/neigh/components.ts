import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** States of a neighbour. Kernel: include/uapi/linux/neighbour.h, NUD_* */
export const NUD = {
  none: 0,
  incomplete: 1,
  reachable: 2,
  stale: 4,
  delay: 8,
  probe: 16,
  failed: 32,
  noarp: 64,
  permanent: 128,
} as const

/** Slots of the hash of each table. */
export const NEIGH_SLOTS = 1024

/** Neighbours, rows `firstRow` … of each table. Kernel: include/net/neighbour.h, struct neighbour */
export const Neighbour = defineComponent(
  'neighbour',
  {
    /** 1: in use. */
    used: u8,
    address: u32,
    dev: i32,
    /** One of `NUD`. */
    state: u8,
    macHigh: u16,
    macLow: u32,
    probes: u8,
    /** Jiffies. */
    updated: f64,
    confirmed: f64,
    lastUsed: f64,
    /** Counts armings, so that a stale timer event is told from the running one; and whether one runs. */
    armSequence: i32,
    armed: u8,
    /** Packets that wait for the address, linked by `Skb.next`. */
    queueHead: i32,
    queueTail: i32,
    queueBytes: u32,
    /** Next in the hash chain, or next free row. */
    chain: i32,
    /** List of those that may be swept, oldest first (`gc_list`); permanent ones are not on it. */
    gcNext: i32,
    gcPrevious: i32,
  },
  { references: ['queueHead', 'queueTail'] },
)

/** Tables, row = `Cpu.home` of those who share one. Kernel: include/net/neighbour.h, struct neigh_table */
export const NeighTable = defineComponent('neigh_table', {
  /** First row of `Neighbour` and of `NeighSlot`, and how many there are. Constant in a run. */
  firstRow: i32,
  firstSlot: i32,
  rows: i32,
  entries: i32,
  /** Entries that are not permanent: what the thresholds are about. */
  gcEntries: i32,
  gcHead: i32,
  gcTail: i32,
  /** gc_thresh1 to gc_thresh3. Constant in a run. */
  thresh1: i32,
  thresh2: i32,
  thresh3: i32,
  /** Jiffy of the next periodic sweep. */
  periodicJiffy: f64,
  freeHead: i32,
  /** Jiffy of the last sweep for want of room. */
  lastFlush: f64,
  /** Requests that wait to be answered for others. */
  proxyQueued: u16,
  /** Random draws so far. */
  drawn: f64,
})

/** Hash of neighbours by device and address: head of a chain. */
export const NeighSlot = defineComponent('neigh_slot', { head: i32 })

/** Settings per device entity, in jiffies and packets. Kernel: include/net/neighbour.h, struct neigh_parms */
export const NeighParms = defineComponent('neigh_parms', {
  /** Unused for so long an entry goes in a periodic sweep. */
  gcStaletime: f64,
  baseReachable: f64,
  /** Drawn from half to one and a half of the base. */
  reachable: f64,
  delayProbe: f64,
  retrans: f64,
  ucastProbes: u8,
  mcastProbes: u8,
  mcastReprobes: u8,
  queueBytes: u32,
  locktime: f64,
  proxyDelay: f64,
  proxyQlen: u16,
})

/** Statistics per CPU entity, by their names in `/proc/net/stat/arp_cache`. Kernel: struct neigh_statistics */
export const NeighStat = defineComponent('neigh_stat', {
  allocs: f64,
  destroys: f64,
  lookups: f64,
  hits: f64,
  resFailed: f64,
  periodicGcRuns: f64,
  forcedGcRuns: f64,
  unresDiscards: f64,
  tableFulls: f64,
})
