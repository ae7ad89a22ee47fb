import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { DROP } from '../count/drops.js'
import { Cpu } from '../cpu/components.js'
import { RTCF } from '../route/components.js'
import { PACKET_TYPE, SKB, Skb } from '../skb/components.js'
import { skbBytes } from '../skb/skb-bytes.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { hasGroups, IgmpDev } from './components.js'
import { IGMP } from './igmp-send.js'
import { igmpTimers } from './igmp-timers.js'

/** Takes one IGMP message, `Skb.len` from its header on, and ends it. Kernel: net/ipv4/igmp.c, igmp_rcv */
export type IgmpRcv = (cpu: number, row: number) => void

const HEADER_BYTES = 8
const V3_QUERY_BYTES = 12
const ADDRESS_BYTES = 4
const RESPONSE_INTERVAL_SEC = 10
const DEFAULT_QUERY_INTERVAL_SEC = 125
const ROBUSTNESS = 2
/** Times of messages are tenths of a second. */
const TIMER_SCALE = 10
const ALL_HOSTS = 0xe0000001 | 0

/** Eight bits of a floating-point time. Kernel: include/linux/igmp.h, IGMPV3_EXP */
function floating(code: number): number {
  return code < 128 ? code : ((code & 15) | 16) << (((code >>> 4) & 7) + 3)
}

/** Queries are answered after a random time; what others report need not be. Kernel: net/ipv4/igmp.c, igmp_rcv, igmp_heard_query */
export const igmpRcv = defineSystem<IgmpRcv>('igmp_rcv', 'igmp', 'net/ipv4/igmp.c, igmp_rcv', (context) => {
  const { len, dev, flags, packetType, rtFlags } = context.read(Skb)
  const { clockPs } = context.read(Cpu)
  const { plan, hz, jiffyPs } = context.resource(PLAN_CONSTANTS)
  const bytes = context.system(skbBytes)
  const kfree = context.system(kfreeSkb)
  const consume = context.system(consumeSkb)
  const isMember = hasGroups(plan)
  const timers = isMember ? context.system(igmpTimers) : null
  const d = isMember ? context.write(IgmpDev) : null

  /** A query of version 1 or 2; returns the longest delay. */
  function heardOld(cpu: number, row: number, code: number): number {
    const at = timers === null ? 0 : timers.row(cpu, dev[row])
    if (d !== null && timers !== null) {
      const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      const until = now + (d.robustness[at] || ROBUSTNESS) * d.queryIntervalJiffies[at] + d.responseIntervalJiffies[at]
      if (code === 0) d.v1UntilJiffy[at] = until
      else d.v2UntilJiffy[at] = until
      timers.stopChanges(cpu, dev[row])
    }
    return code === 0 ? RESPONSE_INTERVAL_SEC * hz[cpu] : code * Math.floor(hz[cpu] / TIMER_SCALE)
  }

  /** What a query of version 3 says of the queriers' ways. */
  function learn(cpu: number, row: number, start: number): void {
    if (d === null || timers === null) return
    const at = timers.row(cpu, dev[row])
    d.robustness[at] = bytes.u8(row, start + 8) & 7
    d.queryIntervalJiffies[at] = (floating(bytes.u8(row, start + 9)) || DEFAULT_QUERY_INTERVAL_SEC) * hz[cpu]
    if (d.responseIntervalJiffies[at] >= d.queryIntervalJiffies[at])
      d.responseIntervalJiffies[at] = d.queryIntervalJiffies[at] - hz[cpu]
  }

  /** Version that the queriers of the packet\'s device speak. */
  function versionOf(cpu: number, row: number): number {
    if (d === null || timers === null) return 3
    const now = Math.floor(clockPs[cpu] / jiffyPs[cpu])
    const at = timers.row(cpu, dev[row])
    if (d.v1UntilJiffy[at] > now) return 1
    return d.v2UntilJiffy[at] > now ? 2 : 3
  }

  /** True if a query is taken. */
  function query(cpu: number, row: number, start: number): boolean {
    const code = bytes.u8(row, start + 1)
    let group = bytes.u32(row, start + 4) | 0
    let most = Math.max(1, floating(code) * Math.floor(hz[cpu] / TIMER_SCALE))
    if (len[row] === HEADER_BYTES) {
      most = heardOld(cpu, row, code)
      if (code === 0) group = 0
    } else if (len[row] < V3_QUERY_BYTES) return false
    else if (versionOf(cpu, row) === 1) {
      most = RESPONSE_INTERVAL_SEC * hz[cpu]
      group = 0
    } else if (versionOf(cpu, row) === 3) {
      const sources = bytes.u16(row, start + 10)
      if (len[row] < V3_QUERY_BYTES + sources * ADDRESS_BYTES) return false
      learn(cpu, row, start)
      if (group === 0) {
        if (sources === 0) timers?.answerAll(cpu, dev[row], most)
        return sources === 0
      }
    }
    timers?.answer(cpu, dev[row], group, most)
    return true
  }

  function report(cpu: number, row: number, start: number): boolean {
    // Our own, come back.
    if ((rtFlags[row] & RTCF.input) === 0) return false
    if (packetType[row] !== PACKET_TYPE.multicast && packetType[row] !== PACKET_TYPE.broadcast) return false
    const group = bytes.u32(row, start + 4) | 0
    if (group !== ALL_HOSTS) timers?.heard(cpu, dev[row], group)
    return true
  }

  function take(cpu: number, row: number): boolean {
    if (len[row] < HEADER_BYTES || (flags[row] & (SKB.csumBad | SKB.csumUnnecessary)) === SKB.csumBad) return false
    const start = bytes.length(row) - len[row]
    const type = bytes.u8(row, start)
    if (type === IGMP.query) return query(cpu, row, start)
    return (type === IGMP.v1Report || type === IGMP.v2Report) && report(cpu, row, start)
  }

  return (cpu, row) => {
    // Of a message without bytes nothing is known but that the kernel takes it.
    if (!bytes.has(row) || take(cpu, row)) consume(cpu, row)
    else kfree(cpu, row, DROP.igmpRcv)
  }
})
