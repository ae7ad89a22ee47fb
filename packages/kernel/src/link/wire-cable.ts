import { defineSystem } from '@softnet/ecs'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { CableChange, WireCable } from './components.js'
import { hasEvents } from './fill-link.js'

/** Whether a cable is in. Times of one direction never go back. */
export interface Cable {
  /** True if the cable is in from the first to the last bit of a received frame, ps. */
  receives(wire: number, startPs: number, endPs: number): boolean
  /** The same of a frame that is sent. */
  sends(wire: number, startPs: number, endPs: number): boolean
}

/** The cable of each wire, as the scenario says; null where no cable is ever pulled. Kernel: none */
export const wireCable = defineSystem<Cable | null>('wire_cable', 'wire', 'none', (context) => {
  if (!hasEvents(context.resource(PLAN_CONSTANTS).plan)) return null
  const { first, count, rxPassed, txPassed } = context.write(WireCable)
  const { atPs } = context.read(CableChange)

  function isIn(passed: Int32Array, wire: number, startPs: number, endPs: number): boolean {
    let n = passed[wire]
    while (n < count[wire] && atPs[first[wire] + n] <= startPs) n++
    passed[wire] = n
    return n % 2 === 0 && (n === count[wire] || atPs[first[wire] + n] >= endPs)
  }

  return {
    receives: (wire, startPs, endPs) => isIn(rxPassed, wire, startPs, endPs),
    sends: (wire, startPs, endPs) => isIn(txPassed, wire, startPs, endPs),
  }
})
