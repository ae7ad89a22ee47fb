import { defineComponent, defineSystem, f64 } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { Cpu } from '../cpu/components.js'
import { NUMBERS } from '../numbers.js'
import { ColumnGroups } from './column-groups.js'
import { Skb } from './components.js'
import { packetPages } from './packet-pages.js'
import { clearSkb } from './skb-clear.js'
import { skbPool } from './skb-pool.js'
import { appendTruesizeBytes } from './truesize.js'

/** Packets each CPU has made so far: their serial numbers are negative, so that no frame of a wire has one. */
export const MadePacket = defineComponent('made_packet', { count: f64 })

const UDP_HEADER_BYTES = 8

/** Packets that the host makes itself. */
export interface AllocSkb {
  /**
   * A new packet of `bytes` from the network header on, with everything zero; `real` gives it a page. 0 if there is no
   * memory.
   */
  make(cpu: number, bytes: number, real: boolean): number
  /** A second packet with the same contents. Kernel: net/core/skbuff.c, skb_clone */
  clone(cpu: number, row: number): number
  /** A packet for a part of what is in a row: it is counted there already. Kernel: net/core/skbuff.c, skb_segment */
  part(cpu: number, row: number): number
}

/** Takes a row for a packet the host makes, and counts it as created. Kernel: net/core/skbuff.c, alloc_skb */
export const allocSkb = defineSystem<AllocSkb>('alloc_skb', 'skb', 'net/core/skbuff.c, alloc_skb', (context) => {
  const { PACKET_TYPE, SKB } = NUMBERS

  const columns = context.write(Skb)
  const { users, frames, len, serial, allocCpu, arrivalPs, packetType, protocol, page, truesize, next } = columns
  const { count: made } = context.write(MadePacket)
  const { clockPs, packetPool, host } = context.read(Cpu)
  const { cpuRows, plan } = context.resource(PLAN_CONSTANTS)
  const trace = context.resource(TRACE_SINK)
  const pool = context.system(skbPool)
  const pages = context.system(packetPages)
  const count = context.system(counters)
  const clear = context.system(clearSkb)
  const c = columns
  // What copies between partitions leave behind: routes do not cross them.
  const routed = new ColumnGroups([
    c.rtType,
    c.rtFlags,
    c.rtDev,
    c.rtGateway,
    c.rtMtu,
    c.rtError,
    c.ipcb,
    c.priority,
    c.optRr,
    c.optTs,
    c.optSrr,
    c.fragMax,
  ])
  const smallHeads = Int32Array.from(
    plan.hosts,
    (each) => each.smallHeadBytes ?? KERNEL_VERSIONS[plan.kernel].smallHeadBytes,
  )

  function name(cpu: number, row: number): void {
    made[cpu]++
    serial[row] = -(made[cpu] * cpuRows + cpu)
  }

  function second(cpu: number, row: number): number {
    const copy = pool.take(packetPool[cpu])
    if (copy === 0) return 0
    pool.copy(copy, row)
    routed.copy(copy, row)
    next[copy] = 0
    c.flags[copy] &= ~SKB.charged
    name(cpu, copy)
    return copy
  }

  return {
    make(cpu, bytes, real) {
      const row = pool.take(packetPool[cpu])
      if (row === 0) return 0
      clear(row)
      users[row] = 1
      if (real) {
        page[row] = pages.take(packetPool[cpu], bytes)
        if (page[row] === 0) {
          pool.release(row, packetPool[cpu])
          return 0
        }
      }
      frames[row] = 1
      len[row] = bytes
      allocCpu[row] = cpu
      arrivalPs[row] = clockPs[cpu]
      packetType[row] = PACKET_TYPE.host
      protocol[row] = 0x0800
      truesize[row] = appendTruesizeBytes(bytes, UDP_HEADER_BYTES, smallHeads[host[cpu]])
      name(cpu, row)
      if (trace.on) trace.made(cpu, clockPs[cpu], row)
      count.created(cpu, 1)
      return row
    },
    clone(cpu, row) {
      const copy = second(cpu, row)
      if (copy !== 0) count.created(cpu, frames[copy])
      return copy
    },
    part: second,
  }
})
