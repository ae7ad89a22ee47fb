import { defineSystem, mix32 } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { checksumPartial, pseudoHeaderSum } from '@softnet/wire'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ipSelectIdent } from '../ip/ip-ident.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { InDev } from '../route/components.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import { appendTruesizeBytes, pagedTruesizeBytes, sentFragmentsBytes } from '../skb/truesize.js'
import { Sock } from '../sock/components.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { pmtuDiscovery } from './pmtu-discovery.js'

const UDP_HLEN = 8
const IPV4_HLEN = 20
const IP_MAX_MTU = 65_535
/** Kernel: include/uapi/linux/in.h, IP_PMTUDISC_* */
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
  /**
   * Counts a call that failed: one for want of memory, and every one on a socket whose buffer has once been full, is one of
   * its buffer. Kernel: net/ipv4/udp.c, udp_sendmsg, label out
   */
  failed(cpu: number, sock: number, errno: number): void
  /** Takes the pending error of a socket, 0 for none. Kernel: include/net/sock.h, sock_error */
  takeError(sock: number): number
}

/** Datagrams out of sockets: checks in Linux's order, route and source, header, IP. Kernel: net/ipv4/udp.c, udp_sendmsg */
export const udpSendmsg = defineSystem<UdpSendmsg>(
  'udp_sendmsg_sock',
  'udp',
  'net/ipv4/udp.c, udp_sendmsg',
  (context) => {
    const { ERRNO, FEATURE, IPPROTO_UDP, IP_DF, NET_XMIT, PMTUDISC, RTCF, RTN, SKB, SNMP, STAGE } = NUMBERS

    const { err, inetId } = context.write(Sock)
    const { address, port, connected, peerAddress, peerPort, boundDev, broadcast } = context.read(Sock)
    const skb = context.write(Skb)
    const { saddr, daddr: skbDaddr, ports, ipWord, idFrag, totLen, udpLen, payload, flags, page, truesize, rtMtu } = skb
    const { request: skbRequest, priority: skbPriority, frames, gsoSize } = skb
    const s = context.write(SockSend)
    const { sndbuf, wmemAlloc, priority, sent: sentCount, ttl: sockTtl, tos, noCheck, noSpace, segmentBytes } = s
    const wfree = context.system(sockWfree)
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan, nets } = constants
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const smallHeads = perCpu(
      constants,
      ({ smallHeadBytes }) => smallHeadBytes ?? KERNEL_VERSIONS[plan.kernel].smallHeadBytes,
    )
    const discovery = context.system(pmtuDiscovery)
    const { mtu: devMtu } = context.read(InDev)
    const { features } = context.read(NetDev)
    const spend = context.system(charge)
    const segmentsMax = KERNEL_VERSIONS[plan.kernel].udpSegmentsMax
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

    /** Id of a packet: a connected socket counts its own; what is never cut needs none. Kernel: include/net/ip.h, ip_select_ident_segs */
    function idOf(cpu: number, sock: number, df: number, segments: number): number {
      if (connected[sock] === 0 && df !== 0 && !ignoresDf(cpu, sock)) return 0
      if (connected[sock] === 0) return ident(cpu, result.saddr[cpu], result.daddr[cpu], IPPROTO_UDP, segments)
      if (inetId[sock] === 0) inetId[sock] = mix32(plan.seed ^ PURPOSE_ID, sock)
      const id = inetId[sock]
      inetId[sock] += segments
      return id
    }

    function writePage(row: number, data: Uint8Array, isUnchecked: boolean): void {
      const at = pages.first(page[row]) + IPV4_HLEN
      const { view } = pages
      view.setUint32(at, ports[row])
      view.setUint16(at + 4, udpLen[row])
      view.setUint16(at + 6, 0)
      pages.bytes.set(data, at + UDP_HLEN)
      if (isUnchecked) return
      const pseudo = pseudoHeaderSum(saddr[row], skbDaddr[row], IPPROTO_UDP, udpLen[row])
      const check = ~checksumPartial(view, at, udpLen[row], pseudo) & 0xffff
      view.setUint16(at + 6, check === 0 ? 0xffff : check)
    }

    /** Kernel: include/net/ip.h, ip_sk_ignore_df */
    function ignoresDf(cpu: number, sock: number): boolean {
      const how = discovery(cpu, sock)
      return how < PMTUDISC.do || how === PMTUDISC.omit
    }

    /** Datagrams that a message is cut into. */
    function segmentsOf(sock: number, bytes: number): number {
      return segmentBytes[sock] === 0 || bytes <= segmentBytes[sock] ? 1 : Math.ceil(bytes / segmentBytes[sock])
    }

    /** What UDP_SEGMENT cannot do: 0, or a negative errno. Kernel: net/ipv4/udp.c, udp_send_skb */
    function refuseSegments(cpu: number, sock: number, bytes: number): number {
      const size = segmentBytes[sock]
      if (size === 0) return 0
      if (IPV4_HLEN + UDP_HLEN + Math.min(bytes, size) > largest(cpu, sock)) return -ERRNO.EMSGSIZE
      return bytes > size * segmentsMax || noCheck[sock] !== 0 ? -ERRNO.EINVAL : 0
    }

    /** Largest packet of the way, as the socket sees it. Kernel: include/net/ip.h, ip_sk_use_pmtu */
    function largest(cpu: number, sock: number): number {
      return Math.min(discovery(cpu, sock) < PMTUDISC.probe ? result.mtu[cpu] : devMtu[result.dev[cpu]], IP_MAX_MTU)
    }

    /** Kernel: net/ipv4/ip_output.c, __ip_make_skb; include/net/ip.h, ip_dont_fragment */
    function dontFragment(cpu: number, sock: number, length: number): boolean {
      const how = discovery(cpu, sock)
      if (how === PMTUDISC.do || how === PMTUDISC.probe) return true
      return how === PMTUDISC.want && length <= result.mtu[cpu] && result.locked[cpu] === 0
    }

    /** Truesize of what is sent, 0 if the fragments do not fit the buffer. Kernel: net/ipv4/ip_output.c, __ip_append_data */
    function sizeOf(cpu: number, sock: number, length: number, mtu: number): number {
      const head = smallHeads[cpu]
      if (segmentBytes[sock] !== 0) return pagedTruesizeBytes(length - IPV4_HLEN - UDP_HLEN, head)
      if (length <= mtu) return appendTruesizeBytes(length, UDP_HLEN, head)
      // The first may go beyond the buffer by itself, the others until it is full twice.
      return sentFragmentsBytes(length, mtu, head, 2 * sndbuf[sock] - wmemAlloc[sock] - 1)
    }

    /** The payload is read, and summed up where the card cannot do that. Kernel: net/ipv4/ip_output.c, ip_generic_getfrag */
    function copyPayload(cpu: number, sock: number, bytes: number, isFragmented: boolean): void {
      spend(cpu, STAGE.sendmsg, 1)
      spend(cpu, STAGE.copy_from_user, bytes)
      const isOffloaded = !isFragmented && (features[result.dev[cpu]] & FEATURE.txChecksum) !== 0
      if (!isOffloaded && noCheck[sock] === 0) spend(cpu, STAGE.csum_and_copy, bytes)
    }

    /** Kernel: net/ipv4/ip_output.c, ip_make_skb; net/ipv4/udp.c, udp_send_skb */
    function make(cpu: number, sock: number, bytes: number, dport: number, data: Uint8Array | null): number {
      const length = IPV4_HLEN + UDP_HLEN + bytes
      const mtu = largest(cpu, sock)
      const size = sizeOf(cpu, sock, length, mtu)
      if (size === 0) return 0
      const segments = segmentsOf(sock, bytes)
      copyPayload(cpu, sock, bytes, length > mtu && segmentBytes[sock] === 0)
      const row = alloc.make(cpu, length, data !== null)
      if (row === 0) return 0
      setDst(cpu, row)
      truesize[row] = size
      const ttl = result.type[cpu] === RTN.multicast ? 1 : sockTtl[sock] !== 0 ? sockTtl[sock] : ttls[net[cpu]]
      saddr[row] = result.saddr[cpu]
      skbDaddr[row] = result.daddr[cpu]
      ports[row] = ((port[sock] << 16) | dport) >>> 0
      ipWord[row] = (IPPROTO_UDP | (tos[sock] << 8) | (ttl << 16) | (5 << 24) | (4 << 28)) >>> 0
      // A socket that does not go by path MTUs sends by that of the device.
      if (discovery(cpu, sock) >= PMTUDISC.probe) rtMtu[row] = 0
      const df = dontFragment(cpu, sock, length) ? IP_DF : 0
      idFrag[row] = ((idOf(cpu, sock, df, segments) << 16) | df) >>> 0
      totLen[row] = length
      udpLen[row] = UDP_HLEN + bytes
      payload[row] = bytes
      flags[row] = (ignoresDf(cpu, sock) ? SKB.ignoreDf : 0) | SKB.noEthernet | (noCheck[sock] !== 0 ? SKB.csumZero : 0)
      if (segments > 1) {
        frames[row] = segments
        gsoSize[row] = segmentBytes[sock]
        flags[row] |= SKB.gso
        count.created(cpu, segments - 1)
      }
      skbPriority[row] = priority[sock]
      wfree.own(row, sock)
      if (data !== null) writePage(row, data, noCheck[sock] !== 0)
      return row
    }

    /** Finds the way to the receiver; 0 or a negative errno. */
    function findRoute(cpu: number, sock: number, to: number): number {
      const error = route.find(cpu, to, address[sock] | 0, tos[sock], boundDev[sock])
      if (error === -ERRNO.ENETUNREACH) count.snmp(cpu, SNMP.IpOutNoRoutes, 1)
      if (error < 0) return error
      const isBroadcast = (result.flags[cpu] & RTCF.broadcast) !== 0
      return isBroadcast && broadcast[sock] === 0 ? -ERRNO.EACCES : 0
    }

    /** What keeps a message from being made at all: 0, or a negative errno. Kernel: __ip_append_data, sock_alloc_send_pskb */
    function refuse(cpu: number, sock: number, bytes: number): number {
      const most = ignoresDf(cpu, sock) || segmentBytes[sock] !== 0 ? IP_MAX_MTU : largest(cpu, sock)
      if (bytes + UDP_HLEN > most - IPV4_HLEN) return -ERRNO.EMSGSIZE
      const pending = takeError(sock)
      if (pending !== 0) return -pending
      if (wmemAlloc[sock] < sndbuf[sock]) return 0
      noSpace[sock] = 1
      return -ERRNO.EAGAIN
    }

    return {
      takeError,
      failed(cpu, sock, errno) {
        if (errno === ERRNO.ENOBUFS || noSpace[sock] !== 0) count.snmp(cpu, SNMP.UdpSndbufErrors, 1)
      },
      send(cpu, sock, bytes, daddr, dport, data, request = 0) {
        if (bytes > 0xffff) return -ERRNO.EMSGSIZE
        if (dport === 0) return -ERRNO.EINVAL
        if (dport < 0 && connected[sock] === 0) return -ERRNO.EDESTADDRREQ
        const to = dport < 0 ? peerAddress[sock] | 0 : daddr
        const toPort = dport < 0 ? peerPort[sock] : dport
        const error = findRoute(cpu, sock, to)
        if (error < 0) return error
        const refused = refuse(cpu, sock, bytes)
        if (refused < 0) return refused
        const uncut = refuseSegments(cpu, sock, bytes)
        if (uncut < 0) return uncut
        const row = make(cpu, sock, bytes, toPort, data)
        if (row === 0) return -ERRNO.ENOBUFS
        skbRequest[row] = request
        const answer = out(cpu, row)
        // A discipline that lost the packet says so, one that lost another of the flow does not count. Kernel: net_xmit_errno
        const sent = answer === NET_XMIT.drop ? -ERRNO.ENOBUFS : answer === NET_XMIT.cn ? 0 : answer
        if (sent === 0) {
          count.snmp(cpu, SNMP.UdpOutDatagrams, 1)
          sentCount[sock]++
          return bytes
        }
        count.snmp(cpu, SNMP.IpOutDiscards, 1)
        if (sent !== -ERRNO.ENOBUFS) return sent
        // Without IP_RECVERR a full device is not told to the sender.
        count.snmp(cpu, SNMP.UdpSndbufErrors, 1)
        return bytes
      },
    }
  },
)
