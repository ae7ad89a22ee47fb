import { defineComponent, defineSystem, f64, i32, u8, u16, u32, type World } from '@softnet/ecs'
import { KERNEL_VERSIONS, type Plan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, perCpu } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { ipSk } from '../ip/ip-sk.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { RouteResult } from '../route/route-result.js'
import { Skb } from '../skb/components.js'
import { packetPages } from '../skb/packet-pages.js'
import {
  ALIGN_EXTRA_BYTES,
  headBytes,
  LINK_RESERVE_BYTES,
  linearTruesizeBytes,
  MAX_SKB_FRAGS,
  SHARED_INFO_BYTES,
  SKB_MAX_ALLOC_BYTES,
} from '../skb/truesize.js'
import { Sock } from '../sock/components.js'
import { SockSend, sockWfree } from '../sock/sock-wfree.js'
import { RunQueue } from '../task/components.js'
import { ipMakeSkb } from './ip-make-skb.js'
import { IpcmCookie } from './ipcm-cookie.js'
import { udpSendSkb } from './udp-send-skb.js'

const UDP_HLEN = 8
const IPV4_HLEN = 20
const IP_MAX_MTU = 65_535
/** Pages that payload is put into, one behind the other. Kernel: net/core/sock.c, SKB_FRAG_PAGE_ORDER */
const CHUNK_BYTES = 32_768
/** Bytes that must be left of a chunk. Kernel: net/core/sock.c, skb_page_frag_refill */
const CHUNK_LEAST_BYTES = 32
/** Parts of `sendmsg` that a first append, each further one, and sending cost: measured sums, see `udp/model.md`. */
const BEGIN_PART = 0.6
const APPEND_PART = 0.26
const PUSH_PART = 0.42

/** Columns that a cork keeps of a route. */
const ROUTE_COLUMNS = ['type', 'flags', 'dev', 'gateway', 'mtu', 'route', 'locked', 'saddr', 'daddr'] as const

/** Datagrams that wait for more data: rows as `Sock`. Kernel: include/net/inet_sock.h, struct inet_cork; include/linux/udp.h, struct udp_sock */
export const UdpCork = defineComponent('udp_cork', {
  pending: u8,
  dport: u16,
  /** Route and addresses, as `RouteResult` has them. */
  type: i32,
  flags: i32,
  dev: i32,
  gateway: i32,
  mtu: i32,
  route: i32,
  locked: i32,
  saddr: i32,
  daddr: i32,
  /** Largest packet (`fragsize`), bytes, and what `IpcmCookie` said. */
  fragsize: u32,
  segmentBytes: u16,
  ttl: u8,
  tos: u8,
  priority: u8,
  /** UDP header and payload so far, bytes. */
  lengthBytes: u32,
  /** Packets on `sk_write_queue`, their truesize; of the last one: its bytes, room in its head, fragments, and where they end. */
  packets: u16,
  truesize: u32,
  skbBytes: u32,
  tailBytes: i32,
  frags: u8,
  fragChunk: u32,
  fragEnd: u32,
  /** Page with the payload, 0 where it is virtual. */
  page: i32,
  /** Request of a client that is answered. */
  request: f64,
})

/** Where a task puts payload next: rows are task entities, 0 a harness. Kernel: include/linux/mm_types_task.h, struct page_frag */
export const TaskFrag = defineComponent('task_frag', { chunk: u32, offset: u32 })

/** Whether a program corks: without one no table is declared. */
export function hasCorks(plan: Plan): boolean {
  return plan.hosts.some(({ apps }) =>
    apps.some(({ send, sockets }) => (send?.pieces ?? 1) > 1 || sockets.some((each) => each.send?.corks === true)),
  )
}

/** Declares what corked sockets need. */
export function declareCorks(world: World, layout: Layout): void {
  if (!hasCorks(layout.plan)) return
  world.spacedPool(UdpCork, Math.max(1, layout.socketRows - 1), layout.socketStep)
  world.pool(TaskFrag, layout.entityRows)
}

/** Sockets whose datagram waits for more. */
export interface UdpCorking {
  isPending(sock: number): boolean
  /** Begins a datagram to `dport` by the route and cookie of the CPU; `bytes` or a negative errno. */
  begin(cpu: number, sock: number, bytes: number, dport: number, data: Uint8Array | null, request: number): number
  /** Puts data behind what waits, and sends it all unless there is `more` to come. Kernel: net/ipv4/ip_output.c, ip_append_data */
  append(cpu: number, sock: number, bytes: number, data: Uint8Array | null, request: number, more: boolean): number
  /** Sends what waits; 0 or a negative errno. Kernel: net/ipv4/udp.c, udp_push_pending_frames */
  push(cpu: number, sock: number): number
}

/** UDP_CORK and MSG_MORE. Kernel: net/ipv4/ip_output.c, __ip_append_data */
export const udpCork = defineSystem<UdpCorking>(
  'ip_append_data',
  'udp',
  'net/ipv4/ip_output.c, __ip_append_data',
  (context) => {
    const { ERRNO, FEATURE, SNMP, STAGE } = NUMBERS
    const c = context.write(UdpCork)
    const frag = context.write(TaskFrag)
    const cookie = context.write(IpcmCookie)
    const result = context.write(RouteResult)
    const { err } = context.write(Sock)
    const { sndbuf, wmemAlloc, wmemMax, noSpace } = context.write(SockSend)
    const { request: skbRequest } = context.write(Skb)
    const { features } = context.read(NetDev)
    const { current } = context.read(RunQueue)
    const { packetPool } = context.read(Cpu)
    const constants = context.resource(PLAN_CONSTANTS)
    const heads = perCpu(
      constants,
      ({ smallHeadBytes }) => smallHeadBytes ?? KERNEL_VERSIONS[constants.plan.kernel].smallHeadBytes,
    )
    const spend = context.system(charge)
    const wfree = context.system(sockWfree)
    const pages = context.system(packetPages)
    const packets = context.system(ipMakeSkb)
    const rules = context.system(ipSk)
    const sendSkb = context.system(udpSendSkb)
    const count = context.system(counters)

    /** Largest packet that is filled: a message that will be cut is one. */
    function mtuOf(sock: number): number {
      return c.segmentBytes[sock] !== 0 ? IP_MAX_MTU : c.fragsize[sock]
    }

    function gathers(sock: number): boolean {
      return (features[c.dev[sock]] & FEATURE.scatterGather) !== 0
    }

    function hold(sock: number, bytes: number): void {
      c.truesize[sock] += bytes
      wmemAlloc[sock] += bytes
      if (wmemAlloc[sock] > wmemMax[sock]) wmemMax[sock] = wmemAlloc[sock]
    }

    /** Whether there is memory for one more packet (sk_wmem_alloc counts one for the socket itself): 0, or a negative errno. Kernel: net/core/sock.c, sock_alloc_send_pskb */
    function room(sock: number, isFirst: boolean): number {
      if (!isFirst) return wmemAlloc[sock] + 1 <= 2 * sndbuf[sock] ? 0 : -ERRNO.ENOBUFS
      if (err[sock] !== 0) {
        const pending = -err[sock]
        err[sock] = 0
        return pending
      }
      if (wmemAlloc[sock] < sndbuf[sock]) return 0
      noSpace[sock] = 1
      return -ERRNO.EAGAIN
    }

    /** One more packet for `left` bytes, the first with its UDP header; the bytes it took. */
    function allocate(cpu: number, sock: number, left: number, more: boolean): number {
      const isFirst = c.packets[sock] === 0
      const header = isFirst ? UDP_HLEN : 0
      const mtu = mtuOf(sock)
      const most = ((mtu - IPV4_HLEN) & ~7) + IPV4_HLEN
      // What the packet before has beyond a multiple of eight goes to this one.
      const gap = isFirst ? 0 : c.skbBytes[sock] - most
      const wanted = left + gap
      const bytes = wanted > mtu - IPV4_HLEN ? most - IPV4_HLEN : wanted
      const extra = LINK_RESERVE_BYTES + ALIGN_EXTRA_BYTES
      const isLinear = c.segmentBytes[sock] === 0 && (bytes + IPV4_HLEN + extra < SKB_MAX_ALLOC_BYTES || !gathers(sock))
      let alloc = bytes + IPV4_HLEN
      let paged = 0
      if (more && !gathers(sock)) alloc = mtu
      else if (!isLinear) {
        alloc = IPV4_HLEN + header
        paged = bytes - header
      }
      hold(sock, linearTruesizeBytes(alloc + extra, heads[cpu]))
      c.packets[sock]++
      c.frags[sock] = 0
      c.skbBytes[sock] = bytes + IPV4_HLEN - paged
      const end = headBytes(alloc + extra, heads[cpu]) - SHARED_INFO_BYTES
      c.tailBytes[sock] = end - LINK_RESERVE_BYTES - c.skbBytes[sock]
      return bytes - gap - paged
    }

    /** Puts up to `bytes` into the last packet: into its head, or into pages; how many, or a negative errno. */
    function fill(cpu: number, sock: number, bytes: number): number {
      if (!gathers(sock) && c.tailBytes[sock] >= bytes) {
        c.tailBytes[sock] -= bytes
        c.skbBytes[sock] += bytes
        return bytes
      }
      const task = current[cpu]
      if (frag.offset[task] + CHUNK_LEAST_BYTES > CHUNK_BYTES) {
        frag.chunk[task]++
        frag.offset[task] = 0
      }
      const joins = c.frags[sock] > 0 && c.fragChunk[sock] === frag.chunk[task] && c.fragEnd[sock] === frag.offset[task]
      if (!joins) {
        if (c.frags[sock] === MAX_SKB_FRAGS) return -ERRNO.EMSGSIZE
        c.frags[sock]++
        c.fragChunk[sock] = frag.chunk[task]
      }
      const put = Math.min(bytes, CHUNK_BYTES - frag.offset[task])
      frag.offset[task] += put
      c.fragEnd[sock] = frag.offset[task]
      c.skbBytes[sock] += put
      c.tailBytes[sock] = 0
      hold(sock, put)
      return put
    }

    /** Puts data behind what waits; 0 or a negative errno. Kernel: net/ipv4/ip_output.c, __ip_append_data */
    function appendData(cpu: number, sock: number, bytes: number, more: boolean): number {
      const mtu = mtuOf(sock)
      const most = ((mtu - IPV4_HLEN) & ~7) + IPV4_HLEN
      const limit = rules.ignoresDf(cpu, sock) ? IP_MAX_MTU : mtu
      let left = bytes
      if (c.lengthBytes[sock] + left > limit - IPV4_HLEN) return -ERRNO.EMSGSIZE
      while (left > 0) {
        let fits = c.packets[sock] === 0 ? 0 : mtu - c.skbBytes[sock]
        if (fits > 0 && fits < left) fits = most - c.skbBytes[sock]
        const error = fits <= 0 ? room(sock, c.packets[sock] === 0) : 0
        const put = error < 0 ? error : fits <= 0 ? 0 : fill(cpu, sock, Math.min(fits, left))
        if (put < 0) {
          // For want of room in the buffer whoever waits tries again, which is no failure yet.
          if (put !== -ERRNO.EAGAIN) count.snmp(cpu, SNMP.IpOutDiscards, 1)
          return put
        }
        left -= fits <= 0 ? allocate(cpu, sock, left, more) : put
      }
      c.lengthBytes[sock] += bytes
      return 0
    }

    /** Keeps bytes that are real for the time of sending. */
    function keep(cpu: number, sock: number, data: Uint8Array | null, atBytes: number): boolean {
      if (data === null) return true
      if (c.page[sock] === 0) c.page[sock] = pages.take(packetPool[cpu], IP_MAX_MTU)
      if (c.page[sock] === 0) return false
      pages.bytes.set(data, pages.first(c.page[sock]) + IPV4_HLEN + atBytes)
      return true
    }

    function forget(cpu: number, sock: number): void {
      if (c.page[sock] !== 0) pages.put(c.page[sock], packetPool[cpu])
      c.page[sock] = 0
      c.pending[sock] = 0
      c.packets[sock] = 0
      c.lengthBytes[sock] = 0
      c.truesize[sock] = 0
    }

    /** Kernel: net/ipv4/udp.c, udp_flush_pending_frames */
    function flush(cpu: number, sock: number): void {
      const held = c.truesize[sock]
      packets.flush(cpu, c.packets[sock])
      forget(cpu, sock)
      if (held > 0) wfree.uncharge(cpu, sock, held)
    }

    /** Payload is summed up while it is copied, unless the message will be cut by the card. Kernel: net/ipv4/ip_output.c, ip_generic_getfrag */
    function copyPayload(cpu: number, sock: number, bytes: number, part: number): void {
      spend(cpu, STAGE.sendmsg, part)
      spend(cpu, STAGE.copy_from_user, bytes)
      const isOffloaded = c.segmentBytes[sock] !== 0 && (features[c.dev[sock]] & FEATURE.txChecksum) !== 0
      if (!isOffloaded) spend(cpu, STAGE.csum_and_copy, bytes)
    }

    function push(cpu: number, sock: number): number {
      if (c.pending[sock] === 0) return 0
      restore(cpu, sock)
      const bytes = c.lengthBytes[sock] - UDP_HLEN
      const held = c.page[sock]
      const { truesize } = c
      // The packet is charged anew when it is made.
      wmemAlloc[sock] -= truesize[sock]
      const row = packets.make(cpu, sock, bytes, c.dport[sock], truesize[sock], null, held)
      if (row === 0) {
        wmemAlloc[sock] += truesize[sock]
        flush(cpu, sock)
        return -ERRNO.ENOBUFS
      }
      c.page[sock] = 0
      forget(cpu, sock)
      skbRequest[row] = c.request[sock]
      spend(cpu, STAGE.sendmsg, PUSH_PART)
      return sendSkb(cpu, sock, row, c.fragsize[sock])
    }

    /** Makes the route and cookie of the CPU those of a corked datagram. */
    function restore(cpu: number, sock: number): void {
      for (let i = 0; i < ROUTE_COLUMNS.length; i++) into[i][cpu] = from[i][sock]
      cookie.segmentBytes[cpu] = c.segmentBytes[sock]
      cookie.ttl[cpu] = c.ttl[sock]
      cookie.tos[cpu] = c.tos[sock]
      cookie.priority[cpu] = c.priority[sock]
    }
    const into = ROUTE_COLUMNS.map((name) => result[name])
    const from = ROUTE_COLUMNS.map((name) => c[name])

    /** Kernel: net/ipv4/ip_output.c, ip_setup_cork */
    function setup(cpu: number, sock: number, dport: number): void {
      for (let i = 0; i < ROUTE_COLUMNS.length; i++) from[i][sock] = into[i][cpu]
      c.dport[sock] = dport
      c.fragsize[sock] = rules.largest(cpu, sock)
      c.segmentBytes[sock] = cookie.segmentBytes[cpu]
      c.ttl[sock] = cookie.ttl[cpu]
      c.tos[sock] = cookie.tos[cpu]
      c.priority[sock] = cookie.priority[cpu]
    }

    return {
      push,
      isPending: (sock) => c.pending[sock] !== 0,
      begin(cpu, sock, bytes, dport, data, request) {
        setup(cpu, sock, dport)
        c.request[sock] = request
        const error = appendData(cpu, sock, bytes + UDP_HLEN, true)
        if (error < 0 || !keep(cpu, sock, data, UDP_HLEN)) {
          flush(cpu, sock)
          return error < 0 ? error : -ERRNO.ENOBUFS
        }
        c.pending[sock] = 1
        copyPayload(cpu, sock, bytes, BEGIN_PART)
        return bytes
      },
      append(cpu, sock, bytes, data, request, more) {
        const at = c.lengthBytes[sock]
        const error = appendData(cpu, sock, bytes, more)
        if (error < 0 || !keep(cpu, sock, data, at)) {
          flush(cpu, sock)
          return error < 0 ? error : -ERRNO.ENOBUFS
        }
        if (request !== 0) c.request[sock] = request
        copyPayload(cpu, sock, bytes, APPEND_PART)
        const sent = more ? 0 : push(cpu, sock)
        return sent < 0 ? sent : bytes
      },
    }
  },
)
