import { defineSystem } from '@softnet/ecs'
import { transmits } from '../build/compute-layout.js'
import { COLD_COSTS, PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { hasPairs } from '../link/has-pairs.js'
import { loopbackXmit } from '../link/loopback-xmit.js'
import { PROGRAM_XMIT } from '../link/program-xmit.js'
import { vethXmit } from '../link/veth-xmit.js'
import { hasVlans, type VlanXmit, vlanXmit } from '../link/vlan-xmit.js'
import { NetDev } from '../nic/components.js'
import { TxQueue } from '../nic/tx-components.js'
import { NUMBERS } from '../numbers.js'
import { devQueueXmitNit } from '../packet/dev-queue-xmit-nit.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb, skbPool } from '../skb/skb-pool.js'
import { type SkbSegment, sendsSegments, skbSegment } from '../skb/skb-segment.js'
import { sockWfree } from '../sock/sock-wfree.js'
import { netdevPickTx } from './netdev-pick-tx.js'
import { qdiscRun } from './qdisc-run.js'

/** Sends a packet by its device; 0 or a negative errno. The packet is gone afterwards. */
export type DevQueueXmit = (cpu: number, row: number) => number

/**
 * Hands a packet to the transmit queue of its device; a device the host's load does not leave by takes it at once.
 * Kernel: net/core/dev.c, __dev_queue_xmit, dev_hard_start_xmit
 */
export const devQueueXmit = defineSystem<DevQueueXmit>(
  '__dev_queue_xmit',
  'qdisc',
  'net/core/dev.c, __dev_queue_xmit',
  (context) => {
    const { DEV, DEVICE, DROP, ERRNO, ETH_HLEN, ETH_P_IP, EVENT, IFF, IPSKB, NET_XMIT, SKB, STAGE, XMIT } = NUMBERS

    const { dev, frames, len, wireBytes, flags } = context.write(Skb)
    const { ipcb, protocol, gsoSize, payload } = context.read(Skb)
    const { cpu: txCpu } = context.read(TxQueue)
    const { index, running, xmit, iff, transmits: takesTime } = context.read(NetDev)
    const { packetPool, clockPs, host } = context.read(Cpu)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const views = hasEvents(plan) ? context.read(DevView).bits : null
    // Hosts whose load sends something pay for it.
    const sending = Uint8Array.from(plan.hosts, (each) => (transmits(each, plan) ? 1 : 0))
    const cutter = sendsSegments(plan) ? context.system(skbSegment) : null
    const trace = context.resource(TRACE_SINK)
    const pick = context.system(netdevPickTx)
    const disciplines = context.system(qdiscRun)
    const post = context.system(mail)
    const wfree = context.system(sockWfree)
    const count = context.system(counters)
    const spend = context.system(charge)
    const spendPs = context.system(chargePs)
    const { xmitLinesPs } = context.resource(COLD_COSTS)
    const pool = context.system(skbPool)
    const kfree = context.system(kfreeSkb)
    const nit = context.system(devQueueXmitNit)
    const loopback = context.system(loopbackXmit)
    const program = context.resource(PROGRAM_XMIT)
    const vlans = hasVlans(plan) ? context.system(vlanXmit) : null
    const pair = hasPairs(context.resource(PLAN_CONSTANTS).plan.hosts) ? context.system(vethXmit) : null

    /** Kernel: include/net/sch_generic.h, qdisc_pkt_len_segs_init: each segment of a merged packet has headers of its own. */
    function packetBytes(row: number, device: number): number {
      const link = (iff[device] & (IFF.noarp | IFF.loopback)) !== 0 ? 0 : ETH_HLEN
      const size = len[row] + link
      if (frames[row] <= 1 || gsoSize[row] === 0) return size
      const headers = link + (len[row] - Math.min(len[row], payload[row]))
      return size + (frames[row] - 1) * headers
    }

    /** What the way through IP to the queue has taken. */
    function pay(cpu: number, row: number): void {
      if ((ipcb[row] & IPSKB.forwarded) !== 0) spend(cpu, STAGE.ip_forward, 1)
      if (protocol[row] === ETH_P_IP) spend(cpu, STAGE.ip_output, 1)
      spend(cpu, STAGE.dev_queue_xmit, 1)
    }

    /** To the queue's own CPU at once, to another by a cache line: that one then learns of the packet later. */
    function toQueue(cpu: number, row: number, device: number): number {
      pay(cpu, row)
      flags[row] |= SKB.outgoing
      const queue = pick(cpu, row, device)
      const owner = txCpu[queue]
      if (owner === cpu) return disciplines.xmit(cpu, queue, row, true)
      if (cutter?.isFor(row) === true) return cutAway(cpu, row, queue, owner)
      cutter?.linearize(cpu, row)
      if (nit.needed) showAway(cpu, row)
      spend(cpu, STAGE.ndo_start_xmit, 1)
      // What is the queue's own comes from the CPU that had it last.
      spendPs(cpu, STAGE.ndo_start_xmit, xmitLinesPs[cpu * cpuRows + owner])
      if (trace.on) trace.xmitSend(cpu, clockPs[cpu], row)
      post.packet(cpu, owner, EVENT.txPacket, row, queue, cpu)
      return 0
    }

    /** Taps see a packet on the CPU that sends it, whose queue it is. */
    function showAway(cpu: number, row: number): void {
      nit.transmit(cpu, row)
      flags[row] |= SKB.tapped
    }

    /** A message is cut where its socket is known, before it goes to another CPU's queue. */
    function cutAway(cpu: number, row: number, queue: number, owner: number): number {
      const n = cutter === null ? 0 : cutter.cut(cpu, row)
      if (n === 0 || cutter === null) {
        kfree(cpu, row, DROP.segmentFailed)
        return NET_XMIT.drop
      }
      for (let i = 0; i < n; i++) {
        if (nit.needed) showAway(cpu, cutter.list[i])
        spend(cpu, STAGE.ndo_start_xmit, 1)
        if (trace.on) trace.xmitSend(cpu, clockPs[cpu], cutter.list[i])
        post.packet(cpu, owner, EVENT.txPacket, cutter.list[i], queue, cpu)
      }
      return 0
    }

    /** A device without carrier loses what is sent on it, and the sender is not told. Kernel: net/sched/sch_generic.c, noop_enqueue */
    function toNoop(cpu: number, row: number, device: number): number {
      count.device(index[device], cpu, DEVICE.txDropped, frames[row])
      kfree(cpu, row, DROP.noopQdisc)
      return NET_XMIT.cn
    }

    /** The loopback device has no queue. Its bytes are those of the IP packet, however many segments that is. */
    function home(cpu: number, row: number): number {
      wireBytes[row] = len[row]
      if (sending[host[cpu]] !== 0) {
        spend(cpu, STAGE.ip_output, 1)
        spend(cpu, STAGE.dev_queue_xmit, 1)
        spend(cpu, STAGE.ndo_start_xmit, 1)
      }
      if (nit.needed) nit.transmit(cpu, row)
      return loopback(cpu, row)
    }

    /** The frame has left the host. */
    function leave(cpu: number, row: number, device: number): void {
      count.device(index[device], cpu, DEVICE.txPackets, frames[row])
      count.device(index[device], cpu, DEVICE.txBytes, wireBytes[row])
      count.sent(cpu, frames[row])
      if (trace.on) trace.sent(cpu, clockPs[cpu], row)
      wfree.orphan(cpu, row)
      pool.release(row, packetPool[cpu])
    }

    /** A VLAN device has no discipline; what the packet takes of IP is paid where the device below has it. */
    function onVlan(cpu: number, row: number, device: number, vlan: VlanXmit): number {
      if (takesTime[device] !== 0) spend(cpu, STAGE.dev_queue_xmit, 1)
      if (nit.needed) nit.transmit(cpu, row)
      const bytes = vlan.tag(cpu, row)
      const code = xmitOn(cpu, row)
      vlan.done(cpu, device, code, bytes)
      return code
    }

    /** To the program behind the device, or out of what is simulated; a message is cut first. */
    function depart(cpu: number, row: number, device: number): number {
      const isProgram = xmit[device] === XMIT.program && program.xmit !== null
      if (isProgram && cutter?.isFor(row) === true) return departCut(cpu, row, device, cutter)
      if (nit.needed) nit.transmit(cpu, row)
      if (isProgram) program.xmit?.(cpu, row)
      leave(cpu, row, device)
      return 0
    }

    function departCut(cpu: number, row: number, device: number, by: SkbSegment): number {
      const n = by.cut(cpu, row)
      for (let i = 0; i < n; i++) {
        if (nit.needed) nit.transmit(cpu, by.list[i])
        program.xmit?.(cpu, by.list[i])
        leave(cpu, by.list[i], device)
      }
      if (n > 0) return 0
      kfree(cpu, row, DROP.segmentFailed)
      return NET_XMIT.drop
    }

    function xmitOn(cpu: number, row: number): number {
      const device = dev[row]
      if (running[device] === 0) {
        kfree(cpu, row, DROP.devDown)
        return -ERRNO.ENETDOWN
      }
      wireBytes[row] = packetBytes(row, device)
      const amiss = views === null ? 0 : views[index[device] * cpuRows + cpu]
      if ((amiss & DEV.inactive) !== 0) return toNoop(cpu, row, device)
      if (xmit[device] === XMIT.loopback) return home(cpu, row)
      if (pair !== null && xmit[device] === XMIT.veth) {
        pay(cpu, row)
        return pair(cpu, row)
      }
      if (vlans !== null && xmit[device] === XMIT.vlan) return onVlan(cpu, row, device, vlans)
      if (takesTime[device] !== 0) return toQueue(cpu, row, device)
      if ((amiss & DEV.noCarrier) !== 0) {
        // The driver takes it, and the card has no link to send it on.
        kfree(cpu, row, DROP.noCarrierTx)
        return 0
      }
      return depart(cpu, row, device)
    }
    return xmitOn
  },
)
