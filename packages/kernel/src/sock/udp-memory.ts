import { defineComponent, defineResource, defineSystem, f64 } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { Cpu, Owner } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { Sock } from './components.js'
import { PAGE_BYTES, PCPU_RESERVE_PAGES } from './udp-memory-bound.js'

/** Memory of all UDP sockets, pages: a row per CPU. */
export const UdpMemory = defineComponent('udp_memory', {
  /** Pages this CPU took (or gave back, negative) and has told nobody of. Kernel: udp_memory_per_cpu_fw_alloc */
  untold: f64,
  /** Row of a partition's leader: the total as the partition knows it. Kernel: udp_memory_allocated */
  allocated: f64,
})

/** Where the total of each host is kept. Follows from the scenario alone. */
export interface UdpMemoryPlaces {
  /** By host index: 1 where the sockets can reach udp_mem, so that they are accounted. */
  readonly accounted: Uint8Array
  /** By host index: leader of the partition that tells all others. */
  readonly home: Int32Array
  /** By host index: leaders of all partitions with sockets. */
  readonly leaders: readonly Int32Array[]
}

/** Resource key of the places. */
export const UDP_MEMORY_PLACES = defineResource<UdpMemoryPlaces>('udp_memory_places')

/** Accounting of the memory of all UDP sockets of a host. */
export interface UdpMemoryAccount {
  /** False: no host of the run can reach its udp_mem, and nothing need be asked. */
  readonly accounted: boolean
  /** Takes `size` bytes for a datagram about to be queued; false if the host has no page for it. */
  schedule(cpu: number, sock: number, size: number): boolean
  /** Gives `size` bytes of read datagrams back. */
  release(cpu: number, sock: number, size: number): void
  /** This CPU's partition hears that the partition led by `origin` has moved the total by `pages`. */
  learn(cpu: number, origin: number, pages: number): void
}

/** Kernels without a reserve move the total at once; here other partitions hear of it in such steps, pages. */
const STEP_PAGES = 16

/**
 * sk_forward_alloc of UDP sockets, the pages of all of them, and the limits `udp_mem` and `udp_rmem_min`. What another
 * partition moved is known a cache line later (two where it passes the home of the total).
 * Kernel: net/core/sock.c, __sk_mem_raise_allocated, __sk_mem_reduce_allocated; net/ipv4/udp.c, udp_rmem_schedule
 */
export const udpMemory = defineSystem<UdpMemoryAccount>(
  '__sk_mem_raise_allocated',
  'sock',
  'net/core/sock.c, __sk_mem_raise_allocated',
  (context) => {
    const { EVENT, VIA } = NUMBERS

    const { untold, allocated } = context.write(UdpMemory)
    const { forwardAlloc } = context.write(Sock)
    const { rmemAlloc, host: sockNet } = context.read(Sock)
    const { host } = context.read(Cpu)
    const { partition } = context.read(Owner)
    const { plan, nets } = context.resource(PLAN_CONSTANTS)
    const { accounted, home, leaders } = context.resource(UDP_MEMORY_PLACES)
    const post = context.system(mail)
    const { udpMemPerCpu, udpMemNeedOnly, udpProducerQueue } = KERNEL_VERSIONS[plan.kernel]
    const stepPages = udpMemPerCpu ? PCPU_RESERVE_PAGES : STEP_PAGES
    const minPages = Float64Array.from(plan.hosts, ({ sysctl }) => sysctl['net.ipv4.udp_mem'][0])
    const maxPages = Float64Array.from(plan.hosts, ({ sysctl }) => sysctl['net.ipv4.udp_mem'][2])
    const rmemMinBytes = Float64Array.from(nets, ({ sysctl }) => sysctl['net.ipv4.udp_rmem_min'])

    /** Tells the partitions that must hear it from here: from its home all, from elsewhere the home. */
    function tell(cpu: number, origin: number, pages: number): void {
      const at = host[cpu]
      const own = partition[cpu]
      if (own !== home[at]) {
        post.note(cpu, home[at], VIA.line, EVENT.udpMemory, origin, 0, pages)
        return
      }
      const others = leaders[at]
      for (let i = 0; i < others.length; i++) {
        if (others[i] === own || others[i] === origin) continue
        post.note(cpu, others[i], VIA.line, EVENT.udpMemory, origin, 0, pages)
      }
    }

    /** Kernel: include/net/proto_memory.h, sk_memory_allocated_add, sk_memory_allocated_sub */
    function move(cpu: number, pages: number): void {
      const leader = partition[cpu]
      const sum = untold[cpu] + pages
      if (!udpMemPerCpu) allocated[leader] += pages
      if (sum < stepPages && sum > -stepPages) {
        untold[cpu] = sum
        return
      }
      untold[cpu] = 0
      if (udpMemPerCpu) allocated[leader] += sum
      tell(cpu, leader, sum)
    }

    function raise(cpu: number, sock: number, size: number, pages: number): boolean {
      move(cpu, pages)
      const at = host[cpu]
      const total = allocated[partition[cpu]]
      if (total <= minPages[at]) return true
      // With the producers' list a datagram joins sk_rmem_alloc behind this test, without it before.
      const held = udpProducerQueue ? rmemAlloc[sock] : rmemAlloc[sock] + size
      // UDP has no state of memory pressure: between the first and the third limit only this minimum is granted.
      if (total <= maxPages[at] && held < rmemMinBytes[sockNet[sock]]) return true
      move(cpu, -pages)
      return false
    }

    return {
      accounted: accounted.includes(1),
      schedule(cpu, sock, size) {
        if (accounted[host[cpu]] === 0) return true
        const forward = forwardAlloc[sock]
        if (udpMemNeedOnly ? size <= forward : size < forward) {
          forwardAlloc[sock] = forward - size
          return true
        }
        const pages = Math.ceil((udpMemNeedOnly ? size - forward : size) / PAGE_BYTES)
        if (!raise(cpu, sock, size, pages)) return false
        forwardAlloc[sock] = forward + pages * PAGE_BYTES - size
        return true
      },
      release(cpu, sock, size) {
        if (accounted[host[cpu]] === 0) return
        // All but the last byte's page goes back. Kernel: net/ipv4/udp.c, udp_rmem_release (partial)
        const free = forwardAlloc[sock] + size
        const pages = Math.floor((free - 1) / PAGE_BYTES)
        forwardAlloc[sock] = free - pages * PAGE_BYTES
        if (pages > 0) move(cpu, -pages)
      },
      learn(cpu, origin, pages) {
        const own = partition[cpu]
        allocated[own] += pages
        if (own === home[host[cpu]]) tell(cpu, origin, pages)
      },
    }
  },
)
