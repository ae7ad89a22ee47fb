import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { FAULT_VLAN_SHORT } from '@softnet/wire'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { dstInput } from '../ip/dst-input.js'
import { ipLocalDefrag, ipLocalDeliver } from '../ip/ip-local-deliver.js'
import { ipRcv } from '../ip/ip-rcv.js'
import { ipRcvFinish } from '../ip/ip-rcv-finish.js'
import { DevView } from '../link/components.js'
import { hasEvents } from '../link/fill-link.js'
import { hasVlans } from '../link/vlan-xmit.js'
import { arpRcv } from '../neigh/arp-rcv.js'
import { hasRules, nfHookSlow } from '../netfilter/nf-hook-slow.js'
import { devNet } from '../netns/dev-net.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { usesPackets } from '../packet/components.js'
import { packetTaps } from '../packet/packet-rcv.js'
import { tapCounts } from '../packet/tap-counts.js'
import { IngressVerdict, pluginHook } from '../plugin/hooks.js'
import { Skb } from '../skb/components.js'
import { consumeSkb, kfreeSkb } from '../skb/skb-pool.js'
import { udpQueueRcv } from '../sock/udp-queue-rcv.js'
import { Softnet } from '../softnet/components.js'
import { udpRcv } from '../udp/udp-rcv.js'
import { XDP_PASS, xdp } from '../xdp/xdp.js'
import { VlanDevice } from './components.js'
import { netTimestamp } from './net-timestamp.js'
import { rxHandlers } from './rx-handler.js'
import type { Stage } from './stage.js'
import { steer } from './steer.js'

const ETH_P_IP = 0x0800
const ETH_P_ARP = 0x0806
const ETH_P_IPV6 = 0x86dd
const BATCH_ROWS = 1024
/** What becomes of a tagged packet: it is nobody's, a VLAN device has it, or that is down. */
const VLAN_NONE = 0
const VLAN_AGAIN = 1
const VLAN_LOST = 2

/** Ways into the stack. */
export interface NetifReceive {
  /** netif_receive_skb_list_internal: steers or handles `count` packets of `ids` in order. */
  list(ids: Int32Array, count: number, cpu: number): void
  /** __netif_receive_skb for one packet from a backlog: no steering. */
  one(cpu: number, row: number): void
}

/**
 * The core of reception: taps, VLAN, rx_handler and protocol dispatch per packet, then IP over the whole list, so that
 * all packets of a batch pass ip_rcv before any reaches its socket. Kernel: net/core/dev.c, __netif_receive_skb_core
 */
export const netifReceive = defineSystem<NetifReceive>(
  'netif_receive_skb',
  'netif',
  'net/core/dev.c, __netif_receive_skb_core',
  (context) => {
    const { DEV, DEVICE, DROP, FEATURE, NF_HOOK, PACKET_TYPE, RX_HANDLER, SKB, STAGE } = NUMBERS

    const { processed } = context.write(Softnet)
    const { faults } = context.read(Skb)
    const { dev, len, vlanTci, flags, protocol, packetType } = context.write(Skb)
    const { index: devIndex, features, rxHandler } = context.read(NetDev)
    const { device: vlanOf } = context.read(VlanDevice)
    const { clockPs } = context.read(Cpu)
    const { plan, cpuRows } = context.resource(PLAN_CONSTANTS)
    const trace = context.resource(TRACE_SINK)
    const spend = context.system(charge)
    const count = context.system(counters)
    const kfree = context.system(kfreeSkb)
    const consume = context.system(consumeSkb)
    const arp = context.system(arpRcv)
    const steering = context.system(steer)
    const program = context.system(xdp)
    const handlers = context.system(rxHandlers)
    const stamps = context.system(netTimestamp)
    const stamping = stamps.needed
    const space = context.system(devNet)
    const packets = usesPackets(plan) ? context.system(packetTaps) : null
    const hooks = hasRules(plan) ? context.system(nfHookSlow) : null
    const stages: readonly Stage[] = [
      context.system(ipRcv),
      context.system(ipRcvFinish),
      context.system(dstInput),
      context.system(ipLocalDeliver),
      context.system(udpRcv),
      context.system(udpQueueRcv),
    ]
    const [ipRcvRun, finishRun, inputRun, deliverRun, udpRun, queueRun] = stages as [
      Stage,
      Stage,
      Stage,
      Stage,
      Stage,
      Stage,
    ]
    const wholeRun = context.system(ipLocalDefrag)
    const xdpBeforeRps = KERNEL_VERSIONS[plan.kernel].genericXdpBeforeRps
    const tapsOf = tapCounts(plan)
    const tags = hasVlans(plan)
    const views = tags && hasEvents(plan) ? context.read(DevView).bits : null
    const batch = new Int32Array(BATCH_ROWS)
    const single = new Int32Array(BATCH_ROWS)
    const classified = new Int32Array(1)

    /** VLAN tag in the metadata: move to the VLAN's device, or mark the packet as somebody else's. */
    function vlanReceive(cpu: number, row: number): number {
      spend(cpu, STAGE.vlan, 1)
      const id = vlanTci[row] & 0xfff
      // Without a VLAN device in the whole plan there is no table.
      const target = !tags ? 0 : vlanOf[devIndex[dev[row]] * 4096 + id]
      flags[row] &= ~SKB.vlan
      if (target !== 0) {
        if (views !== null && (views[devIndex[target] * cpuRows + cpu] & DEV.down) !== 0) {
          kfree(cpu, row, DROP.vlanDown)
          return VLAN_LOST
        }
        dev[row] = target
        count.device(devIndex[target], cpu, DEVICE.rxPackets, 1)
        count.device(devIndex[target], cpu, DEVICE.rxBytes, len[row])
        if (packetType[row] === PACKET_TYPE.multicast) count.device(devIndex[target], cpu, DEVICE.multicast, 1)
        return VLAN_AGAIN
      }
      if (id !== 0) packetType[row] = PACKET_TYPE.otherhost
      return VLAN_NONE
    }

    /** Rounds of the core since they were last charged: a batch is charged at once. */
    let rounds = 0

    function chargeRounds(cpu: number): void {
      processed[cpu] += rounds
      spend(cpu, STAGE.netif_receive_skb, rounds)
      rounds = 0
    }

    const ingress = pluginHook(context, 'tc_ingress')
    const shot = ingress === null ? null : context.write(IngressVerdict).shot

    /** Classifiers of plugins: true if one of them dropped the packet. Kernel: net/core/dev.c, sch_handle_ingress */
    function isShot(cpu: number, row: number): boolean {
      if (ingress === null || shot === null) return false
      classified[0] = row
      shot[row] = 0
      ingress(classified, 1, cpu)
      if (shot[row] === 0) return false
      kfree(cpu, row, DROP.tcIngress)
      return true
    }

    /** One packet through the core; true if IPv4 shall have it. */
    function core(cpu: number, row: number): boolean {
      if (space.several) space.ofDevice(cpu, dev[row])
      if (stamping) stamps.core(cpu, row)
      const orig = dev[row]
      let shown = 0
      for (;;) {
        rounds++
        if (trace.on) trace.netifReceiveSkb(cpu, clockPs[cpu], row)
        const device = dev[row]
        if (
          !xdpBeforeRps &&
          (features[device] & FEATURE.xdpGeneric) !== 0 &&
          program.generic(cpu, device, row) !== XDP_PASS
        ) {
          return false
        }
        if ((flags[row] & SKB.pfmemalloc) === 0) {
          if (trace.on) trace.tap(cpu, clockPs[cpu], row)
          if (tapsOf[devIndex[device]] > 0) spend(cpu, STAGE.tap, tapsOf[devIndex[device]])
          if (packets !== null) shown = packets.receive(cpu, row)
        }
        if (ingress !== null && isShot(cpu, row)) return false
        if ((flags[row] & SKB.vlan) !== 0) {
          const outcome = vlanReceive(cpu, row)
          if (outcome === VLAN_AGAIN) continue
          if (outcome === VLAN_LOST) return false
        }
        const handler = rxHandler[dev[row]]
        if (handler !== RX_HANDLER.none) {
          const verdict = handlers(cpu, row, handler)
          if (verdict === RX_HANDLER.consumed) return false
          if (verdict === RX_HANDLER.another) continue
        }
        break
      }
      const type = protocol[row]
      if (packets !== null) shown += packets.specific(cpu, row, orig)
      if (type === ETH_P_IP) return true
      if (type === ETH_P_ARP) {
        arp.receive(cpu, row)
        return false
      }
      // IPv6 has a handler that this release leaves at its door: the kernel takes the packet.
      if (type === ETH_P_IPV6 || shown > 0 || tapsOf[devIndex[dev[row]]] > 0) {
        consume(cpu, row)
        return false
      }
      if ((faults[row] & FAULT_VLAN_SHORT) !== 0) {
        kfree(cpu, row, DROP.vlanUntag)
        return false
      }
      count.device(devIndex[dev[row]], cpu, DEVICE.rxDropped, 1)
      kfree(cpu, row, DROP.unhandledProto)
      return false
    }

    function stack(ids: Int32Array, n: number, cpu: number): void {
      let left = ipRcvRun(ids, n, cpu)
      if (left > 0 && hooks !== null) left = hooks.list(NF_HOOK.preRouting, ids, left, cpu)
      if (left > 0) left = finishRun(ids, left, cpu)
      if (left > 0) left = inputRun(ids, left, cpu)
      if (left > 0 && hooks !== null) {
        // Rules at LOCAL_IN see whole packets.
        left = wholeRun(ids, left, cpu)
        left = hooks.list(NF_HOOK.localIn, ids, left, cpu)
      }
      if (left > 0) left = deliverRun(ids, left, cpu)
      if (left > 0) left = udpRun(ids, left, cpu)
      if (left > 0) queueRun(ids, left, cpu)
      if (hooks !== null) hooks.end(cpu)
    }

    return {
      list(ids, n, cpu) {
        if (stamping) for (let i = 0; i < n; i++) stamps.prequeue(cpu, ids[i])
        let kept = 0
        for (let i = 0; i < n; i++) {
          const row = ids[i]
          if (
            xdpBeforeRps &&
            (features[dev[row]] & FEATURE.xdpGeneric) !== 0 &&
            program.generic(cpu, dev[row], row) !== XDP_PASS
          ) {
            continue
          }
          if (steering.needed) {
            const target = steering.cpuOf(cpu, row)
            if (target !== 0) {
              steering.toBacklog(cpu, row, target)
              continue
            }
          }
          ids[kept++] = row
        }
        let toIp = 0
        for (let i = 0; i < kept; i++) {
          const row = ids[i]
          if (core(cpu, row)) batch[toIp++] = row
        }
        chargeRounds(cpu)
        if (toIp > 0) stack(batch, toIp, cpu)
      },
      one(cpu, row) {
        const toIp = core(cpu, row)
        chargeRounds(cpu)
        if (!toIp) return
        single[0] = row
        stack(single, 1, cpu)
      },
    }
  },
)
