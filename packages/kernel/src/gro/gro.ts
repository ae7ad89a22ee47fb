import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { charge } from '../cpu/charge.js'
import { Cpu } from '../cpu/components.js'
import { GroBucket } from '../napi/components.js'
import { NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { skbPool } from '../skb/skb-pool.js'
import { groComplete } from './gro-complete.js'
import { groFlush } from './gro-flush.js'
import { groHeld } from './gro-held.js'
import { groNormal } from './gro-normal.js'
import { groPolicy } from './gro-policy.js'
import { inetGroReceive } from './inet-gro-receive.js'

/** What a driver's poll calls with the packets of its queue. */
export interface Gro {
  /** Takes a received packet; returns the result, a number of `GRO` from `merged` to `normal`. Kernel: napi_gro_receive */
  receive(cpu: number, napi: number, row: number): number
  /** Puts a finished packet on the NAPI's batch. Kernel: include/net/gro.h, gro_normal_one */
  normalOne(cpu: number, napi: number, row: number): void
  /** Finishes held packets: all, or those held since an earlier jiffy. Kernel: net/core/gro.c, napi_gro_flush */
  flush(cpu: number, napi: number, oldOnly: boolean): void
  /** Hands up the packets that wait on the batch. Kernel: include/net/gro.h, gro_normal_list */
  normalList(cpu: number, napi: number): void
}

const UDP_HEADER_BYTES = 8

/**
 * Generic receive offload: packets of one flow that follow each other within a poll become one skb.
 *
 * Per NAPI eight buckets (one list before 4.19) hold up to eight packets each. A packet joins the held one of its flow,
 * is held itself, or goes to the batch of finished packets as it is.
 */
export const gro = defineSystem<Gro>('gro', 'gro', 'net/core/gro.c, napi_gro_receive, dev_gro_receive', (context) => {
  const { FEATURE, GRO, GRO_BUCKETS, IP_HEADER_BYTES, OUTCOME, OUTCOME_LIMIT, PROTO_TCP, SKB, STAGE } = NUMBERS

  const { hash, dev, ipWord, len, frames, flags, tcpWord } = context.read(Skb)
  const { gsoSize, fragHead, fragTail } = context.write(Skb)
  const { features } = context.read(NetDev)
  const { count: bucketCount } = context.read(GroBucket)
  const { clockPs, packetPool } = context.read(Cpu)
  const { bucketMask, perBucket } = groPolicy(context.resource(PLAN_CONSTANTS).plan.kernel)
  const trace = context.resource(TRACE_SINK)
  const count = context.system(counters)
  const pay = context.system(charge)
  const pool = context.system(skbPool)
  const held = context.system(groHeld)
  const normal = context.system(groNormal)
  const complete = context.system(groComplete)
  const inet = context.system(inetGroReceive)

  function hold(cpu: number, napi: number, bucketRow: number, row: number, list: boolean): void {
    if (bucketCount[bucketRow] >= perBucket) complete(cpu, napi, held.unlinkOldest(napi, bucketRow))
    if ((flags[row] & SKB.gso) === 0) {
      const isTcp = (ipWord[row] & 0xff) === PROTO_TCP
      const headerBytes = isTcp ? ((tcpWord[row] >>> 12) & 15) * 4 : UDP_HEADER_BYTES
      gsoSize[row] = len[row] - IP_HEADER_BYTES - headerBytes
    }
    held.hold(cpu, napi, bucketRow, row, list)
  }

  function devGroReceive(cpu: number, napi: number, row: number): number {
    const bucketRow = napi * GRO_BUCKETS + (hash[row] & bucketMask)
    const answer = inet(cpu, bucketRow, row)
    const outcome = answer % OUTCOME_LIMIT
    const merged = (outcome & OUTCOME.merged) !== 0
    if (merged) pay(cpu, STAGE.gro_merge, 1)
    if ((outcome & OUTCOME.complete) !== 0) {
      const done = (answer - outcome) / OUTCOME_LIMIT
      held.unlink(napi, bucketRow, done)
      complete(cpu, napi, done)
    }
    if (merged) return (outcome & OUTCOME.stolen) !== 0 ? GRO.mergedFree : GRO.merged
    if ((outcome & OUTCOME.flush) !== 0) return GRO.normal
    hold(cpu, napi, bucketRow, row, (outcome & OUTCOME.list) !== 0)
    return GRO.held
  }

  return {
    receive(cpu, napi, row) {
      let result: number = GRO.normal
      // Rows are reused without being cleared.
      if ((flags[row] & (SKB.gso | SKB.fragList)) === 0) {
        fragHead[row] = 0
        fragTail[row] = 0
        gsoSize[row] = 0
      }
      if ((features[dev[row]] & (FEATURE.gro | FEATURE.xdpGeneric)) === FEATURE.gro) {
        if (trace.on) trace.groReceive(cpu, clockPs[cpu], napi, row)
        pay(cpu, STAGE.gro_receive, 1)
        result = devGroReceive(cpu, napi, row)
      }
      if (result === GRO.normal) normal.one(cpu, napi, row, 1)
      count.gro(cpu, result, 1)
      if (trace.on) trace.groResult(cpu, clockPs[cpu], row, result)
      // Nothing asks for the single segments of a TCP packet again; datagrams stay linked behind the held one.
      if (result <= GRO.mergedFree && (ipWord[row] & 0xff) === PROTO_TCP) pool.release(row, packetPool[cpu])
      return result
    },
    normalOne(cpu, napi, row) {
      normal.one(cpu, napi, row, frames[row])
    },
    flush: context.system(groFlush),
    normalList: normal.list,
  }
})
