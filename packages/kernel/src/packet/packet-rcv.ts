import { defineSystem, mix32 } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { bpfRun } from '../sock/bpf-run.js'
import { Sock } from '../sock/components.js'
import { hasFilters, SockFilter } from '../sock/sk-filter-components.js'
import { sockQueueRcv } from '../sock/sock-queue-rcv.js'
import { ETH_P_ALL, FANOUT, PACKET_KIND, PacketFanout, PacketHooks, PacketMember, PacketSock } from './components.js'
import { ethHeader } from './eth-header.js'
import { ROOM, tpacketRcv } from './tpacket-rcv.js'

/** Taps of packet sockets. */
export interface PacketTaps {
  /** A received packet at ETH_P_ALL: how many hooks it was shown to. Kernel: net/core/dev.c, __netif_receive_skb_core (ptype_all) */
  receive(cpu: number, row: number): number
  /** The same where the protocol takes it; `orig` is the device it came in by. Kernel: deliver_ptype_list_skb */
  specific(cpu: number, row: number, orig: number): number
  /** A packet that goes to the driver. Kernel: net/core/dev.c, dev_queue_xmit_nit */
  transmit(cpu: number, row: number): void
  /** The reader has taken something: a socket that was short of room may be chosen again. Kernel: packet_rcv_try_clear_pressure */
  relieve(sock: number): void
}

/** The whole packet. */
const ALL_BYTES = 0xffffffff

/** Packets for packet sockets. Kernel: net/packet/af_packet.c, packet_rcv, packet_rcv_fanout */
export const packetTaps = defineSystem<PacketTaps>(
  'packet_rcv',
  'packet',
  'net/packet/af_packet.c, packet_rcv',
  (context) => {
    const { PACKET_TYPE, STAGE } = NUMBERS

    const { head } = context.read(PacketHooks)
    const s = context.write(PacketSock)
    const { kind, protocol: hookProtocol, dev: hookDev, dgram, snapBytes, ignoreOutgoing, next, group, pressure } = s
    const { packets, lost } = s
    const fanout = context.write(PacketFanout)
    const { sock: member } = context.read(PacketMember)
    const { rcvbuf } = context.read(Sock)
    const { rmemAlloc, drops } = context.write(Sock)
    const skb = context.write(Skb)
    const { dev, len, payload, protocol, packetType, truesize, saddr, daddr, ports, queue, tstampPs } = skb
    const { net, number, clockPs } = context.read(Cpu)
    const { plan } = context.resource(PLAN_CONSTANTS)
    const spend = context.system(charge)
    const alloc = context.system(allocSkb)
    const queues = context.system(sockQueueRcv)
    const rings = context.system(tpacketRcv)
    const link = context.system(ethHeader)
    const filters = hasFilters(plan) ? context.read(SockFilter).first : null
    const run = filters === null ? null : context.system(bpfRun)

    /** Cuts what is behind the bytes that are kept. */
    function trim(row: number, left: number): void {
      if (left >= len[row]) return
      payload[row] = Math.max(0, payload[row] - (len[row] - left))
      len[row] = left
    }

    /** True if the socket has got a clone. Kernel: net/packet/af_packet.c, packet_rcv */
    function toQueue(cpu: number, row: number, sock: number, linkBytes: number, snap: number): boolean {
      const clone = rmemAlloc[sock] < rcvbuf[sock] ? alloc.clone(cpu, row) : 0
      if (clone === 0) {
        lost[sock]++
        drops[sock]++
        return false
      }
      trim(clone, Math.max(0, snap - linkBytes))
      packets[sock]++
      spend(cpu, STAGE.tap, 1)
      queues.append(cpu, clone, sock)
      return true
    }

    /** True if the socket has got a clone. */
    function deliver(cpu: number, row: number, sock: number): boolean {
      const linkBytes = dgram[sock] !== 0 ? 0 : link.length(dev[row])
      const length = len[row] + linkBytes
      const first = filters === null ? 0 : filters[sock]
      const passed = run === null || first === 0 ? ALL_BYTES : run(cpu, row, first, -linkBytes, length)
      if (passed === 0) return false
      const snap = Math.min(length, passed, snapBytes[sock])
      if (kind[sock] === PACKET_KIND.queue) return toQueue(cpu, row, sock, linkBytes, snap)
      rings.receive(cpu, sock, linkBytes, snap)
      return false
    }

    /** Both directions of a flow are one. Kernel: net/core/flow_dissector.c, __skb_get_hash_symmetric_net */
    function symmetricHash(row: number): number {
      const low = Math.min(saddr[row], daddr[row])
      const high = Math.max(saddr[row], daddr[row])
      const from = ports[row] >>> 16
      const to = ports[row] & 0xffff
      return mix32(mix32(low ^ plan.seed, high), from < to ? (from << 16) | to : (to << 16) | from)
    }

    /** Kernel: net/packet/af_packet.c, packet_rcv_has_room */
    function hasRoom(sock: number, size: number): boolean {
      const isNormal = rings.room(sock, size) === ROOM.normal
      pressure[sock] = isNormal ? 0 : 1
      return isNormal
    }

    /** Kernel: net/packet/af_packet.c, fanout_demux_rollover */
    function rollover(row: number, g: number): number {
      const first = fanout.first[g]
      const count = fanout.count[g]
      const start = Math.min(fanout.turn[g], count - 1)
      for (let i = 0; i < count; i++) {
        const at = (start + i) % count
        const sock = member[first + at]
        if (pressure[sock] !== 0 || !hasRoom(sock, truesize[row])) continue
        fanout.turn[g] = at
        return sock
      }
      return member[first]
    }

    /** Kernel: net/packet/af_packet.c, packet_rcv_fanout */
    function choose(cpu: number, row: number, g: number): number {
      const count = fanout.count[g]
      switch (fanout.mode[g]) {
        case FANOUT.lb:
          fanout.turn[g] = (fanout.turn[g] + 1) >>> 0
          return member[fanout.first[g] + (fanout.turn[g] % count)]
        case FANOUT.cpu:
          return member[fanout.first[g] + (number[cpu] % count)]
        case FANOUT.qm:
          return member[fanout.first[g] + (queue[row] % count)]
        case FANOUT.rollover:
          return rollover(row, g)
        default:
          return member[fanout.first[g] + Math.floor((symmetricHash(row) * count) / 4294967296)]
      }
    }

    function show(cpu: number, row: number, sock: number): boolean {
      const chosen = group[sock] === 0 ? sock : choose(cpu, row, group[sock])
      return kind[chosen] !== 0 && deliver(cpu, row, chosen)
    }

    /** Hooks of one device, or with 0 of any; how many. */
    function hooksOf(cpu: number, row: number, device: number, isOutgoing: boolean, before: number): number {
      let shown = before
      for (let sock = head[1 + net[cpu]]; sock !== 0; sock = next[sock]) {
        if (hookProtocol[sock] !== ETH_P_ALL || hookDev[sock] !== device) continue
        if (isOutgoing && ignoreOutgoing[sock] !== 0) continue
        const isKept = show(cpu, row, sock)
        // What is sent is cloned once, whoever wants it; a socket that keeps the clone has paid for it.
        if (isOutgoing && shown === 0 && !isKept) spend(cpu, STAGE.skb_clone, 1)
        shown++
      }
      return shown
    }

    /** Hooks without a device come before those of the device. */
    function all(cpu: number, row: number, isOutgoing: boolean): number {
      const shown = hooksOf(cpu, row, 0, isOutgoing, 0)
      return hooksOf(cpu, row, dev[row], isOutgoing, shown)
    }

    return {
      receive: (cpu, row) => all(cpu, row, false),
      specific(cpu, row, orig) {
        let shown = 0
        for (let sock = head[1 + net[cpu]]; sock !== 0; sock = next[sock]) {
          if (hookProtocol[sock] !== protocol[row]) continue
          if (hookDev[sock] !== 0 && hookDev[sock] !== orig && hookDev[sock] !== dev[row]) continue
          shown++
          show(cpu, row, sock)
        }
        return shown
      },
      transmit(cpu, row) {
        if (head[1 + net[cpu]] === 0) return
        const type = packetType[row]
        const stamp = tstampPs[row]
        packetType[row] = PACKET_TYPE.outgoing
        tstampPs[row] = clockPs[cpu]
        all(cpu, row, true)
        packetType[row] = type
        tstampPs[row] = stamp
      },
      relieve(sock) {
        if (pressure[sock] !== 0 && rings.room(sock, 0) === ROOM.normal) pressure[sock] = 0
      },
    }
  },
)
