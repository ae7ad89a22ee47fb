import { defineSystem, mixSigned32, randomStreams } from '@softnet/ecs'
import { PLAN_CONSTANTS, TRACE_SINK } from '../build/constants.js'
import { PacketCount, Timeline } from '../count/components.js'
import { wireCable } from '../link/wire-cable.js'
import { LaneWriter, NetDev } from '../nic/components.js'
import { NUMBERS } from '../numbers.js'
import { Skb } from '../skb/components.js'
import { SteerResult, Wire, WireState, WireTurn } from './components.js'
import { frameOnLink } from './frame-on-link.js'
import { QueuePages } from './link-components.js'
import { nicAdmit } from './nic-admit.js'
import { nicSteer } from './nic-steer.js'

/** Frames of other hosts at a port. */
export interface LinkArrive {
  /** True if the card takes frames to the address the packet goes to. */
  accepts(wire: number, row: number): boolean
  /** Queue a packet (or frame) goes to, 0: a rule drops it. Draws nothing and counts nothing. Comes before `arrive`. */
  queueOf(wire: number, row: number): number
  /** True if so many frames find room in the lane of a queue. */
  hasRoom(queue: number, wanted: number): boolean
  /**
   * Frame `index` of the packet `row` reaches the port at `WireTurn.arrivePs`, for the queue that `queueOf` gave; `isFrame`: the
   * row is a frame on its way, not a packet in a ring.
   */
  arrive(wire: number, row: number, index: number, isFrame: boolean, queue: number): void
  /** A frame of `row` that would reach the port at `WireTurn.arrivePs` ends on its way. */
  lose(wire: number, row: number, drop: number): void
}

const BROADCAST_HIGH = 0xffff
const BROADCAST_LOW = 0xffffffff
const GROUP_BIT = 0x0100

/**
 * The receive half of a card on a link: its filter of addresses, its choice of a queue, and the lane.
 * Kernel: net/ethernet/eth.c, eth_type_trans; net/core/dev_addr_lists.c (what a card accepts)
 */
export const linkArrive = defineSystem<LinkArrive>('link_arrive', 'wire', 'net/ethernet/eth.c', (context) => {
  const {
    ETH_P_IP,
    IP_MF,
    IP_OFFSET,
    IPPROTO_TCP,
    IPPROTO_UDP,
    TIMELINE_ROWS,
    DROP,
    NIC_FAULT,
    PACKET_TYPE,
    SKB,
    STEER,
  } = NUMBERS
  const FRAGMENT = IP_MF | IP_OFFSET
  const w = context.read(Wire)
  const { stream, errorThreshold, macHigh: ownHigh, macLow: ownLow, rxChecksum, serialFirst, serialStep, arfs } = w
  const { overheadBytes, linkWhole } = w
  const cable = context.system(wireCable)
  const { portPs, frames, bytes, lastDuePs, multicast, arfsHits } = context.write(WireState)
  const { arrivePs } = context.read(WireTurn)
  const { base: laneBase, mask: laneMask, headSeen: laneHeadSeen, tail: laneTail } = context.write(LaneWriter)
  const { first: pageFirst } = context.read(QueuePages)
  const s = context.write(Skb)
  const { serial, arrivalPs, duePs, flags, hash, packetType, macHash, wireBytes, macHigh, macLow, dev } = s
  const { saddr, daddr, ports, protocol, ipWord, idFrag } = s
  const { macHigh: devHigh, macLow: devLow } = context.read(NetDev)
  const result = context.read(SteerResult)
  const { offered } = context.write(PacketCount)
  const { offered: timelineOffered } = context.write(Timeline)
  const { timelinePs } = context.resource(PLAN_CONSTANTS)
  const trace = context.resource(TRACE_SINK)
  const random = context.system(randomStreams)
  const steering = context.system(nicSteer)
  const card = context.system(nicAdmit)
  const frame = context.system(frameOnLink)

  function isPorted(row: number): boolean {
    const l4 = ipWord[row] & 0xff
    return (l4 === IPPROTO_TCP || l4 === IPPROTO_UDP) && (idFrag[row] & FRAGMENT) === 0
  }

  function isIp(row: number): boolean {
    return protocol[row] === ETH_P_IP && ipWord[row] >>> 28 === 4
  }

  /** Leaves hash and bits in `SteerResult`. */
  function steer(wire: number, row: number): number {
    if (!isIp(row)) {
      steering.other(wire)
      return result.queue[wire]
    }
    const ported = isPorted(row) ? 1 : 0
    steering.ip(wire, saddr[row] | 0, daddr[row] | 0, ported === 0 ? 0 : ports[row] | 0, ipWord[row] & 0xff, ported)
    if (arfs[wire] === 0 || (result.bits[wire] & (STEER.rule | STEER.steerable)) !== STEER.steerable)
      return result.queue[wire]
    const filtered = steering.filtered(wire, result.key[wire])
    return filtered === 0 ? result.queue[wire] : filtered
  }

  function offer(wire: number): void {
    const atPs = arrivePs[wire]
    portPs[wire] = atPs
    frames[wire]++
    offered[wire]++
    timelineOffered[wire * TIMELINE_ROWS + Math.min(TIMELINE_ROWS - 1, Math.floor(atPs / timelinePs))]++
  }

  /** Number of the frame that was offered last. */
  function serialOf(wire: number): number {
    return serialFirst[wire] + (frames[wire] - 1) * serialStep[wire]
  }

  function typeOf(wire: number, row: number): number {
    const high = macHigh[row]
    if (high === BROADCAST_HIGH && macLow[row] === BROADCAST_LOW) return PACKET_TYPE.broadcast
    if ((high & GROUP_BIT) !== 0) return PACKET_TYPE.multicast
    const isUnknown = high === 0 && macLow[row] === 0
    return isUnknown || (high === ownHigh[wire] && macLow[row] === ownLow[wire])
      ? PACKET_TYPE.host
      : PACKET_TYPE.otherhost
  }

  /** What the card adds to a frame in its lane. */
  function describe(wire: number, row: number): void {
    const type = typeOf(wire, row)
    packetType[row] = type
    if (type === PACKET_TYPE.multicast) multicast[wire]++
    const from = dev[row]
    macHash[row] = mixSigned32(mixSigned32(macLow[row] | 0, macHigh[row]), mixSigned32(devLow[from] | 0, devHigh[from]))
    macHigh[row] = devHigh[from]
    macLow[row] = devLow[from]
    flags[row] |= SKB.senderKnown
    hash[row] = result.hash[wire]
    if ((result.bits[wire] & STEER.l4Hash) !== 0) flags[row] |= SKB.l4Hash
    const isRight = (flags[row] & (SKB.csumBad | SKB.csumZero | SKB.ipCsumBad)) === 0
    if (rxChecksum[wire] !== 0 && isRight && isIp(row) && isPorted(row)) flags[row] |= SKB.csumUnnecessary
  }

  return {
    accepts: (wire, row) => typeOf(wire, row) !== PACKET_TYPE.otherhost,
    queueOf: steer,
    hasRoom: (queue, wanted) => ((laneTail[queue] - laneHeadSeen[queue]) >>> 0) + wanted <= laneMask[queue] + 1,
    lose(wire, row, drop) {
      offer(wire)
      if (trace.on) trace.linkLost(wire, portPs[wire], row, serialOf(wire))
      card.lose(wire, frames[wire] - 1, drop)
    },
    arrive(wire, row, index, isFrame, queue) {
      offer(wire)
      const number = frames[wire] - 1
      if (trace.on) trace.linkFrame(wire, portPs[wire], row, serialOf(wire))
      const size = isFrame ? wireBytes[row] : frame.bytes(row, index)
      bytes[wire] += size
      const isDamaged = errorThreshold[wire] > 0 && random.word(stream[wire]) < errorThreshold[wire]
      const broken = card.broken(wire)
      if (cable !== null) {
        const firstBitPs = portPs[wire] - (size + overheadBytes[wire]) * linkWhole[wire]
        if (!cable.receives(wire, firstBitPs, portPs[wire])) {
          card.lose(wire, number, DROP.noCarrier)
          return
        }
      }
      if (broken === NIC_FAULT.lose) {
        card.lose(wire, number, DROP.nicFault)
        return
      }
      if (isDamaged || broken === NIC_FAULT.crc) {
        card.damaged(wire, number)
        return
      }
      if (card.admit(wire, size, queue) === 0) return
      if (queue !== result.queue[wire]) arfsHits[wire]++
      const tail = laneTail[queue]
      const lane = laneBase[queue] + ((tail & laneMask[queue]) >>> 0)
      const page = frame.hasBytes(row) ? pageFirst[queue] + lane - laneBase[queue] : 0
      if (isFrame) frame.copy(lane, row, page)
      else frame.write(lane, row, index, page)
      serial[lane] = serialOf(wire)
      arrivalPs[lane] = portPs[wire]
      duePs[lane] = lastDuePs[wire]
      describe(wire, lane)
      if (broken === NIC_FAULT.corrupt && (flags[lane] & SKB.csumZero) === 0) {
        flags[lane] = (flags[lane] & ~SKB.csumUnnecessary) | SKB.csumBad
      }
      laneTail[queue] = tail + 1
    },
  }
})
