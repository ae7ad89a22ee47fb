import { defineComponent, f64, i32, u8, u16, u32 } from '@softnet/ecs'

/** What a link of the plan is: a cable between two ports, or a switch. */
export const LINK_KIND = { link: 0, switch: 1 } as const

/** Links and switches, row 1 + position in the plan. The wires of its ports are one partition. */
export const Link = defineComponent(
  'link',
  {
    /** Wire that leads the partition. Constant. */
    leader: i32,
    /** What happens next: its wire, and the queue that sends, 0: an event. */
    firstWire: i32,
    firstQueue: i32,
    kind: u8,
    /** 1: frames go straight into the lanes of the other end, in the order in which they were sent. */
    isDirect: u8,
    /** Rows of `LinkPort`. */
    firstPort: i32,
    portCount: u16,
    /** Switch: from the last bit in to the first bit out, ps. */
    delayPs: f64,
    /** Chances × 2^32 that a frame is lost, arrives twice, or takes `reorderPs` longer. */
    lossThreshold: f64,
    duplicateThreshold: f64,
    reorderThreshold: f64,
    reorderPs: f64,
    /** Switch: bytes that may wait for a port. */
    bufferBytes: f64,
    /** Switch: rows of `FdbEntry`, and how long an entry is good for, ps. */
    fdbBase: i32,
    fdbMask: u32,
    fdbMax: u32,
    fdbCount: u32,
    ageingPs: f64,
    /** Shortest time from a port to memory of all its cards, ps. */
    leastDmaPs: f64,
    /** First free row of Skb for frames on their way, linked by `next`. Row of the wire that owns packet pages. */
    freeRow: i32,
    pageOwner: i32,
    /** Queue whose lane has no room for the next frame, and how much it needs; 0: none. */
    waitQueue: i32,
    waitFrames: u16,
  },
  { undigested: ['leader', 'firstWire', 'firstQueue'] },
)

/** Ports of links: the wires, in the order of the scenario. */
export const LinkPort = defineComponent('link_port', { wire: i32 })

/** What a port of a link does and has done, rows as wires. */
export const PortState = defineComponent('port_state', {
  /** Row of `Link`, 0: none; and the wire at the other end of a cable. Constant. */
  link: i32,
  peer: i32,
  /** Random stream of the way to this port. Constant. */
  stream: i32,
  /** Switch: end of the last frame on its way to the port, ps, and its part of a picosecond. */
  egressFreePs: f64,
  egressRest: f64,
  /** Frames to this port: lost on the way, doubled, late, without room in the switch, for other ports too, not for this card. */
  lost: f64,
  duplicated: f64,
  reordered: f64,
  overflow: f64,
  flooded: f64,
  foreign: f64,
})

/** Addresses that switches have learnt: open addressing, `Link.fdbMask` + 1 rows from `Link.fdbBase` on. Kernel: net/bridge/br_fdb.c */
export const FdbEntry = defineComponent('fdb', { macHigh: u16, macLow: u32, wire: i32, seenPs: f64 })

/**
 * Pages of the lane of a receive queue on a link, one for each slot: id of the first, 0 for none. Rows as queues. As many as
 * slots, since a frame may wait for room in the lane and for nothing else.
 */
export const QueuePages = defineComponent('queue_pages', { first: i32 }, { role: 'observer' })
