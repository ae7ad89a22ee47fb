import { defineSystem } from '@softnet/ecs'
import { checksumPartial, IP_DF, IPPROTO_IGMP } from '@softnet/wire'
import { Cpu } from '../cpu/components.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { Flow } from '../route/flow.js'
import { ifAddrs } from '../route/ifaddr.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { SKB, Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'

/** Types of messages. Kernel: include/uapi/linux/igmp.h */
export const IGMP = { query: 0x11, v1Report: 0x12, v2Report: 0x16, leave: 0x17, v3Report: 0x22 } as const

/** Kinds of records of version 3. Kernel: include/uapi/linux/igmp.h, IGMPV3_* */
export const IGMP_RECORD = { isExclude: 2, changeToExclude: 4 } as const

/** Messages of a host. */
export interface IgmpSend {
  /** Begins a report of version 3 on a device. */
  begin(): void
  /** Adds a group without sources; sends what there is when the device takes no more. */
  record(cpu: number, dev: number, kind: number, group: number): void
  /** Sends what was added. Kernel: net/ipv4/igmp.c, igmpv3_sendpack */
  end(cpu: number, dev: number): void
  /** A report of version 1 or 2. Kernel: net/ipv4/igmp.c, igmp_send_report */
  report(cpu: number, dev: number, type: number, group: number): void
}

const IP_HEADER_BYTES = 24
const IGMP_BYTES = 8
const RECORD_BYTES = 8
const ROUTER_ALERT = 0x94040000
const TOS = 0xc0
/** 224.0.0.22. */
const ALL_V3_ROUTERS = 0xe0000016 | 0
const MOST_RECORDS = 1024

/** Makes and sends IGMP messages. Kernel: net/ipv4/igmp.c, igmpv3_newpack, igmp_send_report */
export const igmpSend = defineSystem<IgmpSend>('igmp_send', 'igmp', 'net/ipv4/igmp.c, igmpv3_newpack', (context) => {
  const { saddr, daddr, ipWord, idFrag, totLen, flags, page } = context.write(Skb)
  const result = context.read(RouteResult)
  const { net } = context.read(Cpu)
  const alloc = context.system(allocSkb)
  const pages = context.system(packetPages)
  const route = context.system(ipRouteOutput)
  const flow = new Flow()
  const addresses = context.system(ifAddrs)
  const setDst = context.system(skbDstSet)
  const out = context.system(ipLocalOut)
  const kinds = new Uint8Array(MOST_RECORDS)
  const groups = new Uint32Array(MOST_RECORDS)
  let records = 0

  /** Source of a message: an address of the device, or none. Kernel: net/ipv4/igmp.c, igmpv3_get_srcaddr */
  function source(cpu: number, dev: number): number {
    const row = addresses.find(net[cpu], result.saddr[cpu])
    return row !== 0 && addresses.deviceOf(row) === dev ? result.saddr[cpu] : 0
  }

  /** A packet with room for `bytes` of IGMP; 0 without route or memory. */
  function make(cpu: number, dev: number, dest: number, bytes: number): number {
    if (route.find(cpu, dest, 0, 0, dev, flow.set(0, 0, IPPROTO_IGMP, 0, 0)) < 0) return 0
    const row = alloc.make(cpu, IP_HEADER_BYTES + bytes, true)
    if (row === 0) return 0
    setDst(cpu, row)
    saddr[row] = source(cpu, dev)
    daddr[row] = dest
    ipWord[row] = (IPPROTO_IGMP | (TOS << 8) | (1 << 16) | ((IP_HEADER_BYTES / 4) << 24) | (4 << 28)) >>> 0
    idFrag[row] = IP_DF
    totLen[row] = IP_HEADER_BYTES + bytes
    flags[row] = SKB.noEthernet
    pages.view.setUint32(pages.first(page[row]) + 20, ROUTER_ALERT)
    return row
  }

  function finish(cpu: number, row: number, bytes: number): void {
    const at = pages.first(page[row]) + IP_HEADER_BYTES
    pages.view.setUint16(at + 2, 0)
    pages.view.setUint16(at + 2, ~checksumPartial(pages.view, at, bytes, 0) & 0xffff)
    out(cpu, row)
  }

  function send(cpu: number, dev: number): void {
    if (records === 0) return
    const bytes = IGMP_BYTES + records * RECORD_BYTES
    const row = make(cpu, dev, ALL_V3_ROUTERS, bytes)
    if (row !== 0) {
      const { view } = pages
      const at = pages.first(page[row]) + IP_HEADER_BYTES
      view.setUint32(at, IGMP.v3Report << 24)
      view.setUint32(at + 4, records)
      for (let i = 0; i < records; i++) {
        view.setUint32(at + IGMP_BYTES + i * RECORD_BYTES, kinds[i] << 24)
        view.setUint32(at + IGMP_BYTES + i * RECORD_BYTES + 4, groups[i])
      }
      finish(cpu, row, bytes)
    }
    records = 0
  }

  return {
    begin() {
      records = 0
    },
    record(cpu, dev, kind, group) {
      const room = route.find(cpu, ALL_V3_ROUTERS, 0, 0, dev) < 0 ? 0 : result.mtu[cpu]
      const most = Math.floor((room - IP_HEADER_BYTES - IGMP_BYTES) / RECORD_BYTES)
      if (records >= Math.min(MOST_RECORDS, Math.max(1, most))) send(cpu, dev)
      kinds[records] = kind
      groups[records++] = group
    },
    end: send,
    report(cpu, dev, type, group) {
      const row = make(cpu, dev, group | 0, IGMP_BYTES)
      if (row === 0) return
      const at = pages.first(page[row]) + IP_HEADER_BYTES
      pages.view.setUint32(at, type << 24)
      pages.view.setUint32(at + 4, group)
      finish(cpu, row, IGMP_BYTES)
    },
  }
})
