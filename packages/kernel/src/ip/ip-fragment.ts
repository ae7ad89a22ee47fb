import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { ICMP_SEND } from '../icmp/icmp-send.js'
import { NUMBERS } from '../numbers.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { ColumnGroups } from '../skb/column-groups.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { IP_FINISH_OUTPUT2 } from './finish-output-resource.js'
import { ipOptions } from './ip-options.js'

/** Sends a packet in pieces of at most `mtu` bytes; 0 or a negative errno. */
export type IpFragment = (cpu: number, row: number, mtu: number) => number

/** Cutting of packets that are longer than their way is wide. Kernel: net/ipv4/ip_output.c, ip_fragment, ip_do_fragment */
export const ipFragment = defineSystem<IpFragment>(
  'ip_fragment',
  'ip',
  'net/ipv4/ip_output.c, ip_do_fragment',
  (context) => {
    const { DROP, ERRNO, ICMP_CODE, ICMP_TYPE, IP_DF, IP_MF, IP_OFFSET, SKB, SNMP } = NUMBERS

    const s = context.write(Skb)
    const {
      len,
      idFrag,
      ipWord,
      totLen,
      flags,
      fragMax,
      page,
      payload,
      serial,
      frames,
      users,
      next,
      fragHead,
      fragTail,
      truesize,
      sock,
    } = s
    const { packetPool: _pool } = context.read(Cpu)
    const count = context.system(counters)
    const alloc = context.system(allocSkb)
    const bytes = context.system(skbBytes)
    const pages = context.system(packetPages)
    const options = context.system(ipOptions)
    const wfree = context.system(sockWfree)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const send = context.resource(ICMP_SEND)
    const trace = context.resource(TRACE_SINK)
    const { clockPs } = context.read(Cpu)
    const output = context.resource(IP_FINISH_OUTPUT2)
    const kept = new Set<unknown>([
      len,
      totLen,
      page,
      serial,
      frames,
      users,
      next,
      fragHead,
      fragTail,
      truesize,
      payload,
      idFrag,
    ])
    const copied = new ColumnGroups(Object.values(s).filter((column) => !kept.has(column)))

    /** One piece of the packet with `dataBytes` from position `offset` of its data on; 0 without memory. Kernel: ip_frag_next */
    function piece(
      cpu: number,
      row: number,
      header: number,
      offset: number,
      dataBytes: number,
      isLast: boolean,
      owner: number,
    ): number {
      const part = alloc.make(cpu, header + dataBytes, page[row] !== 0)
      if (part === 0) return 0
      copied.copy(part, row)
      if (trace.on) trace.fragment(cpu, clockPs[cpu], row, part)
      const first = idFrag[row] & IP_OFFSET
      const more = !isLast || (idFrag[row] & IP_MF) !== 0 ? IP_MF : 0
      // Pieces of what came in pieces with DF have it again (IPSKB_FRAG_PMTU).
      const df = (flags[row] & SKB.reassembled) !== 0 ? idFrag[row] & IP_DF : 0
      idFrag[part] = ((idFrag[row] & ~0xffff) | df | more | (first + offset / 8)) >>> 0
      totLen[part] = len[part]
      payload[part] = dataBytes
      if (owner !== 0) wfree.own(part, owner)
      if (page[part] === 0) return part
      const base = pages.first(page[part])
      bytes.copyFrom(row, 0, pages.view, base, header)
      bytes.copyFrom(row, header + offset, pages.view, base + header, dataBytes)
      if (offset > 0 && header > 20) options.fragment(part)
      bytes.sendCheck(part)
      return part
    }

    function cut(cpu: number, row: number, mtu: number): number {
      const header = ((ipWord[row] >>> 24) & 15) * 4
      const room = (mtu - header) & ~7
      const total = len[row] - header
      const owner = (flags[row] & SKB.charged) !== 0 ? sock[row] : 0
      if (owner !== 0) wfree.disown(row)
      for (let offset = 0; offset < total; offset += room) {
        const isLast = total - offset <= mtu - header
        const size = isLast ? total - offset : room
        const part = piece(cpu, row, header, offset, size, isLast, owner)
        const failed = part === 0 ? -ERRNO.ENOMEM : output.run(cpu, part)
        if (failed < 0) {
          count.snmp(cpu, SNMP.IpFragFails, 1)
          kfree(cpu, row, DROP.fragmentFailed)
          return failed
        }
        count.snmp(cpu, SNMP.IpFragCreates, 1)
        if (isLast) break
      }
      count.snmp(cpu, SNMP.IpFragOKs, 1)
      consume(cpu, row)
      return 0
    }

    return (cpu, row, mtu) => {
      const largest = (flags[row] & SKB.reassembled) !== 0 ? fragMax[row] : 0
      const isFree = (idFrag[row] & IP_DF) === 0 || ((flags[row] & SKB.ignoreDf) !== 0 && largest <= mtu)
      if (isFree) return cut(cpu, row, largest === 0 ? mtu : Math.min(mtu, largest))
      count.snmp(cpu, SNMP.IpFragFails, 1)
      send(cpu, row, ICMP_TYPE.destUnreach, ICMP_CODE.fragNeeded, mtu)
      kfree(cpu, row, DROP.fragmentTooBig)
      return -ERRNO.EMSGSIZE
    }
  },
)
