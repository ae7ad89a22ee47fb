import { defineSystem, mix32 } from '@softnet/ecs'
import { checksumPartial, pseudoHeaderSum } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu } from '../cpu/components.js'
import { ipSelectIdent } from '../ip/ip-ident.js'
import { ipSk } from '../ip/ip-sk.js'
import { NUMBERS } from '../numbers.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { kfreeSkb } from '../skb/skb-pool.js'
import { Sock } from '../sock/components.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { IpcmCookie } from './ipcm-cookie.js'

const UDP_HLEN = 8
const IPV4_HLEN = 20
const PURPOSE_ID = 0x69643136

/** Packets of a socket, by the route and the cookie of its CPU. */
export interface IpMakeSkb {
  /**
   * A datagram of `bytes` payload to a port, which takes `truesize` of the send buffer; 0 without memory. Its payload is
   * `data`, or what is in page `held` already, or virtual. Kernel: net/ipv4/ip_output.c, __ip_make_skb
   */
  make(
    cpu: number,
    sock: number,
    bytes: number,
    dport: number,
    truesize: number,
    data: Uint8Array | null,
    held: number,
  ): number
  /** Frees `count` packets that were made for a message and will not be sent. Kernel: __ip_flush_pending_frames */
  flush(cpu: number, count: number): void
}

/** Headers of what a socket sends. Kernel: net/ipv4/ip_output.c, __ip_make_skb */
export const ipMakeSkb = defineSystem<IpMakeSkb>(
  '__ip_make_skb',
  'udp',
  'net/ipv4/ip_output.c, __ip_make_skb',
  (context) => {
    const { DROP, IPPROTO_UDP, RTN, SKB } = NUMBERS

    const { inetId } = context.write(Sock)
    const { port, connected } = context.read(Sock)
    const skb = context.write(Skb)
    const { saddr, daddr: skbDaddr, ports, ipWord, idFrag, totLen, udpLen, payload, flags, page, truesize, rtMtu } = skb
    const { priority: skbPriority } = skb
    const { ttl: sockTtl, multicastTtl, noCheck } = context.read(SockSend)
    const cookie = context.read(IpcmCookie)
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const rules = context.system(ipSk)
    const wfree = context.system(sockWfree)
    const setDst = context.system(skbDstSet)
    const alloc = context.system(allocSkb)
    const pages = context.system(packetPages)
    const ident = context.system(ipSelectIdent)
    const kfree = context.system(kfreeSkb)

    /** Id of a packet, one also where it will be cut: a connected socket counts its own; what is never cut needs none. Kernel: include/net/ip.h, ip_select_ident_segs */
    function idOf(cpu: number, sock: number, df: number): number {
      if (connected[sock] === 0 && df !== 0 && !rules.ignoresDf(cpu, sock)) return 0
      if (connected[sock] === 0) return ident(cpu, result.saddr[cpu], result.daddr[cpu], IPPROTO_UDP, 1)
      if (inetId[sock] === 0) inetId[sock] = mix32(plan.seed ^ PURPOSE_ID, sock)
      return inetId[sock]++
    }

    function writePage(row: number, isUnchecked: boolean): void {
      const at = pages.first(page[row]) + IPV4_HLEN
      const { view } = pages
      view.setUint32(at, ports[row])
      view.setUint16(at + 4, udpLen[row])
      view.setUint16(at + 6, 0)
      if (isUnchecked) return
      const pseudo = pseudoHeaderSum(saddr[row], skbDaddr[row], IPPROTO_UDP, udpLen[row])
      const check = ~checksumPartial(view, at, udpLen[row], pseudo) & 0xffff
      view.setUint16(at + 6, check === 0 ? 0xffff : check)
    }

    function ttlOf(cpu: number, sock: number): number {
      if (cookie.ttl[cpu] !== 0) return cookie.ttl[cpu]
      if (result.type[cpu] === RTN.multicast) return multicastTtl[sock]
      return sockTtl[sock] || result.hoplimit[cpu] || ttls[net[cpu]]
    }

    /** A packet with room for its bytes, if it has any. */
    function take(cpu: number, length: number, data: Uint8Array | null, held: number): number {
      const row = alloc.make(cpu, length, data !== null && held === 0)
      if (row === 0) return 0
      if (held !== 0) {
        page[row] = held
        pages.setLength(held, length)
      } else if (data !== null) pages.bytes.set(data, pages.first(page[row]) + IPV4_HLEN + UDP_HLEN)
      return row
    }

    function make(
      cpu: number,
      sock: number,
      bytes: number,
      dport: number,
      size: number,
      data: Uint8Array | null,
      held: number,
    ): number {
      const length = IPV4_HLEN + UDP_HLEN + bytes
      const row = take(cpu, length, data, held)
      if (row === 0) return 0
      setDst(cpu, row)
      truesize[row] = size
      saddr[row] = result.saddr[cpu]
      skbDaddr[row] = result.daddr[cpu]
      ports[row] = ((port[sock] << 16) | dport) >>> 0
      const ttl = ttlOf(cpu, sock)
      ipWord[row] = (IPPROTO_UDP | (cookie.tos[cpu] << 8) | (ttl << 16) | (5 << 24) | (4 << 28)) >>> 0
      // A socket that does not go by path MTUs sends by that of the device.
      if (rules.usesDevice(cpu, sock)) rtMtu[row] = 0
      const df = rules.dfOf(cpu, sock, length)
      idFrag[row] = ((idOf(cpu, sock, df) << 16) | df) >>> 0
      totLen[row] = length
      udpLen[row] = UDP_HLEN + bytes
      payload[row] = bytes
      flags[row] =
        (rules.ignoresDf(cpu, sock) ? SKB.ignoreDf : 0) | SKB.noEthernet | (noCheck[sock] !== 0 ? SKB.csumZero : 0)
      skbPriority[row] = cookie.priority[cpu]
      wfree.own(row, sock)
      if (page[row] !== 0) writePage(row, noCheck[sock] !== 0)
      return row
    }

    return {
      make,
      flush(cpu, packets) {
        for (let i = 0; i < packets; i++) {
          const row = alloc.make(cpu, IPV4_HLEN, false)
          if (row !== 0) kfree(cpu, row, DROP.ipFlush)
        }
      },
    }
  },
)
