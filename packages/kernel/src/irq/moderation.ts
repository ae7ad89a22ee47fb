import { defineSystem, type World } from '@softnet/ecs'
import type { DevicePlan } from '@softnet/scenario/plan'
import { PLAN_CONSTANTS } from '../build/constants.js'
import type { Layout } from '../build/layout.js'
import { Cpu } from '../cpu/components.js'
import { DimState, IrqVector, RxQueue } from '../nic/components.js'
import { DIM_DEFAULT_PROFILE, DIM_RX_PROFILES, dim } from './dim.js'
import { ITR_SLOW_LINK_BITS_PER_SEC, ITR_START_USECS, itr } from './itr.js'

/** Values of `IrqVector.adaptive`. */
export const ADAPTIVE = { none: 0, dim: 1, ixgbeItr: 2 } as const

/** `IrqVector.moderation` of a period that starts at the completion; all others take the table of the event. */
const RULE_CQE = 4
const PS_PER_US = 1_000_000

/** Adaptive interrupt moderation. */
export interface Moderation {
  /** A poll of the vector's NAPI has completed: takes a sample. True if DIM chose a profile that a work item has to `apply`. */
  onPollComplete(cpu: number, vector: number): boolean
  /** Programs DIM's profile: changes `usecsPs` and `frames` of the vector. */
  apply(vector: number): void
  /** The vector's interrupt was taken. */
  onInterrupt(cpu: number, vector: number): void
}

/**
 * Adaptive moderation by the vector's rule: DIM, whose settings a work item programs, or Intel's ITR, at once.
 * Kernel: lib/dim/net_dim.c, net_dim; drivers/net/ethernet/intel/ixgbe/ixgbe_main.c, ixgbe_set_itr
 */
export const moderation = defineSystem<Moderation>('net_dim', 'irq', 'lib/dim/net_dim.c, net_dim', (context) => {
  const v = context.write(IrqVector)
  const { adaptive, moderation: rule, usecsPs, frames, firstQueue, queueCount, queueSkip, dev } = v
  const { profile, itrUsecs } = context.read(DimState)
  const { polledPackets, bytes } = context.read(RxQueue)
  const { clockPs } = context.read(Cpu)
  const { plan, jiffyPs, firstDevice } = context.resource(PLAN_CONSTANTS)
  const dynamic = context.system(dim)
  const throttle = context.system(itr)
  const devices = plan.hosts.flatMap((host) => host.devices)
  const slowLink = devices.map((device) => device.linkBitsPerSec <= ITR_SLOW_LINK_BITS_PER_SEC)
  const takesFrames = devices.map((device) => device.driver.rxFramesSupported)
  const eqeUsecs = Float64Array.from(DIM_RX_PROFILES.eqe, (p) => p.usecs)
  const eqeFrames = Float64Array.from(DIM_RX_PROFILES.eqe, (p) => p.frames)
  const cqeUsecs = Float64Array.from(DIM_RX_PROFILES.cqe, (p) => p.usecs)
  const cqeFrames = Float64Array.from(DIM_RX_PROFILES.cqe, (p) => p.frames)

  function programProfile(vector: number): void {
    const index = profile[vector]
    const cqe = rule[vector] === RULE_CQE
    usecsPs[vector] = (cqe ? cqeUsecs[index] : eqeUsecs[index]) * PS_PER_US
    if (takesFrames[dev[vector] - firstDevice]) frames[vector] = cqe ? cqeFrames[index] : eqeFrames[index]
  }

  return {
    onPollComplete(cpu, vector) {
      if (adaptive[vector] === ADAPTIVE.none) return false
      let packets = 0
      let octets = 0
      const step = 1 + queueSkip[vector]
      const end = firstQueue[vector] + queueCount[vector] * step
      for (let queue = firstQueue[vector]; queue < end; queue += step) {
        packets += polledPackets[queue]
        octets += bytes[queue]
      }
      if (adaptive[vector] === ADAPTIVE.dim) {
        return dynamic.sample(vector, clockPs[cpu], packets, octets)
      }
      const jiffy = Math.floor(clockPs[cpu] / jiffyPs[cpu])
      if (throttle.update(vector, jiffy, packets, octets, slowLink[dev[vector] - firstDevice])) {
        // The register counts in steps of 2 µs (IXGBE_MAX_EITR), the algorithm goes on with the odd value.
        usecsPs[vector] = (itrUsecs[vector] & ~1) * PS_PER_US
      }
      return false
    },
    apply(vector) {
      programProfile(vector)
      dynamic.applied(vector)
    },
    onInterrupt(_cpu, vector) {
      if (adaptive[vector] === ADAPTIVE.dim) dynamic.event(vector)
    },
  }
})

/** Moderation an adaptive vector starts with: what its driver programs when the device comes up. */
export interface StartModeration {
  readonly usecs: number
  readonly frames: number
}

/**
 * Start of a device's moderation. A driver's own default gives way to its adaptive rule's start (mlx5: profile 1;
 * ixgbe: 50 µs for its setting 1); a value the user gave stands until the first decision.
 * Kernel: drivers/net/ethernet/mellanox/mlx5/core/en/params.c, mlx5e_build_rx_cq_params; ixgbe_lib.c, ixgbe_alloc_q_vector
 */
export function startModeration(device: DevicePlan): StartModeration {
  const { driver, rxUsecs, rxFrames, adaptiveRx } = device
  if (!adaptiveRx || rxUsecs !== driver.rxUsecsDefault) return { usecs: rxUsecs, frames: rxFrames }
  if (driver.adaptiveRule === 'ixgbe-itr') return { usecs: ITR_START_USECS, frames: rxFrames }
  if (driver.adaptiveRule === 'dim' && (driver.moderation === 'eqe' || driver.moderation === 'cqe')) {
    return DIM_RX_PROFILES[driver.moderation][DIM_DEFAULT_PROFILE]
  }
  return { usecs: rxUsecs, frames: rxFrames }
}

/** Writes the start of adaptive moderation to every vector, after `dev`, `moderation` and `adaptive` are filled. */
export function fillModeration(world: World, layout: Layout): void {
  const { usecsPs, frames, adaptive } = world.columns(IrqVector)
  const { itrUsecs } = world.columns(DimState)
  for (const host of layout.hosts) {
    for (const { plan, vectors } of host.devices) {
      const start = startModeration(plan)
      for (const vector of vectors) {
        if (adaptive[vector] === ADAPTIVE.none) continue
        usecsPs[vector] = start.usecs * PS_PER_US
        frames[vector] = start.frames
        itrUsecs[vector] = start.usecs
      }
    }
  }
}
