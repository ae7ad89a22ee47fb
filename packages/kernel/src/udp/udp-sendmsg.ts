import { defineSystem, mix32 } from '@softnet/ecs'
import { checksumPartial, IP_DF, IPPROTO_UDP, pseudoHeaderSum } from '@softnet/wire'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { SNMP } from '../count/snmp.js'
import { Cpu } from '../cpu/components.js'
import { ipSelectIdent } from '../ip/ip-ident.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { NET_XMIT } from '../qdisc/components.js'
import { ERRNO, RTCF, RTN } from '../route/components.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { SKB, Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { Sock } from '../sock/components.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'

const UDP_HLEN = 8
const IPV4_HLEN = 20
const IP_MAX_MTU = 65_535
const EINVAL = ERRNO.EINVAL
const PURPOSE_ID = 0x69643136

/** Sending on UDP sockets. */
export interface UdpSendmsg {
  /**
   * Sends a datagram of `bytes` payload; returns `bytes` or a negative errno. `daddr` (signed) and `dport` name the
   * receiver, port −1: the connected peer. `data`: the payload, null where it is virtual. `request`: that of a client it
   * answers, 0 for none. EAGAIN: the send buffer is full.
   */
  send(
    cpu: number,
    sock: number,
    bytes: number,
    daddr: number,
    dport: number,
    data: Uint8Array | null,
    request?: number,
  ): number
  /** Takes the pending error of a socket, 0 for none. Kernel: include/net/sock.h, sock_error */
  takeError(sock: number): number
}

/** Datagrams out of sockets: checks in Linux's order, route and source, header, IP. Kernel: net/ipv4/udp.c, udp_sendmsg */
export const udpSendmsg = defineSystem<UdpSendmsg>(
  'udp_sendmsg_sock',
  'udp',
  'net/ipv4/udp.c, udp_sendmsg',
  (context) => {
    const { err, inetId } = context.write(Sock)
    const { address, port, connected, peerAddress, peerPort, boundDev, broadcast } = context.read(Sock)
    const skb = context.write(Skb)
    const { saddr, daddr: skbDaddr, ports, ipWord, idFrag, totLen, udpLen, payload, flags, page } = skb
    const { request: skbRequest, priority: skbPriority } = skb
    const { sndbuf, wmemAlloc, priority, sent: sentCount } = context.write(SockSend)
    const wfree = context.system(sockWfree)
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    // New sockets look for the path MTU unless ip_no_pmtu_disc is set (IP_PMTUDISC_WANT, IP_PMTUDISC_DONT).
    const probes = Uint8Array.from(nets, ({ ipv4 }) => (ipv4?.ip_no_pmtu_disc ? 0 : 1))
    const route = context.system(ipRouteOutput)
    const setDst = context.system(skbDstSet)
    const alloc = context.system(allocSkb)
    const pages = context.system(packetPages)
    const ident = context.system(ipSelectIdent)
    const out = context.system(ipLocalOut)
    const count = context.system(counters)

    function takeError(sock: number): number {
      const errno = err[sock]
      err[sock] = 0
      return errno
    }

    /** Id of a packet: a connected socket counts its own. Kernel: include/net/ip.h, ip_select_ident_segs */
    function idOf(cpu: number, sock: number): number {
      if (connected[sock] === 0) return ident(cpu, result.saddr[cpu], result.daddr[cpu], IPPROTO_UDP, 1)
      if (inetId[sock] === 0) inetId[sock] = mix32(plan.seed ^ PURPOSE_ID, sock)
      return inetId[sock]++
    }

    function writePage(row: number, data: Uint8Array): void {
      const at = pages.first(page[row]) + IPV4_HLEN
      const { view } = pages
      view.setUint32(at, ports[row])
      view.setUint16(at + 4, udpLen[row])
      view.setUint16(at + 6, 0)
      pages.bytes.set(data, at + UDP_HLEN)
      const pseudo = pseudoHeaderSum(saddr[row], skbDaddr[row], IPPROTO_UDP, udpLen[row])
      const check = ~checksumPartial(view, at, udpLen[row], pseudo) & 0xffff
      view.setUint16(at + 6, check === 0 ? 0xffff : check)
    }

    /** Kernel: net/ipv4/ip_output.c, ip_make_skb; net/ipv4/udp.c, udp_send_skb */
    function make(cpu: number, sock: number, bytes: number, dport: number, data: Uint8Array | null): number {
      const length = IPV4_HLEN + UDP_HLEN + bytes
      const row = alloc.make(cpu, length, data !== null)
      if (row === 0) return 0
      setDst(cpu, row)
      const ttl = result.type[cpu] === RTN.multicast ? 1 : ttls[net[cpu]]
      saddr[row] = result.saddr[cpu]
      skbDaddr[row] = result.daddr[cpu]
      ports[row] = ((port[sock] << 16) | dport) >>> 0
      ipWord[row] = (IPPROTO_UDP | (ttl << 16) | (5 << 24) | (4 << 28)) >>> 0
      idFrag[row] =
        ((idOf(cpu, sock) << 16) |
          (probes[net[cpu]] !== 0 && length <= result.mtu[cpu] && result.locked[cpu] === 0 ? IP_DF : 0)) >>>
        0
      totLen[row] = length
      udpLen[row] = UDP_HLEN + bytes
      payload[row] = bytes
      flags[row] = SKB.ignoreDf | SKB.noEthernet
      skbPriority[row] = priority[sock]
      wfree.own(row, sock)
      if (data !== null) writePage(row, data)
      return row
    }

    /** Finds the way to the receiver; 0 or a negative errno. */
    function findRoute(cpu: number, sock: number, to: number): number {
      const error = route.find(cpu, to, address[sock] | 0, 0, boundDev[sock])
      if (error === -ERRNO.ENETUNREACH) count.snmp(cpu, SNMP.IpOutNoRoutes, 1)
      if (error < 0) return error
      const isBroadcast = (result.flags[cpu] & RTCF.broadcast) !== 0
      return isBroadcast && broadcast[sock] === 0 ? -ERRNO.EACCES : 0
    }

    return {
      takeError,
      send(cpu, sock, bytes, daddr, dport, data, request = 0) {
        if (bytes > 0xffff) return -ERRNO.EMSGSIZE
        if (dport === 0) return -EINVAL
        if (dport < 0 && connected[sock] === 0) return -ERRNO.EDESTADDRREQ
        const to = dport < 0 ? peerAddress[sock] | 0 : daddr
        const toPort = dport < 0 ? peerPort[sock] : dport
        const error = findRoute(cpu, sock, to)
        if (error < 0) return error
        if (bytes + UDP_HLEN > IP_MAX_MTU - IPV4_HLEN) return -ERRNO.EMSGSIZE
        const pending = takeError(sock)
        if (pending !== 0) return -pending
        if (wmemAlloc[sock] >= sndbuf[sock]) return -ERRNO.EAGAIN
        const row = make(cpu, sock, bytes, toPort, data)
        if (row !== 0) skbRequest[row] = request
        const answer = row === 0 ? -ERRNO.ENOBUFS : out(cpu, row)
        // A discipline that lost the packet says so, one that lost another of the flow does not count. Kernel: net_xmit_errno
        const sent = answer === NET_XMIT.drop ? -ERRNO.ENOBUFS : answer === NET_XMIT.cn ? 0 : answer
        if (sent === 0) {
          count.snmp(cpu, SNMP.UdpOutDatagrams, 1)
          sentCount[sock]++
          return bytes
        }
        if (row !== 0) count.snmp(cpu, SNMP.IpOutDiscards, 1)
        if (sent !== -ERRNO.ENOBUFS) return sent
        // Without IP_RECVERR a full device is not told to the sender.
        count.snmp(cpu, SNMP.UdpSndbufErrors, 1)
        return row === 0 ? sent : bytes
      },
    }
  },
)
