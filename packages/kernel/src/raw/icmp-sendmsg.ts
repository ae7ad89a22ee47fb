import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ICMP_OUT_COUNTERS } from '../icmp/icmp-types.js'
import { ipSelectIdent } from '../ip/ip-ident.js'
import { ipLocalOut } from '../ip/ip-output.js'
import { ipSk } from '../ip/ip-sk.js'
import { NUMBERS } from '../numbers.js'
import { NET_XMIT } from '../qdisc/components.js'
import { Flow } from '../route/flow.js'
import { ipRouteOutput } from '../route/ip-route-output.js'
import { RouteResult, skbDstSet } from '../route/route-result.js'
import { allocSkb } from '../skb/alloc-skb.js'
import { Skb } from '../skb/components.js'
import { appendTruesizeBytes, sentFragmentsBytes } from '../skb/truesize.js'
import { Sock } from '../sock/components.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { RAW_KIND, RawSock } from './components.js'

/**
 * Sends an echo request with `bytes` behind its ICMP header and the id of the socket; 0 or a negative errno. EAGAIN: the send
 * buffer is full. Kernel: net/ipv4/ping.c, ping_v4_sendmsg; net/ipv4/raw.c, raw_sendmsg
 */
export type IcmpSendmsg = (cpu: number, sock: number, bytes: number, daddr: number, sequence: number) => number

const IPV4_HLEN = 20
const ICMP_HLEN = 8
const ECHO = 8
const IP_MAX_BYTES = 65_535

/** Echo requests out of ping and raw sockets. Kernel: net/ipv4/ping.c, ping_v4_sendmsg */
export const icmpSendmsg = defineSystem<IcmpSendmsg>(
  'ping_v4_sendmsg',
  'raw',
  'net/ipv4/ping.c, ping_v4_sendmsg',
  (context) => {
    const { ERRNO, IPPROTO_ICMP, RTCF, RTN, SKB, SNMP, STAGE } = NUMBERS

    const { address, boundDev, broadcast } = context.read(Sock)
    const { err } = context.write(Sock)
    const { sndbuf, wmemAlloc, priority, ttl: sockTtl, tos, noSpace, sent } = context.write(SockSend)
    const { kind, ident } = context.read(RawSock)
    const s = context.write(Skb)
    const { saddr, daddr: skbDaddr, ipWord, idFrag, totLen, tcpWord, tcpSeq, payload, flags, truesize, rtMtu } = s
    const { priority: skbPriority } = s
    const result = context.read(RouteResult)
    const { net } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const { plan, nets } = constants
    const ttls = Uint8Array.from(nets, ({ ipv4 }) => ipv4?.ip_default_ttl ?? 64)
    const smallHeads = perCpu(
      constants,
      ({ smallHeadBytes }) => smallHeadBytes ?? KERNEL_VERSIONS[plan.kernel].smallHeadBytes,
    )
    const spend = context.system(charge)
    const route = context.system(ipRouteOutput)
    const flow = new Flow()
    const setDst = context.system(skbDstSet)
    const alloc = context.system(allocSkb)
    const identOf = context.system(ipSelectIdent)
    const out = context.system(ipLocalOut)
    const count = context.system(counters)
    const rules = context.system(ipSk)
    const wfree = context.system(sockWfree)

    /** 0, or a negative errno of a message that is not made. Kernel: net/ipv4/ip_output.c, __ip_append_data */
    function refuse(cpu: number, sock: number, length: number): number {
      const most = rules.ignoresDf(cpu, sock) ? IP_MAX_BYTES : rules.largest(cpu, sock)
      if (length > most) return -ERRNO.EMSGSIZE
      // A raw socket brings no transport header: it takes twice its buffer, and does not wait.
      if (kind[sock] === RAW_KIND.raw) return wmemAlloc[sock] <= 2 * sndbuf[sock] ? 0 : -ERRNO.ENOBUFS
      const pending = err[sock]
      err[sock] = 0
      if (pending !== 0) return -pending
      if (wmemAlloc[sock] < sndbuf[sock]) return 0
      noSpace[sock] = 1
      return -ERRNO.EAGAIN
    }

    function sizeOf(cpu: number, sock: number, length: number): number {
      const header = kind[sock] === RAW_KIND.raw ? 0 : ICMP_HLEN
      if (length <= rules.largest(cpu, sock)) return appendTruesizeBytes(length, header, smallHeads[cpu])
      const room = 2 * sndbuf[sock] - wmemAlloc[sock] - 1
      return sentFragmentsBytes(length, rules.largest(cpu, sock), smallHeads[cpu], room)
    }

    /** Kernel: net/ipv4/ip_output.c, __ip_make_skb */
    function make(cpu: number, sock: number, bytes: number, sequence: number): number {
      const length = IPV4_HLEN + ICMP_HLEN + bytes
      const size = sizeOf(cpu, sock, length)
      spend(cpu, STAGE.sendmsg, 1)
      spend(cpu, STAGE.copy_from_user, ICMP_HLEN + bytes)
      // A ping socket sums up what it copies; raw data is summed by the program that makes it.
      if (kind[sock] === RAW_KIND.ping) spend(cpu, STAGE.csum_and_copy, ICMP_HLEN + bytes)
      const row = size === 0 ? 0 : alloc.make(cpu, length, false)
      if (row === 0) return 0
      setDst(cpu, row)
      truesize[row] = size
      const ttl =
        result.type[cpu] === RTN.multicast
          ? 1
          : sockTtl[sock] !== 0
            ? sockTtl[sock]
            : result.hoplimit[cpu] || ttls[net[cpu]]
      saddr[row] = result.saddr[cpu]
      skbDaddr[row] = result.daddr[cpu]
      ipWord[row] = (IPPROTO_ICMP | (tos[sock] << 8) | (ttl << 16) | (5 << 24) | (4 << 28)) >>> 0
      if (rules.usesDevice(cpu, sock)) rtMtu[row] = 0
      const df = rules.dfOf(cpu, sock, length)
      const id =
        df !== 0 && !rules.ignoresDf(cpu, sock)
          ? 0
          : identOf(cpu, result.saddr[cpu], result.daddr[cpu], IPPROTO_ICMP, 1)
      idFrag[row] = ((id << 16) | df) >>> 0
      totLen[row] = length
      tcpWord[row] = ECHO
      tcpSeq[row] = ((ident[sock] << 16) | (sequence & 0xffff)) >>> 0
      payload[row] = bytes
      flags[row] = (rules.ignoresDf(cpu, sock) ? SKB.ignoreDf : 0) | SKB.noEthernet
      skbPriority[row] = priority[sock]
      wfree.own(row, sock)
      return row
    }

    return (cpu, sock, bytes, daddr, sequence) => {
      const length = IPV4_HLEN + ICMP_HLEN + bytes
      if (length - IPV4_HLEN > 0xffff) return -ERRNO.EMSGSIZE
      const error = route.find(
        cpu,
        daddr,
        address[sock] | 0,
        tos[sock],
        boundDev[sock],
        flow.set(0, 0, IPPROTO_ICMP, 0, 0),
      )
      if (error === -ERRNO.ENETUNREACH && kind[sock] === RAW_KIND.ping) count.snmp(cpu, SNMP.IpOutNoRoutes, 1)
      if (error < 0) return error
      if ((result.flags[cpu] & RTCF.broadcast) !== 0 && broadcast[sock] === 0) return -ERRNO.EACCES
      const refused = refuse(cpu, sock, length)
      if (refused < 0) return refused
      const row = make(cpu, sock, bytes, sequence)
      if (row === 0) return -ERRNO.ENOBUFS
      count.snmp(cpu, SNMP.IcmpOutMsgs, 1)
      if (ICMP_OUT_COUNTERS[ECHO] !== 0xffff) count.snmp(cpu, ICMP_OUT_COUNTERS[ECHO], 1)
      count.icmpMsg(cpu, ECHO, true)
      const answer = out(cpu, row)
      const error_ = answer === NET_XMIT.drop ? -ERRNO.ENOBUFS : answer === NET_XMIT.cn ? 0 : answer
      if (error_ === 0) {
        sent[sock]++
        return 0
      }
      count.snmp(cpu, SNMP.IpOutDiscards, 1)
      // Without IP_RECVERR a full device is not told to a raw socket. Kernel: net/ipv4/raw.c, raw_sendmsg
      return error_ === -ERRNO.ENOBUFS && kind[sock] === RAW_KIND.raw ? 0 : error_
    }
  },
)
