import { defineSystem } from '@softnet/ecs'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb, skbPool } from '../skb/skb-pool.js'
import { sockDrops } from '../sock/udp-queue-rcv.js'
import { udpLookup } from './lookup.js'

/** Most survivors of one batch. */
export const UDP_OUTPUT_ROWS = 1024

/** Gathers the survivors of one batch of datagrams, of which a broadcast can make several. */
export interface UdpMcastDeliver {
  /** Starts a batch. */
  begin(): void
  /** Lets a datagram survive as it is. */
  pass(row: number): void
  /** Delivers a datagram to every socket that takes it, with at most `room` clones; returns how many were made. */
  deliver(cpu: number, row: number, room: number): number
  /** Writes the survivors to the front of `ids` and returns how many there are. */
  end(ids: Int32Array): number
}

/**
 * Broadcasts and groups go to every matching socket: clones to all but the first one, which gets the datagram itself,
 * last. Kernel: net/ipv4/udp.c, __udp4_lib_mcast_deliver
 */
export const udpMcastDeliver = defineSystem<UdpMcastDeliver>(
  'udp_mcast_deliver',
  'udp',
  'net/ipv4/udp.c, __udp4_lib_mcast_deliver',
  (context) => {
    const { DROP, SNMP, STAGE } = NUMBERS

    const { sock } = context.write(Skb)
    const { daddr, frames } = context.read(Skb)
    const { packetPool } = context.read(Cpu)
    const { created } = context.write(PacketCount)
    const lookup = context.system(udpLookup)
    const pool = context.system(skbPool)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const dropped = context.system(sockDrops)
    const output = new Int32Array(UDP_OUTPUT_ROWS)
    let outputs = 0

    function cloneTo(cpu: number, row: number, socket: number, room: number): number {
      const clone = room > 0 ? pool.take(packetPool[cpu]) : 0
      if (clone === 0) {
        dropped(cpu, socket)
        count.snmp(cpu, SNMP.UdpRcvbufErrors, 1)
        count.snmp(cpu, SNMP.UdpInErrors, 1)
        return 0
      }
      pool.copy(clone, row)
      created[cpu] += frames[row]
      spend(cpu, STAGE.udp_rcv, 1)
      sock[clone] = socket
      output[outputs++] = clone
      return 1
    }

    return {
      begin() {
        outputs = 0
      },
      pass(row) {
        output[outputs++] = row
      },
      deliver(cpu, row, room) {
        let first = 0
        let made = 0
        const local = daddr[row] | 0
        for (let list = 0; list < 2; list++) {
          let socket = lookup.first(cpu, row, list === 0 ? local : 0)
          for (; socket !== 0; socket = lookup.next(socket)) {
            if (!lookup.takesMulticast(socket, row)) continue
            if (first === 0) first = socket
            else made += cloneTo(cpu, row, socket, room - made)
          }
        }
        if (first === 0) {
          count.snmp(cpu, SNMP.UdpIgnoredMulti, 1)
          kfree(cpu, row, DROP.udpIgnoredMulti)
          return 0
        }
        sock[row] = first
        output[outputs++] = row
        return made
      },
      end(ids) {
        for (let i = 0; i < outputs; i++) ids[i] = output[i]
        return outputs
      },
    }
  },
)
