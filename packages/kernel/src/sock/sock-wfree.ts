import { defineComponent, defineSystem, f64, i32, u8, u16, u32 } from '@softnet/ecs'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { Task } from '../task/components.js'
import { wakeTask } from '../task/wake.js'
import { Sock } from './components.js'

/** The sending side of UDP sockets, rows as `Sock`. Kernel: include/net/sock.h, struct sock */
export const SockSend = defineComponent('sock_send', {
  /** `sk_sndbuf`, bytes. */
  sndbuf: u32,
  /** Truesize of packets sent and not yet freed: `sk_wmem_alloc`, bytes. */
  wmemAlloc: f64,
  wmemMax: f64,
  priority: u8,
  /** Transmit queue of a connected socket, 0: not chosen yet. */
  queue: i32,
  /** First of the tasks that wait for room, 0 for none; linked by `Task.writeNext`. */
  waiter: i32,
  /** IP_TTL (0: not set), IP_TOS, IP_MTU_DISCOVER (1 + its number, 0: not set), SO_NO_CHECK. */
  ttl: u8,
  tos: u8,
  pmtudisc: u8,
  noCheck: u8,
  /** IP_MULTICAST_TTL, IP_MULTICAST_LOOP, and what IP_MULTICAST_IF sets: device and source, 0: by route. */
  multicastTtl: u8,
  multicastLoop: u8,
  multicastDev: i32,
  multicastAddress: u32,
  /** SO_DONTROUTE. */
  dontRoute: u8,
  /** 1: bound to a broadcast address or a group, which is no source (`inet_saddr` is 0). */
  anySource: u8,
  /** UDP_CORK: what is sent waits until it is cleared. */
  cork: u8,
  /** `sk_pacing_rate`, bytes per second; 0: none. */
  pacingRate: f64,
  /** UDP_SEGMENT, bytes; 0: off. */
  segmentBytes: u16,
  /** 1: a call has found the buffer full (SOCK_NOSPACE), which no call takes back. */
  noSpace: u8,
  sent: f64,
  /** Calls that found no room. */
  waits: f64,
})

/** Packets that are charged to the socket that sent them. */
export interface SockWfree {
  /** Charges a packet to a socket. Kernel: net/core/sock.c, skb_set_owner_w */
  own(row: number, sock: number): void
  /** A task waits until half of a socket's buffer is free. Kernel: net/core/sock.c, sock_wait_for_wmem */
  wait(task: number, sock: number): void
  /** A packet leaves its socket for the pieces it is cut into, which are charged in its stead. */
  disown(row: number): void
  /** The packet of a row is freed, or leaves its socket. Kernel: net/core/skbuff.c, skb_orphan */
  orphan(cpu: number, row: number): void
  /** Bytes of a socket are free: on its own CPU at once, elsewhere the news takes a cache line's time. Kernel: sock_wfree */
  free(cpu: number, sock: number, bytes: number): void
  /** On the CPU of the socket: takes bytes off, and wakes who waits when half of the buffer is free. Kernel: sock_def_write_space */
  uncharge(cpu: number, sock: number, bytes: number): void
}

/** Accounts of send buffers. Kernel: net/core/sock.c, sock_wfree */
export const sockWfree = defineSystem<SockWfree>('sock_wfree', 'sock', 'net/core/sock.c, sock_wfree', (context) => {
  const { EVENT, SKB, VIA } = NUMBERS

  const { cpu: sockCpu } = context.read(Sock)
  const { sndbuf, wmemAlloc, wmemMax, waiter, waits } = context.write(SockSend)
  const { sock: skbSock, truesize, flags } = context.write(Skb)
  const { packetPool } = context.read(Cpu)
  const { writeNext, writeQueued } = context.write(Task)
  const wake = context.system(wakeTask)
  const post = context.system(mail)

  function uncharge(cpu: number, sock: number, bytes: number): void {
    wmemAlloc[sock] -= bytes
    let task = waiter[sock]
    // sk_wmem_alloc counts one for the socket itself. Kernel: include/net/sock.h, sock_writeable
    if (task === 0 || wmemAlloc[sock] + 1 >= sndbuf[sock] >>> 1) return
    waiter[sock] = 0
    while (task !== 0) {
      const following = writeNext[task]
      writeNext[task] = 0
      writeQueued[task] = 0
      wake(cpu, task)
      task = following
    }
  }

  function free(cpu: number, sock: number, bytes: number): void {
    const home = sockCpu[sock]
    if (packetPool[home] === packetPool[cpu]) uncharge(cpu, sock, bytes)
    else post.note(cpu, home, VIA.line, EVENT.wmemFree, sock, 0, bytes)
  }

  return {
    own(row, sock) {
      skbSock[row] = sock
      flags[row] |= SKB.charged
      wmemAlloc[sock] += truesize[row]
      if (wmemAlloc[sock] > wmemMax[sock]) wmemMax[sock] = wmemAlloc[sock]
    },
    orphan(cpu, row) {
      if ((flags[row] & SKB.charged) === 0) return
      flags[row] &= ~SKB.charged
      const sock = skbSock[row]
      skbSock[row] = 0
      free(cpu, sock, truesize[row])
    },
    wait(task, sock) {
      waits[sock]++
      if (writeQueued[task] !== 0) return
      writeQueued[task] = 1
      writeNext[task] = waiter[sock]
      waiter[sock] = task
    },
    disown(row) {
      flags[row] &= ~SKB.charged
      wmemAlloc[skbSock[row]] -= truesize[row]
    },
    free,
    uncharge,
  }
})
