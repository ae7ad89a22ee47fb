import { defineSystem } from '@softnet/ecs'
import { bucketIndex } from '@softnet/scenario/plan'
import { COLD_COSTS, PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { COST_LATENCY } from '../build/latency.js'
import { LatencyHistogram, LatencySum } from '../count/components.js'
import { counters } from '../count/counters.js'
import { charge, chargePair, chargePs } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { mail } from '../cpu/mail.js'
import { NUMBERS } from '../numbers.js'
import { pluginHook } from '../plugin/hooks.js'
import { Skb } from '../skb/components.js'
import { kfreeSkb, skbPool } from '../skb/skb-pool.js'
import { stampsPackets } from '../skb/stamps-packets.js'
import { SoftirqState } from '../softirq/components.js'
import { SockFlow } from '../softnet/components.js'
import { Sock, SockView } from './components.js'
import { deferFree } from './defer-free.js'
import { udpMemory } from './udp-memory.js'

/** Reading of UDP sockets. */
export interface UdpRecvmsg {
  /** True if a read would find something. */
  readable(sock: number): boolean
  /**
   * Reads one datagram: 0 if the queue is empty, else the payload bytes + 1. Charges the call's work per message.
   * `messages` of the datagram's wire frames are then delivered.
   */
  receive(cpu: number, sock: number, bufferBytes: number): number
  /** One entry: client request number of the datagram read last, 0 if it was not a request. In a column it is not boxed. */
  readonly lastRequest: Float64Array
  /** Sender of the datagram read last: address, and port. */
  lastAddress(): number
  lastPort(): number
}

/** Receive calls on UDP sockets. Kernel: net/ipv4/udp.c, udp_recvmsg, __skb_recv_udp, udp_rmem_release */
export const udpRecvmsg = defineSystem<UdpRecvmsg>('udp_recvmsg', 'sock', 'net/ipv4/udp.c, udp_recvmsg', (context) => {
  const { DROP, EVENT, LATENCY_BUCKETS, SKB, SNMP, STAGE, VIA } = NUMBERS

  const s = context.write(Sock)
  const { rcvbuf, rmemAlloc, forwardDeficit, queueHead, queueTail, queueCount, readerHead, readerTail, readerCount } = s
  const { received, drops, fullTold, connected, rxHash, timestamp } = s
  const skb = context.write(Skb)
  const { next, truesize, payload, flags, arrivalPs, frames, fragHead, request, saddr, ports, allocCpu } = skb
  const { told } = context.write(SockView)
  const { entry: sockFlow } = context.write(SockFlow)
  const { count: histogram } = context.write(LatencyHistogram)
  const { count: sumCount, sumNs, minNs, maxNs } = context.write(LatencySum)
  const { clockPs, packetPool, flowView, number } = context.read(Cpu)
  const constants = context.resource(PLAN_CONSTANTS)
  const { bhEnabled } = context.write(SoftirqState)
  const { cpuRows, sources, sourceCpus, flowViewLeaders, warmupPs } = constants
  const { sockFlowRows, sockFlowLength, sockFlowCpuMask } = constants
  const _latency = context.resource(COST_LATENCY)
  const { farPacketPs } = context.resource(COLD_COSTS)
  const trace = context.resource(TRACE_SINK)
  const spend = context.system(charge)
  const spendPs = context.system(chargePs)
  const spendTwo = context.system(chargePair)
  const count = context.system(counters)
  const kfree = context.system(kfreeSkb)
  const pool = context.system(skbPool)
  const post = context.system(mail)
  const free = context.system(deferFree)
  const memory = context.system(udpMemory)
  const accounted = memory.accounted
  const stamping = stampsPackets(constants.plan.hosts)
  const lastRequest = new Float64Array(1)
  let address_ = 0
  let port_ = 0

  /** udp_rmem_release: bytes go back in batches while the reader's own queue has more. */
  function release(cpu: number, sock: number, size: number): void {
    const deficit = forwardDeficit[sock] + size
    if (deficit < rcvbuf[sock] >>> 2 && readerHead[sock] !== 0) {
      forwardDeficit[sock] = deficit
      return
    }
    forwardDeficit[sock] = 0
    if (accounted) memory.release(cpu, sock, deficit)
    rmemAlloc[sock] -= deficit
    splice(sock)
    if (fullTold[sock] === 0) return
    fullTold[sock] = 0
    for (let source = 0; source < sources; source++) {
      const view = sock * sources + source
      if (told[view] === 0) continue
      told[view] = 0
      const to = sourceCpus[source]
      post.note(cpu, to, VIA.line, EVENT.socketView, sock, 0, 0)
    }
  }

  function splice(sock: number): void {
    if (queueHead[sock] === 0) return
    if (readerHead[sock] === 0) readerHead[sock] = queueHead[sock]
    else next[readerTail[sock]] = queueHead[sock]
    readerTail[sock] = queueTail[sock]
    readerCount[sock] += queueCount[sock]
    queueHead[sock] = 0
    queueTail[sock] = 0
    queueCount[sock] = 0
  }

  /** sock_rps_record_flow: tells the steering CPUs where this flow is read. */
  function recordFlow(cpu: number, sock: number): void {
    if (sockFlowLength[cpu] === 0) return
    const hash = rxHash[sock]
    if (hash === 0 || connected[sock] === 0) return
    const slot = hash & (sockFlowLength[cpu] - 1)
    const value = ((hash & ~sockFlowCpuMask[cpu]) | number[cpu]) >>> 0
    const own = flowView[cpu] * sockFlowRows + slot
    if (sockFlow[own] === value) return
    sockFlow[own] = value
    for (let i = 0; i < flowViewLeaders.length; i++) {
      if (i === flowView[cpu]) continue
      const to = flowViewLeaders[i]
      if (!post.connected(cpu, to)) continue
      post.note(cpu, to, VIA.line, EVENT.sockFlow, number[cpu], 0, hash)
    }
  }

  const plugins = pluginHook(context, 'recvmsg')
  const read = new Int32Array(1)

  function record(cpu: number, row: number, wireFrames: number): void {
    count.delivered(cpu, wireFrames)
    if (trace.on) trace.delivered(cpu, clockPs[cpu], row)
    if (arrivalPs[row] < warmupPs) return
    const ns = (clockPs[cpu] - arrivalPs[row]) / 1000
    // A small integer needs no box where the call is not joined in.
    histogram[cpu * LATENCY_BUCKETS + bucketIndex(ns < 1_073_741_824 ? ns | 0 : ns)]++
    sumCount[cpu]++
    sumNs[cpu] += ns
    if (ns < minNs[cpu] || sumCount[cpu] === 1) minNs[cpu] = ns
    if (ns > maxNs[cpu]) maxNs[cpu] = ns
    if (plugins === null) return
    read[0] = row
    plugins(read, 1, cpu)
  }

  /** Frees a datagram that has been read; the segments chained to it are messages of their own for the latency. */
  function finish(cpu: number, row: number): void {
    let own = frames[row]
    for (let segment = fragHead[row]; segment !== 0; ) {
      const following = next[segment]
      own -= frames[segment]
      record(cpu, segment, frames[segment])
      segment = following
    }
    record(cpu, row, own)
    pool.release(row, packetPool[cpu])
  }

  return {
    readable: (sock) => readerHead[sock] !== 0 || queueHead[sock] !== 0,
    receive(cpu, sock, bufferBytes) {
      recordFlow(cpu, sock)
      // The reader's queue is looked at under spin_lock_bh. Kernel: net/ipv4/udp.c, __skb_recv_udp
      bhEnabled[cpu] = 1
      for (;;) {
        if (readerHead[sock] === 0) {
          splice(sock)
          if (readerHead[sock] === 0) return 0
        }
        const row = readerHead[sock]
        readerHead[sock] = next[row]
        readerCount[sock]--
        if (readerHead[sock] === 0) readerTail[sock] = 0
        next[row] = 0
        const size = truesize[row]
        release(cpu, sock, size)
        const copied = payload[row] < bufferBytes ? payload[row] : bufferBytes
        if (trace.on) trace.sockRead(cpu, clockPs[cpu], row, sock, copied)
        const special = flags[row] & (SKB.remote | SKB.csumBad)
        if (special === 0) spendTwo(cpu, STAGE.recvmsg, 1, STAGE.copy_to_user, copied)
        else {
          spend(cpu, STAGE.recvmsg, 1)
          if ((special & SKB.remote) !== 0) {
            const far = farPacketPs[allocCpu[row] * cpuRows + cpu]
            if (far > 0) spendPs(cpu, STAGE.remote_skb, far)
            else spend(cpu, STAGE.remote_skb, 1)
          }
          if ((special & SKB.csumBad) === 0) spend(cpu, STAGE.copy_to_user, copied)
        }
        if ((special & SKB.csumBad) !== 0) {
          drops[sock]++
          count.snmp(cpu, SNMP.UdpInCsumErrors, 1)
          count.snmp(cpu, SNMP.UdpInErrors, 1)
          kfree(cpu, row, DROP.udpCsumRecv)
          continue
        }
        if (stamping && timestamp[sock] !== 0) spend(cpu, STAGE.recv_timestamp, 1)
        free(cpu, row)
        count.snmp(cpu, SNMP.UdpInDatagrams, 1)
        received[sock]++
        lastRequest[0] = request[row]
        // Signed, so that it needs no box.
        address_ = saddr[row] | 0
        port_ = ports[row] >>> 16
        finish(cpu, row)
        return copied + 1
      }
    },
    lastRequest,
    lastAddress: () => address_,
    lastPort: () => port_,
  }
})
