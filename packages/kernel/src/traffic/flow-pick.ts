import { defineSystem, randomStreams } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { SteerResult } from '../wire/components.js'
import { nicSteer } from '../wire/nic-steer.js'
import { drawAlias } from './alias-table.js'
import { Flow, Source, SourceState } from './components.js'

/** Flows of sources. */
export interface FlowPick {
  /** Flow row of the source's next frame; counts the train down. */
  next(source: number): number
  /** Makes the flow of a row number `index` of its source: addresses, hash, queue. */
  open(source: number, row: number, index: number): void
}

/**
 * Flows: who is next, and what a new one looks like. The hash of a flow is computed when it begins, not per packet.
 * Kernel: net/core/pktgen.c, f_pick and mod_cur_headers
 */
export const flowPick = defineSystem<FlowPick>(
  'flow_pick',
  'traffic',
  'net/core/pktgen.c, mod_cur_headers',
  (context) => {
    const { IPPROTO_TCP, IPPROTO_UDP, PICK } = NUMBERS

    const {
      pick,
      flowBase,
      flowCount,
      aliasBase,
      train,
      stream,
      churnScale,
      daddr: sourceDaddr,
      daddrCount: sourceDaddrCount,
      dport: sourceDport,
      dportCount: sourceDportCount,
      protocol: sourceProtocol,
      saddr: sourceSaddr,
      saddrCount: sourceSaddrCount,
      sport: sourceSport,
      sportCount: sourceSportCount,
      wire: sourceWire,
      fragUnitBytes,
    } = context.read(Source)
    const { cursor, trainFlow, trainLeft, nextFlow, flowsOpened } = context.write(SourceState)
    const { saddr, daddr, ports, hash, queue, steer: steerBits, key, ipId, tcpSeq, left } = context.write(Flow)
    const { hash: steerHash, queue: steerQueue, bits: steerResultBits, key: steerKey } = context.read(SteerResult)
    const random = context.system(randomStreams)
    const alias = context.system(drawAlias)
    const steering = context.system(nicSteer)

    function open(s: number, row: number, index: number): void {
      saddr[row] = sourceSaddr[s] + (index % sourceSaddrCount[s])
      daddr[row] = sourceDaddr[s] + (index % sourceDaddrCount[s])
      const sport = (sourceSport[s] + (index % sourceSportCount[s])) & 0xffff
      const dport = (sourceDport[s] + (index % sourceDportCount[s])) & 0xffff
      const isPorted = sourceProtocol[s] === IPPROTO_UDP || sourceProtocol[s] === IPPROTO_TCP
      // An echo has an identifier instead, which no card looks at.
      ports[row] = isPorted ? ((sport << 16) | dport) >>> 0 : (sport << 16) >>> 0
      ipId[row] = 0
      tcpSeq[row] = 1
      const wire = sourceWire[s]
      const ported = isPorted && fragUnitBytes[s] === 0 ? 1 : 0
      if (sourceProtocol[s] === 0) steering.other(wire)
      else steering.ip(wire, saddr[row], daddr[row], ports[row], sourceProtocol[s], ported)
      hash[row] = steerHash[wire]
      queue[row] = steerQueue[wire]
      steerBits[row] = steerResultBits[wire]
      key[row] = steerKey[wire]
      flowsOpened[s]++
      if (pick[s] === PICK.churn) {
        // Geometric: whole part of an exponential of the right scale.
        left[row] = churnScale[s] === 0 ? 1 : 1 + Math.floor(random.exponential(stream[s]) * churnScale[s])
      }
    }

    function choose(s: number): number {
      const how = pick[s]
      if (how === PICK.roundrobin) {
        const at = cursor[s]
        cursor[s] = at + 1 === flowCount[s] ? 0 : at + 1
        return flowBase[s] + at
      }
      if (how === PICK.zipf) return flowBase[s] + alias(stream[s], aliasBase[s], flowCount[s])
      return flowBase[s] + random.below(stream[s], flowCount[s])
    }

    return {
      next(s) {
        let row: number
        if (train[s] === 1) {
          row = choose(s)
        } else if (trainLeft[s] > 1) {
          trainLeft[s]--
          row = trainFlow[s]
        } else {
          row = choose(s)
          trainFlow[s] = row
          trainLeft[s] = train[s]
        }
        if (pick[s] === PICK.churn) {
          if (left[row] === 0) {
            open(s, row, nextFlow[s])
            nextFlow[s]++
          }
          left[row]--
        }
        return row
      },
      open,
    }
  },
)
