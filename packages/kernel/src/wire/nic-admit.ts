import { defineSystem } from '@softnet/ecs'
import { TRACE_SINK } from '../build/constants.js'
import { counters } from '../count/counters.js'
import { NUMBERS } from '../numbers.js'
import { NicFault, NicStall, pluginHook } from '../plugin/hooks.js'
import { BufferSlot, Wire, WireState } from './components.js'

/** The card behind a port, from the last bit of a frame to its way into memory; the frame's port time is `WireState.portPs`. */
export interface NicAdmit {
  /** What plugins make of the frame at the port: one of `NIC_FAULT`. */
  broken(wire: number): number
  /** Frame `number` of the wire ends at the port, or in the card behind it. */
  lose(wire: number, number: number, drop: number): void
  /** Frame `number` has a bad FCS. */
  damaged(wire: number, number: number): void
  /** The frame at the port waits for PCIe and crosses it to `queue` (0: a rule drops it); 0: it was lost. Sets `lastDuePs`. */
  admit(wire: number, bytes: number, queue: number): number
}

/** Packet buffer, rules that drop, PCIe. Kernel: none (the card); counters as in include/uapi/linux/if_link.h */
export const nicAdmit = defineSystem<NicAdmit>('nic_admit', 'wire', 'include/uapi/linux/if_link.h', (context) => {
  const { DEVICE, DROP, NIC_FAULT } = NUMBERS

  const w = context.read(Wire)
  const trace = context.resource(TRACE_SINK)
  const { dmaLatencyPs, deviceIndex, bufferBase, bufferMask, packetBufferBytes, serialFirst, serialStep } = w
  const { pcie, pcieDenominator, pcieOverheadBytes, pcieRest: wirePcieRest, pcieWhole } = w
  const state = context.write(WireState)
  const { portPs, pcieFreePs, pcieRest, lastDuePs, bufferHead, bufferTail, bufferBytes } = state
  const { frames, errors, filtered, missed } = state
  const { bytes: slotBytes, startPs: slotStartPs } = context.write(BufferSlot)
  const count = context.system(counters)
  const plugins = pluginHook(context, 'nic_rx')
  const fault = plugins === null ? null : context.write(NicFault)
  const stallUntilPs = plugins === null ? null : context.write(NicStall).untilPs
  const one = new Int32Array(1)

  /** Frame `number` of the wire ends at the port, or in the card behind it. */
  function lose(wire: number, number: number, drop: number): void {
    count.drop(wire, drop, 1, portPs[wire])
    if (trace.on) trace.wireDrop(wire, portPs[wire], serialFirst[wire] + number * serialStep[wire], drop)
  }

  /** The frame at the port waits for PCIe and crosses it; 0: it was lost. Sets `lastDuePs`. */
  function admit(wire: number, bytes: number, queue: number): number {
    const arrival = portPs[wire]
    let start = arrival
    // What a stalled card keeps waits in its packet buffer, as what waits for the bus does.
    const isBuffered = pcie[wire] !== 0 || stallUntilPs !== null
    const freePs = stallUntilPs === null ? pcieFreePs[wire] : Math.max(pcieFreePs[wire], stallUntilPs[wire])
    if (isBuffered) {
      const base = bufferBase[wire]
      const mask = bufferMask[wire]
      let head = bufferHead[wire]
      for (; head !== bufferTail[wire]; head = (head + 1) >>> 0) {
        const row = base + (head & mask)
        if (slotStartPs[row] > arrival) break
        bufferBytes[wire] -= slotBytes[row]
      }
      bufferHead[wire] = head
      if (freePs > arrival) {
        start = freePs
        if (bufferBytes[wire] + bytes > packetBufferBytes[wire]) {
          missed[wire]++
          lose(wire, frames[wire] - 1, DROP.nicMissed)
          return 0
        }
      }
    }
    if (queue === 0) {
      filtered[wire]++
      lose(wire, frames[wire] - 1, DROP.nicFilter)
      return 0
    }
    if (isBuffered) {
      if (start > arrival) {
        const row = bufferBase[wire] + (bufferTail[wire] & bufferMask[wire])
        slotStartPs[row] = start
        slotBytes[row] = bytes
        bufferBytes[wire] += bytes
        bufferTail[wire]++
      }
    }
    if (pcie[wire] !== 0) {
      const size = bytes + pcieOverheadBytes[wire]
      const rest = pcieRest[wire] + size * wirePcieRest[wire]
      const carried = Math.floor(rest / pcieDenominator[wire])
      pcieRest[wire] = rest - carried * pcieDenominator[wire]
      start += size * pcieWhole[wire] + carried
      pcieFreePs[wire] = start
    }
    lastDuePs[wire] = start + dmaLatencyPs[wire]
    return 1
  }

  /** What plugins make of the card: one of `NIC_FAULT`. */
  function broken(wire: number): number {
    if (plugins === null || fault === null || stallUntilPs === null) return NIC_FAULT.none
    one[0] = wire
    fault.action[wire] = NIC_FAULT.none
    fault.stallPs[wire] = 0
    plugins(one, 1, wire)
    if (fault.stallPs[wire] > 0) {
      stallUntilPs[wire] = Math.max(stallUntilPs[wire], Math.floor(portPs[wire] + fault.stallPs[wire]))
    }
    return fault.action[wire]
  }

  return {
    broken,
    lose,
    damaged(wire, number) {
      errors[wire]++
      count.device(deviceIndex[wire], 0, DEVICE.rxErrors, 1)
      lose(wire, number, DROP.wireError)
    },
    admit,
  }
})
