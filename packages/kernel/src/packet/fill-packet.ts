import { type Binder, eventList, type World } from '@softnet/ecs'
import type { PacketSocketPlan } from '@softnet/scenario/plan'
import type { Layout, NetLayout } from '../build/layout.js'
import { EVENT } from '../cpu/event-kinds.js'
import { Sock } from '../sock/components.js'
import { deviceEntity } from '../udp/udp-table.js'
import {
  FANOUT,
  PACKET_KIND,
  PacketFanout,
  PacketHooks,
  PacketMember,
  PacketSlot,
  PacketSock,
  usesPackets,
} from './components.js'

/** Header of a block, bytes: what is before its first packet. Kernel: net/packet/af_packet.c, BLK_HDR_LEN */
export const BLOCK_HEADER_BYTES = 48

function deviceOf(net: NetLayout, { device }: PacketSocketPlan): number {
  return device === 'lo' ? net.loopback : deviceEntity(net, device)
}

/**
 * Binds the packet sockets of a plan, sets up their rings and groups; the hook that was added last comes first.
 * Kernel: net/packet/af_packet.c, packet_do_bind, packet_set_ring, fanout_add
 */
export function fillPackets(world: World, layout: Layout): void {
  if (!usesPackets(layout.plan)) return
  const sock = world.columns(Sock)
  const packet = world.columns(PacketSock)
  const { head } = world.columns(PacketHooks)
  const fanout = world.columns(PacketFanout)
  const { sock: members } = world.columns(PacketMember)
  const { user } = world.columns(PacketSlot)
  let slot = Math.min(1, user.length)
  let group = 0
  let member = 1
  for (const net of layout.nets) {
    net.plan.apps.forEach((app, a) => {
      const rows = net.appSockets[a] ?? []
      app.sockets.forEach(({ packet: plan }, i) => {
        if (plan === undefined) return
        const row = rows[i]
        const { ring } = plan
        sock.host[row] = net.index
        sock.incomingCpu[row] = -1
        packet.kind[row] =
          ring === null ? PACKET_KIND.queue : ring.version === 2 ? PACKET_KIND.slots : PACKET_KIND.blocks
        packet.protocol[row] = plan.protocol
        packet.dev[row] = deviceOf(net, plan)
        packet.dgram[row] = plan.dgram ? 1 : 0
        packet.snapBytes[row] = plan.snapBytes
        packet.ignoreOutgoing[row] = plan.ignoreOutgoing ? 1 : 0
        packet.maxPackets[row] =
          app.capture?.maxPackets === 0 ? Number.POSITIVE_INFINITY : (app.capture?.maxPackets ?? 0)
        packet.firstSlot[row] = slot
        packet.slots[row] = ring?.slots ?? 0
        packet.slotBytes[row] = ring?.slotBytes ?? 0
        packet.retirePs[row] = ring?.retirePs ?? 0
        packet.offset[row] = BLOCK_HEADER_BYTES
        slot += ring?.slots ?? 0
        const isGrouped = app.capture?.fanout != null
        if (isGrouped && i > 0) return
        packet.next[row] = head[1 + net.index]
        head[1 + net.index] = row
        if (!isGrouped) return
        group++
        packet.group[row] = group
        fanout.mode[group] = FANOUT[app.capture?.fanout ?? 'hash']
        fanout.first[group] = member
        fanout.count[group] = app.sockets.length
        for (const each of rows) members[member++] = each
      })
    })
  }
}

/** Starts the timers of rings of blocks. Kernel: net/packet/af_packet.c, init_prb_bdqc */
export function startPackets(binder: Binder, layout: Layout): void {
  if (!usesPackets(layout.plan)) return
  const { cpu } = binder.world.columns(Sock)
  const { kind, retirePs } = binder.world.columns(PacketSock)
  const events = binder.bind(eventList)
  for (const net of layout.nets) {
    for (const row of net.appSockets.flat()) {
      if (kind[row] !== PACKET_KIND.blocks) continue
      events.push(cpu[row], cpu[row], retirePs[row], EVENT.packetRetire, row, 0, 0)
    }
  }
}
