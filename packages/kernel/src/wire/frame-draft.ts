import { defineSystem, randomStreams } from '@softnet/ecs'
import { NUMBERS } from '../numbers.js'
import { drawAlias } from '../traffic/alias-table.js'
import { Flow, ReplayFrame, RequestSlot, Source, SourceState } from '../traffic/components.js'
import { flowPick } from '../traffic/flow-pick.js'
import { fragmentSource } from '../traffic/fragment-source.js'
import { requests } from '../traffic/request.js'
import { Draft, Wire, WireState } from './components.js'
import { nicSteer } from './nic-steer.js'

const IPV4_BYTES = 20

/** Decides everything about the next frame of a source, once, into the wire's `Draft`. */
export type FrameDraft = (wire: number, source: number) => void

/**
 * Flow, length, faults, loss on the wire and queue of the next frame. Decided before the lane is known to have room,
 * so that waiting for room draws nothing twice. Kernel: net/core/pktgen.c, fill_packet_ipv4
 */
export const frameDraft = defineSystem<FrameDraft>(
  'frame_draft',
  'wire',
  'net/core/pktgen.c, fill_packet_ipv4',
  (context) => {
    const { ARRIVAL, MALFORM, PICK, STEER } = NUMBERS

    const {
      kind,
      stream,
      fixedBytes,
      sizeBase,
      sizeCount,
      malform: hasMalform,
      pick,
      flowBase,
      flowCount,
      badVersionShare,
      depth,
      frameBase,
      ipChecksumShare,
      l4ChecksumShare,
      otherHostShare,
      slotBase,
      truncatedShare,
      fragUnitBytes,
      fragL4Bytes,
      linkBytes,
    } = context.read(Source)
    const { nextPs, sent, replayIndex, trainLeft, fragFlow } = context.write(SourceState)
    const {
      flow: draftFlow,
      frame: draftFrame,
      bytes: draftBytes,
      queue: draftQueue,
      malform: draftMalform,
      error: draftError,
      pending: draftPending,
      push: draftPush,
      request: draftRequest,
      slot: draftSlot,
      source: draftSource,
      wantPs: draftWantPs,
    } = context.write(Draft)
    const { key: flowKey, queue: flowQueue, steer: flowSteer } = context.read(Flow)
    const { key: frameKey, queue: frameQueue, steer: frameSteer, wireBytes: frameWireBytes } = context.read(ReplayFrame)
    const { flow: slotFlow } = context.write(RequestSlot)
    const { errorThreshold, stream: wireStream, arfs, firstQueue } = context.read(Wire)
    const { arfsHits } = context.write(WireState)
    const flows = context.system(flowPick)
    const alias = context.system(drawAlias)
    const random = context.system(randomStreams)
    const clients = context.system(requests)
    const steering = context.system(nicSteer)
    const fragments = context.system(fragmentSource)

    function drawMalform(s: number): number {
      let bits = 0
      const r = stream[s]
      if (ipChecksumShare[s] > 0 && random.word(r) < ipChecksumShare[s]) bits |= MALFORM.ipChecksum
      if (l4ChecksumShare[s] > 0 && random.word(r) < l4ChecksumShare[s]) bits |= MALFORM.l4Checksum
      if (truncatedShare[s] > 0 && random.word(r) < truncatedShare[s]) bits |= MALFORM.truncated
      if (badVersionShare[s] > 0 && random.word(r) < badVersionShare[s]) bits |= MALFORM.badVersion
      if (otherHostShare[s] > 0 && random.word(r) < otherHostShare[s]) bits |= MALFORM.otherHost
      return bits
    }

    function takeRequest(wire: number, s: number): number {
      const slot = clients.take(s)
      draftSlot[wire] = slot
      draftRequest[wire] = clients.id(slot)
      if (pick[s] === PICK.roundrobin) {
        const client = Math.floor((slot - slotBase[s]) / depth[s])
        slotFlow[slot] = flowBase[s] + (client % flowCount[s])
      } else {
        slotFlow[slot] = flows.next(s)
      }
      return slotFlow[slot]
    }

    function accelerate(wire: number, bits: number, key: number, queue: number): number {
      if ((bits & (STEER.rule | STEER.steerable)) !== STEER.steerable) return queue
      const filtered = steering.filtered(wire, key)
      if (filtered === 0) return queue
      arfsHits[wire]++
      return filtered
    }

    function fragment(wire: number, s: number): void {
      const flow = fragFlow[s]
      const left = fragL4Bytes[s] - fragments.index(s) * fragUnitBytes[s]
      draftFrame[wire] = 0
      draftFlow[wire] = flow
      draftRequest[wire] = 0
      draftSlot[wire] = 0
      draftPush[wire] = 0
      draftBytes[wire] = linkBytes[s] + IPV4_BYTES + Math.min(fragUnitBytes[s], left)
      draftQueue[wire] = flowQueue[flow]
      if (hasMalform[s] === 0) return
      const bits = drawMalform(s)
      draftMalform[wire] = bits
      if ((bits & MALFORM.badVersion) !== 0) draftQueue[wire] = firstQueue[wire]
    }

    return (wire, s) => {
      draftPending[wire] = 1
      draftSource[wire] = s
      draftWantPs[wire] = nextPs[s]
      draftError[wire] = errorThreshold[wire] > 0 && random.word(wireStream[wire]) < errorThreshold[wire] ? 1 : 0
      draftMalform[wire] = 0
      if (fragUnitBytes[s] !== 0) {
        fragment(wire, s)
        return
      }
      sent[s]++
      if (kind[s] === ARRIVAL.replay) {
        const frame = frameBase[s] + replayIndex[s]
        draftFrame[wire] = frame
        draftFlow[wire] = 0
        draftRequest[wire] = 0
        draftSlot[wire] = 0
        draftBytes[wire] = frameWireBytes[frame]
        const queue = frameQueue[frame]
        draftQueue[wire] = arfs[wire] === 0 ? queue : accelerate(wire, frameSteer[frame], frameKey[frame], queue)
        return
      }
      let flow: number
      if (kind[s] === ARRIVAL.closed) {
        flow = takeRequest(wire, s)
        draftPush[wire] = 1
      } else {
        flow = flows.next(s)
        draftRequest[wire] = 0
        draftSlot[wire] = 0
        draftPush[wire] = trainLeft[s] <= 1 ? 1 : 0
      }
      draftFlow[wire] = flow
      // ARP messages are made once per flow.
      draftFrame[wire] = frameBase[s] === 0 ? 0 : frameBase[s] + flow - flowBase[s]
      draftBytes[wire] = fixedBytes[s] !== 0 ? fixedBytes[s] : alias(stream[s], sizeBase[s], sizeCount[s])
      let queue = flowQueue[flow]
      if (arfs[wire] !== 0) queue = accelerate(wire, flowSteer[flow], flowKey[flow], queue)
      if (hasMalform[s] !== 0) {
        const bits = drawMalform(s)
        draftMalform[wire] = bits
        if ((bits & MALFORM.badVersion) !== 0) queue = firstQueue[wire]
      }
      draftQueue[wire] = queue
    }
  },
)
