import { defineComponent, f64, i32, u8, u16, u32, type World } from '@softnet/ecs'
import type { AppPlan, Plan, SocketPlan } from '@softnet/scenario/plan'
import type { Layout } from '../build/layout.js'

/** How a packet socket keeps what it gets: `PacketSock.kind`. */
export const PACKET_KIND = { queue: 1, slots: 2, blocks: 3 } as const
/** Ways to choose the socket of a group: `PacketFanout.mode`. Kernel: include/uapi/linux/if_packet.h */
export const FANOUT = { hash: 1, lb: 2, cpu: 3, rollover: 4, qm: 5 } as const
/** Any protocol. Kernel: include/uapi/linux/if_ether.h, ETH_P_ALL */
export const ETH_P_ALL = 3

/** Packet sockets, rows as `Sock`. Kernel: net/packet/internal.h, struct packet_sock */
export const PacketSock = defineComponent('packet_sock', {
  /** Value of `PACKET_KIND`, 0: something else, or closed. */
  kind: u8,
  protocol: u16,
  /** Device it is bound to, 0: any. */
  dev: i32,
  dgram: u8,
  snapBytes: u32,
  ignoreOutgoing: u8,
  /** Next hook of the namespace, 0 at the end. Only the first socket of a group is on the list. */
  next: i32,
  /** Row of `PacketFanout` whose first member it is, 0: it is in no group. */
  group: i32,
  /** Ring: first row of `PacketSlot` and how many; bytes of a slot or block. */
  firstSlot: i32,
  slots: u32,
  slotBytes: u32,
  retirePs: f64,
  /** Slot that is filled next, or block that is being filled; and the one that the reader looks at. */
  head: u32,
  reader: u32,
  /** Blocks: where the next packet goes, and 1 while no block is open because the reader has the next one. */
  offset: u32,
  frozen: u8,
  /** 1: the socket was last seen with less than its usual room (PACKET_SOCK_PRESSURE). */
  pressure: u8,
  /** tp_packets without drops, tp_drops, tp_freeze_q_cnt. */
  packets: f64,
  lost: f64,
  freezes: f64,
  /** What the program has seen, and where it stops. */
  captured: f64,
  capturedBytes: f64,
  maxPackets: f64,
})

/** Slots and blocks of rings. */
export const PacketSlot = defineComponent('packet_slot', {
  /** 1: the reader's (TP_STATUS_USER), 0: the kernel's. */
  user: u8,
  packets: u32,
  bytes: f64,
})

/** First hook of a namespace: row 1 + its number. Kernel: include/linux/netdevice.h, ptype_all */
export const PacketHooks = defineComponent('ptype', { head: i32 })

/** Fan-out groups. Kernel: net/packet/internal.h, struct packet_fanout */
export const PacketFanout = defineComponent('packet_fanout', {
  mode: u8,
  /** First row of `PacketMember` and how many. */
  first: i32,
  count: u32,
  /** lb: packets so far; rollover: the member that had room last. */
  turn: u32,
})
/** Sockets of groups. */
export const PacketMember = defineComponent('packet_member', { sock: i32 })

/** Whether a program has packet sockets. */
export function hasPacketSockets({ sockets }: AppPlan): boolean {
  return sockets.some(({ family }) => family === 'packet')
}

/** Whether any program of a plan has a packet socket. */
export function usesPackets(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) => apps.some(hasPacketSockets))
}

const slotsOf = ({ packet }: SocketPlan): number => packet?.ring?.slots ?? 0

/** Declares the tables of packet sockets, if there are any. */
export function declarePackets(world: World, layout: Layout): void {
  if (!usesPackets(layout.plan)) return
  const apps = layout.plan.hosts.flatMap((host) => host.apps.filter(hasPacketSockets))
  const sockets = apps.flatMap((app) => app.sockets)
  const groups = apps.filter(({ capture }) => capture?.fanout != null)
  world.pool(PacketSock, layout.socketRows)
  world.pool(
    PacketSlot,
    sockets.reduce((sum, socket) => sum + slotsOf(socket), 0),
  )
  world.pool(PacketHooks, layout.nets.length)
  world.pool(PacketFanout, groups.length)
  world.pool(
    PacketMember,
    groups.reduce((sum, app) => sum + app.sockets.length, 0),
  )
}
