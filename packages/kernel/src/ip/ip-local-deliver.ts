import { defineSystem } from '@softnet/ecs'
import { IP_MF, IP_OFFSET } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { PacketCount } from '../count/components.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ipDefrag } from '../defrag/ip-defrag.js'
import { icmpRcv } from '../icmp/icmp-rcv.js'
import { icmpSend } from '../icmp/icmp-send.js'
import { igmpRcv } from '../igmp/igmp-rcv.js'
import type { Stage } from '../netif/stage.js'
import { NUMBERS } from '../numbers.js'
import { usesRaw } from '../raw/components.js'
import { rawInput } from '../raw/raw-v4-input.js'
import { Skb } from '../skb/components.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { tcpRcv } from '../tcp/tcp-rcv.js'

const FRAGMENT = IP_MF | IP_OFFSET
const PROTOCOLS = 256
const IPPROTO_PIM = 103

/** Puts fragments together, for what looks at packets before they are delivered. Kernel: net/ipv4/ip_input.c, ip_local_deliver */
export const ipLocalDefrag = defineSystem<Stage>(
  'ip_local_defrag',
  'ip',
  'net/ipv4/ip_input.c, ip_local_deliver',
  (context) => {
    const { idFrag } = context.read(Skb)
    const defrag = context.system(ipDefrag)
    return (ids, packets, cpu) => {
      let kept = 0
      for (let i = 0; i < packets; i++) {
        const row = (idFrag[ids[i]] & FRAGMENT) === 0 ? ids[i] : defrag(cpu, ids[i])
        if (row !== 0) ids[kept++] = row
      }
      return kept
    }
  },
)

/**
 * Puts fragments together and delivers packets to raw sockets and protocols; UDP datagrams survive for the next stage, everything else ends here.
 * Behind it `Skb.len` counts from the L4 header.
 * Kernel: net/ipv4/ip_input.c, ip_local_deliver, ip_protocol_deliver_rcu
 */
export const ipLocalDeliver = defineSystem<Stage>(
  'ip_local_deliver',
  'ip',
  'net/ipv4/ip_input.c, ip_local_deliver',
  (context) => {
    const { DROP, ICMP_CODE, ICMP_TYPE, IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_UDP, SKB, SNMP, STAGE } =
      NUMBERS

    const { flags, len } = context.write(Skb)
    const { frames, idFrag, ipWord } = context.read(Skb)
    const { net } = context.read(Cpu)
    const { created } = context.write(PacketCount)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const defrag = context.system(ipDefrag)
    const tcp = context.system(tcpRcv)
    const icmp = context.system(icmpRcv)
    const igmp = context.system(igmpRcv)
    const send = context.system(icmpSend)
    const { nets, plan } = context.resource(PLAN_CONSTANTS)
    const raws = usesRaw(plan) ? context.system(rawInput) : null
    const rawSockets = new Uint16Array(nets.length * PROTOCOLS)
    nets.forEach((each, at) => {
      for (const protocol of each.rawProtocols) rawSockets[at * PROTOCOLS + protocol]++
    })

    /** A clone to each raw socket of the protocol. Of those in `raw-protocols` nobody reads: their clones end at once. */
    function rawLocalDeliver(cpu: number, row: number, protocol: number): number {
      const read = raws === null ? 0 : raws.deliver(cpu, row, protocol)
      const sockets = rawSockets[net[cpu] * PROTOCOLS + protocol]
      if (sockets === 0) return read
      spend(cpu, STAGE.raw_deliver, sockets)
      created[cpu] += frames[row] * sockets
      count.consume(cpu, frames[row] * sockets)
      return sockets + read
    }

    function protocolUnknown(cpu: number, row: number, raw: number): void {
      if (raw !== 0) {
        count.snmp(cpu, SNMP.IpInDelivers, 1)
        consume(cpu, row)
        return
      }
      count.snmp(cpu, SNMP.IpInUnknownProtos, 1)
      send(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.protUnreach, 0)
      kfree(cpu, row, DROP.noProto)
    }

    return (ids, packets, cpu) => {
      spend(cpu, STAGE.ip_local_deliver, packets)
      let kept = 0
      for (let i = 0; i < packets; i++) {
        let row = ids[i]
        if ((idFrag[row] & FRAGMENT) !== 0) {
          row = defrag(cpu, row)
          if (row === 0) continue
        }
        const word = ipWord[row]
        const protocol = word & 255
        const raw = rawLocalDeliver(cpu, row, protocol)
        len[row] -= ((word >>> 24) & 15) * 4
        flags[row] |= SKB.pulled
        if (protocol === IPPROTO_UDP) {
          ids[kept++] = row
        } else if (protocol === IPPROTO_TCP) {
          count.snmp(cpu, SNMP.IpInDelivers, 1)
          tcp(cpu, row)
        } else if (protocol === IPPROTO_ICMP) {
          count.snmp(cpu, SNMP.IpInDelivers, 1)
          icmp(cpu, row)
        } else if (protocol === IPPROTO_IGMP) {
          count.snmp(cpu, SNMP.IpInDelivers, 1)
          igmp(cpu, row)
        } else if (protocol === IPPROTO_PIM) {
          // A handler is there, and takes nothing without a router for groups.
          count.snmp(cpu, SNMP.IpInDelivers, 1)
          kfree(cpu, row, DROP.pim)
        } else protocolUnknown(cpu, row, raw)
      }
      if (kept > 0) count.snmp(cpu, SNMP.IpInDelivers, kept)
      return kept
    }
  },
)
