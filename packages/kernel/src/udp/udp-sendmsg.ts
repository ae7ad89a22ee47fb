import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { ipSk } from '../ip/ip-sk.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Flow } from '../route/flow.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { appendTruesizeBytes, pagedTruesizeBytes, sentFragmentsBytes } from '../skb/truesize.js'
import { Sock } from '../sock/components.js'
import { SockSend } from '../sock/sock-wfree.js'
import { ipMakeSkb } from './ip-make-skb.js'
import { IpcmCookie, ipcmInit } from './ipcm-cookie.js'
import { hasCorks, udpCork } from './udp-cork.js'
import { udpSendSkb } from './udp-send-skb.js'

const UDP_HLEN = 8
const IPV4_HLEN = 20
const IP_MAX_MTU = 65_535

/** Sending on UDP sockets. */
export interface UdpSendmsg {
  /**
   * Sends a datagram of `bytes` payload; returns `bytes` or a negative errno. `daddr` (signed) and `dport` name the
   * receiver, port −1: the connected peer. `data`: the payload, null where it is virtual. `request`: that of a client it
   * answers, 0 for none. `flags`: bits of `MSG`; with MSG_MORE, or UDP_CORK on the socket, the datagram waits for more.
   * `cmsg`: ancillary data, a row of `SendCmsg`, 0 for none. EAGAIN: the send buffer is full.
   */
  send(
    cpu: number,
    sock: number,
    bytes: number,
    daddr: number,
    dport: number,
    data: Uint8Array | null,
    request?: number,
    flags?: number,
    cmsg?: number,
  ): number
  /** Clears UDP_CORK and sends what waits for it; what becomes of that nobody is told. Kernel: net/ipv4/udp.c, udp_lib_setsockopt */
  uncork(cpu: number, sock: number): void
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
    const { ERRNO, FEATURE, IPPROTO_UDP, MSG, RTCF, SCOPE, SNMP, STAGE } = NUMBERS

    const { err } = context.write(Sock)
    const { connected, peerAddress, peerPort, port, broadcast } = context.read(Sock)
    const { request: skbRequest } = context.write(Skb)
    const { sndbuf, wmemAlloc, noCheck, noSpace, cork: corked } = context.write(SockSend)
    const result = context.read(RouteResult)
    const cookie = context.read(IpcmCookie)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan } = constants
    const smallHeads = perCpu(
      constants,
      ({ smallHeadBytes }) => smallHeadBytes ?? KERNEL_VERSIONS[plan.kernel].smallHeadBytes,
    )
    const { features } = context.read(NetDev)
    const spend = context.system(charge)
    const route = context.system(ipRouteOutput)
    const flow = new Flow()
    const count = context.system(counters)
    const init = context.system(ipcmInit)
    const packets = context.system(ipMakeSkb)
    const rules = context.system(ipSk)
    const sendSkb = context.system(udpSendSkb)
    const cork = hasCorks(plan) ? context.system(udpCork) : null

    function takeError(sock: number): number {
      const errno = err[sock]
      err[sock] = 0
      return errno
    }

    /** Truesize of what is sent; where its fragments do not fit the buffer, minus those that did. Kernel: net/ipv4/ip_output.c, __ip_append_data */
    function sizeOf(cpu: number, sock: number, length: number, mtu: number): number {
      const head = smallHeads[cpu]
      if (cookie.segmentBytes[cpu] !== 0) return pagedTruesizeBytes(length - IPV4_HLEN - UDP_HLEN, head)
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

    /** Kernel: net/ipv4/ip_output.c, ip_make_skb */
    function make(
      cpu: number,
      sock: number,
      bytes: number,
      dport: number,
      data: Uint8Array | null,
      mtu: number,
    ): number {
      const length = IPV4_HLEN + UDP_HLEN + bytes
      const size = sizeOf(cpu, sock, length, mtu)
      if (size <= 0) {
        count.snmp(cpu, SNMP.IpOutDiscards, 1)
        packets.flush(cpu, -size)
        return 0
      }
      copyPayload(cpu, sock, bytes, length > mtu && cookie.segmentBytes[cpu] === 0)
      return packets.make(cpu, sock, bytes, dport, size, data, 0)
    }

    /** Finds the way to the receiver; 0 or a negative errno. */
    function findRoute(cpu: number, sock: number, to: number, toPort: number): number {
      const scope = cookie.onLink[cpu] !== 0 ? SCOPE.link : SCOPE.universe
      flow.set(0, 0, IPPROTO_UDP, port[sock], toPort)
      const error = route.find(cpu, to, cookie.source[cpu], cookie.tos[cpu], cookie.oif[cpu], flow, scope)
      if (error === -ERRNO.ENETUNREACH) count.snmp(cpu, SNMP.IpOutNoRoutes, 1)
      if (error < 0) return error
      const isBroadcast = (result.flags[cpu] & RTCF.broadcast) !== 0
      return isBroadcast && broadcast[sock] === 0 ? -ERRNO.EACCES : 0
    }

    /** What keeps a message from being made at all: 0, or a negative errno. Kernel: __ip_append_data, sock_alloc_send_pskb */
    function refuse(cpu: number, sock: number, bytes: number, mtu: number): number {
      const most = rules.ignoresDf(cpu, sock) || cookie.segmentBytes[cpu] !== 0 ? IP_MAX_MTU : mtu
      if (bytes + UDP_HLEN > most - IPV4_HLEN) return -ERRNO.EMSGSIZE
      const pending = takeError(sock)
      if (pending !== 0) {
        count.snmp(cpu, SNMP.IpOutDiscards, 1)
        return -pending
      }
      if (wmemAlloc[sock] < sndbuf[sock]) return 0
      noSpace[sock] = 1
      return -ERRNO.EAGAIN
    }

    function sendNow(
      cpu: number,
      sock: number,
      bytes: number,
      dport: number,
      data: Uint8Array | null,
      request: number,
    ) {
      const mtu = rules.largest(cpu, sock)
      const refused = refuse(cpu, sock, bytes, mtu)
      if (refused < 0) return refused
      const row = make(cpu, sock, bytes, dport, data, mtu)
      if (row === 0) return -ERRNO.ENOBUFS
      skbRequest[row] = request
      const answer = sendSkb(cpu, sock, row, mtu)
      return answer < 0 ? answer : bytes
    }

    return {
      takeError,
      failed(cpu, sock, errno) {
        if (errno === ERRNO.EAGAIN) count.snmp(cpu, SNMP.IpOutDiscards, 1)
        if (errno === ERRNO.ENOBUFS || noSpace[sock] !== 0) count.snmp(cpu, SNMP.UdpSndbufErrors, 1)
      },
      uncork(cpu, sock) {
        corked[sock] = 0
        cork?.push(cpu, sock)
      },
      send(cpu, sock, bytes, daddr, dport, data, request = 0, flags = 0, cmsg = 0) {
        if (bytes > 0xffff) return -ERRNO.EMSGSIZE
        const more = cork !== null && (corked[sock] !== 0 || (flags & MSG.more) !== 0)
        if (cork?.isPending(sock) === true) return cork.append(cpu, sock, bytes, data, request, more)
        if (dport === 0) return -ERRNO.EINVAL
        if (dport < 0 && connected[sock] === 0) return -ERRNO.EDESTADDRREQ
        const to = dport < 0 ? peerAddress[sock] | 0 : daddr
        const toPort = dport < 0 ? peerPort[sock] : dport
        const wrong = init(cpu, sock, to, flags, cmsg)
        if (wrong < 0) return wrong
        const error = findRoute(cpu, sock, to, toPort)
        if (error < 0) return error
        if (cork !== null && more) return cork.begin(cpu, sock, bytes, toPort, data, request)
        return sendNow(cpu, sock, bytes, toPort, data, request)
      },
    }
  },
)
