import { defineSystem, eventList } from '@softnet/ecs'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Sock } from '../sock/components.js'
import { dataReady } from '../sock/data-ready.js'
import { PACKET_KIND, PacketSlot, PacketSock } from './components.js'
import { BLOCK_HEADER_BYTES } from './fill-packet.js'

/** How much room a socket has. Kernel: net/packet/af_packet.c, ROOM_* */
export const ROOM = { none: 0, low: 1, normal: 2 } as const

/** Rings of packet sockets. */
export interface TpacketRcv {
  /**
   * Copies a packet into the ring of a socket, or counts it as lost. `linkBytes` of link header are in front of it, `snapBytes`
   * are to be kept. Kernel: net/packet/af_packet.c, tpacket_rcv
   */
  receive(cpu: number, sock: number, linkBytes: number, snapBytes: number): void
  /** Value of `ROOM` for a packet of `size` truesize (0: any). Kernel: __packet_rcv_has_room */
  room(sock: number, size: number): number
  /** The reader has done with its slot or block. */
  release(sock: number): void
  /** The timer of a ring of blocks. Kernel: prb_retire_rx_blk_timer_expired */
  retire(cpu: number, sock: number): void
}

/** TPACKET_ALIGN(hdrlen), and where the network header goes at least. Kernel: include/uapi/linux/if_packet.h, TPACKET2_HDRLEN, TPACKET3_HDRLEN */
const HEADER_BYTES = { slots: 52, blocks: 68 } as const
const LINK_ROOM_BYTES = 16
/** Room that is more than low: a quarter. Kernel: net/packet/internal.h, ROLLOVER */
const ROOM_SHIFT = 2
/** A slot of version 2 costs as much as so many of a block: its reader is told of each packet. Measured: 411 / 285. */
const SLOT_PRICE = 1.44

function align(bytes: number, to: number): number {
  return Math.ceil(bytes / to) * to
}

/** Rings of slots (TPACKET_V2) and of blocks (TPACKET_V3). Kernel: net/packet/af_packet.c, tpacket_rcv */
export const tpacketRcv = defineSystem<TpacketRcv>(
  'tpacket_rcv',
  'packet',
  'net/packet/af_packet.c, tpacket_rcv',
  (context) => {
    const { EVENT, STAGE } = NUMBERS

    const p = context.write(PacketSock)
    const { kind, firstSlot, slots, slotBytes, head, reader, offset, frozen, packets, lost, freezes, retirePs, dgram } =
      p
    const slot = context.write(PacketSlot)
    const { user } = slot
    const { rcvbuf, rmemAlloc } = context.read(Sock)
    const { clockPs, limitPs } = context.write(Cpu)
    context.read(Skb)
    const spend = context.system(charge)
    const ready = context.system(dataReady)
    const events = context.system(eventList)

    const at = (sock: number, index: number) => firstSlot[sock] + (index >= slots[sock] ? index - slots[sock] : index)

    /** Where the bytes of a packet begin behind the start of its slot. */
    function macOffset(sock: number, linkBytes: number): number {
      const header = kind[sock] === PACKET_KIND.slots ? HEADER_BYTES.slots : HEADER_BYTES.blocks
      if (dgram[sock] !== 0) return align(header, 16) + LINK_ROOM_BYTES
      return align(header + Math.max(linkBytes, LINK_ROOM_BYTES), 16) - linkBytes
    }

    function intoSlot(cpu: number, sock: number, bytes: number): void {
      const row = at(sock, head[sock])
      user[row] = 1
      slot.packets[row] = 1
      slot.bytes[row] = bytes
      head[sock] = head[sock] + 1 === slots[sock] ? 0 : head[sock] + 1
      packets[sock]++
      spend(cpu, STAGE.tpacket_rcv, SLOT_PRICE)
      spend(cpu, STAGE.tpacket_copy, bytes)
      ready(cpu, sock, true)
    }

    /** Kernel: net/packet/af_packet.c, prb_open_block */
    function open(sock: number): void {
      const row = at(sock, head[sock])
      slot.packets[row] = 0
      slot.bytes[row] = 0
      offset[sock] = BLOCK_HEADER_BYTES
      frozen[sock] = 0
    }

    /** Kernel: net/packet/af_packet.c, prb_retire_current_block */
    function close(cpu: number, sock: number): void {
      const row = at(sock, head[sock])
      if (user[row] !== 0) return
      user[row] = 1
      head[sock] = head[sock] + 1 === slots[sock] ? 0 : head[sock] + 1
      ready(cpu, sock, true)
    }

    /** Opens the next block, or stands still while the reader has it. Kernel: net/packet/af_packet.c, prb_dispatch_next_block */
    function dispatch(sock: number): boolean {
      if (user[at(sock, head[sock])] !== 0) {
        frozen[sock] = 1
        freezes[sock]++
        return false
      }
      open(sock)
      return true
    }

    /** Kernel: net/packet/af_packet.c, __packet_lookup_frame_in_block */
    function intoBlock(cpu: number, sock: number, size: number, bytes: number): boolean {
      if (frozen[sock] !== 0) open(sock)
      if (offset[sock] + size >= slotBytes[sock]) {
        close(cpu, sock)
        if (!dispatch(sock)) return false
      }
      const row = at(sock, head[sock])
      offset[sock] += size
      slot.packets[row]++
      slot.bytes[row] += bytes
      packets[sock]++
      spend(cpu, STAGE.tpacket_rcv, 1)
      spend(cpu, STAGE.tpacket_copy, bytes)
      return true
    }

    function roomAt(sock: number, shift: number): boolean {
      const ahead = shift === 0 ? 0 : slots[sock] >>> shift
      return user[at(sock, head[sock] + ahead)] === 0
    }

    return {
      room(sock, size) {
        if (kind[sock] === PACKET_KIND.queue) {
          const left = rcvbuf[sock] - rmemAlloc[sock] - size
          return left > rcvbuf[sock] >>> ROOM_SHIFT ? ROOM.normal : left > 0 ? ROOM.low : ROOM.none
        }
        return roomAt(sock, ROOM_SHIFT) ? ROOM.normal : roomAt(sock, 0) ? ROOM.low : ROOM.none
      },
      receive(cpu, sock, linkBytes, snapBytes) {
        // A ring that is full is left at once, and its reader is not woken.
        if (!roomAt(sock, 0)) {
          lost[sock]++
          return
        }
        const mac = macOffset(sock, linkBytes)
        if (kind[sock] === PACKET_KIND.slots) {
          intoSlot(cpu, sock, Math.max(0, Math.min(snapBytes, slotBytes[sock] - mac)))
          return
        }
        const bytes = Math.max(0, Math.min(snapBytes, slotBytes[sock] - BLOCK_HEADER_BYTES - mac))
        if (intoBlock(cpu, sock, align(mac + bytes, 8), bytes)) return
        lost[sock]++
        ready(cpu, sock, true)
      },
      release(sock) {
        user[at(sock, reader[sock])] = 0
        reader[sock] = reader[sock] + 1 === slots[sock] ? 0 : reader[sock] + 1
      },
      retire(cpu, sock) {
        if (kind[sock] === 0) return
        const row = at(sock, head[sock])
        if (frozen[sock] !== 0) {
          if (user[row] === 0) open(sock)
        } else if (slot.packets[row] > 0) {
          close(cpu, sock)
          dispatch(sock)
        }
        events.due[0] = clockPs[cpu] + retirePs[sock]
        events.pushAt(cpu, cpu, EVENT.packetRetire, sock, 0, 0)
        if (events.due[0] < limitPs[cpu]) limitPs[cpu] = events.due[0]
      },
    }
  },
)
