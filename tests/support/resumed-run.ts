import { createRunner } from '@softnet/engine'
import { buildModel, modelPartitions } from '@softnet/kernel'
import type { Plan } from '@softnet/scenario'

/** State of a simulation at a moment, in buffers of its own. */
export interface Snapshot {
  readonly arena: readonly SharedArrayBuffer[]
  readonly atPs: number
}

/** Runs a plan up to a share of its duration and copies its arena. */
export function snapshotAt(plan: Plan, share: number): Snapshot {
  const atPs = Math.floor(plan.durationPs * share)
  const model = buildModel(plan)
  createRunner(modelPartitions(model)).runUntil(atPs)
  const arena = model.world.arena().map((buffer) => {
    const copy = new SharedArrayBuffer(buffer.byteLength)
    new Uint8Array(copy).set(new Uint8Array(buffer))
    return copy
  })
  return { arena, atPs }
}
