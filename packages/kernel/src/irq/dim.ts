import { defineSystem } from '@softnet/ecs'
import { KERNEL_VERSIONS } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import { DimState } from '../nic/components.js'

/** Profiles of a DIM instance. Kernel: include/linux/dim.h, NET_DIM_PARAMS_NUM_PROFILES */
export const DIM_PROFILES = 5

/** Interrupts between two decisions. Kernel: include/linux/dim.h, DIM_NEVENTS */
export const DIM_EVENTS = 64

/** Profile a driver programs before DIM has decided anything. Kernel: include/linux/dim.h, NET_DIM_DEF_PROFILE_EQE */
export const DIM_DEFAULT_PROFILE = 1

/** Moderation of one DIM profile. */
export interface DimProfile {
  /** Moderation time, µs. */
  readonly usecs: number
  /** Frames that raise the interrupt before that. */
  readonly frames: number
}

function profiles(...pairs: readonly (readonly [number, number])[]): readonly DimProfile[] {
  return pairs.map(([usecs, frames]) => ({ usecs, frames }))
}

/** Receive profiles, least delay first, by what the period starts from. Kernel: lib/dim/net_dim.c, rx_profile */
export const DIM_RX_PROFILES = {
  eqe: profiles([1, 256], [8, 256], [64, 256], [128, 256], [256, 256]),
  cqe: profiles([2, 256], [8, 128], [16, 64], [32, 64], [64, 64]),
} as const

/** Values of `DimState.state`. Kernel: include/linux/dim.h, enum dim_state */
export const DIM_STATE = { startMeasure: 0, measureInProgress: 1, applyNewProfile: 2 } as const

/** Values of `DimState.tune`. Kernel: include/linux/dim.h, enum dim_tune_state */
export const DIM_TUNE = { parkingOnTop: 0, parkingTired: 1, goingRight: 2, goingLeft: 3 } as const

const WORSE = -1
const SAME = 0
const BETTER = 1

/** Differences of 10 % and less do not count; the kernel's integer division makes that "11 % or more". */
function significant(value: number, reference: number): boolean {
  return 100 * Math.abs(value - reference) >= 11 * reference
}

/**
 * Compares two measurements, rates per ms: 1 better, 0 the same, −1 worse. Bytes decide, then packets, then events, of
 * which fewer are better. Kernel: lib/dim/net_dim.c, net_dim_stats_compare
 */
export function compareDimStats(
  bpms: number,
  ppms: number,
  epms: number,
  previousBpms: number,
  previousPpms: number,
  previousEpms: number,
): number {
  if (previousBpms === 0) return bpms > 0 ? BETTER : SAME
  if (significant(bpms, previousBpms)) return bpms > previousBpms ? BETTER : WORSE
  if (previousPpms === 0) return ppms > 0 ? BETTER : SAME
  if (significant(ppms, previousPpms)) return ppms > previousPpms ? BETTER : WORSE
  if (previousEpms === 0) return SAME
  if (significant(epms, previousEpms)) return epms < previousEpms ? BETTER : WORSE
  return SAME
}

/** DIM of all vectors. */
export interface Dim {
  /** Counts an interrupt, the event DIM measures by. */
  event(vector: number): void
  /**
   * End of a completed poll at `nowPs`, with the vector's packets and bytes so far. True when the profile changed; nothing
   * is measured from then until `applied`.
   */
  sample(vector: number, nowPs: number, packets: number, bytes: number): boolean
  /** The device has got `DimState.profile`: the next poll starts a measurement. */
  applied(vector: number): void
}

/**
 * Dynamic interrupt moderation: every 64 interrupts the last stretch is compared with the one before, and the profile
 * moves one step towards more (right) or less (left) delay until a step brings nothing. Kernel: lib/dim/net_dim.c, net_dim
 */
export const dim = defineSystem<Dim>('dim', 'irq', 'lib/dim/net_dim.c, net_dim', (context) => {
  const d = context.write(DimState)
  const { state, profile, tune, stepsLeft, stepsRight, tired, events } = d
  const { startNs, startEvents, startPackets, startBytes } = d
  const { previousBpms, previousPpms, previousEpms } = d
  const { plan } = context.resource(PLAN_CONSTANTS)
  const { dimNewSample } = KERNEL_VERSIONS[plan.kernel]

  function park(v: number, where: number): void {
    stepsLeft[v] = 0
    stepsRight[v] = 0
    if (where === DIM_TUNE.parkingOnTop) tired[v] = 0
    tune[v] = where
  }

  /** One step in the direction of travel; parks instead when worn out or at the end of the table. */
  function step(v: number): void {
    if (tired[v] === DIM_PROFILES * 2) {
      park(v, DIM_TUNE.parkingTired)
      return
    }
    if (tune[v] === DIM_TUNE.goingRight) {
      if (profile[v] === DIM_PROFILES - 1) {
        park(v, DIM_TUNE.parkingOnTop)
        return
      }
      profile[v]++
      stepsRight[v]++
    } else {
      if (profile[v] === 0) {
        park(v, DIM_TUNE.parkingOnTop)
        return
      }
      profile[v]--
      stepsLeft[v]++
    }
    tired[v]++
  }

  /** Leaves parking with one step, which is never the one too many: parking ends rested and away from that edge. */
  function exitParking(v: number): void {
    tune[v] = profile[v] === 0 ? DIM_TUNE.goingRight : DIM_TUNE.goingLeft
    step(v)
  }

  function turn(v: number): void {
    if (tune[v] === DIM_TUNE.goingRight) {
      tune[v] = DIM_TUNE.goingLeft
      stepsLeft[v] = 0
    } else {
      tune[v] = DIM_TUNE.goingRight
      stepsRight[v] = 0
    }
  }

  /** Several steps one way and a single one back: the best profile lies between them. */
  function onTop(v: number): boolean {
    if (tune[v] === DIM_TUNE.goingRight) return stepsLeft[v] > 1 && stepsRight[v] === 1
    return stepsRight[v] > 1 && stepsLeft[v] === 1
  }

  function decide(v: number, bpms: number, ppms: number, epms: number): boolean {
    const before = tune[v]
    const profileBefore = profile[v]
    if (before === DIM_TUNE.parkingTired) {
      tired[v]--
      if (tired[v] === 0) exitParking(v)
    } else {
      const result = compareDimStats(bpms, ppms, epms, previousBpms[v], previousPpms[v], previousEpms[v])
      if (before === DIM_TUNE.parkingOnTop) {
        if (result !== SAME) exitParking(v)
      } else {
        if (result !== BETTER) turn(v)
        if (onTop(v)) park(v, DIM_TUNE.parkingOnTop)
        else step(v)
      }
    }
    // A parked instance keeps what it compares with, so that slow drift adds up until it counts.
    if (before !== DIM_TUNE.parkingOnTop || tune[v] !== DIM_TUNE.parkingOnTop) {
      previousBpms[v] = bpms
      previousPpms[v] = ppms
      previousEpms[v] = epms
    }
    return profile[v] !== profileBefore
  }

  /**
   * Rates since the device came up: they do not move on a machine that has been up much longer than a run, so any constant
   * stands for them, and 64 events have long passed at every poll.
   */
  function decideOnAverages(v: number): boolean {
    const isMeasured = state[v] === DIM_STATE.measureInProgress
    state[v] = DIM_STATE.measureInProgress
    if (!isMeasured || !decide(v, 1, 1, 1)) return false
    state[v] = DIM_STATE.applyNewProfile
    return true
  }

  function start(v: number, nowNs: number, packets: number, bytes: number): void {
    startNs[v] = nowNs
    startEvents[v] = events[v]
    startPackets[v] = packets
    startBytes[v] = bytes
    state[v] = DIM_STATE.measureInProgress
  }

  return {
    event(v) {
      events[v]++
    },
    sample(v, nowPs, packets, bytes) {
      if (state[v] === DIM_STATE.applyNewProfile) return false
      if (!dimNewSample) return decideOnAverages(v)
      const nowNs = Math.floor(nowPs / 1000)
      if (state[v] === DIM_STATE.measureInProgress) {
        if (((events[v] - startEvents[v]) & 0xffff) < DIM_EVENTS) return false
        const deltaUs = Math.floor((nowNs - startNs[v]) / 1000) >>> 0
        if (deltaUs === 0) return false
        const ppms = Math.ceil(((((packets >>> 0) - startPackets[v]) >>> 0) * 1000) / deltaUs)
        const bpms = Math.ceil(((((bytes >>> 0) - startBytes[v]) >>> 0) * 1000) / deltaUs)
        const epms = Math.ceil((DIM_EVENTS * 1000) / deltaUs)
        if (decide(v, bpms, ppms, epms)) {
          state[v] = DIM_STATE.applyNewProfile
          return true
        }
      }
      start(v, nowNs, packets, bytes)
      return false
    },
    applied(v) {
      state[v] = DIM_STATE.startMeasure
    },
  }
})
