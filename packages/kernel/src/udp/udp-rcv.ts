import { defineSystem } from '@softnet/ecs'
import { FAULT_UDP_LENGTH_LONG, FAULT_UDP_LENGTH_SHORT } from '@softnet/wire'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { icmpSend } from '../icmp/icmp-send.js'
import type { Stage } from '../netif/stage.js'
import { NUMBERS } from '../numbers.js'
import { SKB, Skb } from '../skb/components.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { checksumVerifiedAtEnqueue } from './checksum-rule.js'
import { udpLookup } from './lookup.js'
import { UDP_OUTPUT_ROWS, udpMcastDeliver } from './mcast-deliver.js'

const UDP_HEADER_BYTES = 8
const LENGTH_BAD = FAULT_UDP_LENGTH_LONG | FAULT_UDP_LENGTH_SHORT
const SEGMENTED = SKB.gso | SKB.fragList
const CHECKSUM_MASK = SKB.csumBad | SKB.csumUnnecessary | SKB.csumZero

/**
 * Checks datagrams and finds their sockets: each survivor has its socket in `Skb.sock`. A broadcast or group datagram
 * survives once per socket, so more can survive than came in; what has no room in `ids` counts as a failed clone.
 * Kernel: net/ipv4/udp.c, __udp4_lib_rcv
 */
export const udpRcv = defineSystem<Stage>('udp_rcv', 'udp', 'net/ipv4/udp.c, __udp4_lib_rcv', (context) => {
  const { DROP, FAULT_L4_SHORT, ICMP_CODE, ICMP_TYPE, SKB, SNMP, STAGE } = NUMBERS

  const { len, payload, sock, truesize } = context.write(Skb)
  const { faults, flags, fragNextRun, fragRunBytes, udpLen } = context.read(Skb)
  const lookup = context.system(udpLookup)
  const multicast = context.system(udpMcastDeliver)
  const icmp = context.system(icmpSend)
  const spend = context.system(charge)
  const count = context.system(counters)
  const kfree = context.system(kfreeSkb)
  const routeFlags = SKB.routeBroadcast | SKB.routeMulticast

  function checksumIsBad(row: number): boolean {
    return (flags[row] & CHECKSUM_MASK) === SKB.csumBad
  }

  function inError(cpu: number, drop: number): number {
    count.snmp(cpu, SNMP.UdpInErrors, 1)
    return drop
  }

  function checksumError(cpu: number): number {
    count.snmp(cpu, SNMP.UdpInCsumErrors, 1)
    return inError(cpu, DROP.udpCsum)
  }

  /** Drop place of a datagram with a fault, or −1; trims it to its length field. */
  function validate(cpu: number, row: number): number {
    const bytes = len[row]
    const fault = faults[row]
    if ((fault & FAULT_L4_SHORT) !== 0 || bytes < UDP_HEADER_BYTES) return inError(cpu, DROP.udpShort)
    // The length field of merged datagrams is 16 bits wide and GRO has checked each.
    const datagram = (flags[row] & SEGMENTED) !== 0 ? bytes : udpLen[row]
    if ((fault & LENGTH_BAD) !== 0 || datagram > bytes || datagram < UDP_HEADER_BYTES) {
      return inError(cpu, DROP.udpTooSmall)
    }
    if (datagram < bytes) {
      len[row] = datagram
      payload[row] = datagram - UDP_HEADER_BYTES
      // skb_condense: what is left moves into the head, and the other fragments are given back.
      if ((flags[row] & SKB.reassembled) !== 0 && datagram <= fragNextRun[row]) truesize[row] = fragRunBytes[row]
    }
    const isSeenNow = (flags[row] & SKB.csumCompleteBad) !== 0 || checksumVerifiedAtEnqueue(datagram - UDP_HEADER_BYTES)
    if (checksumIsBad(row) && isSeenNow) return checksumError(cpu)
    return -1
  }

  /** Kernel: net/ipv4/udp.c, __udp4_lib_rcv, label no_sk */
  function noSocket(cpu: number, row: number): void {
    if (checksumIsBad(row)) {
      kfree(cpu, row, checksumError(cpu))
      return
    }
    count.snmp(cpu, SNMP.UdpNoPorts, 1)
    spend(cpu, STAGE.no_socket, 1)
    icmp(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.portUnreach, 0)
    kfree(cpu, row, DROP.noSocket)
  }

  return (ids, packets, cpu) => {
    spend(cpu, STAGE.udp_rcv, packets)
    let room = Math.min(ids.length, UDP_OUTPUT_ROWS) - packets
    multicast.begin()
    lookup.prefetch(cpu, ids, packets)
    for (let i = 0; i < packets; i++) {
      const row = ids[i]
      const drop = validate(cpu, row)
      if (drop >= 0) {
        kfree(cpu, row, drop)
        continue
      }
      if (sock[row] === 0) {
        if ((flags[row] & routeFlags) !== 0) {
          room -= multicast.deliver(cpu, row, room)
          continue
        }
        const found = lookup.find(cpu, row)
        if (found === 0) {
          noSocket(cpu, row)
          continue
        }
        sock[row] = found
      }
      multicast.pass(row)
    }
    return multicast.end(ids)
  }
})
